/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail/zip_check.h"

#define ROOM 1024

struct zip {
	uint8_t bytes[ROOM];
	size_t size;
	size_t locals[4], centrals[4], end;
	size_t count;
};

static void
put16(struct zip *zip, unsigned int value)
{
	zip->bytes[zip->size++] = (uint8_t)value;
	zip->bytes[zip->size++] = (uint8_t)(value >> 8);
}

static void
put32(struct zip *zip, unsigned int value)
{
	put16(zip, value & 0xffff);
	put16(zip, value >> 16);
}

static void
put_bytes(struct zip *zip, const void *bytes, size_t size)
{
	memcpy(zip->bytes + zip->size, bytes, size);
	zip->size += size;
}

static void
put_aes(struct zip *zip)
{
	put16(zip, 0x9901);
	put16(zip, 7);
	put16(zip, 2);
	put_bytes(zip, "AE\x03", 3);
	put16(zip, 8);
}

/* version, flags, method, time, date, CRC, sizes, name, extra: as both headers have them */
static void
put_common(struct zip *zip, unsigned int flags, unsigned int packed, size_t name_size)
{
	put16(zip, 51);
	put16(zip, flags);
	put16(zip, 99);
	put32(zip, 0);
	put32(zip, 0);
	put32(zip, packed);
	put32(zip, 100);
	put16(zip, (unsigned int)name_size);
	put16(zip, 11);
}

/* A zip of these names, each entry 40 bytes long. */
static struct zip
zip_of(const char *const *names, bool descriptor)
{
	struct zip zip = { .size = 0 };
	unsigned int flags = descriptor ? 9 : 1;
	size_t directory;

	for (; names[zip.count] != NULL; zip.count++) {
		zip.locals[zip.count] = zip.size;
		put32(&zip, 0x04034b50);
		put_common(&zip, flags, descriptor ? 0 : 40, strlen(names[zip.count]));
		put_bytes(&zip, names[zip.count], strlen(names[zip.count]));
		put_aes(&zip);
		for (int i = 0; i < 40; i++)
			zip.bytes[zip.size++] = (uint8_t)(i * 5);
		if (descriptor) {
			put32(&zip, 0x08074b50);
			put32(&zip, 0);
			put32(&zip, 40);
			put32(&zip, 100);
		}
	}
	directory = zip.size;
	for (size_t i = 0; i < zip.count; i++) {
		zip.centrals[i] = zip.size;
		put32(&zip, 0x02014b50);
		put16(&zip, 63);
		put_common(&zip, flags, 40, strlen(names[i]));
		put16(&zip, 0);
		put16(&zip, 0);
		put16(&zip, 0);
		put32(&zip, 0);
		put32(&zip, (unsigned int)zip.locals[i]);
		put_bytes(&zip, names[i], strlen(names[i]));
		put_aes(&zip);
	}
	zip.end = zip.size;
	put32(&zip, 0x06054b50);
	put32(&zip, 0);
	put16(&zip, (unsigned int)zip.count);
	put16(&zip, (unsigned int)zip.count);
	put32(&zip, (unsigned int)(zip.end - directory));
	put32(&zip, (unsigned int)directory);
	put16(&zip, 0);
	return zip;
}

static int
checked(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("zip", MFD_CLOEXEC), r;
	uint64_t told = 0;

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, 0), (ssize_t)size);
	r = zip_check(fd, &told);
	if (r == 0)
		assert_int_equal(told, size);
	close(fd);
	return r;
}

static const char *const three[] = { "barcode_errors.csv", "held_rows.csv", "rejected_rows.csv", NULL };

static void
cut_and_longer(void **state)
{
	struct zip zip = zip_of(three, false);

	(void)state;
	for (size_t size = 0; size < zip.size; size++)
		assert_int_equal(checked(zip.bytes, size), -EBADMSG);
	zip.bytes[zip.size] = 0;
	assert_int_equal(checked(zip.bytes, zip.size + 1), -EBADMSG);
	assert_int_equal(checked(zip.bytes + 1, zip.size - 1), -EBADMSG);
}

