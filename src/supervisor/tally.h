/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_TALLY_H
#define SUPERVISOR_TALLY_H

/* The supervisor's own counting of outcomes: a load's counts are believed only where they agree with it. */

#include "supervisor/journal.h"
#include "supervisor/load.h"

struct tally {
	uint8_t *seen[FEED_KIND_MAX];   /* a bit a row: each has at most one outcome */
	size_t room[FEED_KIND_MAX];     /* bytes */
	struct feed_counts own[FEED_KIND_MAX];
	struct feed_counts told[FEED_KIND_MAX];
	uint32_t told_kinds;
};

void tally_done(struct tally *tally);

/*
 * Counts one outcome of a feed with so many rows, as its plan says. Returns 0, -EBADMSG for a second one of a row or one
 * of a row that there is not, or -ENOMEM.
 */
int tally_outcome(struct tally *tally, const struct outcome *outcome, uint32_t rows) WARN_UNUSED;

/*
 * Takes a feed's counts and compares them with what was counted; current rows have no outcome unless log_current.
 * Returns 0, or -EBADMSG where they do not agree or came before.
 */
int tally_check(struct tally *tally, enum feed_kind feed, const struct feed_counts *counts, bool log_current) WARN_UNUSED;

/* Fills the result's counts: what the load said where it did, else what was counted. */
void tally_counts(const struct tally *tally, struct load_result *result);

/* Adds CREATED=, RENEWED=, … and the reasons that are not zero (HELD_AMBIGUOUS=, …) to an entry. */
void tally_add_fields(struct entry *entry, const struct feed_counts *counts);

#endif
