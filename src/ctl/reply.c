/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From cJSON to values, refusing what is not of its type. */

#include "ctl/reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "patrond/shape.h"

/* Doubles hold whole numbers exactly up to here. */
#define WHOLE_MAX 9007199254740991.0

/* An object that is read; bad once anything in it was not as it should be. */
struct reader {
	const cJSON *object;
	bool *bad;
};

/* A member, NULL where it is absent or null, which mean the same in Varlink. */
static const cJSON *
member(const struct reader *r, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->object, key);

	return cJSON_IsNull(item) ? NULL : item;
}

static const char *
optional_text(const struct reader *r, const char *key)
{
	const cJSON *item = member(r, key);

	if (item == NULL)
		return NULL;
	if (!cJSON_IsString(item)) {
		*r->bad = true;
		return NULL;
	}
	return item->valuestring;
}

static const char *
needed_text(const struct reader *r, const char *key)
{
	const char *text = optional_text(r, key);

	if (text == NULL)
		*r->bad = true;
	return text != NULL ? text : "";
}

/* A whole number up to max. A NaN fails the comparisons; infinity, which cJSON makes of 1e999, is above each maximum. */
static uint64_t
whole(const struct reader *r, const cJSON *item, double max)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= max) ||
	    item->valuedouble != (double)(uint64_t)item->valuedouble) {
		*r->bad = true;
		return 0;
	}
	return (uint64_t)item->valuedouble;
}

static uint64_t
needed_number(const struct reader *r, const char *key, double max)
{
	return whole(r, member(r, key), max);
}

static bool
needed_bool(const struct reader *r, const char *key)
{
	const cJSON *item = member(r, key);

	if (!cJSON_IsBool(item))
		*r->bad = true;
	return cJSON_IsTrue(item);
}

/* A member that is a list of at most max. Its length goes to ret_n. */
static const cJSON *
needed_list(const struct reader *r, const char *key, size_t max, size_t *ret_n)
{
	const cJSON *list = member(r, key);
	size_t n = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;

	*ret_n = 0;
	if (!cJSON_IsArray(list) || n > max) {
		*r->bad = true;
		return NULL;
	}
	*ret_n = n;
	return list;
}

static struct reader
inside(const struct reader *r, const cJSON *item)
{
	if (!cJSON_IsObject(item))
		*r->bad = true;
	return (struct reader){ item, r->bad };
}

static int
find_word(const char *word, const char *(*name)(int), int max)
{
	for (int i = 0; i < max; i++)
		if (name(i) != NULL && strcmp(name(i), word) == 0)
			return i;
	return -EINVAL;
}

/* The words as functions of one type. */
#define NAME_OF(word)                                                                                                  \
	static const char *name_of_##word(int value)                                                                   \
	{                                                                                                              \
		return word##_name(value);                                                                             \
	}
NAME_OF(feed_kind)
NAME_OF(outcome_kind)
NAME_OF(reason)
NAME_OF(guard)
NAME_OF(feed_column)
NAME_OF(phase)

/* A map of words to counts. What is no word of ours is left out. */
static void
read_map(const struct reader *r, const char *key, const char *(*name)(int), int max, uint32_t *ret)
{
	const struct reader map = inside(r, member(r, key));
	const cJSON *item;

	if (!cJSON_IsObject(map.object))
		return;
	cJSON_ArrayForEach (item, map.object) {
		int word = find_word(item->string, name, max);
		uint32_t value = (uint32_t)whole(r, item, UINT32_MAX);

		if (word >= 0)
			ret[word] = value;
	}
}

static void
read_counts(const struct reader *r, const char *key, struct ctl_counts *ret)
{
	const cJSON *item;
	size_t n;
	const cJSON *list = needed_list(r, key, FEED_KIND_MAX, &n);

	if (list == NULL)
		return;
	cJSON_ArrayForEach (item, list) {
		const struct reader one = inside(r, item);
		int kind = find_word(needed_text(&one, "feed"), name_of_feed_kind, FEED_KIND_MAX);
		struct feed_counts *counts;

		if (kind < 0 || (ret->kinds & FEED_BIT(kind)) != 0) {
			*r->bad = true;
			return;
		}
		ret->kinds |= FEED_BIT(kind);
		counts = &ret->of[kind];
		counts->rows = (uint32_t)needed_number(&one, "rows", UINT32_MAX);
		read_map(&one, "outcomes", name_of_outcome_kind, OUTCOME_KIND_MAX, counts->by_outcome);
		read_map(&one, "reasons", name_of_reason, REASON_MAX, counts->by_reason);
		counts->verified = (uint32_t)needed_number(&one, "verified", UINT32_MAX);
		counts->different = (uint32_t)needed_number(&one, "different", UINT32_MAX);
	}
}

static void
read_guards(const struct reader *r, struct ctl_load *ret)
{
	const cJSON *list = needed_list(r, "guards", REPLY_GUARDS, &ret->n_guards), *item;
	size_t i = 0;

	if (list == NULL)
		return;
	cJSON_ArrayForEach (item, list) {
		const struct reader one = inside(r, item);
		const char *feed = optional_text(&one, "feed"), *column = optional_text(&one, "column");

		ret->guards[i++] = (struct guard_figure){
			.guard = (enum guard)find_word(needed_text(&one, "guard"), name_of_guard, GUARD_MAX),
			.feed = (enum feed_kind)(
			    feed == NULL ? FEED_KIND_INVALID : find_word(feed, name_of_feed_kind, FEED_KIND_MAX)),
			.value = needed_number(&one, "value", WHOLE_MAX),
			.basis = needed_number(&one, "basis", WHOLE_MAX),
			.limit_percent = (uint32_t)needed_number(&one, "limit_percent", UINT32_MAX),
			.column = (uint8_t)(column == NULL ? UINT8_MAX : find_word(column, name_of_feed_column, COLUMN_MAX)),
		};
	}
}

