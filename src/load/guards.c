/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guards, as a table of shares and two comparisons with the last time. */

#include "load/guards.h"

#include "common/config.h"

#define SHARES_FROM 100U /* rows: a share of fewer says little */
#define LAST_FROM 100U   /* rows or patrons of the last time */

struct check {
	const struct guard_input *input;
	struct guard_figure *figures;
	size_t count;
};

static uint32_t
creates(const struct feed_counts *counts)
{
	return counts->by_outcome[OUTCOME_CREATED];
}

static uint32_t
rejected(const struct feed_counts *counts)
{
	return counts->by_outcome[OUTCOME_REJECTED];
}

static uint32_t
opted_out(const struct feed_counts *counts)
{
	return counts->by_reason[REASON_OPTED_OUT];
}

static uint32_t
inactive(const struct feed_counts *counts)
{
	return counts->by_reason[REASON_INACTIVE];
}

static uint32_t
held(const struct feed_counts *counts)
{
	return counts->by_outcome[OUTCOME_HELD];
}

static const struct {
	enum guard guard;
	uint32_t (*value)(const struct feed_counts *counts);
} shares[] = {
	{ GUARD_CREATES, creates },
	{ GUARD_REJECTED, rejected },
	{ GUARD_OPTED_OUT, opted_out },
	{ GUARD_INACTIVE, inactive },
	{ GUARD_HELD, held },
};

/* Whether an administrator let this very guard go up to this number. fewer: the number is a floor then. */
static bool
is_approved(const struct guard_input *input, const struct guard_figure *figure, bool fewer)
{
	for (size_t i = 0; i < input->approval_count; i++) {
		const struct guard_approval *approval = &input->approvals[i];

		if (approval->guard != figure->guard || approval->feed != figure->feed)
			continue;
		if (fewer ? figure->value >= approval->value : figure->value <= approval->value)
			return true;
	}
	return false;
}

static void
trip(struct check *check, const struct guard_figure *figure, bool fewer)
{
	if (!is_approved(check->input, figure, fewer))
		check->figures[check->count++] = *figure;
}

/* More than the limit of the rows: exactly the limit passes. */
static void
check_share(struct check *check, enum guard guard, enum feed_kind feed, uint32_t value)
{
	uint32_t rows = check->input->counts[feed].rows, limit = check->input->percent[guard];
	struct guard_figure figure = { guard, feed, value, rows, limit, 0 };

	if (limit == GUARD_OFF || rows < SHARES_FROM)
		return;
	if (100ULL * value > (uint64_t)limit * rows)
		trip(check, &figure, false);
}

/* Fewer than the limit of the last time: exactly the limit passes. */
static void
check_last(struct check *check, enum guard guard, enum feed_kind feed, uint64_t value, uint64_t last)
{
	uint32_t limit = check->input->percent[guard];
	struct guard_figure figure = { guard, feed, value, last, limit, 0 };

	if (limit == GUARD_OFF || last < LAST_FROM)
		return;
	/* in 128 bits: what was last is the supervisor's word */
	if ((__uint128_t)100U * value < (__uint128_t)limit * last)
		trip(check, &figure, true);
}

static void
check_manual(struct check *check)
{
	struct guard_figure figure = { GUARD_MANUAL, FEED_KIND_INVALID, 0, 0, 0, 0 };

	if (check->input->manual)
		trip(check, &figure, false);
}

size_t
guards_check(const struct guard_input *input, struct guard_figure ret[static GUARD_FIGURES_MAX])
{
	struct check check = { input, ret, 0 };

	for (unsigned int i = 0; i < FEED_KIND_MAX; i++) {
		enum feed_kind feed = (enum feed_kind)i;
		const struct feed_counts *counts = &input->counts[feed];

		/* a feed that is not in the load has no rows, which is not "fewer" */
		if (counts->rows == 0)
			continue;
		for (size_t j = 0; j < sizeof(shares) / sizeof(*shares); j++)
			check_share(&check, shares[j].guard, feed, shares[j].value(counts));
		check_last(&check, GUARD_ROWS, feed, counts->rows, input->last_rows[feed]);
	}
	check_last(&check, GUARD_PATRONS, FEED_KIND_INVALID, input->patrons, input->last_patrons);
	check_manual(&check);
	return check.count;
}
