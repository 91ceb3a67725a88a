/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Notes of the last loads. */

#include "supervisor/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/state_file.h"

#define HISTORY_FILE "loads"
#define HISTORY_VERSION 1

/* --- reading --- */

static bool
get_list(const cJSON *object, const char *key, uint32_t *values, size_t count)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key), *item;
	size_t i = 0;

	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != (int)count)
		return false;
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= UINT32_MAX))
			return false;
		values[i++] = (uint32_t)item->valuedouble;
	}
	return true;
}

static bool
get_counts(const cJSON *object, struct feed_counts counts[static FEED_KIND_MAX], uint32_t *ret_kinds)
{
	for (int i = 0; i < FEED_KIND_MAX; i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, feed_kind_name((enum feed_kind)i));
		struct feed_counts *c = &counts[i];
		double rows, verified, different;

		if (item == NULL)
			continue;
		if (!get_number(item, "rows", 0, UINT32_MAX, &rows) || !get_number(item, "verified", 0, UINT32_MAX, &verified) ||
		    !get_number(item, "different", 0, UINT32_MAX, &different) ||
		    !get_list(item, "outcomes", c->by_outcome, OUTCOME_KIND_MAX) ||
		    !get_list(item, "reasons", c->by_reason, REASON_MAX))
			return false;
		c->rows = (uint32_t)rows;
		c->verified = (uint32_t)verified;
		c->different = (uint32_t)different;
		*ret_kinds |= FEED_BIT(i);
	}
	return true;
}

static bool
get_failure(const cJSON *item, struct load_result *result)
{
	double code, feed, row, column, number, program;

	if (!get_number(item, "code", 0, FAILURE_MAX - 1, &code) ||
	    !get_number(item, "feed", FEED_KIND_INVALID, FEED_KIND_MAX - 1, &feed) ||
	    !get_number(item, "row", 0, UINT32_MAX, &row) || !get_number(item, "column", 0, UINT32_MAX, &column) ||
	    !get_number(item, "number", INT32_MIN, INT32_MAX, &number) ||
	    !get_number(item, "program", 0, PROGRAM_MAX - 1, &program))
		return false;
	result->failure = (struct failure){
		.code = (enum failure_code)(int)code,
		.feed = feed < 0 ? FEED_KIND_INVALID : (enum feed_kind)(int)feed,
		.row = (uint32_t)row,
		.column = (uint32_t)column,
		.number = (int32_t)number,
	};
	result->program = (enum program)(int)program;
	return true;
}

static bool
get_note(const cJSON *item, struct load_note *note)
{
	struct load_result *result = &note->result;
	double time, end, due, kinds;

	memset(note, 0, sizeof(*note));
	if (!get_text(item, "load", note->id, sizeof(note->id)) ||
	    !get_hex(item, "sha256", note->fingerprint, FINGERPRINT_SIZE) || !get_number(item, "time", 0, GET_EXACT, &time) ||
	    !get_number(item, "end", 0, LOAD_FAILED, &end) || !get_number(item, "due", 0, 1, &due) ||
	    !get_number(item, "kinds", 0, FEED_BITS_ALL, &kinds) ||
	    !get_failure(cJSON_GetObjectItemCaseSensitive(item, "failure"), result) ||
	    !get_counts(cJSON_GetObjectItemCaseSensitive(item, "counts"), result->counts, &result->kinds) ||
	    !get_counts(cJSON_GetObjectItemCaseSensitive(item, "plan"), result->plan, &result->plan_kinds) ||
	    !state_get_guards(cJSON_GetObjectItemCaseSensitive(item, "guards"), result->guards, &result->guard_count))
		return false;
	note->time = (int64_t)time;
	note->kinds = (uint32_t)kinds;
	result->end = (enum load_end)(int)end;
	result->due = due > 0;
	return true;
}

static void
read_root(const cJSON *root, struct history *history)
{
	const cJSON *item;
	double version;

	if (!get_number(root, "version", HISTORY_VERSION, HISTORY_VERSION, &version))
		return;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "loads"))
		if (history->count < HISTORY_NOTES && get_note(item, &history->notes[history->count]))
			history->count++;
}

int
history_new(struct history **ret)
{
	_cleanup_json_ cJSON *root = NULL;
	struct history *history = calloc(1, sizeof(*history));

	if (history == NULL)
		return -ENOMEM;
	(void)!state_file_read(HISTORY_FILE, &root);
	if (root != NULL)
		read_root(root, history);
	*ret = history;
	return 0;
}

struct history *
history_free(struct history *history)
{
	free(history);
	return NULL;
}

