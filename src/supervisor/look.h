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

/* What kind of look. Masks of 1 << enum source_kind. */
struct look_request {
	unsigned int sources; /* to be listed: newest wins over all of them */
	unsigned int take;    /* whose feeds are run */
	bool once;            /* asked for by a person: what is due is run whatever its pause */
	bool again;           /* what is done or held is run, too */
	bool dry_run;
};

/*
 * Begins a look. manager_look_over follows, also from inside the call where nothing can be listed, but where a negative
 * errno is returned. A dry run works on a copy of the memory, which ends with it.
 */
int look_start(struct look **ret, struct manager *manager, const struct look_request *request) WARN_UNUSED;

/* The load that runs, or NULL. */
const struct load *look_load(const struct look *look);
bool look_is_dry(const struct look *look);
int64_t look_begun(const struct look *look); /* microseconds since 1970 */

/* Finishes what is in flight, starts no more. */
void look_cancel(struct look *look);

/* Cuts everything off. Accepts NULL, returns NULL. */
struct look *look_free(struct look *look);

#endif
