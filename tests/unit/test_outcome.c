/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <string.h>

#include "patrond/failure.h"
#include "patrond/outcome.h"

/* The reasons that the domain lists for each outcome, in its words. */
static const struct {
	enum outcome_kind kind;
	const char *word;
	const char *reasons[6];
} domain[] = {
	{ OUTCOME_CREATED, "created", { "none" } },
	{ OUTCOME_RENEWED, "renewed", { "none" } },
	{ OUTCOME_CURRENT, "current", { "none" } },
	{ OUTCOME_SKIPPED, "skipped", { "opted-out", "inactive", "duplicate" } },
	{ OUTCOME_HELD, "held", { "ambiguous", "needs-cleanup", "identity-mismatch", "conflict" } },
	{ OUTCOME_REJECTED, "rejected", { "shape", "status", "key", "name", "birth-date" } },
	{ OUTCOME_FAILED, "failed", { "refused", "pin-refused", "gone", "unclear", "unreachable" } },
};

static int
listed(size_t row, const char *reason)
{
	for (size_t i = 0; i < COUNT(domain[row].reasons) && domain[row].reasons[i] != NULL; i++)
		if (strcmp(domain[row].reasons[i], reason) == 0)
			return 1;
	return 0;
}

static void
reasons_fit_as_the_domain_lists_them(void **state)
{
	int fits = 0;

	(void)state;
	for (size_t row = 0; row < COUNT(domain); row++)
		for (int reason = 0; reason < REASON_MAX; reason++) {
			int expected = listed(row, reason_name((enum reason)reason));

			assert_int_equal(outcome_reason_fits(domain[row].kind, (enum reason)reason), expected);
			fits += expected;
		}
	assert_int_equal(fits, 3 + 3 + 4 + 5 + 5);
}

static void
out_of_range_fits_nothing(void **state)
{
	static const int values[] = { -1, -22, 1000, INT32_MAX, INT32_MIN };

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		assert_int_equal(outcome_reason_fits((enum outcome_kind)values[i], REASON_NONE), 0);
		assert_int_equal(outcome_reason_fits(OUTCOME_CREATED, (enum reason)values[i]), 0);
		assert_null(feed_kind_name((enum feed_kind)values[i]));
		assert_null(outcome_kind_name((enum outcome_kind)values[i]));
		assert_null(reason_name((enum reason)values[i]));
		assert_null(guard_name((enum guard)values[i]));
		assert_null(cleanup_class_name((enum cleanup_class)values[i]));
		assert_null(phase_name((enum phase)values[i]));
		assert_null(failure_word((enum failure_code)values[i]));
	}
	assert_null(feed_kind_name(FEED_KIND_MAX));
	assert_null(outcome_kind_name(OUTCOME_KIND_MAX));
	assert_null(reason_name(REASON_MAX));
	assert_null(guard_name(GUARD_MAX));
	assert_null(cleanup_class_name(CLEANUP_CLASS_MAX));
	assert_null(phase_name(PHASE_MAX));
	assert_null(failure_word(FAILURE_MAX));
}

/* A word crosses into journal fields and JSON: lower-case letters and hyphens, each once. */
#define EACH_WORD(type, function, max)                                                                                 \
	static const char *word_of_##function(int value)                                                               \
	{                                                                                                              \
		return function((type)value);                                                                          \
	}
EACH_WORD(enum feed_kind, feed_kind_name, FEED_KIND_MAX)
EACH_WORD(enum outcome_kind, outcome_kind_name, OUTCOME_KIND_MAX)
EACH_WORD(enum reason, reason_name, REASON_MAX)
EACH_WORD(enum guard, guard_name, GUARD_MAX)
EACH_WORD(enum cleanup_class, cleanup_class_name, CLEANUP_CLASS_MAX)
EACH_WORD(enum phase, phase_name, PHASE_MAX)
EACH_WORD(enum failure_code, failure_word, FAILURE_MAX)

static void
check_words(const char *(*function)(int value), int max)
{
	for (int value = 0; value < max; value++) {
		const char *word = function(value);

		assert_non_null(word);
		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
		assert_true(strlen(word) > 1);
		for (int other = 0; other < value; other++)
			assert_string_not_equal(word, function(other));
	}
}

static void
words_are_words(void **state)
{
	(void)state;
	check_words(word_of_feed_kind_name, FEED_KIND_MAX);
	check_words(word_of_outcome_kind_name, OUTCOME_KIND_MAX);
	check_words(word_of_reason_name, REASON_MAX);
	check_words(word_of_guard_name, GUARD_MAX);
	check_words(word_of_cleanup_class_name, CLEANUP_CLASS_MAX);
	check_words(word_of_phase_name, PHASE_MAX);
	check_words(word_of_failure_word, FAILURE_MAX);
}

static void
words_of_the_domain(void **state)
{
	(void)state;
	for (size_t row = 0; row < COUNT(domain); row++)
		assert_string_equal(outcome_kind_name(domain[row].kind), domain[row].word);
	assert_string_equal(feed_kind_name(FEED_STUDENT), "student");
	assert_string_equal(feed_kind_name(FEED_STAFF), "staff");
	assert_string_equal(reason_name(REASON_DIFFERS), "differs");
	assert_string_equal(guard_name(GUARD_OPTED_OUT), "opted-out");
	assert_string_equal(guard_name(GUARD_MANUAL), "manual");
	assert_string_equal(cleanup_class_name(CLEANUP_AMBIGUOUS), "ambiguous");
	assert_string_equal(failure_word(FAILURE_HOST_KEY_CHANGED), "host-key-changed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_of_range_fits_nothing),
		cmocka_unit_test(reasons_fit_as_the_domain_lists_them),
		cmocka_unit_test(words_are_words),
		cmocka_unit_test(words_of_the_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
