/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drift: what an ordinary feed may be unlike the last one, and what holds it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"
#include "supervisor/drift.h"

#define SCHOOLS 20

/* A district's student feed: 12,000 rows, 3% opted out, 20 schools of 600. */
static struct feed_shape
usual(void)
{
	struct feed_shape shape = { .rows = 12000, .understood = 11640, .key_fits = 11990, .birth_dates = 11640, .of_age = 11600,
		.active = 11400, .schools = SCHOOLS };

	shape.reasons[REASON_OPTED_OUT].rows = 360;
	shape.status[0] = 11300;
	shape.status[1] = 100;
	shape.status[2] = 240;
	for (int i = 0; i < COLUMN_MAX; i++)
		shape.columns[i].filled = i % 2 == 0 ? 11640 : 6000;
	for (int i = 0; i < SCHOOLS; i++)
		shape.school_rows[i] = 600;
	return shape;
}

static uint32_t percent[GUARD_MAX];

static size_t
check(const struct feed_shape *now, const struct feed_shape *last, struct guard_figure ret[static DRIFT_FIGURES_MAX])
{
	const struct drift_input input = { .percent = percent, .feed = FEED_STUDENT, .now = now, .last = last };

	return drift_check(&input, ret);
}

struct drift_case {
	const char *name;
	void (*change)(struct feed_shape *now);
	enum guard guard; /* GUARD_MAX: none */
	int column;       /* -1: not told */
	uint64_t value, basis;
};

static void same(struct feed_shape *now) { (void)now; }
static void a_column_emptied(struct feed_shape *now) { now->columns[COLUMN_EMAIL].filled = 0; }
static void a_column_filled(struct feed_shape *now) { now->columns[COLUMN_LAST].filled = 11640; }
static void a_column_a_little(struct feed_shape *now) { now->columns[COLUMN_EMAIL].filled -= 2300; }
static void keys_of_a_spreadsheet(struct feed_shape *now) { now->key_fits = 11000; }
static void better_keys(struct feed_shape *now) { now->key_fits = 12000; }
static void born_when_enrolled(struct feed_shape *now) { now->of_age = 4000; }
static void no_birth_dates(struct feed_shape *now) { now->birth_dates = now->of_age = 0; }

static void
opted(struct feed_shape *now, uint32_t rows)
{
	uint32_t others = now->rows - rows;

	/* what is understood shrinks with those who opt out, and all its parts */
	for (int i = 0; i < COLUMN_MAX; i++)
		now->columns[i].filled = (uint32_t)((uint64_t)now->columns[i].filled * others / now->understood);
	for (size_t i = 0; i < STATUS_VALUES; i++)
		now->status[i] = (uint32_t)((uint64_t)now->status[i] * others / now->understood);
	now->active = (uint32_t)((uint64_t)now->active * others / now->understood);
	now->of_age = (uint32_t)((uint64_t)now->of_age * others / now->understood);
	for (int i = 0; i < SCHOOLS; i++)
		now->school_rows[i] = (uint32_t)((uint64_t)now->school_rows[i] * others / now->understood);
	now->understood = others;
	now->reasons[REASON_OPTED_OUT].rows = rows;
}

static void opt_outs_gone(struct feed_shape *now) { opted(now, 0); }
static void opt_outs_less_than_half(struct feed_shape *now) { opted(now, 179); }
static void opt_outs_half(struct feed_shape *now) { opted(now, 180); }
static void opt_outs_doubled(struct feed_shape *now) { opted(now, 720); }
static void opt_outs_more(struct feed_shape *now) { opted(now, 2200); }
static void statuses_moved(struct feed_shape *now) { now->status[0] = 8000; now->status[3] = 3300; }
static void graduates(struct feed_shape *now) { now->status[0] -= 900; now->status[3] += 900; now->active -= 900; }
static void a_school_gone(struct feed_shape *now) { now->school_rows[SCHOOLS - 1] = 0; }
static void a_school_halved(struct feed_shape *now) { now->school_rows[SCHOOLS - 1] = 299; }
static void a_school_shrunk(struct feed_shape *now) { now->school_rows[SCHOOLS - 1] = 300; }

static const struct drift_case cases[] = {
	{ "the same", same, GUARD_MAX, -1, 0, 0 },
	{ "a column emptied", a_column_emptied, GUARD_FILL, COLUMN_EMAIL, 11640, 11640 },
	{ "a column filled that was not", a_column_filled, GUARD_FILL, COLUMN_LAST, 5640, 11640 },
	{ "a column a little emptier", a_column_a_little, GUARD_MAX, -1, 0, 0 },
	{ "keys that went through a spreadsheet", keys_of_a_spreadsheet, GUARD_KEYS, -1, 990, 12000 },
	{ "better keys", better_keys, GUARD_MAX, -1, 0, 0 },
	{ "another date in the birth date's place", born_when_enrolled, GUARD_AGES, -1, 7600, 11640 },
	{ "no birth dates", no_birth_dates, GUARD_AGES, -1, 11600, 11640 },
	{ "opt-outs emptied", opt_outs_gone, GUARD_OPT_OUTS, -1, 0, 360 },
	{ "fewer than half", opt_outs_less_than_half, GUARD_OPT_OUTS, -1, 179, 360 },
	{ "half of them", opt_outs_half, GUARD_MAX, -1, 0, 0 },
	{ "twice as many", opt_outs_doubled, GUARD_MAX, -1, 0, 0 },
	{ "over the share", opt_outs_more, GUARD_SHARES, COLUMN_OPT_OUT, 1840, 12000 },
	{ "statuses moved", statuses_moved, GUARD_SHARES, COLUMN_STATUS, 3300, 12000 },
	{ "graduates", graduates, GUARD_MAX, -1, 0, 0 },
	{ "a school gone", a_school_gone, GUARD_SCHOOLS, -1, 0, 600 },
	{ "a school halved", a_school_halved, GUARD_SCHOOLS, -1, 299, 600 },
	{ "a school shrunk", a_school_shrunk, GUARD_MAX, -1, 0, 0 },
};

