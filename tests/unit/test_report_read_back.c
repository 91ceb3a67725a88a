/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/date.h"
#include "common/fd.h"
#include "report/pack.h"
#include "report/read_back.h"

#define PASSWORD "report password"
#define ZIP_MAX 65536U
#define LOCAL_HEADER 30U
#define TODAY 20416

static void
fill(struct tables *tables, const char *field, unsigned int rows)
{
	const struct outcome outcome = { FEED_STAFF, 3, OUTCOME_REJECTED, REASON_KEY, 0 };

	tables_init(tables, 1U << 20);
	for (unsigned int i = 0; i < rows; i++) {
		const struct cleanup_row row = {
			.patron_id = i + 1, .class = CLEANUP_NOTE, .expiration = 0, .field = field, .field_size = strlen(field)
		};

		assert_int_equal(tables_add_cleanup(tables, &row), 0);
	}
	assert_int_equal(tables_add_rejected(tables, &outcome), 0);
}

static int
workspace(void)
{
	int fd = memfd_create("zip", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static uint64_t
pack_into(int fd, const struct tables *tables)
{
	uint64_t size = 0;
	int number = 0;

	assert_int_equal(pack_tables(tables, PASSWORD, TODAY, fd, &size, &number), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), size);
	return size;
}

static void
other_tables_and_passwords(void **state)
{
	static const char *const wrong[] = { "report passwor", "report password ", "x" };
	_cleanup_fd_ int fd = workspace();
	_cleanup_tables_ struct tables tables, other_field, more_rows;
	uint64_t size;

	(void)state;
	fill(&tables, "12345678 x", 2);
	fill(&other_field, "12345678 y", 2);
	fill(&more_rows, "12345678 x", 3);
	size = pack_into(fd, &tables);
	assert_int_equal(read_back(fd, size, &tables, PASSWORD), 0);
	assert_int_equal(read_back(fd, size, &other_field, PASSWORD), 1);
	assert_int_equal(read_back(fd, size, &more_rows, PASSWORD), 1);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(read_back(fd, size, &tables, wrong[i]), 1);
	/* an entry too many, an entry too few */
	tables.rows[TABLE_REJECTED] = 0;
	assert_int_equal(read_back(fd, size, &tables, PASSWORD), 1);
	tables.rows[TABLE_REJECTED] = 1;
	tables.rows[TABLE_HELD] = 1;
	assert_int_equal(read_back(fd, size, &tables, PASSWORD), 1);
}

static void
sizes_and_descriptors(void **state)
{
	_cleanup_fd_ int fd = workspace(), closed = -EBADF;
	_cleanup_tables_ struct tables tables;
	uint64_t size;

	(void)state;
	fill(&tables, "x", 1);
	size = pack_into(fd, &tables);
	assert_int_equal(read_back(fd, 0, &tables, PASSWORD), 1);
	assert_int_equal(read_back(fd, size - 1, &tables, PASSWORD), 1);
	assert_int_equal(read_back(fd, size + 1, &tables, PASSWORD), 1);
	assert_int_equal(read_back(fd, UINT64_MAX, &tables, PASSWORD), 1);
	assert_int_equal(read_back(closed, size, &tables, PASSWORD), -EBADF);
}

/*
 * Each byte of the first entry's data (salt, check, ciphertext, MAC) flipped in turn: all found. In headers there are
 * bytes that mean nothing for what is read (a time, a version); they must not do more harm than that.
 */
static void
every_flipped_byte(void **state)
{
	_cleanup_fd_ int fd = workspace();
	_cleanup_tables_ struct tables tables;
	uint8_t zip[ZIP_MAX];
	uint64_t size;
	size_t from, to;
	unsigned int found = 0;

	(void)state;
	fill(&tables, "12345678 / PREV ID", 40);
	size = pack_into(fd, &tables);
	assert_true(size <= sizeof(zip));
	assert_int_equal(fd_pread_all(fd, zip, size, 0), size);
	from = LOCAL_HEADER + (size_t)(zip[26] | zip[27] << 8) + (size_t)(zip[28] | zip[29] << 8);
	to = from + (size_t)(zip[18] | zip[19] << 8 | zip[20] << 16);
	assert_true(from < to && to < size);
	for (size_t at = 0; at < size; at++) {
		uint8_t flipped = zip[at] ^ 0x55;
		int r;

		assert_int_equal(fd_pwrite_all(fd, &flipped, 1, (off_t)at), 0);
		r = read_back(fd, size, &tables, PASSWORD);
		assert_true(r == 0 || r == 1);
		if (at >= from && at < to)
			assert_int_equal(r, 1);
		found += (unsigned int)r;
		assert_int_equal(fd_pwrite_all(fd, &zip[at], 1, (off_t)at), 0);
	}
	assert_true(found > to - from);
	assert_int_equal(read_back(fd, size, &tables, PASSWORD), 0);
}

static void
writing_that_fails(void **state)
{
	_cleanup_fd_ int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	_cleanup_tables_ struct tables tables;
	uint64_t size = 7;
	int number = 7;

	(void)state;
	fill(&tables, "x", 1);
	assert_int_equal(pack_tables(&tables, PASSWORD, TODAY, full, &size, &number), -ENOSPC);
	assert_int_equal(number, 0);
	assert_int_equal(size, 7); /* untouched on failure */
	assert_int_equal(pack_tables(&tables, PASSWORD, TODAY, -EBADF, &size, &number), 0); /* nowhere: warming */
}

static void
dates_that_a_zip_has_not(void **state)
{
	static const int32_t days[] = { 0, 3651, 20416, 2932896, -719162 };
	_cleanup_tables_ struct tables tables;

	(void)state;
	fill(&tables, "x", 1);
	for (size_t i = 0; i < COUNT(days); i++) {
		_cleanup_fd_ int fd = workspace();
		uint64_t size = 0;
		int number;

		assert_int_equal(pack_tables(&tables, PASSWORD, days[i], fd, &size, &number), 0);
		assert_int_equal(read_back(fd, size, &tables, PASSWORD), 0);
	}
}

static void
warming(void **state)
{
	(void)state;
	assert_int_equal(pack_warm(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_tables_and_passwords),
		cmocka_unit_test(sizes_and_descriptors),
		cmocka_unit_test(every_flipped_byte),
		cmocka_unit_test(writing_that_fails),
		cmocka_unit_test(dates_that_a_zip_has_not),
		cmocka_unit_test(warming),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
