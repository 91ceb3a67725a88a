/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_DRIFT_H
#define SUPERVISOR_DRIFT_H

/*
 * Drift: the shape of a feed against that of the last accepted one. A column that was inserted, renamed or emptied, a flag
 * whose meaning was flipped, a school that is missing: none shows in any row, all show in the counts. Integers alone.
 */

#include <stddef.h>

#include "patrond/outcome.h"
#include "patrond/shape.h"

/* At most this many figures of one feed: the worst of each guard. */
#define DRIFT_FIGURES_MAX 6U

struct drift_input {
	const uint32_t *percent; /* GUARD_MAX limits, GUARD_OFF: never trips (config.guard) */
	enum feed_kind feed;
	const struct feed_shape *now, *last; /* last with 0 rows: there is none to compare with */
	const struct guard_figure *approved; /* by a person: up to (opt-outs, schools: down to) these figures */
	size_t approved_count;
};

/* Compares. Returns how many guards trip, each with its figure. */
size_t drift_check(const struct drift_input *input, struct guard_figure ret[static DRIFT_FIGURES_MAX]);

#endif
