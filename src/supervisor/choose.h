/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_CHOOSE_H
#define SUPERVISOR_CHOOSE_H

/*
 * The rules of which feed is run: newest wins, done is done, what failed comes back after growing pauses, what a guard
 * holds waits for a person. Over the memory of feeds; no I/O.
 */

#include <stdbool.h>

#include "common/config.h"
#include "supervisor/load.h"
#include "supervisor/memory.h"

struct circumstances {
	const struct config *config;
	int64_t now;  /* microseconds since 1970 */
	bool once;    /* asked for by a person: what is due is run whatever its pause */
	bool dry_run; /* runs what is done, too, and remembers nothing */
	bool again;   /* runs what is done or held, too; its guards look at it anew */
	bool stopping; /* patrond was asked to stop: what that cuts off is no failed try, and goes on at the next start */
};

/*
 * The feeds of a content, or those it may have, that no newer one has overtaken: neither in this look (covered) nor loaded
 * before.
 */
uint32_t choose_kinds(const struct memory *memory, const struct content *content, uint32_t covered);

/* True where a content whose zip is whole is to be run now, as far as its own state goes. */
bool choose_run(const struct content *content, const struct circumstances *c);

/* What stands in the way of a content that is no feed; verdict is not ZIP_VERDICT_WHOLE. */
enum failure_code choose_refusal(enum zip_verdict verdict);

/*
 * Remembers how a run of these kinds of a content ended: its state, when it is tried again, and the counts that guards
 * compare with. What waits and is older than what was loaded now is superseded.
 */
void choose_remember(struct memory *memory, struct content *content, uint32_t kinds, const struct load_result *result,
    const struct circumstances *c);

#endif
