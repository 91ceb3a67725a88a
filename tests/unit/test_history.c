/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Notes of the last loads: kept over a restart, one for a content, and files that are not its own. */

#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/history.h"

static char folder[] = "/tmp/patrond-history-XXXXXX";

static void
path_of(char *path, size_t size)
{
	(void)snprintf(path, size, "%s/loads", folder);
}

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : setenv("RUNTIME_DIRECTORY", folder, 1);
}

static int
teardown(void **state)
{
	char path[128];

	(void)state;
	path_of(path, sizeof(path));
	(void)unlink(path);
	return rmdir(folder);
}

static struct load_note
note_of(unsigned int n, uint32_t kinds)
{
	struct load_note note = { .time = 1700000000000000 + n, .kinds = kinds };

	(void)snprintf(note.id, sizeof(note.id), "load-%u", n);
	memcpy(note.fingerprint, &n, sizeof(n));
	note.result.failure = failure_of(FAILURE_NONE, 0);
	return note;
}

static void
kept_over_a_restart(void **state)
{
	struct history *history, *again;
	struct load_note note = note_of(7, FEED_BITS_ALL);
	struct stat st;
	char path[128];

	(void)state;
	note.result.end = LOAD_FAILED;
	note.result.program = PROGRAM_DECODE;
	note.result.failure = (struct failure){ FAILURE_HEADER, FEED_STAFF, 12, 3, -5 };
	note.result.kinds = FEED_BIT(FEED_STAFF);
	note.result.counts[FEED_STAFF] = (struct feed_counts){ .rows = 12, .verified = 2, .different = 1 };
	note.result.counts[FEED_STAFF].by_outcome[OUTCOME_HELD] = 9;
	note.result.counts[FEED_STAFF].by_reason[REASON_CONFLICT] = UINT32_MAX;
	note.result.plan_kinds = FEED_BIT(FEED_STUDENT);
	note.result.plan[FEED_STUDENT].rows = 4;
	note.result.guard_count = 1;
	note.result.guards[0] = (struct guard_figure){ GUARD_PATRONS, FEED_KIND_INVALID, 1, 150000, 90, 0 };
	note.result.due = true;
	assert_int_equal(history_new(&history), 0);
	history_add(history, &note);
	assert_int_equal(history_save(history), 0);
	path_of(path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(history_new(&again), 0);
	assert_int_equal(again->count, 1);
	assert_memory_equal(&again->notes[0], &history->notes[0], sizeof(note));
	history_free(history);
	history_free(again);
}

static void
one_note_for_a_content_and_the_last_of_a_kind_stay(void **state)
{
	struct history *history;
	struct load_note note;

	(void)state;
	assert_int_equal(unsetenv("RUNTIME_DIRECTORY"), 0);
	assert_int_equal(history_new(&history), 0);
	note = note_of(1, FEED_BIT(FEED_STAFF));
	history_add(history, &note);
	for (unsigned int i = 2; i < 40; i++) {
		note = note_of(i, FEED_BIT(FEED_STUDENT));
		history_add(history, &note);
		note.time++;
		history_add(history, &note);
	}
	assert_int_equal(history->count, HISTORY_NOTES);
	assert_string_equal(history_last(history, FEED_STAFF)->id, "load-1");
	assert_string_equal(history_last(history, FEED_STUDENT)->id, "load-39");
	assert_int_equal(history_find(history, "load-39")->time, 1700000000000000 + 40);
	assert_null(history_find(history, "load-2"));
	assert_int_equal(history_save(history), 0); /* nowhere: that is no error */
	history_free(history);
	assert_int_equal(setenv("RUNTIME_DIRECTORY", folder, 1), 0);
}

static void
files_that_are_not_its_own(void **state)
{
	static const char *const texts[] = {
		"", "null", "[]", "{", "{\"version\":1}", "{\"version\":2,\"loads\":[]}", "{\"version\":1,\"loads\":7}",
		"{\"version\":1,\"loads\":[{}]}", "{\"version\":1,\"loads\":[null,1,\"x\",[]]}",
		"{\"version\":1,\"loads\":[{\"load\":\"x\",\"sha256\":\"zz\",\"time\":1}]}",
	};
	char path[128];

	(void)state;
	path_of(path, sizeof(path));
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct history *history;
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		(void)fputs(texts[i], file);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(history_new(&history), 0);
		assert_int_equal(history->count, 0);
		history_free(history);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_over_a_restart),
		cmocka_unit_test(one_note_for_a_content_and_the_last_of_a_kind_stay),
		cmocka_unit_test(files_that_are_not_its_own),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
