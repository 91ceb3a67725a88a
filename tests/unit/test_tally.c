/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supervisor's own counting: what a lying load stage says is not believed. */

#include "testkit.h"

#include <errno.h>
#include <string.h>

#include "supervisor/tally.h"

static int
count(struct tally *tally, uint32_t row, enum outcome_kind kind, enum reason reason)
{
	const struct outcome outcome = { FEED_STUDENT, row, kind, reason, 7 };

	return tally_outcome(tally, &outcome, LIMIT_ROWS + 5);
}

static void
second_outcome_of_a_row(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	assert_int_equal(count(&tally, 1, OUTCOME_CREATED, REASON_NONE), 0);
	assert_int_equal(count(&tally, 1, OUTCOME_RENEWED, REASON_NONE), -EBADMSG);
	assert_int_equal(count(&tally, 1, OUTCOME_CREATED, REASON_NONE), -EBADMSG);
	assert_int_equal(count(&tally, 100001, OUTCOME_FAILED, REASON_GONE), 0);
	assert_int_equal(count(&tally, 100001, OUTCOME_FAILED, REASON_GONE), -EBADMSG);
	tally_done(&tally);
}

static void
rows_beyond_any_feed(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	assert_int_equal(count(&tally, LIMIT_ROWS, OUTCOME_CREATED, REASON_NONE), 0);
	assert_int_equal(count(&tally, LIMIT_ROWS + 1, OUTCOME_CREATED, REASON_NONE), -EBADMSG);
	assert_int_equal(count(&tally, UINT32_MAX, OUTCOME_CREATED, REASON_NONE), -EBADMSG);
	tally_done(&tally);
}

static struct feed_counts
told(uint32_t created, uint32_t current, uint32_t gone)
{
	struct feed_counts counts = { .rows = created + current + gone };

	counts.by_outcome[OUTCOME_CREATED] = created;
	counts.by_outcome[OUTCOME_CURRENT] = current;
	counts.by_outcome[OUTCOME_FAILED] = gone;
	counts.by_reason[REASON_GONE] = gone;
	return counts;
}

static void
counts_that_disagree(void **state)
{
	static const struct {
		uint32_t created, current, gone;
		bool log_current;
		int expected;
	} cases[] = {
		{ 2, 0, 0, false, -EBADMSG }, /* a create that nobody told of */
		{ 0, 0, 1, false, -EBADMSG }, /* one forgotten */
		{ 1, 0, 0, false, -EBADMSG }, /* the failed one is missing */
		{ 1, 5, 1, true, -EBADMSG },  /* currents without entries, where each must have one */
		{ 1, 5, 1, false, 0 },
		{ 1, 0, 1, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tally tally = { 0 };
		struct feed_counts counts = told(cases[i].created, cases[i].current, cases[i].gone);

		assert_int_equal(count(&tally, 1, OUTCOME_CREATED, REASON_NONE), 0);
		assert_int_equal(count(&tally, 2, OUTCOME_FAILED, REASON_GONE), 0);
		assert_int_equal(tally_check(&tally, FEED_STUDENT, &counts, cases[i].log_current), cases[i].expected);
		tally_done(&tally);
	}
}

static void
nothing_after_the_counts(void **state)
{
	struct tally tally = { 0 };
	struct feed_counts counts = told(0, 3, 0);

	(void)state;
	assert_int_equal(tally_check(&tally, FEED_STUDENT, &counts, false), 0);
	assert_int_equal(tally_check(&tally, FEED_STUDENT, &counts, false), -EBADMSG);
	assert_int_equal(count(&tally, 1, OUTCOME_CREATED, REASON_NONE), -EBADMSG);
	tally_done(&tally);
}

static void
own_counts_where_none_were_told(void **state)
{
	struct tally tally = { 0 };
	struct load_result result;

	(void)state;
	memset(&result, 0, sizeof(result));
	assert_int_equal(count(&tally, 4, OUTCOME_CREATED, REASON_NONE), 0);
	tally_counts(&tally, &result);
	assert_int_equal(result.kinds, FEED_BIT(FEED_STUDENT));
	assert_int_equal(result.counts[FEED_STUDENT].by_outcome[OUTCOME_CREATED], 1);
	tally_done(&tally);
}

static void
fields_of_a_summary(void **state)
{
	struct entry entry;
	struct feed_counts counts = told(41, 5, 2);
	bool seen = false;

	(void)state;
	counts.inactive_status[12] = 3;
	entry_begin(&entry, 5, MESSAGE_SUMMARY, FEED_STAFF, "id", "x");
	tally_add_fields(&entry, &counts);
	for (size_t i = 0; i < entry.count; i++)
		seen |= strcmp(entry.text + entry.starts[i], "INACTIVE_STATUS_MINUS_2=3") == 0;
	assert_true(seen);
	assert_string_equal(entry.text + entry.starts[3], "SYSLOG_IDENTIFIER=chccs-log-staff");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_outcome_of_a_row),
		cmocka_unit_test(rows_beyond_any_feed),
		cmocka_unit_test(counts_that_disagree),
		cmocka_unit_test(nothing_after_the_counts),
		cmocka_unit_test(own_counts_where_none_were_told),
		cmocka_unit_test(fields_of_a_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
