/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <stdbool.h>
#include <string.h>

#include "common/date.h"
#include "common/feed_name.h"
#include "patrond/outcome.h"
#include "share/deliver.h"

static const struct {
	const char *name;
	size_t size; /* 0: strlen */
	const char *pattern;
	bool fits;
} names[] = {
	{ "", 0, "*", false },
	{ ".", 0, "*", false },
	{ "..", 0, "*", false },
	{ ".feed.zip", 0, "*.zip", false },
	{ ".feed.zip", 0, ".*", false },
	{ "a/b.zip", 0, "*", false },
	{ "/feed.zip", 0, "*", false },
	{ "feed\0.zip", 9, "*", false },
	{ "feed.zip\0", 9, "*.zip", false },
	{ "~feed.zip", 0, "*.zip", false },
	{ "~$feed.zip", 0, "*.zip", false },
	{ "feed.zip~", 0, "*", false },
	{ "feed.zip.filepart", 0, "*", false },
	{ "feed.zip.FilePart", 0, "*", false },
	{ "feed.partial", 0, "*", false },
	{ "feed.part", 0, "*", false },
	{ "feed.tmp", 0, "*", false },
	{ "feed.TMP", 0, "*", false },
	{ "feed.temp", 0, "*", false },
	{ "feed.crdownload", 0, "*", false },
	{ "feed.download", 0, "*", false },
	{ "feed.swp", 0, "*", false },
	{ "feed.bak", 0, "*", false },
	{ "barcode_errors-20251124.zip", 0, "*.zip", false },
	{ "barcode_errors-.zip", 0, "*.zip", false },
	{ "Barcode_Errors-x.ZIP", 0, "*", false },
	{ "feed.csv", 0, "*.zip", false },
	{ "feed.ZIP", 0, "*.zip", false },
	{ "feed.zip.txt", 0, "*.zip", false },
	{ "feed.zip", 0, "chccs*", false },
	{ "feed.zip", 0, "*.zip", true },
	{ "feed.zipXXX", 8, "*.zip", true },
	{ "two words.zip", 0, "*.zip", true },
	{ "\xff\xe9.zip", 0, "*.zip", true },
	{ "new\nline.zip", 0, "*.zip", true },
	{ "*.zip", 0, "[*].zip", true },
	{ "part.zip", 0, "*.zip", true },
	{ "barcode_errors.zip", 0, "*.zip", true },
	{ "my barcode_errors-1.zip", 0, "*.zip", true },
};

static void
names_of_feeds(void **state)
{
	char longest[256];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		if (feed_name_fits(names[i].name, names[i].size > 0 ? names[i].size : strlen(names[i].name), names[i].pattern) !=
		    names[i].fits)
			fail_msg("name %zu (%s) with %s", i, names[i].name, names[i].pattern);
	memset(longest, 'a', sizeof(longest));
	assert_false(feed_name_fits(longest, 256, "*"));
	assert_true(feed_name_fits(longest, 255, "*"));
}

