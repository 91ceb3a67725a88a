/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Newest wins; an old feed never brings back a child who has opted out since. */

#include "testkit.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/choose.h"

#define STUDENT FEED_BIT(FEED_STUDENT)
#define STAFF FEED_BIT(FEED_STAFF)

static void
older_than_what_was_loaded(void **state)
{
	static const struct {
		int64_t student, staff, mtime;
		uint32_t kinds, covered, left;
	} cases[] = {
		{ 0, 0, 5, STUDENT | STAFF, 0, STUDENT | STAFF },
		{ 6, 0, 5, STUDENT | STAFF, 0, STAFF },
		{ 6, 6, 5, STUDENT | STAFF, 0, 0 },
		{ 5, 5, 5, STUDENT | STAFF, 0, STUDENT | STAFF }, /* the very same again: its own state decides */
		{ 0, 0, 5, STUDENT | STAFF, STUDENT, STAFF },
		{ 0, 6, 5, STUDENT | STAFF, STUDENT, 0 },
		{ 0, 6, 5, STUDENT, 0, STUDENT },
		{ 0, 0, 5, STAFF, STUDENT | STAFF, 0 },
	};
	struct memory *memory = calloc(1, sizeof(*memory));

	(void)state;
	assert_non_null(memory);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct content content = { .kinds = cases[i].kinds, .mtime = cases[i].mtime };

		memory->last_mtime[FEED_STUDENT] = cases[i].student;
		memory->last_mtime[FEED_STAFF] = cases[i].staff;
		assert_int_equal(choose_kinds(memory, &content, cases[i].covered), cases[i].left);
		/* told by other names since: it may have any */
		content = (struct content){ .renamed = true, .mtime = cases[i].mtime };
		assert_int_equal(choose_kinds(memory, &content, cases[i].covered) & cases[i].left, cases[i].left);
	}
	free(memory);
}

static void
what_is_run(void **state)
{
	static const struct {
		enum content_state state;
		enum zip_verdict verdict;
		int64_t next_try;
		uint32_t approved;
		bool once, dry_run, run, again;
	} cases[] = {
		{ CONTENT_SEEN, ZIP_VERDICT_WHOLE, 0, 0, false, false, true, false },
		{ CONTENT_SEEN, ZIP_VERDICT_UNREADABLE, 0, 0, true, true, false, false },
		{ CONTENT_SEEN, ZIP_VERDICT_PLAIN, 0, 0, true, false, false, false },
		{ CONTENT_DONE, ZIP_VERDICT_WHOLE, 0, 0, true, false, false, false },
		{ CONTENT_DONE, ZIP_VERDICT_WHOLE, 0, 0, true, true, true, false },
		{ CONTENT_DUE, ZIP_VERDICT_WHOLE, 101, 0, false, false, false, false },
		{ CONTENT_DUE, ZIP_VERDICT_WHOLE, 100, 0, false, false, true, false },
		{ CONTENT_DUE, ZIP_VERDICT_WHOLE, 101, 0, true, false, true, false },
		/* later than any pause can be: the clock was once ahead */
		{ CONTENT_DUE, ZIP_VERDICT_WHOLE, 160, 0, false, false, false, false },
		{ CONTENT_DUE, ZIP_VERDICT_WHOLE, 161, 0, false, false, true, false },
		{ CONTENT_HELD, ZIP_VERDICT_WHOLE, 0, 0, true, false, false, false },
		{ CONTENT_HELD, ZIP_VERDICT_WHOLE, 0, 1, false, false, true, false },
		{ CONTENT_SUPERSEDED, ZIP_VERDICT_WHOLE, 0, 0, true, false, false, false },
		{ CONTENT_REFUSED, ZIP_VERDICT_NO_FEED, 0, 0, true, false, false, false },
		/* asked for again: done and held ones too, never what is overtaken or refused */
		{ CONTENT_DONE, ZIP_VERDICT_WHOLE, 0, 0, true, false, true, true },
		{ CONTENT_HELD, ZIP_VERDICT_WHOLE, 0, 0, true, false, true, true },
		{ CONTENT_DUE, ZIP_VERDICT_WHOLE, 101, 0, true, false, true, true },
		{ CONTENT_SUPERSEDED, ZIP_VERDICT_WHOLE, 0, 0, true, false, false, true },
		{ CONTENT_REFUSED, ZIP_VERDICT_PLAIN, 0, 0, true, false, false, true },
	};

	struct config config;

	(void)state;
	config_defaults(&config);
	config.load.retry_pause_max = 60;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct circumstances c = { &config, 100, cases[i].once, cases[i].dry_run, cases[i].again, false };
		const struct content content = { .state = cases[i].state, .verdict = cases[i].verdict,
			.next_try = cases[i].next_try, .approved_count = cases[i].approved };

		if (choose_run(&content, &c) != cases[i].run)
			fail_msg("case %zu", i);
	}
}

