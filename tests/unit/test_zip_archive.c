/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libzip over a descriptor: raw bytes as they stand in the file, and nothing read past them. */

#include "test_decode_kit.h"

#include "decode/zip_archive.h"

static struct bytes zip;

static void
test_refused(void **state)
{
	static const struct {
		const char *file;
		int result;
	} cases[] = {
		{ "empty_file.zip", FAILURE_NOT_A_ZIP },
		{ "plain.zip", FAILURE_ZIP_PLAIN },
		{ "dotdot_name.zip", FAILURE_ZIP_NAME },
		{ "aes_version_3.zip", FAILURE_ZIP_ENCRYPTION },
		{ "local_says_plain.zip", FAILURE_ZIP_CORRUPT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_zip_archive_ struct zip_archive *archive = NULL;
		_cleanup_fd_ int fd = -EBADF;

		load_zip(cases[i].file, &zip);
		fd = fd_of(zip.data, zip.size);
		assert_int_equal(zip_archive_open(&archive, fd), cases[i].result);
		assert_null(archive);
	}
}

static void
test_raw_bytes(void **state)
{
	static const char *const files[] = { "good_aes256.zip", "good_zipcrypto.zip", "good_zip64_end.zip", "good_folders.zip",
		"streamed.zip" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		_cleanup_zip_archive_ struct zip_archive *archive = NULL;
		_cleanup_fd_ int fd = -EBADF;

		load_zip(files[i], &zip);
		fd = fd_of(zip.data, zip.size);
		/* the descriptor's own offset belongs to others */
		assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
		assert_int_equal(zip_archive_open(&archive, fd), 0);
		for (size_t entry = 0; entry < zip_archive_count(archive); entry++) {
			_cleanup_zip_raw_ struct zip_raw *raw = NULL;
			const struct zip_entry *e = zip_archive_entry(archive, entry);
			static uint8_t bytes[4096];

			assert_true(e->packed < sizeof(bytes));
			assert_int_equal(zip_raw_open(&raw, archive, entry), 0);
			assert_int_equal(zip_raw_read(raw, bytes, (size_t)e->packed), 0);
			assert_memory_equal(bytes, zip.data + e->data, (size_t)e->packed);
			assert_int_equal(zip_raw_read(raw, bytes, 1), FAILURE_ZIP_CORRUPT);
		}
		assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_raw_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
