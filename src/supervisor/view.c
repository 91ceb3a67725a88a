/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manager as JSON: words of the domain, integers and sentences of ours, no more. */

#include "common/present.h"
#include "supervisor/view.h"

#include <string.h>

#include "supervisor/idle.h"
#include "supervisor/look.h"
#include "supervisor/status.h"

static void
put_counts(struct put *put, cJSON *list, enum feed_kind feed, const struct feed_counts *counts)
{
	cJSON *item = put_item(put, list), *map;

	put_text(put, item, "feed", feed_kind_name(feed));
	put_number(put, item, "rows", counts->rows);
	map = put_object(put, item, "outcomes");
	for (int k = 0; k < OUTCOME_KIND_MAX; k++)
		put_number(put, map, outcome_kind_name((enum outcome_kind)k), counts->by_outcome[k]);
	map = put_object(put, item, "reasons");
	for (int why = REASON_NONE + 1; why < REASON_MAX; why++)
		if (counts->by_reason[why] > 0)
			put_number(put, map, reason_name((enum reason)why), counts->by_reason[why]);
	put_number(put, item, "verified", counts->verified);
	put_number(put, item, "different", counts->different);
}

static void
put_both_counts(struct put *put, cJSON *object, const char *key, const struct feed_counts counts[static FEED_KIND_MAX],
    uint32_t kinds)
{
	cJSON *list = put_array(put, object, key);

	for (int i = 0; i < FEED_KIND_MAX; i++)
		if ((kinds & FEED_BIT(i)) != 0)
			put_counts(put, list, (enum feed_kind)i, &counts[i]);
}

static void
put_guards(struct put *put, cJSON *object, const struct load_result *result)
{
	cJSON *list = put_array(put, object, "guards");

	for (uint32_t i = 0; i < result->guard_count; i++) {
		const struct guard_figure *g = &result->guards[i];
		cJSON *item = put_item(put, list);

		put_text(put, item, "guard", guard_name(g->guard));
		put_text(put, item, "feed", g->feed >= 0 ? feed_kind_name(g->feed) : NULL);
		put_number(put, item, "value", g->value);
		put_number(put, item, "basis", g->basis);
		put_number(put, item, "limit_percent", g->limit_percent);
		put_text(put, item, "column", guard_column(g));
	}
}

void
view_load(struct put *put, cJSON *object, const struct load_note *note)
{
	static const char *const ends[] = { [LOAD_COMPLETE] = "complete", [LOAD_HELD] = "held", [LOAD_FAILED] = "failed" };
	const struct load_result *result = &note->result;
	char text[1024];

	put_text(put, object, "id", note->id);
	put_text(put, object, "end", ends[result->end]);
	put_bool(put, object, "dry_run", note->dry_run);
	put_time(put, object, "time", note->time);
	if (result->end == LOAD_FAILED)
		put_text(put, object, "reason", failure_word(result->failure.code));
	if (idle_sentence(result, text, sizeof(text)))
		put_text(put, object, "message", text);
	put_both_counts(put, object, "counts", result->counts, result->kinds);
	put_both_counts(put, object, "plan", result->plan, result->plan_kinds);
	put_guards(put, object, result);
}

/* --- Status --- */

static const char *
state_name(const struct manager *manager)
{
	if (manager->stopping)
		return "stopping";
	if (manager->look != NULL)
		return look_load(manager->look) != NULL ? "loading" : "looking";
	return manager->delivery != NULL ? "looking" : "idle";
}

static void
put_progress(struct put *put, cJSON *object, const struct manager *manager)
{
	const struct load *load = manager->look != NULL ? look_load(manager->look) : NULL;
	struct status_progress progress = status_progress();
	cJSON *item;

	if (manager->look == NULL)
		return;
	if (progress.phase < 0)
		progress = (struct status_progress){ .phase = PHASE_LOOKING };
	item = put_object(put, object, "progress");
	put_text(put, item, "load", load != NULL ? load_id(load) : NULL);
	put_text(put, item, "phase", phase_name(progress.phase));
	put_number(put, item, "done", progress.done);
	put_number(put, item, "total", progress.total);
	put_number(put, item, "rate", progress.rate);
	if (progress.rate > 0 && progress.total > progress.done)
		put_number(put, item, "seconds_left", (progress.total - progress.done) / progress.rate);
	put_bool(put, item, "dry_run", look_is_dry(manager->look));
}

/* The last load of each feed kind, one where it was the same load. */
static void
put_last(struct put *put, cJSON *object, const struct manager *manager)
{
	cJSON *list = put_array(put, object, "last");
	const struct load_note *before = NULL;

	for (int i = 0; i < FEED_KIND_MAX; i++) {
		const struct load_note *note = history_last(manager->history, (enum feed_kind)i);

		if (note != NULL && note != before)
			view_load(put, put_item(put, list), note);
		before = note != NULL ? note : before;
	}
}

