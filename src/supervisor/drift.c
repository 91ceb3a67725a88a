/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guards of drift, one function each. */

#include "supervisor/drift.h"

#include <stdbool.h>

#include "common/config.h"
#include "common/present.h"

#define ROWS_FROM 100U   /* rows of either feed: a share of fewer says little */
#define OPT_OUTS_FROM 20U /* that the last share makes: fewer come and go */
#define SCHOOL_FROM 50U  /* rows of a school: a small one is a hospital, a home */

struct check {
	const struct drift_input *input;
	struct guard_figure *figures;
	size_t count;
};

static bool
is_approved(const struct drift_input *input, const struct guard_figure *figure)
{
	for (size_t i = 0; i < input->approved_count; i++) {
		const struct guard_figure *approved = &input->approved[i];

		if (approved->guard != figure->guard || approved->feed != figure->feed)
			continue;
		if (guard_is_floor(figure->guard) ? figure->value >= approved->value : figure->value <= approved->value)
			return true;
	}
	return false;
}

static void
trip(struct check *check, const struct guard_figure *figure)
{
	if (!is_approved(check->input, figure))
		check->figures[check->count++] = *figure;
}

/* What a part of the last feed would be in one of this size. */
static uint64_t
expected(uint32_t part, uint32_t of, uint32_t now)
{
	return of > 0 ? ((uint64_t)part * now + of / 2) / of : 0;
}

static uint64_t
apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Keeps the worse of two figures over one basis. */
static void
worse(struct guard_figure *worst, uint64_t value, enum feed_column column)
{
	if (value <= worst->value)
		return;
	worst->value = value;
	worst->column = (uint8_t)column;
}

/* Over the limit of the basis: exactly the limit passes. */
static void
finish(struct check *check, struct guard_figure *figure)
{
	figure->limit_percent = check->input->percent[figure->guard];
	if (figure->limit_percent != GUARD_OFF && 100 * figure->value > (uint64_t)figure->limit_percent * figure->basis)
		trip(check, figure);
}

/* How full each column is: one that was inserted before others moves them all, one that is renamed is empty. */
static void
check_fill(struct check *check)
{
	const struct feed_shape *now = check->input->now, *last = check->input->last;
	struct guard_figure worst = { .guard = GUARD_FILL, .feed = check->input->feed, .basis = now->understood };

	for (int i = 0; i < COLUMN_MAX; i++)
		worse(&worst,
		    apart(now->columns[i].filled, expected(last->columns[i].filled, last->understood, now->understood)),
		    (enum feed_column)i);
	finish(check, &worst);
}

/* More bad ones than there were; fewer are no harm. */
static void
check_bad(struct check *check, enum guard guard, uint32_t bad, uint32_t rows, uint32_t last_bad, uint32_t last_rows)
{
	struct guard_figure figure = { .guard = guard, .feed = check->input->feed, .basis = rows };
	uint64_t before = expected(last_bad, last_rows, rows);

	figure.value = bad > before ? bad - before : 0;
	finish(check, &figure);
}

/* Of those who have opted out most are children still: fewer than half of them, and the column has been emptied. */
static void
check_opt_outs(struct check *check)
{
	const struct feed_shape *now = check->input->now, *last = check->input->last;
	uint32_t limit = check->input->percent[GUARD_OPT_OUTS];
	struct guard_figure figure = {
		.guard = GUARD_OPT_OUTS,
		.feed = check->input->feed,
		.value = now->reasons[REASON_OPTED_OUT].rows,
		.basis = expected(last->reasons[REASON_OPTED_OUT].rows, last->rows, now->rows),
		.limit_percent = limit,
	};

	if (limit != GUARD_OFF && figure.basis >= OPT_OUTS_FROM && 100 * figure.value < limit * figure.basis)
		trip(check, &figure);
}

/* A flag whose meaning was flipped, a status that stands for something else. */
static void
check_shares(struct check *check)
{
	const struct feed_shape *now = check->input->now, *last = check->input->last;
	struct guard_figure worst = { .guard = GUARD_SHARES, .feed = check->input->feed, .basis = now->rows };
	const struct {
		uint32_t now, last;
	} others[] = { { now->status_other, last->status_other }, { now->active, last->active } };

	worse(&worst,
	    apart(now->reasons[REASON_OPTED_OUT].rows,
	        expected(last->reasons[REASON_OPTED_OUT].rows, last->rows, now->rows)),
	    COLUMN_OPT_OUT);
	/* of the rows that are understood, lest a status moves because opt-outs do */
	for (int i = 0; i < (int)STATUS_VALUES; i++)
		worse(&worst, apart(now->status[i], expected(last->status[i], last->understood, now->understood)), COLUMN_STATUS);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		worse(&worst, apart(others[i].now, expected(others[i].last, last->understood, now->understood)), COLUMN_STATUS);
	finish(check, &worst);
}

/* The rows that a school would have with as many opt-outs as now: theirs are in no school's count. */
static uint64_t
school_basis(const struct feed_shape *now, const struct feed_shape *last, uint32_t rows)
{
	uint64_t was = (uint64_t)last->understood * now->rows;

	return was > 0 ? ((uint64_t)now->understood * last->rows * rows + was / 2) / was : 0;
}

/*
 * Schools have no names here; both lists have the largest first. One that lacks most of its rows, or all, pulls those
 * behind it up and leaves the place at the end.
 */
static void
check_schools(struct check *check)
{
	const struct feed_shape *now = check->input->now, *last = check->input->last;
	uint32_t limit = check->input->percent[GUARD_SCHOOLS];
	struct guard_figure worst = { .guard = GUARD_SCHOOLS, .feed = check->input->feed, .limit_percent = limit };

	for (size_t i = 0; limit != GUARD_OFF && i < SHAPE_SCHOOLS && last->school_rows[i] >= SCHOOL_FROM; i++) {
		uint64_t value = now->school_rows[i], basis = school_basis(now, last, last->school_rows[i]);

		if (100 * value < limit * basis && (worst.basis == 0 || value * worst.basis < worst.value * basis)) {
			worst.value = value;
			worst.basis = basis;
		}
	}
	if (worst.basis > 0)
		trip(check, &worst);
}

size_t
drift_check(const struct drift_input *input, struct guard_figure ret[static DRIFT_FIGURES_MAX])
{
	const struct feed_shape *now = input->now, *last = input->last;
	struct check check = { input, ret, 0 };

	if (now->rows < ROWS_FROM || last->rows < ROWS_FROM)
		return 0;
	check_fill(&check);
	check_bad(&check, GUARD_KEYS, now->rows - now->key_fits, now->rows, last->rows - last->key_fits, last->rows);
	if (input->feed == FEED_STUDENT)
		check_bad(&check, GUARD_AGES, now->understood - now->of_age, now->understood, last->understood - last->of_age,
		    last->understood);
	check_opt_outs(&check);
	check_shares(&check);
	check_schools(&check);
	return check.count;
}
