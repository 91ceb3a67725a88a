/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_ERRAND_H
#define SUPERVISOR_ERRAND_H

/*
 * One request to one stage, from reaching it to its end. The end is told when the stage's process has let go of
 * everything that it was given, so that a feed's descriptor can be handed on.
 */

#include "supervisor/link.h"

/* The number of a failure `deadline` that the supervisor imposed: the stage had not come to its end. */
#define ERRAND_OWN_DEADLINE 1

struct manager;
struct errand;

/* An answer beside DONE and FAILURE; PROGRESS too. Returns 0, or -EBADMSG for one that cannot be true. */
typedef int (*errand_answer_fn)(struct wire_in *in, void *userdata);

/* The end: failure is NULL where the job was done. The errand is freed after it. */
typedef void (*errand_end_fn)(const struct failure *failure, void *userdata);

struct errand_options {
	enum program program;
	struct wire_out *out; /* the request, one frame */
	const int *fds;       /* descriptors to send, which stay the caller's */
	size_t fd_count;
	usec_t timeout;       /* without an answer; 0: none */
	errand_answer_fn on_answer;
	errand_end_fn on_end;
	void *userdata;
};

/*
 * Begins an errand. Always leads to on_end, never from inside this call, but where it returns a negative errno (no
 * memory). A stage that cannot be reached is told by on_end.
 */
int errand_run(struct errand **ret, struct manager *manager, const struct errand_options *options) WARN_UNUSED;

/* Gives up a stage of another unit that has not come to life; on_end says CANCELLED then. Others are left alone. */
void errand_let_go(struct errand *errand);

/* Asks the stage to finish what is in flight. */
void errand_cancel(struct errand *errand);

/* Tells load that a guard of the supervisor's holds it. Returns 0, or a negative errno: it must not be let go on then. */
int errand_hold(struct errand *errand) WARN_UNUSED;

/* Changes the time-out of a running errand. */
void errand_set_timeout(struct errand *errand, usec_t timeout);

/* Cuts the errand off; on_end is not called. Accepts NULL, returns NULL. */
struct errand *errand_free(struct errand *errand);

#endif
