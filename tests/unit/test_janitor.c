/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A clock that is set while files lie on the share. */

#include "testkit.h"

#include "supervisor/janitor_private.h"

static void
clock_is_set(void **state)
{
	static const struct {
		int64_t first_seen, told, next_try;
		bool by_clock;
		int64_t by, now;
		int64_t expect_seen, expect_told, expect_try;
	} cases[] = {
		{ 100, 110, 120, true, 0, 200, 100, 110, 120 },
		/* it was ahead and was put back: what it said comes back with it */
		{ 1100, 1110, 1120, true, -1000, 200, 100, 110, 120 },
		/* it was behind: a file that appeared a moment ago is not an old one now */
		{ 100, 110, 120, true, 1000, 1200, 1100, 1110, 1120 },
		/* a file's own time is not ours */
		{ 100, 110, 0, false, 1000, 1200, 100, 1110, 0 },
		{ 100, 0, 0, false, -1000, 200, 100, 0, 0 },
		/* and none lies in the future */
		{ 300, 0, 0, false, 0, 200, 200, 0, 0 },
		{ 1300, 0, 0, true, -1000, 200, 200, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct finding finding = { .first_seen = cases[i].first_seen, .told = cases[i].told, .next_try = cases[i].next_try,
			.by_clock = cases[i].by_clock };

		janitor_clock_set(&finding, cases[i].by, cases[i].now);
		if (finding.first_seen != cases[i].expect_seen || finding.told != cases[i].expect_told || finding.next_try != cases[i].expect_try)
			fail_msg("case %zu: %lld, %lld, %lld", i, (long long)finding.first_seen, (long long)finding.told, (long long)finding.next_try);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(clock_is_set) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