static void
failures_come_back_after_growing_pauses(void **state)
{
	static const int64_t pauses[] = { 10, 20, 40, 60, 60 };
	struct memory *memory = calloc(1, sizeof(*memory));
	struct config config;
	const struct circumstances c = { &config, 1000, false, false, false, false };
	const struct circumstances stopping = { .config = &config, .now = 1000, .stopping = true };
	const struct load_result failed = { .end = LOAD_FAILED, .failure = { .code = FAILURE_TLS_CA } };
	struct content content = { .state = CONTENT_SEEN };

	(void)state;
	assert_non_null(memory);
	config_defaults(&config);
	config.load.retry_pause = 10;
	config.load.retry_pause_max = 60;
	for (size_t i = 0; i < COUNT(pauses); i++) {
		choose_remember(memory, &content, STUDENT, &failed, &c);
		assert_int_equal(content.state, CONTENT_DUE);
		assert_int_equal(content.failure, FAILURE_TLS_CA);
		assert_int_equal(content.next_try, 1000 + pauses[i]);
	}
	/* cut off by patrond's own stop it goes on at the next start, and is no failed try */
	content.attempts = 2;
	choose_remember(memory, &content, STUDENT, &failed, &stopping);
	assert_int_equal(content.state, CONTENT_DUE);
	assert_int_equal(content.next_try, 1000);
	assert_int_equal(content.attempts, 2);
	/* no guard was passed: the counts of the last time stay, and older feeds are not overtaken */
	assert_int_equal(memory->last_mtime[FEED_STUDENT], 0);
	free(memory);
}

static void
what_a_load_leaves_behind(void **state)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	uint8_t fingerprint[FINGERPRINT_SIZE] = { 1 };
	struct config config;
	const struct circumstances c = { &config, 1000, false, false, false, false }, dry = { &config, 1000, true, true, false, false };
	struct load_result result = { .end = LOAD_COMPLETE, .guards_passed = true, .patrons = 77, .plan_kinds = STUDENT };
	struct content content = { .state = CONTENT_SEEN, .mtime = 50, .attempts = 3 };
	struct content *old;

	(void)state;
	assert_non_null(memory);
	config_defaults(&config);
	old = memory_add_content(memory, fingerprint);
	*old = (struct content){ .state = CONTENT_HELD, .mtime = 40, .kinds = STUDENT };
	result.plan[FEED_STUDENT].rows = 12000;
	choose_remember(memory, &content, STUDENT, &result, &dry);
	assert_int_equal(content.state, CONTENT_SEEN);
	assert_int_equal(memory->last_patrons, 0);
	choose_remember(memory, &content, STUDENT, &result, &c);
	assert_int_equal(content.state, CONTENT_DONE);
	assert_int_equal(content.attempts, 0);
	assert_int_equal(memory->last_rows[FEED_STUDENT], 12000);
	assert_int_equal(memory->last_rows[FEED_STAFF], 0);
	assert_int_equal(memory->last_mtime[FEED_STUDENT], 50);
	assert_int_equal(memory->last_patrons, 77);
	assert_int_equal(old->state, CONTENT_SUPERSEDED);
	result.due = true;
	choose_remember(memory, &content, STUDENT, &result, &c);
	assert_int_equal(content.state, CONTENT_DUE);
	result = (struct load_result){ .end = LOAD_HELD, .guard_count = 1 };
	choose_remember(memory, &content, STUDENT, &result, &c);
	assert_int_equal(content.state, CONTENT_HELD);
	assert_int_equal(content.guard_count, 1);
	free(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_than_what_was_loaded),
		cmocka_unit_test(what_is_run),
		cmocka_unit_test(failures_come_back_after_growing_pauses),
		cmocka_unit_test(what_a_load_leaves_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
