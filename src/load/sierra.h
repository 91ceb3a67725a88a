/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_SIERRA_H
#define LOAD_SIERRA_H

/*
 * The conversation with Sierra: calls are queued, get their token, keep the common pace, and are repeated as the table
 * of answers.h says, until each has a result. One loop drives them all; nothing here knows of rows or plans.
 */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/config.h"
#include "load/answers.h"
#include "load/page.h"
#include "patrond/failure.h"

struct sierra;

enum sierra_result {
	SIERRA_DONE,
	SIERRA_ABSENT,
	SIERRA_SEVERAL,
	SIERRA_FAILED,     /* for good: reason says why */
	SIERRA_UNKNOWN,    /* the tries are used up; whatever was asked stays unknown */
	SIERRA_LOOK_UP,    /* a write that may have been done; look before anything else */
	SIERRA_STALE,      /* it was not sent before not_after, or was turned away and would be sent later */
	SIERRA_BROKEN_OFF, /* the load ended before there was a result */
};

struct sierra_call {
	/* The caller's, before sierra_start. ended is called once; the call may be started anew in it. */
	enum call_kind kind;
	struct buf path; /* what follows the base URL, with its slash */
	struct buf body; /* JSON; empty for none */
	bool fresh;      /* over a new connection: a kept one has betrayed it before */
	usec_t not_after; /* of a write: what it rests on is not to be older; 0 none. Kept by sierra_start */
	void (*ended)(struct sierra_call *call, void *user);
	void *user;

	/* The result. */
	enum sierra_result result;
	enum reason reason;  /* with FAILED and LOOK_UP */
	struct page *page;   /* LIST, FIND, READ with DONE: whoever is told takes it, else it is freed */
	uint64_t id;         /* CREATE with DONE */
	bool maybe_done;     /* an attempt may have been carried out, whatever the result is */
	bool timed_out;      /* the last attempt was given up: Sierra may still be at it */
	bool slowed;         /* with LOOK_UP: Sierra said to slow down, and has probably not done it */

	/* The conversation's own. */
	struct sierra_call *next;
	usec_t not_before;
	unsigned int tries;
	unsigned int pauses;
	unsigned int refusals; /* 401 */
	uint64_t generation;   /* of the token that it was sent with */
	bool waiting; /* the token's: asked for and not yet there */
	bool closed_once;
};

#define SIERRA_CALL_INIT ((struct sierra_call){ .path = BUF_INIT(4096), .body = BUF_INIT(256U << 10) })

/* What a phase of the load does while its calls are under way. */
struct sierra_phase {
	/*
	 * Calls may be started: starts as many as it likes (one is enough; it is asked again). Returns true while the phase
	 * is not complete, whether it started one or waits for something else.
	 */
	bool (*more)(void *user);
	/* Once a turn, before waiting; fds have their revents. May break the load off. */
	void (*turn)(void *user);
	void *user;
	struct pollfd *fds;
	unsigned int fd_count; /* at most 3 */
};

/*
 * Before the walls. credential: key:secret, size bytes, copied; ca: PEM. resolve: see http.h. Returns 0, -EINVAL for a
 * credential that is none, or another negative errno.
 */
int sierra_new(struct sierra **ret, const struct config *config, const char *credential, size_t size, const char *ca,
    size_t ca_size, const char *resolve) WARN_UNUSED;
struct sierra *sierra_free(struct sierra *sierra); /* wipes; accepts NULL, returns NULL */
void sierra_freep(struct sierra **sierra);

#define _cleanup_sierra_ __attribute__((cleanup(sierra_freep)))

/* Queues a call, not to leave before so long from now. The call must stay where it is until it has ended. */
void sierra_start(struct sierra *sierra, struct sierra_call *call, usec_t delay);

/*
 * Runs a phase until it is complete and no call is left, or until the load is broken off and what had to be waited for
 * has ended. Returns 0, or a negative errno where the machinery itself failed.
 */
int sierra_run(struct sierra *sierra, const struct sierra_phase *phase) WARN_UNUSED;

/*
 * Breaks the load off: nothing is started any more, reads are given up, writes in flight are waited for. The first
 * failure stays.
 */
void sierra_break_off(struct sierra *sierra, const struct failure *failure);

/* The failure that broke the load off, or NULL. */
const struct failure *sierra_failure(const struct sierra *sierra);

/* The pause before try n of something, with jitter. */
usec_t sierra_pause(struct sierra *sierra, usec_t first, unsigned int n);

/* Empties a call, wiping it. */
void sierra_call_done(struct sierra_call *call);

#endif
