/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

/*
 * The plan: every row of a load with its outcome, or with the one request that will give it its outcome.
 *
 *   plan_match ──▶ NONE (outcome final)
 *              ──▶ RENEW ── plan_resolve_renewal ─▶ NONE, or RENEW still
 *                        ── plan_settle ──────────▶ NONE
 *              ──▶ CREATE ── plan_resolve_found ──▶ NONE | RENEW | CREATE
 *                        ── plan_confirm_created ─▶ NONE, or CREATE still
 *                        ── plan_settle ──────────▶ NONE
 */

#include <stdbool.h>
#include <stdint.h>

#include "load/index.h"
#include "load/patron.h"
#include "load/rows.h"
#include "patrond/outcome.h"

struct plan;

struct plan_rules {
	int32_t today; /* days since 1970 */
	uint32_t term_weeks;
	uint32_t renew_window_days;
	bool confirm; /* [match] confirm */
};

enum plan_action {
	PLAN_NONE,   /* nothing to do any more: the outcome stands */
	PLAN_RENEW,  /* PUT the new expiration date on the row's patron */
	PLAN_CREATE, /* POST a new patron */
};

/*
 * Makes the plan. rows (finished) and index (finished) must outlive it, and key_rule too. Returns 0 or -ENOMEM.
 */
int plan_match(struct plan **ret, const struct rows *rows, const struct index *index, const struct key_rule *rule,
    const struct plan_rules *rules) WARN_UNUSED;
struct plan *plan_free(struct plan *plan); /* accepts NULL, returns NULL */
void plan_freep(struct plan **plan);

/* The expiration date of every renewal and creation of this load, in days since 1970. */
int32_t plan_expiration(const struct plan *plan);

/* What is to be done for a row. */
enum plan_action plan_action(const struct plan *plan, row_ref ref);

/*
 * A row's outcome: final where its action is PLAN_NONE, else the planned one (renewed, or created without a patron
 * id). patron_id is that of the matched patron with renewed, current, identity-mismatch and, where exactly one patron is
 * meant, needs-cleanup.
 */
void plan_outcome(const struct plan *plan, row_ref ref, struct outcome *ret);

/*
 * The next row with that action, from *cursor on (0 at first), in the order of the rows; the cursor moves past it.
 * Returns true with a row. Settling and resolving rows in between is allowed; a row that a resolution turned into a
 * renewal may lie before a cursor already past it: its caller renews it at once.
 */
bool plan_next(const struct plan *plan, enum plan_action action, row_ref *cursor, row_ref *ret);
uint32_t plan_left(const struct plan *plan, enum plan_action action); /* rows with that action */

/*
 * Just before a create: one patron was found by the key. It counts as absent where it is deleted or does not bear the
 * key, else it is matched as if it had been in the index, confirmation included. Returns the row's action now: CREATE
 * (go on), RENEW (the row's patron is this one), NONE (held or current), or -ENOMEM. For several found: plan_settle, held, ambiguous.
 */
int plan_resolve_found(struct plan *plan, row_ref ref, const struct patron *found) WARN_UNUSED;

/*
 * Just before a renewal: the row's patron was read again, and is not deleted. The row is held where the patron does not
 * bear its key any more, or is not confirmed, and current where the date has moved meanwhile. Returns the row's action
 * now: RENEW (go on) or NONE.
 */
int plan_resolve_renewal(struct plan *plan, row_ref ref, const struct patron *found) WARN_UNUSED;

/* After a create whose answer was lost: what the one patron found by the key means. */
enum plan_found {
	PLAN_FOUND_ABSENT,  /* deleted or another's: the row is still to be created */
	PLAN_FOUND_CREATED, /* it is ours: settled as created */
	PLAN_FOUND_UNCLEAR, /* it bears the key but is not confirmed: settled as failed (unclear) */
};
enum plan_found plan_confirm_created(struct plan *plan, row_ref ref, const struct patron *found);

/*
 * Gives a row with an action its outcome. patron_id: the created patron's; 0 keeps what the row has (a renewal's).
 * kind and reason must fit (outcome_reason_fits) and the row must not be settled yet, else -EINVAL and nothing changes.
 */
int plan_settle(struct plan *plan, row_ref ref, enum outcome_kind kind, enum reason reason, uint64_t patron_id)
    WARN_UNUSED;

/* Notes the result of reading a row back. */
void plan_note_read_back(struct plan *plan, row_ref ref, bool differs);

/*
 * Counts of a feed. planned: of the plan as plan_match made it, pending rows as what they are to become. settled: of the
 * rows whose outcome is final (rows still counts all rows read: in a load that ran to its end they add up). unfinished:
 * of the rows that still have an action, rows being their number.
 */
void plan_counts_planned(const struct plan *plan, enum feed_kind feed, struct feed_counts *ret);
void plan_counts_settled(const struct plan *plan, enum feed_kind feed, struct feed_counts *ret);
void plan_counts_unfinished(const struct plan *plan, enum feed_kind feed, struct feed_counts *ret);

/* The rows, for plan_outcome in a loop: refs 0 to rows_total - 1. The record of one, for the body. */
const struct rows *plan_rows(const struct plan *plan);

#endif
