/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

/*
 * The control socket's peers: their connections, buffers, budgets and time-outs. It knows Varlink, and no method. A peer that
 * is slow, silent, flooding or lying is slowed down or hung up on; it never delays the loop, whose other sources all
 * come first, and it cannot make the supervisor fail: where memory runs out its connection ends.
 *
 *   EPOLLIN ─▶ in[16 KiB] ─NUL─▶ credit? ─▶ varlink_parse ─▶ on_call ─▶ out (≤ 1 MiB) ─▶ EPOLLOUT
 */

#include <systemd/sd-event.h>

#include "common/config.h"
#include "supervisor/varlink.h"

struct control;
struct control_peer;

struct control_handler {
	/* A call, to be answered by one of control_reply, control_error and control_stream. Negative: the peer is hung up on. */
	int (*on_call)(struct control_peer *peer, const struct varlink_call *call, void *userdata);
	/* The present, for a peer that streams: the parameters of a reply, or NULL where memory runs out. */
	cJSON *(*present)(void *userdata);
};

/* All in microseconds. */
struct control_times {
	usec_t idle;     /* without a call */
	usec_t partial;  /* for a message, from its first byte to its last */
	usec_t unread;   /* with output that the peer does not read */
	usec_t throttle; /* between two presents of a stream */
};

#define CONTROL_TIMES ((struct control_times){ \
	.idle = 120 * USEC_PER_SEC, .partial = 10 * USEC_PER_SEC, .unread = 30 * USEC_PER_SEC, .throttle = 250 * USEC_PER_MSEC })

/*
 * The listening socket: the one that systemd hands over ($LISTEN_FDS), else $RUNTIME_DIRECTORY/control, mode 0660. Returns
 * the descriptor with ret_path filled (empty where it is not ours to remove), -ENOENT where there is no place for one, or
 * another negative errno.
 */
int control_listen(char *ret_path, size_t size) WARN_UNUSED;

/* Serves a listening socket. Takes fd, also where it fails. Returns 0 or a negative errno. */
int control_new(struct control **ret, sd_event *event, int fd, const struct control_times *times,
    const struct control_handler *handler, void *userdata) WARN_UNUSED;

/* Hangs up on all; those that stream are told the present as the last reply. Accepts NULL, returns NULL. */
struct control *control_free(struct control *control);

/* Answers the call that is being handled; takes parameters. A oneway call has no answer. Negative: to be passed on. */
int control_reply(struct control_peer *peer, cJSON *parameters) WARN_UNUSED;
int control_error(struct control_peer *peer, const char *error, cJSON *parameters) WARN_UNUSED;

/* Answers with the present, and again whenever it changes, until the peer hangs up. */
int control_stream(struct control_peer *peer) WARN_UNUSED;

/* The present has changed: those that stream are told, at most so often, the latest alone. */
void control_changed(struct control *control);

/* Tells all that stream at once; for what must not be left out. parameters stay the caller's. Accepts NULL for both. */
void control_publish(struct control *control, const cJSON *parameters);

#endif