static const struct {
	const char *name;
	int32_t date;
} reports[] = {
	{ "", DATE_NONE },
	{ "barcode_errors-.zip", DATE_NONE },
	{ "barcode_errors-2025112.zip", DATE_NONE },
	{ "barcode_errors-202511245.zip", DATE_NONE },
	{ "barcode_errors-2025112x.zip", DATE_NONE },
	{ "barcode_errors- 2251124.zip", DATE_NONE },
	{ "barcode_errors-+2251124.zip", DATE_NONE },
	{ "barcode_errors--2251124.zip", DATE_NONE },
	{ "barcode_errors-20250229.zip", DATE_NONE },
	{ "barcode_errors-20251301.zip", DATE_NONE },
	{ "barcode_errors-20250001.zip", DATE_NONE },
	{ "barcode_errors-20250100.zip", DATE_NONE },
	{ "barcode_errors-00000101.zip", DATE_NONE },
	{ "barcode_errors-99999999.zip", DATE_NONE },
	{ "barcode_errors-20251124.ZIP", DATE_NONE },
	{ "barcode_errors-20251124.zip ", DATE_NONE },
	{ "barcode_errors_20251124.zip", DATE_NONE },
	{ "Barcode_errors-20251124.zip", DATE_NONE },
	{ "xbarcode_errors-20251124.zip", DATE_NONE },
	{ "barcode_errors-20251124-.zip", DATE_NONE },
	{ "barcode_errors-20251124-Staff.zip", DATE_NONE },
	{ "barcode_errors-20251124-students.zip", DATE_NONE },
	{ "barcode_errors-20251124-staff-student.zip", DATE_NONE },
	{ "barcode_errors-2025112-student.zip", DATE_NONE },
	{ "barcode_errors-20250229-staff.zip", DATE_NONE },
	{ "barcode_errors-student.zip", DATE_NONE },
	{ "barcode_errors-20251124-student.zip", 20416 },
	{ "barcode_errors-20251124-staff.zip", 20416 },
	{ "barcode_errors-19700101.zip", 0 },
	{ "barcode_errors-20240229.zip", 19782 },
	{ "barcode_errors-20251124.zip", 20416 },
	{ "barcode_errors-99991231.zip", 2932896 },
};

static void
names_of_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(reports); i++) {
		assert_int_equal(report_name_date(reports[i].name, strlen(reports[i].name)), reports[i].date);
		/* what is a report of ours is never a feed */
		if (reports[i].date != DATE_NONE)
			assert_false(feed_name_fits(reports[i].name, strlen(reports[i].name), "*"));
	}
}

static void
names_of_reports_tell_their_feeds(void **state)
{
	static const struct {
		uint32_t kinds;
		const char *name;
	} made[] = {
		{ FEED_BITS_ALL, "barcode_errors-20251124.zip" },
		{ FEED_BIT(FEED_STUDENT), "barcode_errors-20251124-student.zip" },
		{ FEED_BIT(FEED_STAFF), "barcode_errors-20251124-staff.zip" },
	};
	char name[REPORT_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(made); i++) {
		report_name_make(20416, made[i].kinds, name);
		assert_string_equal(name, made[i].name);
		assert_int_equal(report_name_kinds(name, strlen(name)), made[i].kinds);
		assert_int_equal(report_name_date(name, strlen(name)), 20416);
	}
	assert_int_equal(report_name_kinds("barcode_errors-20251124-others.zip", 34), 0);
	assert_int_equal(report_name_kinds("feed.zip", 8), 0);
	report_name_make(2932896, FEED_BITS_ALL, name);
	assert_string_equal(name, "barcode_errors-99991231.zip");
}

static void
names_of_deliveries(void **state)
{
	static const struct {
		const char *name;
		bool is;
	} temporaries[] = {
		{ "", false },
		{ "barcode_errors-20251124.zip", false },
		{ ".barcode_errors-20251124.zip", false },
		{ "barcode_errors-20251124.zip.patrond", false },
		{ ".barcode_errors-20250230.zip.patrond", false },
		{ ".barcode_errors-20251124.zip.patronx", false },
		{ ".barcode_errors-20251124.zip.patrond~", false },
		{ ".feed.zip.patrond", false },
		{ "xbarcode_errors-20251124.zip.patrond", false },
		{ ".barcode_errors-20251124-others.zip.patrond", false },
		{ ".patrond", false },
		{ ".barcode_errors-20251124.zip.patrond", true },
		{ ".barcode_errors-20251124-student.zip.patrond", true },
		{ ".barcode_errors-20251124-staff.zip.patrond", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(temporaries); i++)
		assert_int_equal(deliver_is_temporary(temporaries[i].name, strlen(temporaries[i].name)), temporaries[i].is);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_feeds),
		cmocka_unit_test(names_of_reports),
		cmocka_unit_test(names_of_reports_tell_their_feeds),
		cmocka_unit_test(names_of_deliveries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
