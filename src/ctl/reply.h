/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CTL_REPLY_H
#define CTL_REPLY_H

/*
 * patrond's replies as values. All that is received is foreign: a field of the wrong type, a number that is none, a
 * list that is too long refuse the whole reply; members that are not known are ignored (a newer patrond). Texts live as
 * long as the reply they were read from.
 */

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/fd.h"
#include "patrond/outcome.h"

#define REPLY_GUARDS 32U /* of one load: eight kinds, two feeds */
#define REPLY_LOADS 64U	 /* of a list: a held load is overtaken by the next */
#define REPLY_SOURCES 16U

struct ctl_counts {
	uint32_t kinds; /* bits of the feeds that are there */
	struct feed_counts of[FEED_KIND_MAX];
};

struct ctl_load {
	const char *id, *end;
	const char *time, *reason, *message; /* NULL: none, or not known any more */
	bool dry_run;
	struct ctl_counts counts, plan;
	struct guard_figure guards[REPLY_GUARDS]; /* one that is not known: GUARD_INVALID */
	size_t n_guards;
};

struct ctl_loads {
	struct ctl_load *items;
	size_t n;
};

struct ctl_progress {
	const char *load;  /* NULL: a look */
	const char *phase; /* the word; phase_kind: PHASE_INVALID where it is not known */
	enum phase phase_kind;
	uint64_t done, total, rate;
	uint64_t seconds_left;
	bool knows_seconds_left, dry_run;
};

struct ctl_source {
	const char *source;
	const char *last_look, *last_error, *next_look; /* NULL: none */
};

struct ctl_status {
	const char *state, *status, *version;
	bool has_progress;
	struct ctl_progress progress;
	struct ctl_loads last, held, due;
	struct ctl_source sources[REPLY_SOURCES];
	size_t n_sources;
};

enum event_kind { EVENT_PROGRESS, EVENT_SUMMARY, EVENT_IDLE, EVENT_UNKNOWN };

struct ctl_event {
	enum event_kind kind;
	const char *status;
	bool has_progress, has_outcomes, has_finished;
	struct ctl_progress progress;
	uint64_t outcomes[OUTCOME_KIND_MAX];
	struct ctl_load finished;
	const char *look; /* of EVENT_IDLE: the look that ended; NULL: not told */
	int exit_status;  /* its exit status, -1: not told */
};

/* The parameters of Status. Returns 0, -EBADMSG, -ENOMEM; ret is then to be given to ctl_status_done. */
int reply_read_status(const cJSON *parameters, struct ctl_status *ret) WARN_UNUSED;

/* The parameters of Monitor. Returns 0 or -EBADMSG. */
int reply_read_event(const cJSON *parameters, struct ctl_event *ret) WARN_UNUSED;

/* A member that is a text. Returns NULL where it is not there or is none. */
const char *reply_text(const cJSON *parameters, const char *key);

void ctl_status_done(struct ctl_status *status);

#define _cleanup_ctl_status_ __attribute__((cleanup(ctl_status_done)))

#endif
