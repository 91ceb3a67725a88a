/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_LINK_H
#define SUPERVISOR_LINK_H

/*
 * The supervisor's end of a connection to one stage: reaching or starting it, its requests, its answers by a table of
 * what may be said, its deadline, and every way in which it can end or lie.
 *
 *   link_open ──▶ idle ──link_request──▶ busy ──DONE / FAILURE / lie / silence / death──▶ LINK_DONE or LINK_FAILED
 *   link_close: half-closes; LINK_ENDED comes when the stage's process has let go of the connection, that is, has ended
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "common/config.h"
#include "common/program.h"
#include "common/wire.h"

struct link;

enum link_event {
	LINK_DONE,   /* the job ended well */
	LINK_FAILED, /* the job did not; failure says why */
	LINK_ENDED,  /* after link_close: the process is gone */
};

struct link_handler {
	/* An answer that belongs to the job. Returns 0, or -EBADMSG for one that cannot be true. The frame lives until then. */
	int (*on_answer)(struct link *link, struct wire_in *in, void *userdata);
	/* The link may be closed or freed inside. failure is NULL but with LINK_FAILED. */
	void (*on_event)(struct link *link, enum link_event event, const struct failure *failure, void *userdata);
};

/*
 * Reaches a stage: by its socket in $PATROND_STAGES where that is set, else by starting its program, which lies beside
 * this one or in the libexec directory, on one end of a socketpair as descriptor 3. config_path is handed to a started
 * one in its environment. Returns 0, or a negative errno with ret_failure filled.
 */
int link_open(struct link **ret, sd_event *event, enum program program, const char *config_path,
    const struct link_handler *handler, void *userdata, struct failure *ret_failure) WARN_UNUSED;

/*
 * Sends one request (a single frame in out) with descriptors, which stay the caller's. The link must be idle. Returns 0
 * or a negative errno.
 */
int link_request(struct link *link, struct wire_out *out, const int *fds, size_t fd_count) WARN_UNUSED;

/* Sends CANCEL to a busy stage: it finishes what is in flight and answers. One that has not come to life is let go. */
void link_cancel(struct link *link);

/* Tells load that a guard of the supervisor's holds it. Returns 0 or a negative errno: it does not know then. */
int link_hold(struct link *link) WARN_UNUSED;

/*
 * Hangs up on a stage of another unit that has not come to life, which the end of its job then says (CANCELLED): while
 * patrond stops, systemd keeps those back that it has not started yet. Returns false where the stage has been heard of,
 * and nothing was done.
 */
bool link_let_go(struct link *link);

/* The longest time without an answer while busy, in microseconds from now; 0: none. */
int link_set_timeout(struct link *link, usec_t timeout) WARN_UNUSED;

/* Half-closes; LINK_ENDED follows, by force after a grace of some seconds where the stage is our own child. */
void link_close(struct link *link);

/* Hangs up at once and kills our own child. Accepts NULL, returns NULL. No event follows. */
struct link *link_free(struct link *link);

/* What the stage said of its walls (enum wall bits), 0 before. */
uint32_t link_walls(const struct link *link);

/* Finds a stage's program: beside this one, in ../libexec/patrond, or where it was installed. Returns 0 or a negative errno. */
int link_find_program(enum program program, char *path, size_t size) WARN_UNUSED;

/* The name of a stage's program ("decode"). */
const char *link_program_name(enum program program);

#endif
