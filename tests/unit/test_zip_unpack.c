/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One entry from raw bytes to verified text: order of the steps, what stops it, what is told when. */

#include "test_decode_kit.h"

#include "common/buf.h"
#include "decode/zip_unpack.h"

#define STAFF_FRONT "Active\t2000000001\tGrace\tHopper\t"

static struct bytes zip;

struct opened {
	int fd;
	struct zip_archive *archive;
	struct zip_unpack *unpack;
};

static size_t
index_of(const struct zip_archive *archive, const char *name)
{
	for (size_t i = 0; i < zip_archive_count(archive); i++)
		if (strcmp(zip_archive_entry(archive, i)->name, name) == 0)
			return i;
	fail_msg("no %s", name);
	return 0;
}

static struct opened
open_staff(const char *file, zip_tick_fn *tick, void *data)
{
	struct opened opened = { 0 };

	load_zip(file, &zip);
	opened.fd = fd_of(zip.data, zip.size);
	assert_int_equal(zip_archive_open(&opened.archive, opened.fd), 0);
	assert_int_equal(zip_unpack_new(&opened.unpack, opened.archive, index_of(opened.archive, "CHCCS_staff.csv"), tick, data),
	    0);
	return opened;
}

static void
close_all(struct opened *opened)
{
	zip_unpack_freep(&opened->unpack);
	zip_archive_closep(&opened->archive);
	fd_closep(&opened->fd);
}

static int
unlock(struct opened *opened, const char *passwords)
{
	/* a line is kept until the end: the secret must outlive the entry */
	static struct secret secret;

	secret = secret_of(passwords);
	return zip_unpack_unlock(opened->unpack, &secret);
}

static int
collect(void *data, const char *bytes, size_t size)
{
	return buf_add(data, bytes, size);
}

static int
stop(void *data, const char *bytes, size_t size)
{
	(void)bytes;
	(void)size;
	++*(int *)data;
	return -1;
}

static const char *const kinds[] = {
	"good_aes128.zip", "good_aes256.zip", "good_aes256_stored.zip", "good_aes1.zip",
	"good_zipcrypto.zip", "good_zipcrypto_7z.zip", "good_zipcrypto_stored.zip",
};

static void
test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct opened opened = open_staff(kinds[i], NULL, NULL);

		assert_int_equal(unlock(&opened, "wrong\n" PASSWORD), 0);
		/* a second run begins anew */
		for (int times = 0; times < 2; times++) {
			_cleanup_buf_ struct buf text = BUF_INIT(1U << 16);

			assert_int_equal(zip_unpack_run(opened.unpack, collect, &text), 0);
			assert_int_equal(text.size, 175);
			assert_memory_equal(text.bytes, STAFF_FRONT, sizeof(STAFF_FRONT) - 1);
		}
		close_all(&opened);
	}
}

static void
test_stopped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct opened opened = open_staff(kinds[i], NULL, NULL);
		int calls = 0;

		assert_int_equal(unlock(&opened, PASSWORD), 0);
		assert_int_equal(zip_unpack_run(opened.unpack, stop, &calls), ZIP_UNPACK_STOPPED);
		assert_int_equal(calls, 1);
		close_all(&opened);
	}
}

/* What makes no sense as CSV may be a wrong or corrupt text: with traditional encryption that is told, not the CSV. */
static void
test_stopped_by_garbage(void **state)
{
	struct opened opened = open_staff("good_zipcrypto_stored.zip", NULL, NULL);
	const struct zip_entry *entry = zip_archive_entry(opened.archive, index_of(opened.archive, "CHCCS_staff.csv"));
	uint8_t byte = zip.data[entry->data + 20] ^ 1;
	int calls = 0;

	(void)state;
	assert_int_equal(fd_pwrite_all(opened.fd, &byte, 1, (off_t)entry->data + 20), 0);
	assert_int_equal(unlock(&opened, PASSWORD), 0);
	assert_int_equal(zip_unpack_run(opened.unpack, stop, &calls), FAILURE_ZIP_CORRUPT);
	assert_int_equal(calls, 1);
	close_all(&opened);
}

/* The MAC is checked before anything is given out, and again over the bytes that are decrypted. */
static void
test_changed_after_unlock(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1U << 16);
	struct opened opened = open_staff("good_aes256_stored.zip", NULL, NULL);
	const struct zip_entry *entry = zip_archive_entry(opened.archive, index_of(opened.archive, "CHCCS_staff.csv"));
	uint8_t byte = zip.data[entry->data + 40] ^ 1;

	(void)state;
	assert_int_equal(unlock(&opened, PASSWORD), 0);
	assert_int_equal(fd_pwrite_all(opened.fd, &byte, 1, (off_t)entry->data + 40), 0);
	assert_int_equal(zip_unpack_run(opened.unpack, collect, &text), FAILURE_ZIP_CORRUPT);
	close_all(&opened);

	opened = open_staff("good_aes256_stored.zip", NULL, NULL);
	entry = zip_archive_entry(opened.archive, index_of(opened.archive, "CHCCS_staff.csv"));
	assert_int_equal(fd_pwrite_all(opened.fd, &byte, 1, (off_t)entry->data + 40), 0);
	assert_int_equal(unlock(&opened, PASSWORD), FAILURE_ZIP_CORRUPT);
	close_all(&opened);
}

static void
test_cut_while_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(1U << 16);
		struct opened opened = open_staff(kinds[i], NULL, NULL);
		const struct zip_entry *entry = zip_archive_entry(opened.archive, index_of(opened.archive, "CHCCS_staff.csv"));

		assert_int_equal(unlock(&opened, PASSWORD), 0);
		assert_int_equal(ftruncate(opened.fd, (off_t)(entry->data + entry->packed / 2)), 0);
		assert_int_equal(zip_unpack_run(opened.unpack, collect, &text), FAILURE_ZIP_CORRUPT);
		close_all(&opened);
	}
}

static int
tick(void *data, uint64_t bytes)
{
	*(uint64_t *)data += bytes;
	return 0;
}

static int
tick_no(void *data, uint64_t bytes)
{
	(void)data;
	(void)bytes;
	return 1;
}

static void
test_ticks(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1U << 16);
	uint64_t bytes = 0;
	struct opened opened = open_staff("good_aes256_stored.zip", tick, &bytes);

	(void)state;
	assert_int_equal(unlock(&opened, PASSWORD), 0);
	assert_int_equal(bytes, 175);
	assert_int_equal(zip_unpack_run(opened.unpack, collect, &text), 0);
	assert_int_equal(bytes, 2 * 175);
	close_all(&opened);

	opened = open_staff("good_aes256_stored.zip", tick_no, NULL);
	assert_int_equal(unlock(&opened, PASSWORD), -ECANCELED);
	close_all(&opened);
	opened = open_staff("good_zipcrypto.zip", tick_no, NULL);
	assert_int_equal(unlock(&opened, PASSWORD), 0);
	assert_int_equal(zip_unpack_run(opened.unpack, collect, &text), -ECANCELED);
	close_all(&opened);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_stopped_by_garbage),
		cmocka_unit_test(test_changed_after_unlock),
		cmocka_unit_test(test_cut_while_read),
		cmocka_unit_test(test_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