static void
read_load(const struct reader *r, struct ctl_load *ret)
{
	ret->id = needed_text(r, "id");
	ret->end = needed_text(r, "end");
	ret->time = optional_text(r, "time");
	ret->reason = optional_text(r, "reason");
	ret->message = optional_text(r, "message");
	ret->dry_run = needed_bool(r, "dry_run");
	read_counts(r, "counts", &ret->counts);
	read_counts(r, "plan", &ret->plan);
	read_guards(r, ret);
}

static int
read_loads(const struct reader *r, const char *key, struct ctl_loads *ret)
{
	const cJSON *list = needed_list(r, key, REPLY_LOADS, &ret->n), *item;
	size_t i = 0;

	if (ret->n == 0)
		return 0;
	ret->items = calloc(ret->n, sizeof(ret->items[0]));
	if (ret->items == NULL)
		return -ENOMEM;
	cJSON_ArrayForEach (item, list) {
		const struct reader one = inside(r, item);

		read_load(&one, &ret->items[i++]);
	}
	return 0;
}

/* Returns whether there is one. */
static bool
read_progress(const struct reader *r, struct ctl_progress *ret)
{
	const cJSON *item = member(r, "progress"), *left;
	struct reader one;

	if (item == NULL)
		return false;
	one = inside(r, item);
	ret->load = optional_text(&one, "load");
	ret->phase = needed_text(&one, "phase");
	ret->phase_kind = (enum phase)find_word(ret->phase, name_of_phase, PHASE_MAX);
	ret->done = needed_number(&one, "done", WHOLE_MAX);
	ret->total = needed_number(&one, "total", WHOLE_MAX);
	ret->rate = needed_number(&one, "rate", WHOLE_MAX);
	ret->dry_run = needed_bool(&one, "dry_run");
	left = member(&one, "seconds_left");
	ret->knows_seconds_left = left != NULL;
	ret->seconds_left = left != NULL ? whole(&one, left, WHOLE_MAX) : 0;
	return true;
}

static void
read_sources(const struct reader *r, struct ctl_status *ret)
{
	const cJSON *list = needed_list(r, "sources", REPLY_SOURCES, &ret->n_sources), *item;
	size_t i = 0;

	if (list == NULL)
		return;
	cJSON_ArrayForEach (item, list) {
		const struct reader one = inside(r, item);

		ret->sources[i++] = (struct ctl_source){
			.source = needed_text(&one, "source"),
			.last_look = optional_text(&one, "last_look"),
			.last_error = optional_text(&one, "last_error"),
			.next_look = optional_text(&one, "next_look"),
		};
	}
}

int
reply_read_status(const cJSON *parameters, struct ctl_status *ret)
{
	bool bad = false;
	const struct reader r = { parameters, &bad };

	ret->state = needed_text(&r, "state");
	ret->status = needed_text(&r, "status");
	ret->version = needed_text(&r, "version");
	ret->has_progress = read_progress(&r, &ret->progress);
	if (read_loads(&r, "last", &ret->last) < 0 || read_loads(&r, "held", &ret->held) < 0 ||
	    read_loads(&r, "due", &ret->due) < 0)
		return -ENOMEM;
	read_sources(&r, ret);
	return bad ? -EBADMSG : 0;
}

static enum event_kind
kind_of(const char *word)
{
	static const char *const words[] = {
		[EVENT_PROGRESS] = "progress",
		[EVENT_SUMMARY] = "summary",
		[EVENT_IDLE] = "idle",
	};

	for (int i = 0; i < EVENT_UNKNOWN; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum event_kind)i;
	return EVENT_UNKNOWN;
}

static void
read_outcomes(const struct reader *r, struct ctl_event *ret)
{
	const cJSON *map = member(r, "outcomes"), *item;

	if (map == NULL)
		return;
	ret->has_outcomes = true;
	if (!cJSON_IsObject(map)) {
		*r->bad = true;
		return;
	}
	cJSON_ArrayForEach (item, map) {
		int word = find_word(item->string, name_of_outcome_kind, OUTCOME_KIND_MAX);
		uint64_t value = whole(r, item, WHOLE_MAX);

		if (word >= 0)
			ret->outcomes[word] = value;
	}
}

int
reply_read_event(const cJSON *parameters, struct ctl_event *ret)
{
	bool bad = false;
	const struct reader r = { parameters, &bad };
	const cJSON *item;

	*ret = (struct ctl_event){ .exit_status = -1 };
	ret->kind = kind_of(needed_text(&r, "kind"));
	ret->status = needed_text(&r, "status");
	ret->has_progress = read_progress(&r, &ret->progress);
	read_outcomes(&r, ret);
	item = member(&r, "finished");
	ret->has_finished = item != NULL;
	if (item != NULL) {
		const struct reader one = inside(&r, item);

		read_load(&one, &ret->finished);
	}
	ret->look = optional_text(&r, "look");
	item = member(&r, "exit_status");
	if (item != NULL)
		ret->exit_status = (int)whole(&r, item, 255);
	return bad ? -EBADMSG : 0;
}

const char *
reply_text(const cJSON *parameters, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(parameters, key);

	return cJSON_IsString(item) ? item->valuestring : NULL;
}

void
ctl_status_done(struct ctl_status *status)
{
	free(status->last.items);
	free(status->held.items);
	free(status->due.items);
	*status = (struct ctl_status){ 0 };
}
