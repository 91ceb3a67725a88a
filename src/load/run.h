/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_RUN_H
#define LOAD_RUN_H

/* What the phases of a load share: who is spoken to, what was asked for, and when it must end. */

#include <stdbool.h>

#include "common/stage.h"
#include "load/job.h"
#include "load/say.h"
#include "load/sierra.h"

struct run {
	struct stage *stage;
	const struct config *config;
	const struct job *job;
	struct sierra *sierra;
	struct say say;
	usec_t deadline;
	usec_t indexed_at; /* when the retrieval began: as old is the oldest of what the index says */
};

/* Breaks the load off. */
void run_fail(struct run *run, enum failure_code code, int number);

/* True once the load is broken off. */
bool run_over(const struct run *run);

/* Each turn of a phase: signs of life, the supervisor's CANCEL, the deadline. asked: descriptor 3 is readable. */
void run_turn(struct run *run, bool asked);

#endif
