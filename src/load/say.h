/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_SAY_H
#define LOAD_SAY_H

/* What the load tells the supervisor, collected and sent a few times a second: outcomes at once would be a write a row. */

#include <stdbool.h>
#include <stdint.h>

#include "common/stage.h"
#include "load/clock.h"
#include "load/plan.h"

struct say {
	struct stage *stage;
	bool current; /* [log] current: rows that are current are told too */
	enum phase phase;
	uint64_t done, total;
	usec_t sent_at;
	int error; /* the first; what follows is dropped, since nobody hears it */
};

void say_init(struct say *say, struct stage *stage);

/* Notes how far the load is. */
void say_phase(struct say *say, enum phase phase, uint64_t done, uint64_t total);

/* Sends what was noted and collected where it is time: at most about four times a second. */
void say_turn(struct say *say);

/* Sends what was collected now. Returns 0 or the first error. */
int say_flush(struct say *say) WARN_UNUSED;

void say_indexed(struct say *say, uint64_t patrons);
void say_plan(struct say *say, const struct plan *plan);   /* PLAN of each kind that the load has */
void say_counts(struct say *say, const struct plan *plan); /* COUNTS likewise, of what is settled */
void say_guards(struct say *say, const struct guard_figure *figures, size_t count);

/* The final outcome of a row; not of one that is current, unless that is asked for. */
void say_outcome(struct say *say, const struct plan *plan, row_ref ref);

/* A row whose patron, read back, is not as it was written. */
void say_differs(struct say *say, const struct plan *plan, row_ref ref);

#endif