static void
names_that_are_not_the_report(void **state)
{
	static const char *const bad[][4] = {
		{ "CHCCS_Students_upload.csv", NULL },
		{ "barcode_errors.csv", "barcode_errors.csv", NULL },
		{ "Barcode_errors.csv", NULL },
		{ "barcode_errors.csv/", NULL },
		{ "x/barcode_errors.csv", NULL },
		{ "", NULL },
	};
	struct zip zip;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		zip = zip_of(bad[i], false);
		assert_int_equal(checked(zip.bytes, zip.size), -EBADMSG);
	}
	zip = zip_of((const char *const[]){ NULL }, false);
	assert_int_equal(checked(zip.bytes, zip.size), -EBADMSG);
}

/* Each bit of what says "encrypted, AES-256, this name, here" counts, in both headers and at the end. */
static void
bits_that_count(void **state)
{
	static const struct {
		const char *what;
		int where; /* 0 local, 1 directory, 2 end */
		size_t offset, size;
	} cases[] = {
		{ "local magic", 0, 0, 4 },   { "local flags", 0, 6, 2 },        { "local method", 0, 8, 2 },
		{ "local size", 0, 18, 4 },   { "local name size", 0, 26, 2 },   { "local extra size", 0, 28, 2 },
		{ "local name", 0, 30, 18 },  { "local AES", 0, 48, 9 },         { "magic", 1, 0, 4 },
		{ "flags", 1, 8, 2 },         { "method", 1, 10, 2 },            { "size", 1, 20, 4 },
		{ "name size", 1, 28, 2 },    { "extra size", 1, 30, 2 },        { "comment", 1, 32, 2 },
		{ "offset", 1, 42, 4 },       { "name", 1, 46, 18 },             { "end magic", 2, 0, 4 },
		{ "disks", 2, 4, 4 },         { "entries", 2, 8, 4 },            { "directory", 2, 12, 8 },
		{ "end comment", 2, 20, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t bit = 0; bit < cases[i].size * 8; bit++) {
			struct zip zip = zip_of(three, false);
			size_t at = (cases[i].where == 0 ? zip.locals[0] : cases[i].where == 1 ? zip.centrals[0] : zip.end) +
			            cases[i].offset + bit / 8;

			if (strstr(cases[i].what, "AES") != NULL && bit / 8 >= 4 && bit / 8 < 6)
				continue; /* AE-1 or AE-2: both are encrypted */
			zip.bytes[at] ^= (uint8_t)(1U << bit % 8);
			if (checked(zip.bytes, zip.size) != -EBADMSG)
				fail_msg("%s, bit %zu: taken", cases[i].what, bit);
		}
}

static void
not_a_file(void **state)
{
	uint64_t size;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(zip_check(ends[0], &size), -EBADMSG);
	close(ends[0]);
	close(ends[1]);
	assert_true(zip_check(-EBADF, &size) < 0);
}

static void
reports(void **state)
{
	static const char *const good[][5] = {
		{ "barcode_errors.csv", NULL },
		{ "rejected_rows.csv", NULL },
		{ "barcode_errors.csv", "held_rows.csv", "rejected_rows.csv", NULL },
		{ "held_rows.csv", "barcode_errors.csv", NULL },
		{ "opted_out_patrons.csv", NULL },
		{ "barcode_errors.csv", "held_rows.csv", "rejected_rows.csv", "opted_out_patrons.csv", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		for (int descriptor = 0; descriptor < 2; descriptor++) {
			struct zip zip = zip_of(good[i], descriptor == 1);

			assert_int_equal(checked(zip.bytes, zip.size), 0);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_and_longer),
		cmocka_unit_test(names_that_are_not_the_report),
		cmocka_unit_test(bits_that_count),
		cmocka_unit_test(not_a_file),
		cmocka_unit_test(reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
