/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <stdlib.h>
#include <string.h>

#include "common/present.h"
#include "patrond/shape.h"

static void
guards(void **state)
{
	static const struct {
		struct guard_figure figure;
		const char *text;
	} cases[] = {
		{ { GUARD_CREATES, FEED_STUDENT, 4560, 12000, 30, 0 },
		    "creates 38% > 30% (4,560 of 12,000 rows, student)" },
		{ { GUARD_HELD, FEED_STAFF, 201, 2000, 10, 0 }, "held 10% > 10% (201 of 2,000 rows, staff)" },
		{ { GUARD_ROWS, FEED_STAFF, 100, 2000, 70, 0 }, "rows 5% < 70% (100 of 2,000 last time, staff)" },
		{ { GUARD_PATRONS, FEED_KIND_INVALID, 89999, 100000, 90, 0 },
		    "patrons 89.9% < 90% (89,999 of 100,000 last time)" },
		{ { GUARD_FILL, FEED_STUDENT, 5640, 12000, 20, COLUMN_EMAIL },
		    "fill of email 47% > 20% (5,640 of 12,000 rows unlike last time, student)" },
		{ { GUARD_SHARES, FEED_STUDENT, 6000, 12000, 15, COLUMN_OPT_OUT },
		    "shares of opt-out 50% > 15% (6,000 of 12,000 rows unlike last time, student)" },
		{ { GUARD_KEYS, FEED_STAFF, 200, 2000, 5, 0 }, "keys 10% > 5% (200 of 2,000 rows unlike last time, staff)" },
		{ { GUARD_OPT_OUTS, FEED_STUDENT, 0, 360, 50, 0 }, "opt-outs 0% < 50% (0 of 360 last time, student)" },
		{ { GUARD_SCHOOLS, FEED_STUDENT, 10, 600, 50, 0 }, "schools 1.6% < 50% (10 of 600 last time, student)" },
		{ { GUARD_MANUAL, FEED_KIND_INVALID, 0, 0, 0, 0 }, "manual ([load] start = manual)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];

		present_guard(&cases[i].figure, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void
numbers(void **state)
{
	char text[27];

	(void)state;
	assert_string_equal(present_number(0, text), "0");
	assert_string_equal(present_number(999, text), "999");
	assert_string_equal(present_number(1000, text), "1,000");
	assert_string_equal(present_number(14210, text), "14,210");
	assert_string_equal(present_number(18446744073709551615ULL, text), "18,446,744,073,709,551,615");
}

static char *
table(uint32_t kinds, const struct feed_counts counts[static FEED_KIND_MAX], bool zeros)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	present_counts(kinds, counts, zeros, to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void
tables(void **state)
{
	struct feed_counts counts[FEED_KIND_MAX] = {
		[FEED_STUDENT] = { .rows = 12000, .verified = 7 },
		[FEED_STAFF] = { .rows = 3 },
	};
	char *text;

	(void)state;
	counts[FEED_STUDENT].by_outcome[OUTCOME_CREATED] = 11999;
	counts[FEED_STUDENT].by_outcome[OUTCOME_HELD] = 1;
	counts[FEED_STUDENT].by_reason[REASON_CONFLICT] = 1;
	counts[FEED_STAFF].by_outcome[OUTCOME_CURRENT] = 3;
	text = table(FEED_BITS_ALL, counts, false);
	assert_string_equal(text, "                             student       staff\n"
				  "  rows                        12,000           3\n"
				  "  created                     11,999           0\n"
				  "  current                          0           3\n"
				  "  held                             1           0\n"
				  "    conflict                       1           0\n"
				  "  read back, verified              7           0\n");
	free(text);
	text = table(FEED_BIT(FEED_STAFF), counts, false);
	assert_string_equal(text, "                               staff\n"
				  "  rows                             3\n"
				  "  current                          3\n");
	free(text);
	/* the table of --once: every outcome, but only the reasons that occur */
	text = table(FEED_BIT(FEED_STAFF), counts, true);
	assert_string_equal(text, "                               staff\n"
				  "  rows                             3\n"
				  "  created                          0\n"
				  "  renewed                          0\n"
				  "  current                          3\n"
				  "  skipped                          0\n"
				  "  held                             0\n"
				  "  rejected                         0\n"
				  "  failed                           0\n"
				  "  read back, verified              0\n"
				  "  read back, different             0\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guards),
		cmocka_unit_test(numbers),
		cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