static void
each(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct feed_shape last = usual(), now = usual();
		struct guard_figure figures[DRIFT_FIGURES_MAX];
		size_t count;

		cases[i].change(&now);
		count = check(&now, &last, figures);
		if (count != (cases[i].guard != GUARD_MAX))
			fail_msg("%s: %zu figures, the first %s", cases[i].name, count,
			    count > 0 ? guard_name(figures[0].guard) : "none");
		if (count == 0)
			continue;
		if (figures[0].guard != cases[i].guard || figures[0].value != cases[i].value ||
		    figures[0].basis != cases[i].basis || figures[0].limit_percent != percent[figures[0].guard] ||
		    figures[0].feed != FEED_STUDENT)
			fail_msg("%s: %s, %llu of %llu", cases[i].name, guard_name(figures[0].guard),
			    (unsigned long long)figures[0].value, (unsigned long long)figures[0].basis);
		if (cases[i].column >= 0)
			assert_int_equal(figures[0].column, cases[i].column);
	}
}

/* A flipped column: whoever had opted out has not, and the other way round. */
static void
a_flipped_opt_out(void **state)
{
	static const uint32_t before[] = { 360, 1200, 4800, 7200, 10000 };

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		struct feed_shape last = usual(), now = usual();
		struct guard_figure figures[DRIFT_FIGURES_MAX];

		opted(&last, before[i]);
		opted(&now, last.rows - before[i]);
		assert_true(check(&now, &last, figures) > 0);
	}
}

/* Half a file: the rows guard may be satisfied, the schools are not. */
static void
part_of_a_file(void **state)
{
	struct feed_shape last = usual(), now = usual();
	struct guard_figure figures[DRIFT_FIGURES_MAX];

	(void)state;
	now.rows = 9600;
	now.key_fits = 9592;
	opted(&now, 288);
	for (int i = 0; i < SCHOOLS; i++)
		now.school_rows[i] = i < 16 ? 600 : 0;
	assert_int_equal(check(&now, &last, figures), 1);
	assert_int_equal(figures[0].guard, GUARD_SCHOOLS);
}

/* Nothing to compare with, or too few rows to say anything. */
static void
nothing_to_compare(void **state)
{
	struct feed_shape none = { 0 }, last = usual(), now = usual();
	struct guard_figure figures[DRIFT_FIGURES_MAX];

	(void)state;
	no_birth_dates(&now);
	a_column_emptied(&now);
	assert_int_equal(check(&now, &none, figures), 0);
	assert_int_equal(check(&now, &last, figures), 2);
	now.rows = 99;
	assert_int_equal(check(&now, &last, figures), 0);
	now.rows = 12000;
	last.rows = 99;
	assert_int_equal(check(&now, &last, figures), 0);
}

/* Everything at once is as many figures as there is room for. */
static void
all_of_them(void **state)
{
	struct feed_shape last = usual(), now = usual();
	struct guard_figure figures[DRIFT_FIGURES_MAX];

	(void)state;
	opt_outs_gone(&now);
	a_column_emptied(&now);
	no_birth_dates(&now);
	keys_of_a_spreadsheet(&now);
	statuses_moved(&now);
	a_school_gone(&now);
	assert_int_equal(check(&now, &last, figures), DRIFT_FIGURES_MAX);
	for (size_t i = 0; i < GUARD_MAX; i++)
		percent[i] = GUARD_OFF;
	assert_int_equal(check(&now, &last, figures), 0);
}

/* Let go by a person: up to that figure, or down to it; of another feed, or by more, it holds again. */
static void
approvals(void **state)
{
	static const struct {
		struct guard_figure approved;
		size_t left;
	} with[] = {
		{ { GUARD_FILL, FEED_STUDENT, 11640, 11640, 20, 0 }, 1 },
		{ { GUARD_FILL, FEED_STUDENT, 11639, 11640, 20, 0 }, 2 },
		{ { GUARD_FILL, FEED_STAFF, 11640, 11640, 20, 0 }, 2 },
		{ { GUARD_SCHOOLS, FEED_STUDENT, 100, 600, 50, 0 }, 1 },
		{ { GUARD_SCHOOLS, FEED_STUDENT, 101, 600, 50, 0 }, 2 },
	};
	struct feed_shape last = usual(), now = usual();

	(void)state;
	a_column_emptied(&now);
	now.school_rows[SCHOOLS - 1] = 100;
	for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		const struct drift_input input = { .percent = percent, .feed = FEED_STUDENT, .now = &now, .last = &last,
			.approved = &with[i].approved, .approved_count = 1 };
		struct guard_figure figures[DRIFT_FIGURES_MAX];

		if (drift_check(&input, figures) != with[i].left)
			fail_msg("case %zu", i);
	}
}

static int
set_up(void **state)
{
	struct config config;

	(void)state;
	config_defaults(&config);
	memcpy(percent, config.guard, sizeof(percent));
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each, set_up),
		cmocka_unit_test_setup(a_flipped_opt_out, set_up),
		cmocka_unit_test_setup(part_of_a_file, set_up),
		cmocka_unit_test_setup(nothing_to_compare, set_up),
		cmocka_unit_test_setup(all_of_them, set_up),
		cmocka_unit_test_setup(approvals, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
