/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_LOOK_H
#define SUPERVISOR_LOOK_H

/*
 * A look: every source is listed, what is new and stands still is copied and inspected, newest first, and what is to be
 * loaded is loaded, oldest first.
 *
 *   LIST each source ─▶ settle? ─▶ newest to oldest: COPY, INSPECT until every kind is covered ─▶ RUN ─▶ over
 */

#include "supervisor/manager.h"

struct look;

/*
 * Begins a look at the sources in the mask (1 << enum source_kind). manager_look_over follows, never from inside the
 * call, but where a negative errno is returned.
 */
int look_start(struct look **ret, struct manager *manager, unsigned int sources) WARN_UNUSED;

/* Finishes what is in flight, starts no more. */
void look_cancel(struct look *look);

/* Cuts everything off. Accepts NULL, returns NULL. */
struct look *look_free(struct look *look);

#endif
