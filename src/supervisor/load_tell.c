/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is told of a load: its rows, the sums of them, why it failed, which guards hold it. */

#include "supervisor/load_private.h"

#include <stdio.h>

#include "common/present.h"
#include "supervisor/journal.h"
#include "supervisor/sentence.h"
#include "supervisor/status.h"

enum program
load_cause_program(const struct load *load, const struct failure *failure)
{
	return failure == &load->failures[PART_DECODE] ? PROGRAM_DECODE : PROGRAM_LOAD;
}

void
load_tell_summary(struct load *load, enum feed_kind feed, const struct feed_counts *c, const char *what)
{
	struct entry entry;
	char rows[27], current[27];

	entry_begin(&entry, 5, MESSAGE_SUMMARY, feed, load->id,
	    "%s%s, %s feed: %s rows: %u created, %u renewed, %s current, %u skipped, %u held, %u rejected, %u failed.",
	    load->options.dry_run ? "Dry run, " : "", what, feed_kind_name(feed), present_number(c->rows, rows), c->by_outcome[OUTCOME_CREATED],
	    c->by_outcome[OUTCOME_RENEWED], present_number(c->by_outcome[OUTCOME_CURRENT], current),
	    c->by_outcome[OUTCOME_SKIPPED], c->by_outcome[OUTCOME_HELD], c->by_outcome[OUTCOME_REJECTED],
	    c->by_outcome[OUTCOME_FAILED]);
	entry_field(&entry, "SUMMARY", "%s", what);
	entry_field(&entry, "DRY_RUN", "%d", load->options.dry_run);
	entry_field(&entry, "ROWS", "%u", c->rows);
	tally_add_fields(&entry, c);
	entry_send(&entry);
}

void
load_tell_failure(struct load *load, const struct failure *failure)
{
	struct entry entry;
	char text[1024];

	sentence_failure(load_cause_program(load, failure), failure, text, sizeof(text));
	entry_begin(&entry, 3, MESSAGE_LOAD_FAILED, FEED_KIND_INVALID, load->id, "Load %s: %s",
	    failure->code == FAILURE_CANCELLED && failure->number == CANCELLED_BY_STOP ? "stopped" : "failed", text);
	entry_field(&entry, "REASON", "%s", failure_word(failure->code));
	if (failure->feed >= 0)
		entry_field(&entry, "FEED", "%s", feed_kind_name(failure->feed));
	if (failure->row > 0)
		entry_field(&entry, "ROW", "%u", failure->row);
	entry_send(&entry);
	status_set("FAILED: %s", text);
}

void
load_tell_guards(struct load *load)
{
	struct entry entry;
	char text[256];

	for (uint32_t i = 0; i < load->result.guard_count; i++) {
		const struct guard_figure *g = &load->result.guards[i];

		present_guard(g, text, sizeof(text));
		entry_begin(&entry, 4, MESSAGE_LOAD_HELD, g->feed, load->id,
		    "HELD by guard: %s. Nothing was written.", text);
		entry_field(&entry, "GUARD", "%s", guard_name(g->guard));
		entry_field(&entry, "VALUE", "%llu", (unsigned long long)g->value);
		entry_field(&entry, "BASIS", "%llu", (unsigned long long)g->basis);
		entry_field(&entry, "LIMIT_PERCENT", "%u", g->limit_percent);
		if (guard_column(g) != NULL)
			entry_field(&entry, "COLUMN", "%s", guard_column(g));
		entry_send(&entry);
	}
	present_guard(&load->result.guards[0], text, sizeof(text));
	status_set("HELD by guard: %s. See patronctl status.", text);
}

void
load_tell_outcome(struct load *load, const struct outcome *o)
{
	struct entry entry;
	bool differs = o->reason == REASON_DIFFERS;
	const char *kind = differs ? "differs" : outcome_kind_name(o->kind);
	char patron[32] = "";
	int priority = differs || o->kind == OUTCOME_FAILED ? 4 : o->kind == OUTCOME_HELD || o->kind == OUTCOME_REJECTED ? 5 : 6;

	if (o->patron_id != 0)
		(void)snprintf(patron, sizeof(patron), ", patron %llu", (unsigned long long)o->patron_id);
	entry_begin(&entry, priority, differs ? MESSAGE_DIFFERS : MESSAGE_ROW, o->feed, load->id, "%s row %u: %s%s%s%s",
	    feed_kind_name(o->feed), o->row, kind, o->reason != REASON_NONE && !differs ? ", " : "",
	    o->reason != REASON_NONE && !differs ? reason_name(o->reason) : "", patron);
	entry_field(&entry, "ROW", "%u", o->row);
	if (!differs)
		entry_field(&entry, "OUTCOME", "%s", kind);
	if (o->reason != REASON_NONE)
		entry_field(&entry, "REASON", "%s", reason_name(o->reason));
	if (o->patron_id != 0)
		entry_field(&entry, "PATRON_ID", "%llu", (unsigned long long)o->patron_id);
	if (load->options.dry_run)
		entry_field(&entry, "DRY_RUN", "1");
	entry_send(&entry);
}
