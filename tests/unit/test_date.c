/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/date.h"

static void
iso_refuses(void **state)
{
	static const char *const table[] = {
		"",
		"2024",
		"2024-",
		"2024-1-1",
		"2024-01-1",
		"2024-01-011",
		"24-01-01",
		"02024-01-01",
		" 2024-01-01",
		"2024-01-01 ",
		"2024-01-01T00:00:00Z",
		"2024/01/01",
		"2024-13-01",
		"2024-00-01",
		"2024-01-00",
		"2024-01-32",
		"2023-02-29",
		"1900-02-29",
		"2100-02-29",
		"2024-04-31",
		"0000-01-01",
		"-001-01-01",
		"2024--1-01",
		"+024-01-01",
		"2024-01-0a",
		"20240101",
		"2024-01-01\n",
		"٢٠٢٤-01-01",
		"2024-02-30",
		"99999-01-01",
	};
	int32_t days = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (date_parse_iso(table[i], strlen(table[i]), &days) != -EINVAL || days != 7)
			fail_msg("'%s' was taken", table[i]);
	assert_int_equal(date_parse_iso("2024-01-01\0", 11, &days), -EINVAL);
	assert_int_equal(date_parse_iso("2024-01-01", 9, &days), -EINVAL);
}

static void
us_refuses(void **state)
{
	static const char *const table[] = {
		"",
		"1/1",
		"1/1/",
		"/1/2024",
		"1//2024",
		"001/01/2024",
		"01/001/2024",
		"1/1/24",
		"1/1/02024",
		"13/01/2024",
		"0/1/2024",
		"1/0/2024",
		"02/29/2023",
		"2/30/2024",
		"4/31/2024",
		"1-1-2024",
		"1.1.2024",
		" 1/1/2024",
		"1/1/2024 ",
		"1/1/2024 00:00",
		"2024-01-01",
		"-1/1/2024",
		"1/-1/2024",
		"a/b/cccc",
		"1/1/0000",
		"1/1/2O24",
	};
	int32_t days = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (date_parse_us(table[i], strlen(table[i]), &days) != -EINVAL || days != 7)
			fail_msg("'%s' was taken", table[i]);
}

static void
parses(void **state)
{
	static const struct {
		const char *iso, *us;
		int32_t days;
	} table[] = {
		{ "1970-01-01", "1/1/1970", 0 },
		{ "1969-12-31", "12/31/1969", -1 },
		{ "2000-02-29", "02/29/2000", 11016 },
		{ "2000-03-01", "3/01/2000", 11017 },
		{ "1900-01-01", "01/1/1900", -25567 },
		{ "2024-02-29", "2/29/2024", 19782 },
		{ "2038-01-19", "01/19/2038", 24855 },
		{ "0001-01-01", "1/1/0001", -719162 },
		{ "9999-12-31", "12/31/9999", 2932896 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		char text[DATE_TEXT_SIZE];
		int32_t days;

		assert_int_equal(date_parse_iso(table[i].iso, strlen(table[i].iso), &days), 0);
		assert_int_equal(days, table[i].days);
		assert_int_equal(date_parse_us(table[i].us, strlen(table[i].us), &days), 0);
		assert_int_equal(days, table[i].days);
		date_format(days, text);
		assert_string_equal(text, table[i].iso);
	}
}

static void
no_such_day(void **state)
{
	static const struct date table[] = {
		{ 2023, 2, 29 },
		{ 2024, 0, 1 },
		{ 2024, 13, 1 },
		{ 2024, 1, 0 },
		{ 2024, 1, 32 },
		{ 0, 1, 1 },
		{ 10000, 1, 1 },
		{ -1, 1, 1 },
		{ 2024, -1, 1 },
		{ 2024, 1, -1 },
		{ INT32_MAX, INT32_MAX, INT32_MAX },
		{ INT32_MIN, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(date_to_days(table[i]), DATE_NONE);
}

/* Every day of the years 1–9999, one after the other, against a calendar that only counts. */
static void
every_day(void **state)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int32_t expected = -719162;

	(void)state;
	for (int year = 1; year <= 9999; year++) {
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

		for (int month = 1; month <= 12; month++)
			for (int day = 1; day <= lengths[month - 1] + (month == 2 && leap); day++) {
				struct date back = date_from_days(expected);

				if (date_to_days((struct date){ year, month, day }) != expected || back.year != year ||
				    back.month != month || back.day != day)
					fail_msg("%d-%d-%d", year, month, day);
				expected++;
			}
	}
	assert_int_equal(expected, 2932897);
}

static void
today_is_local(void **state)
{
	time_t now = time(NULL);
	int32_t utc = (int32_t)(now / 86400);
	int32_t early, late;

	(void)state;
	assert_int_equal(setenv("TZ", "EAST-14", 1), 0);
	early = date_today();
	assert_int_equal(setenv("TZ", "WEST+12", 1), 0);
	late = date_today();
	assert_int_equal(unsetenv("TZ"), 0);
	assert_true(early == late + 1 || early == late + 2); /* 26 hours apart */
	assert_in_range(early, utc, utc + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iso_refuses),
		cmocka_unit_test(us_refuses),
		cmocka_unit_test(no_such_day),
		cmocka_unit_test(parses),
		cmocka_unit_test(every_day),
		cmocka_unit_test(today_is_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
