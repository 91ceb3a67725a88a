/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FETCH_COPY_H
#define FETCH_COPY_H

/* FETCH_COPY: one feed, unparsed, into the descriptor that came with the request. */

#include "common/stage.h"
#include "fetch/session.h"

/*
 * Reads the rest of the request, copies the file and sends COPIED. Returns 0, or a negative errno with ret_failure
 * PROTOCOL (a request or descriptor that cannot be), FEED_TOO_LARGE, REMOTE_FILE, FEED_CHANGED, WORKSPACE_FULL,
 * CANCELLED, TRANSFER_STALLED or TRANSFER_BROKEN. What was written then is no feed.
 */
int copy_feed(struct stage *stage, struct session *session, struct wire_in *request, struct failure *ret_failure)
    WARN_UNUSED;

#endif
