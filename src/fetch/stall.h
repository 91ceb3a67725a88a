/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FETCH_STALL_H
#define FETCH_STALL_H

/*
 * The watch over a peer that says nothing more: libssh has no time limit on a transfer, and blocks inside a packet even
 * when it is told not to. The timer's handler shuts the connection down, and the call that waits returns an error.
 */

#include <stdbool.h>

#include "common/config.h"

/*
 * Takes the connection and the time without progress after which it is shut down. Before the walls. fd must stay open
 * until stall_rest. Returns 0 or a negative errno.
 */
int stall_watch(int fd, usec_t timeout) WARN_UNUSED;

/* Begins the time anew: something was begun or got. */
void stall_progress(void);

/* Stops the time: nothing is awaited from the peer. */
void stall_rest(void);

/* Shuts the connection down now, so that giving up does not wait for the peer. */
void stall_cut(void);

/* True once the timer has shut the connection down. */
bool stall_happened(void);

#endif
