/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the control interface shows: every type with its members, and whole or not at all where memory runs out. */

#include "testkit.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/status.h"
#include "supervisor/view.h"

static struct manager *
library(void)
{
	struct manager *manager = calloc(1, sizeof(*manager));
	struct load_note note = { .id = "20260302T061500-9ec6", .time = 1772432100000000, .kinds = FEED_BITS_ALL };
	uint8_t fingerprint[FINGERPRINT_SIZE] = { 1 };
	struct content *content;

	assert_non_null(manager);
	assert_true(sd_event_new(&manager->event) >= 0);
	assert_int_equal(unsetenv("RUNTIME_DIRECTORY"), 0);
	assert_int_equal(memory_new(&manager->memory), 0);
	assert_int_equal(history_new(&manager->history), 0);
	note.result.end = LOAD_HELD;
	note.result.plan_kinds = FEED_BIT(FEED_STUDENT);
	note.result.plan[FEED_STUDENT] = (struct feed_counts){ .rows = 12000 };
	note.result.plan[FEED_STUDENT].by_outcome[OUTCOME_CREATED] = 4560;
	note.result.plan[FEED_STUDENT].by_reason[REASON_OPTED_OUT] = 5;
	note.result.guard_count = 1;
	note.result.guards[0] = (struct guard_figure){ GUARD_CREATES, FEED_STUDENT, 4560, 12000, 30, 0 };
	history_add(manager->history, &note);
	content = memory_add_content(manager->memory, fingerprint);
	content->state = CONTENT_HELD;
	memcpy(content->load_id, note.id, sizeof(note.id));
	fingerprint[0] = 2; /* of which the history knows nothing */
	content = memory_add_content(manager->memory, fingerprint);
	content->state = CONTENT_DUE;
	content->failure = FAILURE_TLS_CA;
	(void)snprintf(content->load_id, sizeof(content->load_id), "20260301T061500-02aa");
	manager->next_look[SOURCE_SFTP] = UINT64_MAX;
	(void)snprintf(manager->source_notes[SOURCE_SHARE].error, sizeof(manager->source_notes[SOURCE_SHARE].error),
	    "not \xff UTF-8");
	manager->source_notes[SOURCE_SHARE].last_look = 1772432100000000;
	status_set("Idle.");
	return manager;
}

static void
library_free(struct manager *manager)
{
	memory_free(manager->memory);
	history_free(manager->history);
	sd_event_unref(manager->event);
	free(manager);
}

static const char *
text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text != NULL ? text : "";
}

static void
every_member(void **state)
{
	struct manager *manager = library();
	cJSON *status = view_status(manager);
	const cJSON *held = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(status, "held"), 0);
	const cJSON *due = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(status, "due"), 0);
	const cJSON *plan = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(held, "plan"), 0);
	const cJSON *sources = cJSON_GetObjectItemCaseSensitive(status, "sources");

	(void)state;
	assert_string_equal(text_of(status, "state"), "idle");
	assert_null(cJSON_GetObjectItemCaseSensitive(status, "progress"));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(status, "last")), 1); /* one load, two kinds */
	assert_string_equal(text_of(held, "id"), "20260302T061500-9ec6");
	assert_string_equal(text_of(held, "end"), "held");
	assert_string_equal(text_of(held, "time"), "2026-03-02T06:15:00Z");
	assert_string_equal(text_of(held, "message"), "creates 38% > 30% (4,560 of 12,000 rows, student)");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(plan, "outcomes")), OUTCOME_KIND_MAX);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(plan, "reasons")), 1);
	assert_string_equal(text_of(due, "reason"), "tls-ca");
	assert_string_equal(text_of(due, "end"), "failed");
	assert_string_not_equal(text_of(due, "message"), "");
	assert_null(cJSON_GetObjectItemCaseSensitive(due, "time"));
	assert_int_equal(cJSON_GetArraySize(sources), 1); /* the one that is configured */
	assert_string_equal(text_of(cJSON_GetArrayItem(sources, 0), "last_error"), "not ? UTF-8");
	cJSON_Delete(status);
	library_free(manager);
}

static int allocations_left;

static void *
failing_malloc(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void
whole_or_not_at_all(void **state)
{
	cJSON_Hooks hooks = { .malloc_fn = failing_malloc, .free_fn = free };
	struct manager *manager = library();
	cJSON *whole[4] = { view_status(manager), view_present(manager), view_look_over(manager),
		view_summary(manager, &manager->history->notes[0]) };

	(void)state;
	for (size_t i = 0; i < COUNT(whole); i++) {
		cJSON *got = NULL;
		int n = 0;

		while (got == NULL && n < 2000) {
			cJSON_InitHooks(&hooks);
			allocations_left = n++;
			got = i == 0   ? view_status(manager)
			      : i == 1 ? view_present(manager)
			      : i == 2 ? view_look_over(manager)
			               : view_summary(manager, &manager->history->notes[0]);
			cJSON_InitHooks(NULL);
		}
		assert_true(cJSON_Compare(got, whole[i], true));
		assert_true(n > 5);
		cJSON_Delete(got);
		cJSON_Delete(whole[i]);
	}
	library_free(manager);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member),
		cmocka_unit_test(whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
