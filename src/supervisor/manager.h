/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_MANAGER_H
#define SUPERVISOR_MANAGER_H

/* The supervisor as a whole: the loop, the configuration, the sources, the memory, one look and one load at a time. */

#include <systemd/sd-event.h>
#include <time.h>

#include "common/config.h"
#include "common/program.h"
#include "patrond/failure.h"
#include "supervisor/memory.h"
#include "supervisor/source.h"
#include "supervisor/trouble.h"

struct control;
struct errand;
struct history;
struct janitor;
struct load_note;
struct mailer;
struct look;
struct look_request;
struct watch;

#define LOOK_ID_SIZE 24U
#define SOURCE_NOTE_FILE 1100U /* of 255 bytes, each escaped */

/* What the last look at a source came to. Microseconds since 1970, 0 never; error is empty where it went well. */
struct source_note {
	int64_t last_look;
	char error[1100];
	char file[SOURCE_NOTE_FILE]; /* of which the error is told, escaped; else empty. Never into STATUS= */
};

struct manager {
	sd_event *event;
	struct config config;
	char config_path[CONFIG_TEXT];
	struct memory *memory;
	struct history *history;
	struct control *control;      /* NULL where there is no control socket */
	char control_path[108];       /* to be removed at the end; empty where it is systemd's */
	struct source sources[SOURCE_MAX];
	struct source_note source_notes[SOURCE_MAX];
	bool once;
	bool dry_run;
	bool stopping;
	usec_t not_before;  /* monotonic: no load may start earlier, since Sierra may still be at an older one's requests */
	bool reload;        /* asked for; done when no look is under way */
	struct look *look;  /* under way, or NULL */
	char look_id[LOOK_ID_SIZE];   /* of it, or of the last one */
	unsigned int looks;
	int look_status;              /* exit status of this look so far, by rank */
	time_t last_id;               /* the second of the last load's id, and how many that second had */
	unsigned int ids;
	usec_t next_look[SOURCE_MAX]; /* monotonic; UINT64_MAX where the source is not configured */
	sd_event_source *timer;
	int worst;          /* exit status so far, by rank */
	int report_fd;      /* a clean-up report that could not be delivered yet, or -EBADF */
	char report_name[64];
	struct errand *delivery;
	struct mailer *mailer;
	struct troubles unread; /* files that could not be copied or inspected */
	struct troubles left;   /* feeds that were loaded and could not be put away */
	struct janitor *janitor;
	bool swept;             /* with --once: the janitor has had its turn */
	struct watch *watch;  /* of the share, or NULL */
	uint32_t walls_told[PROGRAM_MAX]; /* each stage's, as the log has them; 0 never */
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

/* Begins a look now; none may be under way. Returns 0 or a negative errno. */
int manager_look(struct manager *manager, const struct look_request *request) WARN_UNUSED;

/* All sources that are configured, as a mask. */
unsigned int manager_sources(const struct manager *manager);

/* Reads the configuration and looks for what is missing in it. Returns 0, or a negative errno with error filled. */
int manager_read_config(const struct manager *manager, struct config *config, struct config_error *error) WARN_UNUSED;

/* Reads the configuration anew and goes by it at once. Returns 0, or a negative errno with error filled: the old one stays. */
int manager_reload(struct manager *manager, struct config_error *error) WARN_UNUSED;

/* Called by the look: it is over; one of its loads is; it looked at a source, which went well (error NULL) or did not
 * (file: escaped, or NULL where no file is meant). */
void manager_look_over(struct manager *manager);
void manager_load_over(struct manager *manager, const struct load_note *note);
void manager_source_looked(struct manager *manager, enum source_kind source);
void manager_source_error(struct manager *manager, enum source_kind source, const char *file, const char *error);

/* Saves the memory and the history; tells where it cannot. */
void manager_save(const struct manager *manager);

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

/* A load's report has come to the share: one that is kept and is of an earlier day, or of no other feed, is overtaken. */
void manager_report_on_share(struct manager *manager, const char *name);

/* The errand over the kept report (manager->delivery) has ended: tells it, and what was delivered is kept no longer. */
void manager_report_tried(struct manager *manager, const struct failure *failure);

/*
 * Notes that a load goes over to writing (kept over the death of this process), and how it ended: clean where
 * Sierra cannot be at a create of it any more.
 */
void manager_writing_begins(struct manager *manager);
void manager_writing_ended(struct manager *manager, bool clean);

/* Counts an exit status in: the worst in the order 1, 2, 4, 3, 0 stays. */
void manager_count_status(struct manager *manager, int status);

bool manager_source_configured(const struct manager *manager, enum source_kind kind);

/* Monotonic and real time in microseconds, as of this turn of the loop. */
usec_t manager_now(const struct manager *manager);
int64_t manager_realtime(const struct manager *manager);

#endif
