/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_LOAD_H
#define SUPERVISOR_LOAD_H

/*
 * One load: decode, load and report at work on one feed, what they say checked and written to the journal.
 *
 *   feed fd ─▶ decode ─records pipe─▶ load ─report pipe─▶ report ─▶ zip fd ─▶ share
 */

#include <stdbool.h>

#include "common/program.h"
#include "patrond/failure.h"
#include "supervisor/memory.h"

struct load;
struct manager;

enum load_end { LOAD_COMPLETE, LOAD_HELD, LOAD_FAILED };

struct load_result {
	enum load_end end;
	struct failure failure;       /* with LOAD_FAILED */
	enum program program;         /* that failed */
	uint32_t kinds;               /* feeds of which there are counts */
	struct feed_counts counts[FEED_KIND_MAX]; /* what was done; held: the plan */
	struct feed_counts plan[FEED_KIND_MAX];
	uint32_t plan_kinds;
	struct feed_shape shapes[FEED_KIND_MAX]; /* 0 rows: not told */
	uint64_t patrons;             /* of the complete index, 0 without */
	bool guards_passed;
	struct guard_figure guards[MEMORY_GUARDS_MAX];
	uint32_t guard_count;
	bool due;                     /* rows unclear or unreachable: to be run again */
};

typedef void (*load_over_fn)(const struct load_result *result, void *userdata);

struct load_options {
	int feed_fd;                  /* the caller's; stays open until the load is over */
	uint32_t kinds;               /* which feeds of it */
	const char *id;
	const struct content *content; /* for what was approved; read in load_start only */
	const struct memory *memory;  /* for the guards that compare with the last time; likewise */
	bool dry_run;
	load_over_fn on_result;       /* the result stands, before it is told; a report may still be under way */
	load_over_fn on_over;
	void *userdata;
};

/* Starts. on_over always follows, never from inside the call, but where a negative errno is returned. */
int load_start(struct load **ret, struct manager *manager, const struct load_options *options) WARN_UNUSED;

const char *load_id(const struct load *load);

/* Rows counted so far, of all feeds, by their outcome; those that are current have none until a feed's counts are told. */
void load_outcomes(const struct load *load, uint64_t ret[static OUTCOME_KIND_MAX]);

/* Asks the load to finish what is in flight and to end. */
void load_cancel(struct load *load);

/* Cuts everything off. Accepts NULL, returns NULL. on_over is not called. */
struct load *load_free(struct load *load);

#endif
