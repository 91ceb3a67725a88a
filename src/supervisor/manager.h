/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_MANAGER_H
#define SUPERVISOR_MANAGER_H

/* The supervisor as a whole: the loop, the configuration, the sources, the memory, one look and one load at a time. */

#include <systemd/sd-event.h>

#include "common/config.h"
#include "patrond/failure.h"
#include "supervisor/memory.h"
#include "supervisor/source.h"
#include "supervisor/trouble.h"

struct errand;
struct janitor;
struct look;
struct watch;

struct manager {
	sd_event *event;
	struct config config;
	char config_path[CONFIG_TEXT];
	struct memory *memory;
	struct source sources[SOURCE_MAX];
	bool once;
	bool dry_run;
	bool stopping;
	bool reload;        /* asked for; done when no look is under way */
	struct look *look;  /* under way, or NULL */
	usec_t next_look[SOURCE_MAX]; /* monotonic; UINT64_MAX where the source is not configured */
	sd_event_source *timer;
	int worst;          /* exit status so far, by rank */
	int report_fd;      /* a clean-up report that could not be delivered yet, or -EBADF */
	char report_name[64];
	struct errand *delivery;
	struct troubles unread; /* files that could not be copied or inspected */
	struct troubles left;   /* feeds that were loaded and could not be put away */
	struct janitor *janitor;
	bool swept;             /* with --once: the janitor has had its turn */
	struct watch *watch;  /* of the share, or NULL */
	struct failure source_failures[SOURCE_MAX]; /* of the last listing; code NONE where it went well */
};

struct manager_options {
	const char *config_path;
	bool once;
	bool dry_run;
};

/* Builds the manager over a configuration that is read. Takes config by value. Returns 0 or a negative errno. */
int manager_new(struct manager **ret, const struct manager_options *options, const struct config *config) WARN_UNUSED;
struct manager *manager_free(struct manager *manager);

/* Runs until it is over (--once) or asked to stop. Returns the exit status (0–4), or a negative errno. */
int manager_run(struct manager *manager) WARN_UNUSED;

/* Called by the look when it is over. */
void manager_look_over(struct manager *manager);

/* Looks no later than in `delay` microseconds, or right after the look that is under way. Not with --once. */
void manager_look_soon(struct manager *manager, enum source_kind kind, usec_t delay);

/* The longest silence of a patrond-share: the share's own, which is shorter than a stage's that computes. */
usec_t manager_share_timeout(const struct manager *manager);

/* Says what patrond waits for, where nothing is under way. */
void manager_tell_idle(struct manager *manager);

/* Called by the watch: something on the share is new, whatever its name. */
void manager_share_changed(struct manager *manager);

/*
 * Keeps a clean-up report that could not be delivered: it is tried again before the next look, until a newer one takes
 * its place. Takes the descriptor.
 */
void manager_keep_report(struct manager *manager, int fd, const char *name);

/* Counts an exit status in: the worst in the order 1, 2, 4, 3, 0 stays. */
void manager_count_status(struct manager *manager, int status);

bool manager_source_configured(const struct manager *manager, enum source_kind kind);

/* Monotonic and real time in microseconds, as of this turn of the loop. */
usec_t manager_now(const struct manager *manager);
int64_t manager_realtime(const struct manager *manager);

#endif
