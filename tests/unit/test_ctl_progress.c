/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include "ctl/progress.h"

static void
bars(void **state)
{
	static const struct {
		uint64_t done, total;
		unsigned int columns;
		const char *bar;
	} cases[] = {
		{ 0, 0, 12, "[          ]" },
		{ 0, 10, 12, "[          ]" },
		{ 1, 1000000, 12, "[>         ]" },
		{ 5, 10, 12, "[=====>    ]" },
		{ 9, 10, 12, "[=========>]" },
		{ 10, 10, 12, "[==========]" },
		{ 11, 10, 12, "[==========]" }, /* more than there would be */
		{ UINT64_MAX, UINT64_MAX, 12, "[==========]" },
		{ UINT64_MAX / 2 + 1, UINT64_MAX, 12, "[=====>    ]" },
		{ UINT64_MAX, 1, 3, "[=]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char bar[16];

		assert_string_equal(progress_bar(cases[i].done, cases[i].total, cases[i].columns, bar), cases[i].bar);
	}
}

static void
durations(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "0 s" },
		{ 59, "59 s" },
		{ 60, "1:00" },
		{ 3599, "59:59" },
		{ 3600, "1:00:00" },
		{ 360000, "100:00:00" },
		{ UINT64_MAX, "5124095576030431:00:15" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[32];

		assert_string_equal(progress_duration(cases[i].seconds, text), cases[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bars),
		cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
