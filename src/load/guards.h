/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_GUARDS_H
#define LOAD_GUARDS_H

/* The guards: figures of a finished plan that make a person look before anything is written. Integers alone. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "patrond/outcome.h"

/* An administrator's leave: that guard passes up to that number (for rows and patrons: down to it). */
struct guard_approval {
	enum guard guard;
	enum feed_kind feed; /* FEED_KIND_INVALID where it is not about one feed */
	uint64_t value;
};

struct guard_input {
	const uint32_t *percent; /* GUARD_MAX limits, GUARD_OFF: never trips (config.guard) */
	bool manual;             /* [load] start = manual */
	struct feed_counts counts[FEED_KIND_MAX]; /* of the plan; rows 0: that feed is not in the load */
	uint64_t patrons;                         /* of the complete index */
	uint32_t last_rows[FEED_KIND_MAX];        /* of the last accepted feed, 0 unknown */
	uint64_t last_patrons;                    /* of the last retrieval, 0 unknown */
	const struct guard_approval *approvals;
	size_t approval_count;
};

/* At most this many figures: the five shares and rows a feed, patrons, manual. */
#define GUARD_FIGURES_MAX (6U * FEED_KIND_MAX + 2U)

/* Checks all. Returns how many tripped, each with its figure; 0 lets the load go. */
size_t guards_check(const struct guard_input *input, struct guard_figure ret[static GUARD_FIGURES_MAX]);

#endif
