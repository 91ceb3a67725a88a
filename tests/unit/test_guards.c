/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guards: at the limit, one past it, and what an approval lets through. */

#include "testkit.h"

#include "common/config.h"
#include "load/guards.h"

static const uint32_t defaults[GUARD_MAX] = {
	[GUARD_CREATES] = 30, [GUARD_REJECTED] = 5, [GUARD_OPTED_OUT] = 25, [GUARD_INACTIVE] = 50, [GUARD_HELD] = 10,
	[GUARD_ROWS] = 70, [GUARD_PATRONS] = 90,
};

/* Sets the count that a share guard looks at. */
static void
set_share(struct feed_counts *counts, enum guard guard, uint32_t value)
{
	switch ((int)guard) {
	case GUARD_CREATES:
		counts->by_outcome[OUTCOME_CREATED] = value;
		break;
	case GUARD_REJECTED:
		counts->by_outcome[OUTCOME_REJECTED] = value;
		break;
	case GUARD_OPTED_OUT:
		counts->by_reason[REASON_OPTED_OUT] = value;
		break;
	case GUARD_INACTIVE:
		counts->by_reason[REASON_INACTIVE] = value;
		break;
	case GUARD_HELD:
		counts->by_outcome[OUTCOME_HELD] = value;
		break;
	default:
		fail();
	}
}

static const struct {
	enum guard guard;
	uint32_t rows, value;
	bool trips;
} shares[] = {
	{ GUARD_CREATES, 100, 31, true },    { GUARD_CREATES, 100, 30, false },
	{ GUARD_CREATES, 99, 99, false },    { GUARD_CREATES, 101, 31, true },
	{ GUARD_CREATES, 103, 31, true },    { GUARD_CREATES, 104, 31, false },
	{ GUARD_REJECTED, 100, 6, true },    { GUARD_REJECTED, 100, 5, false },
	{ GUARD_OPTED_OUT, 100, 26, true },  { GUARD_OPTED_OUT, 100, 25, false },
	{ GUARD_INACTIVE, 1000, 501, true }, { GUARD_INACTIVE, 1000, 500, false },
	{ GUARD_HELD, 200, 21, true },       { GUARD_HELD, 200, 20, false },
	{ GUARD_CREATES, 2000000, 2000000, true },
};

static void
test_shares(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shares); i++)
		for (int feed = 0; feed < FEED_KIND_MAX; feed++) {
			struct guard_figure figures[GUARD_FIGURES_MAX];
			struct guard_input input = { .percent = defaults, .patrons = 1 };

			input.counts[feed].rows = shares[i].rows;
			set_share(&input.counts[feed], shares[i].guard, shares[i].value);
			assert_int_equal(guards_check(&input, figures), shares[i].trips ? 1 : 0);
			if (!shares[i].trips)
				continue;
			assert_int_equal(figures[0].guard, shares[i].guard);
			assert_int_equal(figures[0].feed, feed);
			assert_int_equal(figures[0].value, shares[i].value);
			assert_int_equal(figures[0].basis, shares[i].rows);
			assert_int_equal(figures[0].limit_percent, defaults[shares[i].guard]);
		}
}

static const struct {
	uint32_t rows, last_rows;
	uint64_t patrons, last_patrons;
	bool rows_trip, patrons_trip;
} lasts[] = {
	{ 69, 100, 1, 0, true, false },
	{ 70, 100, 1, 0, false, false },
	{ 1, 99, 1, 0, false, false },   /* fewer than 100 the last time say little */
	{ 69, 0, 1, 0, false, false },   /* unknown */
	{ 1000, 100, 1, 0, false, false }, /* more is fine */
	{ 0, 100, 1, 0, false, false },  /* the feed is not in this load */
	{ 1, 0, 899, 1000, false, true },
	{ 1, 0, 900, 1000, false, false },
	{ 1, 0, 1, 99, false, false },
	{ 1, 0, 20000000, UINT64_MAX, false, true },
	{ 69, 100, 899, 1000, true, true },
};

static void
test_lasts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lasts); i++) {
		struct guard_figure figures[GUARD_FIGURES_MAX];
		struct guard_input input = { .percent = defaults, .patrons = lasts[i].patrons,
			.last_patrons = lasts[i].last_patrons };
		size_t count;

		input.counts[FEED_STAFF].rows = lasts[i].rows;
		input.last_rows[FEED_STAFF] = lasts[i].last_rows;
		count = guards_check(&input, figures);
		assert_int_equal(count, (size_t)lasts[i].rows_trip + lasts[i].patrons_trip);
		if (lasts[i].rows_trip) {
			assert_int_equal(figures[0].guard, GUARD_ROWS);
			assert_int_equal(figures[0].feed, FEED_STAFF);
			assert_int_equal(figures[0].value, lasts[i].rows);
			assert_int_equal(figures[0].basis, lasts[i].last_rows);
		}
		if (lasts[i].patrons_trip) {
			assert_int_equal(figures[count - 1].guard, GUARD_PATRONS);
			assert_int_equal(figures[count - 1].feed, FEED_KIND_INVALID);
			assert_int_equal(figures[count - 1].limit_percent, 90);
		}
	}
}

