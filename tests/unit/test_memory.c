/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volatile memory: what it keeps over a restart, what it holds, and files that are not its own. */

#include "testkit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/json_put.h"
#include "supervisor/memory.h"

#define MOST ((int64_t)PUT_NUMBER_MAX)

static char folder[] = "/tmp/patrond-memory-XXXXXX";

static void
path_of(char *path, size_t size)
{
	(void)snprintf(path, size, "%s/state", folder);
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	return setenv("RUNTIME_DIRECTORY", folder, 1);
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

static void
fingerprint_of(unsigned int n, uint8_t fingerprint[static FINGERPRINT_SIZE])
{
	memset(fingerprint, 0, FINGERPRINT_SIZE);
	memcpy(fingerprint, &n, sizeof(n));
}

static void
kept_over_a_restart(void **state)
{
	__attribute__((cleanup(memory_freep))) struct memory *memory = NULL, *again = NULL;
	uint8_t fingerprint[FINGERPRINT_SIZE];
	struct content *content;
	struct stat st;
	char path[128];

	(void)state;
	assert_int_equal(memory_new(&memory), 0);
	fingerprint_of(0xdeadbeef, fingerprint);
	content = memory_add_content(memory, fingerprint);
	content->state = CONTENT_HELD;
	content->verdict = ZIP_VERDICT_WHOLE;
	content->kinds = FEED_BITS_ALL;
	content->mtime = 1795436425123456;
	content->guards[0] = (struct guard_figure){ GUARD_PATRONS, FEED_KIND_INVALID, 5, 10, 90, 0 };
	content->guard_count = 1;
	(void)snprintf(content->load_id, sizeof(content->load_id), "20261123T130000-abcd");
	memcpy(memory_add_file(memory, SOURCE_SFTP, "na\xffme \"x\".zip", 42, 7)->fingerprint, fingerprint, FINGERPRINT_SIZE);
	memory->mailed = (struct mailed){ .known = true, .list = 0xfedcba9876543210, .done = 5 };
	memcpy(memory->mailed.digest, fingerprint, FINGERPRINT_SIZE);
	memory->last_rows[FEED_STAFF] = 2000;
	memory->last_shape[FEED_STUDENT] = (struct feed_shape){ .rows = 500, .understood = 400, .key_fits = 499, .of_age = 398,
		.active = 300, .status_other = 7, .status = { [0] = 300, [19] = 1 }, .reasons = { [REASON_OPTED_OUT] = { .rows = 9 } },
		.columns = { [COLUMN_KEY] = { .filled = 400 }, [COLUMN_SITE] = { .filled = 3 } }, .school_rows = { 200, 100 } };
	memory->last_mtime[FEED_STUDENT] = 1795436425123456;
	memory->last_patrons = 150000;
	memory->listed = 2;
	memory->names = 0xfedcba9876543210ULL;
	memory->writing = true;
	assert_int_equal(memory_save(memory), 0);
	path_of(path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	assert_int_equal(memory_new(&again), 0);
	content = memory_content(again, fingerprint);
	assert_non_null(content);
	assert_int_equal(content->state, CONTENT_HELD);
	assert_int_equal(content->mtime, 1795436425123456);
	assert_int_equal(content->guard_count, 1);
	assert_int_equal(content->guards[0].feed, FEED_KIND_INVALID);
	assert_string_equal(content->load_id, "20261123T130000-abcd");
	assert_non_null(memory_file(again, SOURCE_SFTP, "na\xffme \"x\".zip", 42, 7));
	assert_null(memory_file(again, SOURCE_SHARE, "na\xffme \"x\".zip", 42, 7));
	assert_null(memory_file(again, SOURCE_SFTP, "na\xffme \"x\".zip", 43, 7));
	assert_null(memory_file(again, SOURCE_SFTP, "na\xffme \"x\".zip", 42, 8));
	assert_int_equal(again->last_rows[FEED_STAFF], 2000);
	assert_memory_equal(&again->last_shape[FEED_STUDENT], &memory->last_shape[FEED_STUDENT], sizeof(memory->last_shape[0]));
	assert_int_equal(again->last_shape[FEED_STAFF].rows, 0);
	assert_int_equal(again->last_mtime[FEED_STUDENT], 1795436425123456);
	assert_int_equal(again->last_patrons, 150000);
	assert_int_equal(again->listed, 2);
	assert_true(again->names == 0xfedcba9876543210ULL);
	assert_true(again->writing);
	assert_true(again->mailed.known);
	assert_memory_equal(again->mailed.digest, fingerprint, FINGERPRINT_SIZE);
	assert_true(again->mailed.list == 0xfedcba9876543210);
	assert_int_equal(again->mailed.done, 5);
}

/* A double has 53 bits. A file with such a time is read again after a restart, and the rest is remembered all the same. */
static void
odd_times(void **state)
{
	static const int64_t times[] = { 10413792000000000, -11644473600000000, INT64_MAX, INT64_MIN }; /* 2300, 1601 */
	uint8_t fingerprint[FINGERPRINT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		__attribute__((cleanup(memory_freep))) struct memory *memory = calloc(1, sizeof(*memory)), *again = NULL;
		const struct content *content;

		assert_non_null(memory);
		fingerprint_of((unsigned int)i, fingerprint);
		memory_add_content(memory, fingerprint)->mtime = times[i];
		memory->contents[memory->content_count - 1].state = CONTENT_DONE;
		memory->last_mtime[FEED_STAFF] = times[i];
		(void)memory_add_file(memory, SOURCE_SHARE, "odd.zip", 7, times[i]);
		(void)memory_add_file(memory, SOURCE_SHARE, "vast.zip", UINT64_MAX, 7);
		(void)memory_add_file(memory, SOURCE_SHARE, "even.zip", 7, 7);
		assert_int_equal(memory_save(memory), 0);

		assert_int_equal(memory_new(&again), 0);
		content = memory_content(again, fingerprint);
		assert_non_null(content);
		assert_int_equal(content->state, CONTENT_DONE);
		assert_true((content->mtime < 0) == (times[i] < 0));
		assert_true((again->last_mtime[FEED_STAFF] < 0) == (times[i] < 0));
		assert_non_null(memory_file(again, SOURCE_SHARE, "even.zip", 7, 7));
		assert_int_equal(again->file_count, 1);
		assert_int_equal(again->content_count, 1);
	}
}

#define SOUND "{\"version\":1,\"student\":{\"rows\":1,\"mtime\":0},\"staff\":{\"rows\":0,\"mtime\":0},\"patrons\":0,\"listed\":3,\"writing\":0,"
#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"

/* What cannot be read is told, and as good as none. */
static void
damaged_files(void **state)
{
	static const char *const texts[] = {
		"", "{", "[]", "{\"version\":2}", "{\"version\":1}", "\xff\xfe",
		"{\"version\":1,\"student\":{\"rows\":-1,\"mtime\":0},\"staff\":{\"rows\":0,\"mtime\":0},\"patrons\":0}",
		"{\"version\":1,\"student\":{\"rows\":1,\"mtime\":0},\"staff\":{\"rows\":0,\"mtime\":0},\"patrons\":0,"
		"\"contents\":[{\"sha256\":\"00\"}],\"files\":[]}",
		"{\"version\":1,\"student\":{\"rows\":1,\"mtime\":0},\"staff\":{\"rows\":0,\"mtime\":0},\"patrons\":0,"
		"\"contents\":[],\"files\":[{\"name\":\"zz\"}]}",
		SOUND "\"contents\":[{\"sha256\":\"00\"}],\"files\":[]}",
		SOUND "\"mailed\":{}}",
		SOUND "\"mailed\":7}",
		SOUND "\"mailed\":{\"digest\":\"00\",\"list\":\"0000000000000000\",\"done\":1}}",
		SOUND "\"mailed\":{\"digest\":\"" ZEROES "\",\"list\":\"00\",\"done\":1}}",
		SOUND "\"mailed\":{\"digest\":\"" ZEROES "\",\"list\":\"0000000000000000\",\"done\":-1}}",
	};
	char path[128];

	(void)state;
	path_of(path, sizeof(path));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		__attribute__((cleanup(memory_freep))) struct memory *memory = NULL;
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		assert_true(fputs(texts[i], file) >= 0);
		assert_int_equal(fclose(file), 0);
		if (memory_new(&memory) != 1)
			fail_msg("believed: %s", texts[i]);
		assert_int_equal(memory->content_count, 0);
		assert_int_equal(memory->file_count, 0);
		assert_int_equal(memory->last_rows[FEED_STUDENT], 0);
	}
	assert_int_equal(unlink(path), 0);
}

/* A file that is not understood is read again; it does not cost the rest. */
static void
damaged_entry(void **state)
{
	__attribute__((cleanup(memory_freep))) struct memory *memory = NULL;
	char path[128];
	FILE *file;

	(void)state;
	path_of(path, sizeof(path));
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(SOUND "\"contents\":[],\"files\":[{\"source\":0,\"name\":\"6f\",\"size\":7,\"mtime\":10413792000000000,"
	                        "\"unread\":0,\"sha256\":\"" ZEROES "\"},{\"source\":0,\"name\":\"65\",\"size\":7,\"mtime\":7,"
	                        "\"unread\":0,\"sha256\":\"" ZEROES "\"},7]}",
	                file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(memory_new(&memory), 0);
	assert_int_equal(memory->last_rows[FEED_STUDENT], 1);
	assert_int_equal(memory->file_count, 1);
	assert_non_null(memory_file(memory, SOURCE_SHARE, "e", 7, 7));
	assert_int_equal(unlink(path), 0);
}

/* Whatever takes the most room in the file. */
static void
fill(struct content *content, enum content_state state)
{
	const struct guard_figure figure = { .guard = GUARD_MAX - 1, .feed = FEED_KIND_INVALID, .value = MOST,
		.basis = MOST, .limit_percent = UINT32_MAX, .column = COLUMN_MAX - 1 };

	content->state = state;
	content->kinds = FEED_BITS_ALL;
	content->mtime = -MOST;
	content->next_try = MOST;
	content->failure = content->attempts = UINT32_MAX;
	content->guard_count = content->approved_count = MEMORY_GUARDS_MAX;
	memset(content->load_id, 'x', sizeof(content->load_id) - 1);
	for (size_t i = 0; i < MEMORY_GUARDS_MAX; i++)
		content->guards[i] = content->approved[i] = figure;
}

/* A full memory forgets the oldest that waits for nobody; held and due ones stay. */
static void
full(void **state)
{
	__attribute__((cleanup(memory_freep))) struct memory *memory = calloc(1, sizeof(*memory)), *again = NULL;
	uint8_t fingerprint[FINGERPRINT_SIZE];
	char name[LIMIT_FILE_NAME + 1] = "";
	struct stat st;
	char path[128];

	(void)state;
	assert_non_null(memory);
	for (unsigned int i = 0; i < LIMIT_FEEDS_REMEMBERED + 10; i++) {
		fingerprint_of(i, fingerprint);
		fill(memory_add_content(memory, fingerprint), i == 0 ? CONTENT_HELD : i == 1 ? CONTENT_DUE : CONTENT_DONE);
	}
	memset(name, 0xff, LIMIT_FILE_NAME);
	for (unsigned int i = 0; i < LIMIT_FILES_REMEMBERED + 10; i++)
		memcpy(memory_add_file(memory, SOURCE_SFTP, name, (uint64_t)MOST - i, MOST)->fingerprint, fingerprint,
		    sizeof(fingerprint));
	assert_int_equal(memory->content_count, LIMIT_FEEDS_REMEMBERED);
	assert_int_equal(memory->file_count, LIMIT_FILES_REMEMBERED);
	fingerprint_of(0, fingerprint);
	assert_non_null(memory_content(memory, fingerprint));
	fingerprint_of(1, fingerprint);
	assert_non_null(memory_content(memory, fingerprint));
	fingerprint_of(2, fingerprint);
	assert_null(memory_content(memory, fingerprint));
	assert_int_equal(memory_save(memory), 0);
	path_of(path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 11 << 20, 14 << 20);
	assert_int_equal(memory_new(&again), 0); /* as large as it can be it is read again */
	assert_int_equal(again->content_count, LIMIT_FEEDS_REMEMBERED);
	assert_int_equal(again->file_count, LIMIT_FILES_REMEMBERED);
}

/* What makes room: strangers' and overtaken ones before those that are done, the oldest first; and it stays known. */
static void
makes_room(void **state)
{
	__attribute__((cleanup(memory_freep))) struct memory *memory = calloc(1, sizeof(*memory));
	static const struct {
		enum content_state state;
		enum zip_verdict verdict;
		int64_t mtime;
	} first[] = {
		{ CONTENT_DONE, ZIP_VERDICT_WHOLE, 1000 },      /* the newest of all */
		{ CONTENT_SUPERSEDED, ZIP_VERDICT_WHOLE, 900 },
		{ CONTENT_SUPERSEDED, ZIP_VERDICT_WHOLE, 800 }, /* goes first */
		{ CONTENT_REFUSED, ZIP_VERDICT_UNREADABLE, 1 },
		{ CONTENT_HELD, ZIP_VERDICT_WHOLE, 2 },
		{ CONTENT_SEEN, ZIP_VERDICT_WHOLE, 3 },
		{ CONTENT_REFUSED, ZIP_VERDICT_NO_FEED, 850 },  /* goes second */
	};
	static const unsigned int gone[] = { 2, 6, 1, 7 };
	uint8_t fingerprint[FINGERPRINT_SIZE];

	(void)state;
	assert_non_null(memory);
	for (unsigned int i = 0; i < LIMIT_FEEDS_REMEMBERED + COUNT(gone); i++) {
		const bool special = i < COUNT(first);
		struct content *content;

		fingerprint_of(i, fingerprint);
		content = memory_add_content(memory, fingerprint);
		content->state = special ? first[i].state : CONTENT_DONE;
		content->verdict = special ? first[i].verdict : ZIP_VERDICT_WHOLE;
		content->mtime = special ? first[i].mtime : 100 + (int64_t)i;
		memcpy(memory_add_file(memory, SOURCE_SHARE, "a.zip", i, 5)->fingerprint, fingerprint, FINGERPRINT_SIZE);
	}
	for (unsigned int i = 0; i < LIMIT_FEEDS_REMEMBERED; i++) {
		bool is_gone = false;

		for (size_t k = 0; k < COUNT(gone); k++)
			is_gone |= gone[k] == i;
		fingerprint_of(i, fingerprint);
		if ((memory_content(memory, fingerprint) == NULL) != is_gone || memory_file(memory, SOURCE_SHARE, "a.zip", i, 5)->unread != is_gone)
			fail_msg("content %u", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(kept_over_a_restart),
		cmocka_unit_test(odd_times),
		cmocka_unit_test(damaged_entry),
		cmocka_unit_test(full),
		cmocka_unit_test(makes_room),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
