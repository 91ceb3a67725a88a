/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_LOAD_PRIVATE_H
#define SUPERVISOR_LOAD_PRIVATE_H

/*
 * What the files of a load share: its stages and its end (load.c), what they answer (load_answers.c), what is told
 * (load_tell.c), what becomes of the clean-up report (load_report.c).
 */

#include "common/feed_name.h"
#include "patrond/wire.h"
#include "supervisor/drift.h"
#include "supervisor/errand.h"
#include "supervisor/load.h"
#include "supervisor/report.h"
#include "supervisor/tally.h"

enum part { PART_DECODE, PART_LOAD, PART_REPORT, PART_MAX };

struct load {
	struct manager *manager;
	struct load_options options;
	char id[LOAD_ID_SIZE];
	int32_t today;
	struct errand *parts[PART_MAX];
	bool running[PART_MAX];
	bool failed[PART_MAX];
	struct failure failures[PART_MAX];
	struct tally tally;
	struct feed_shape last[FEED_KIND_MAX]; /* what the shapes are compared with */
	struct guard_figure approved[MEMORY_GUARDS_MAX];
	size_t approved_count;
	struct guard_figure drift[FEED_KIND_MAX * DRIFT_FIGURES_MAX]; /* guards of the supervisor's own that trip */
	size_t drift_count;
	struct load_result result;
	bool indexed;
	enum phase phase;
	usec_t phase_since;
	int records_write;     /* the records pipe's other end, held until decode has ended */
	int zip_fd;            /* the clean-up report, to be delivered */
	struct report_made report;
	struct errand *delivery;
	char report_name[REPORT_NAME_SIZE];
};

/* --- load.c --- */

/* Frees the load, then tells its result to who started it. */
void load_over(struct load *load);

/* --- load_answers.c --- */

/*
 * One answer of a stage, for errand_run; userdata is the load. Return 0, or a negative errno (-EBADMSG) where the stage says
 * what it was not asked, or what it cannot know: then it is ended.
 */
int load_on_decode_answer(struct wire_in *in, void *userdata) WARN_UNUSED;
int load_on_load_answer(struct wire_in *in, void *userdata) WARN_UNUSED;
int load_on_report_answer(struct wire_in *in, void *userdata) WARN_UNUSED;

/* --- load_tell.c --- */

/* Which program a failure is of; failure is one of the load's own. */
enum program load_cause_program(const struct load *load, const struct failure *failure);

/* One row: what became of it. */
void load_tell_outcome(struct load *load, const struct outcome *outcome);

/* The sums of one feed; what says what they are of: "Load", "Broken off" or "Plan". */
void load_tell_summary(struct load *load, enum feed_kind feed, const struct feed_counts *counts, const char *what);

/* Why it failed or was stopped; failure is one of the load's own. */
void load_tell_failure(struct load *load, const struct failure *failure);

/* The guards that hold it; there is one at least. */
void load_tell_guards(struct load *load);

/* --- load_report.c --- */

/*
 * After conclude: tells what went wrong with making the report, then has it delivered and mailed, or, where it has become
 * empty, the old one removed. Returns 0 where load_over follows, a negative errno where there is nothing to wait for.
 */
int load_settle_report(struct load *load) WARN_UNUSED;

#endif
