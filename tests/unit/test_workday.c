/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Closes of business, over nights, weekends and the days on which clocks are changed. */

#include "testkit.h"

#include <stdlib.h>
#include <time.h>

#include "supervisor/workday.h"

#define MON_TO_FRI 0x3eU
#define EVERY_DAY 0x7fU

static int64_t
at(int year, int month, int day, int hour, int minute)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute,
		.tm_isdst = -1 };

	return (int64_t)mktime(&tm) * 1000000;
}

static void
closes(void **state)
{
	/* 2026-03-06 is a Friday */
	const struct {
		int64_t now, last, next;
		uint32_t minutes, days;
	} cases[] = {
		{ at(2026, 3, 4, 12, 0), at(2026, 3, 3, 18, 0), at(2026, 3, 4, 18, 0), 18 * 60, MON_TO_FRI },
		{ at(2026, 3, 4, 18, 0), at(2026, 3, 4, 18, 0), at(2026, 3, 5, 18, 0), 18 * 60, MON_TO_FRI },
		{ at(2026, 3, 4, 17, 59), at(2026, 3, 3, 18, 0), at(2026, 3, 4, 18, 0), 18 * 60, MON_TO_FRI },
		{ at(2026, 3, 7, 12, 0), at(2026, 3, 6, 18, 0), at(2026, 3, 9, 18, 0), 18 * 60, MON_TO_FRI },
		{ at(2026, 3, 9, 9, 0), at(2026, 3, 6, 18, 0), at(2026, 3, 9, 18, 0), 18 * 60, MON_TO_FRI },
		{ at(2026, 3, 9, 9, 0), at(2026, 3, 4, 0, 0), at(2026, 3, 11, 0, 0), 0, 1U << 3 },
		{ at(2026, 3, 4, 0, 0), at(2026, 3, 4, 0, 0), at(2026, 3, 11, 0, 0), 0, 1U << 3 },
		/* 2026-03-08: at 2:00 clocks leap to 3:00 */
		{ at(2026, 3, 8, 12, 0), at(2026, 3, 8, 2, 30), at(2026, 3, 9, 2, 30), 150, EVERY_DAY },
		{ at(2026, 3, 8, 0, 30), at(2026, 3, 7, 18, 0), at(2026, 3, 8, 18, 0), 18 * 60, EVERY_DAY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(workday_last_close(cases[i].now, cases[i].minutes, cases[i].days), cases[i].last);
		assert_int_equal(workday_next_close(cases[i].now, cases[i].minutes, cases[i].days), cases[i].next);
	}
}

/* Through a year of half hours: the last is never later, the next never earlier, and there is none between. */
static void
every_half_hour(void **state)
{
	int64_t now = at(2026, 1, 1, 0, 0);

	(void)state;
	for (int i = 0; i < 366 * 48; i++, now += 1800 * 1000000LL) {
		int64_t last = workday_last_close(now, 18 * 60, MON_TO_FRI);
		int64_t next = workday_next_close(now, 18 * 60, MON_TO_FRI);

		assert_true(last <= now && now < next);
		assert_int_equal(workday_next_close(last, 18 * 60, MON_TO_FRI), next);
		assert_int_equal(workday_last_close(next - 1, 18 * 60, MON_TO_FRI), last);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(closes), cmocka_unit_test(every_half_hour) };

	(void)setenv("TZ", "America/New_York", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