/* What the memory of feeds says of a load that waits, where the history has forgotten it. */
static struct load_note
note_of(const struct content *content)
{
	struct load_note note = { .kinds = content->kinds };

	memcpy(note.id, content->load_id, sizeof(note.id));
	note.result.end = content->state == CONTENT_HELD ? LOAD_HELD : content->failure != 0 ? LOAD_FAILED : LOAD_COMPLETE;
	note.result.failure = failure_of((enum failure_code)content->failure, 0);
	note.result.program = PROGRAM_LOAD;
	note.result.due = content->state == CONTENT_DUE;
	memcpy(note.result.guards, content->guards, sizeof(note.result.guards));
	note.result.guard_count = content->guard_count;
	return note;
}

static void
put_waiting(struct put *put, cJSON *object, const char *key, const struct manager *manager, enum content_state state)
{
	cJSON *list = put_array(put, object, key);

	for (size_t i = 0; i < manager->memory->content_count; i++) {
		const struct content *content = &manager->memory->contents[i];
		const struct load_note *note;
		struct load_note made;

		if (content->state != state)
			continue;
		note = history_find(manager->history, content->load_id);
		made = note == NULL ? note_of(content) : *note;
		view_load(put, put_item(put, list), &made);
	}
}

static void
put_sources(struct put *put, cJSON *object, const struct manager *manager)
{
	static const char *const names[SOURCE_MAX] = { [SOURCE_SHARE] = "share", [SOURCE_SFTP] = "sftp" };
	cJSON *list = put_array(put, object, "sources");
	usec_t now = manager_now(manager);

	for (size_t i = 0; i < SOURCE_MAX; i++) {
		const struct source_note *note = &manager->source_notes[i];
		char error[sizeof(note->file) + sizeof(note->error) + 2];
		cJSON *item;

		if (manager->next_look[i] == UINT64_MAX)
			continue;
		item = put_item(put, list);
		put_text(put, item, "source", names[i]);
		put_time(put, item, "last_look", note->last_look);
		(void)snprintf(error, sizeof(error), "%s%s%s", note->file, note->file[0] != '\0' ? ": " : "", note->error);
		put_text(put, item, "last_error", error[0] != '\0' ? error : NULL);
		put_time(put, item, "next_look",
		    manager_realtime(manager) + (int64_t)(manager->next_look[i] > now ? manager->next_look[i] - now : 0));
	}
}

cJSON *
view_status(const struct manager *manager)
{
	struct put put = { false };
	cJSON *object = put_new(&put);

	put_text(&put, object, "state", state_name(manager));
	put_text(&put, object, "status", status_text());
	put_text(&put, object, "version", PATROND_VERSION);
	put_progress(&put, object, manager);
	put_last(&put, object, manager);
	put_waiting(&put, object, "held", manager, CONTENT_HELD);
	put_waiting(&put, object, "due", manager, CONTENT_DUE);
	put_sources(&put, object, manager);
	return put_end(&put, object);
}

/* --- Monitor --- */

static void
put_outcomes(struct put *put, cJSON *object, const struct manager *manager)
{
	const struct load *load = manager->look != NULL ? look_load(manager->look) : NULL;
	uint64_t outcomes[OUTCOME_KIND_MAX];
	cJSON *map;

	if (load == NULL)
		return;
	load_outcomes(load, outcomes);
	map = put_object(put, object, "outcomes");
	for (int k = 0; k < OUTCOME_KIND_MAX; k++)
		put_number(put, map, outcome_kind_name((enum outcome_kind)k), outcomes[k]);
}

cJSON *
view_present(const struct manager *manager)
{
	struct put put = { false };
	cJSON *object = put_new(&put);

	put_text(&put, object, "kind", manager->look != NULL ? "progress" : "idle");
	put_text(&put, object, "status", status_text());
	put_text(&put, object, "look", manager->look != NULL ? manager->look_id : NULL);
	put_progress(&put, object, manager);
	put_outcomes(&put, object, manager);
	return put_end(&put, object);
}

cJSON *
view_summary(const struct manager *manager, const struct load_note *note)
{
	struct put put = { false };
	cJSON *object = put_new(&put);

	put_text(&put, object, "kind", "summary");
	put_text(&put, object, "status", status_text());
	put_text(&put, object, "look", manager->look_id);
	view_load(&put, put_object(&put, object, "finished"), note);
	return put_end(&put, object);
}

cJSON *
view_look_over(const struct manager *manager)
{
	struct put put = { false };
	cJSON *object = put_new(&put);

	put_text(&put, object, "kind", "idle");
	put_text(&put, object, "status", status_text());
	put_text(&put, object, "look", manager->look_id);
	put_number(&put, object, "exit_status", (uint64_t)manager->look_status);
	return put_end(&put, object);
}
