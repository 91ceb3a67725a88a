/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/names.h"

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		const char *pattern;
		bool feed;
	} names[] = {
		{ "", "*", false },
		{ ".", "*", false },
		{ "..", "*", false },
		{ "../feed.zip", "*", false },
		{ "a/feed.zip", "*", false },
		{ "/feed.zip", "*", false },
		{ ".feed.zip", "*", false },
		{ "~$feed.zip", "*", false },
		{ "feed.zip~", "*", false },
		{ "feed.zip.filepart", "*", false },
		{ "feed.zip.FilePart", "*", false },
		{ "feed.zip.partial", "*", false },
		{ "feed.zip.part", "*", false },
		{ "feed.zip.tmp", "*", false },
		{ "feed.zip.crdownload", "*", false },
		{ "barcode_errors-20260801.zip", "*.zip", false },
		{ "Barcode_Errors-20260801.ZIP", "*", false },
		{ "f\xe9" "ed.zip", "*.zip", false },     /* Latin-1 */
		{ "\xed\xa0\x80.zip", "*.zip", false },   /* a surrogate */
		{ "feed.ZIP", "*.zip", false },
		{ "feed.zip.gpg", "*.zip", false },
		{ "feed.zip", "chccs*.zip", false },
		{ "feed.zip", "*.zip", true },
		{ "f\xc3\xa9" "ed.zip", "*.zip", true },
		{ "feed of today.zip", "*.zip", true },
		{ "partial.zip", "*.zip", true },
		{ "chccs-library.zip", "chccs-?ibrary.zip", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool feed = names_is_feed(names[i].name, strlen(names[i].name), names[i].pattern);

		if (feed != names[i].feed)
			print_error("%s\n", names[i].name);
		assert_int_equal(feed, names[i].feed);
	}
}

static void
test_limits(void **state)
{
	char name[LIMIT_FILE_NAME + 1];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_true(names_is_feed(name, LIMIT_FILE_NAME, "*"));
	assert_false(names_is_feed(name, LIMIT_FILE_NAME + 1, "*"));
	assert_false(names_is_feed("feed.zip\0x.zip", 14, "*.zip"));
}

static void
test_paths(void **state)
{
	char folder[CONFIG_TEXT], path[REMOTE_PATH];

	(void)state;
	assert_int_equal(names_path(".", "a.zip", 5, path), 0);
	assert_string_equal(path, "./a.zip");
	assert_int_equal(names_path("/drop/", "a.zipx", 5, path), 0);
	assert_string_equal(path, "/drop/a.zip");
	assert_int_equal(names_path("", "a.zip", 5, path), 0);
	assert_string_equal(path, "a.zip");
	memset(folder, 'f', sizeof(folder));
	folder[sizeof(folder) - 1] = '\0';
	char name[LIMIT_FILE_NAME];
	memset(name, 'n', sizeof(name));
	assert_int_equal(names_path(folder, name, sizeof(name), path), 0);
	assert_int_equal(strlen(path), CONFIG_TEXT - 1 + 1 + LIMIT_FILE_NAME);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