/* Off: never; 0 per cent: any at all. */
static void
test_limits(void **state)
{
	uint32_t percent[GUARD_MAX];
	struct guard_figure figures[GUARD_FIGURES_MAX];
	struct guard_input input = { .percent = percent, .patrons = 1, .last_patrons = 1000, .last_rows = { 100000, 0 } };

	(void)state;
	for (size_t i = 0; i < GUARD_MAX; i++)
		percent[i] = GUARD_OFF;
	input.counts[FEED_STUDENT].rows = 1000;
	for (size_t i = 0; i < COUNT(shares); i++)
		set_share(&input.counts[FEED_STUDENT], shares[i].guard, 1000);
	assert_int_equal(guards_check(&input, figures), 0);
	input.manual = true;
	assert_int_equal(guards_check(&input, figures), 1);
	assert_int_equal(figures[0].guard, GUARD_MANUAL);
	input.manual = false;
	percent[GUARD_HELD] = 0;
	set_share(&input.counts[FEED_STUDENT], GUARD_HELD, 0);
	assert_int_equal(guards_check(&input, figures), 0);
	set_share(&input.counts[FEED_STUDENT], GUARD_HELD, 1);
	assert_int_equal(guards_check(&input, figures), 1);
}

static const struct {
	struct guard_approval approval;
	size_t left; /* of the four that trip: student creates 500, staff creates 40, student rows 500 of 1000, patrons 80 of 100 */
} approvals[] = {
	{ { GUARD_CREATES, FEED_STUDENT, 499 }, 4 }, /* up to the number approved */
	{ { GUARD_CREATES, FEED_STUDENT, 500 }, 3 },
	{ { GUARD_CREATES, FEED_STUDENT, 501 }, 3 },
	{ { GUARD_CREATES, FEED_STAFF, 500 }, 3 },
	{ { GUARD_REJECTED, FEED_STUDENT, 500 }, 4 }, /* the others apply as always */
	{ { GUARD_ROWS, FEED_STUDENT, 501 }, 4 },     /* here fewer is worse */
	{ { GUARD_ROWS, FEED_STUDENT, 500 }, 3 },
	{ { GUARD_ROWS, FEED_STAFF, 0 }, 4 },
	{ { GUARD_PATRONS, FEED_KIND_INVALID, 81 }, 4 },
	{ { GUARD_PATRONS, FEED_KIND_INVALID, 80 }, 3 },
	{ { GUARD_MANUAL, FEED_KIND_INVALID, 0 }, 4 },
};

static void
test_approvals(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(approvals); i++) {
		struct guard_figure figures[GUARD_FIGURES_MAX];
		struct guard_input input = { .percent = defaults, .patrons = 80, .last_patrons = 100,
			.last_rows = { 1000, 0 }, .approvals = &approvals[i].approval };

		input.counts[FEED_STUDENT].rows = 500;
		set_share(&input.counts[FEED_STUDENT], GUARD_CREATES, 500);
		input.counts[FEED_STAFF].rows = 100;
		set_share(&input.counts[FEED_STAFF], GUARD_CREATES, 40);
		assert_int_equal(guards_check(&input, figures), 4);
		input.approval_count = 1;
		assert_int_equal(guards_check(&input, figures), approvals[i].left);
	}
}

static void
test_manual(void **state)
{
	struct guard_approval approval = { GUARD_MANUAL, FEED_KIND_INVALID, 0 };
	struct guard_figure figures[GUARD_FIGURES_MAX];
	struct guard_input input = { .percent = defaults, .manual = true, .patrons = 1 };

	(void)state;
	input.counts[FEED_STUDENT].rows = 1;
	assert_int_equal(guards_check(&input, figures), 1);
	input.approvals = &approval;
	input.approval_count = 1;
	assert_int_equal(guards_check(&input, figures), 0);
}

/* All at once fit the figures. */
static void
test_all(void **state)
{
	struct guard_figure figures[GUARD_FIGURES_MAX];
	struct guard_input input = { .percent = defaults, .manual = true, .patrons = 1, .last_patrons = 100,
		.last_rows = { 100000, 100000 } };

	(void)state;
	for (int feed = 0; feed < FEED_KIND_MAX; feed++) {
		input.counts[feed].rows = 100;
		for (size_t i = 0; i < COUNT(shares); i++)
			set_share(&input.counts[feed], shares[i].guard, 100);
	}
	assert_int_equal(guards_check(&input, figures), GUARD_FIGURES_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_lasts),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_approvals),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