/* --- writing --- */

static void
put_list(struct put *put, cJSON *object, const char *key, const uint32_t *values, size_t count)
{
	cJSON *list = put_array(put, object, key);

	for (size_t i = 0; i < count && !put->failed; i++) {
		cJSON *number = cJSON_CreateNumber(values[i]);

		if (number == NULL || !cJSON_AddItemToArray(list, number)) {
			cJSON_Delete(number);
			put->failed = true;
		}
	}
}

static void
put_counts(struct put *put, cJSON *object, const char *key, const struct feed_counts counts[static FEED_KIND_MAX],
    uint32_t kinds)
{
	cJSON *both = put_object(put, object, key);

	for (int i = 0; i < FEED_KIND_MAX; i++) {
		cJSON *item;

		if ((kinds & FEED_BIT(i)) == 0)
			continue;
		item = put_object(put, both, feed_kind_name((enum feed_kind)i));
		put_number(put, item, "rows", counts[i].rows);
		put_number(put, item, "verified", counts[i].verified);
		put_number(put, item, "different", counts[i].different);
		put_list(put, item, "outcomes", counts[i].by_outcome, OUTCOME_KIND_MAX);
		put_list(put, item, "reasons", counts[i].by_reason, REASON_MAX);
	}
}

static void
put_note(struct put *put, cJSON *item, const struct load_note *note)
{
	const struct load_result *result = &note->result;
	char text[2 * FINGERPRINT_SIZE + 1];
	cJSON *failure;

	for (size_t i = 0; i < FINGERPRINT_SIZE; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", note->fingerprint[i]);
	put_text(put, item, "load", note->id);
	put_text(put, item, "sha256", text);
	put_signed(put, item, "time", note->time);
	put_number(put, item, "end", (uint64_t)result->end);
	put_number(put, item, "due", result->due);
	put_number(put, item, "kinds", note->kinds);
	failure = put_object(put, item, "failure");
	put_number(put, failure, "code", (uint64_t)result->failure.code);
	put_signed(put, failure, "feed", result->failure.feed);
	put_number(put, failure, "row", result->failure.row);
	put_number(put, failure, "column", result->failure.column);
	put_signed(put, failure, "number", result->failure.number);
	put_number(put, failure, "program", (uint64_t)result->program);
	put_counts(put, item, "counts", result->counts, result->kinds);
	put_counts(put, item, "plan", result->plan, result->plan_kinds);
	state_put_guards(put, item, "guards", result->guards, result->guard_count);
}

int
history_save(const struct history *history)
{
	_cleanup_json_ cJSON *root = NULL;
	struct put put = { false };
	cJSON *object = put_new(&put), *list;

	put_number(&put, object, "version", HISTORY_VERSION);
	list = put_array(&put, object, "loads");
	for (size_t i = 0; i < history->count; i++)
		put_note(&put, put_item(&put, list), &history->notes[i]);
	root = put_end(&put, object);
	return state_file_write(HISTORY_FILE, root);
}

/* --- notes --- */

static void
remove_note(struct history *history, size_t at)
{
	history->count--;
	memmove(&history->notes[at], &history->notes[at + 1], (history->count - at) * sizeof(history->notes[0]));
}

static bool
is_last_of_a_kind(const struct history *history, const struct load_note *note)
{
	for (int i = 0; i < FEED_KIND_MAX; i++)
		if (history_last(history, (enum feed_kind)i) == note)
			return true;
	return false;
}

void
history_add(struct history *history, const struct load_note *note)
{
	size_t at = 0;

	for (size_t i = history->count; i > 0; i--)
		if (memcmp(history->notes[i - 1].fingerprint, note->fingerprint, FINGERPRINT_SIZE) == 0)
			remove_note(history, i - 1);
	if (history->count == HISTORY_NOTES) {
		while (at < HISTORY_NOTES - 1 && is_last_of_a_kind(history, &history->notes[at]))
			at++;
		remove_note(history, at);
	}
	history->notes[history->count++] = *note;
}

const struct load_note *
history_find(const struct history *history, const char *id)
{
	for (size_t i = history->count; i > 0; i--)
		if (strcmp(history->notes[i - 1].id, id) == 0)
			return &history->notes[i - 1];
	return NULL;
}

const struct load_note *
history_last(const struct history *history, enum feed_kind kind)
{
	for (size_t i = history->count; i > 0; i--)
		if ((history->notes[i - 1].kinds & FEED_BIT(kind)) != 0)
			return &history->notes[i - 1];
	return NULL;
}
