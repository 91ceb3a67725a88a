/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <string.h>

#include "common/keyrule.h"

static void
patterns_refused(void **state)
{
	static const char *const table[] = { "", "[0-9]*", "(", "[", "a{2", "(a", "x?", "^$", "a|", "()", "[[:nope:]]",
		"a{3,2}", "*" };
	struct key_rule *rule = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (key_rule_new(&rule, table[i]) != -EINVAL || rule != NULL)
			fail_msg("'%s' was taken", table[i]);
	assert_null(key_rule_free(NULL));
}

/* What the C library would need more memory for than there is, or seconds a row. */
static void
patterns_too_large(void **state)
{
	static const char *const table[] = { "a++++++++++++++++++++++++++++++", "av++++++b++++++????????????????????????????????c", "(((((((((((a?)?)?)?)?)?)?)?)?)?)?",
		"((((a{9}){9}){9}){9}){9}", "([0-9]?){500}",
		"[0-9]{1001}", "[0-9]{4294967297}", "[0-9]{99999999999999999999}", "(1)++++++++++++++",
		"((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))", "((1+++++++++++++", "[]1]++++++++++++",
		"[[:digit:]]++++++++++++", "\\(+++++++++++++" };
	static const char *const good[] = { "[0-9]{6}|[0-9]{14}", "([0-9]{1,14} ?){1,14}", "[0-9]{1,64}", "1a???", "(((a+)+)+)+", "[++++++++++++++]",
		"[^]++++++++++++]+", "\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+", "[[:alpha:]++++++++++++]{3}", "(((((((((1)))))))))" };
	struct key_rule *rule = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (key_rule_new(&rule, table[i]) != -E2BIG || rule != NULL)
			fail_msg("'%s' was taken", table[i]);
	for (size_t i = 0; i < COUNT(good); i++) {
		if (key_rule_new(&rule, good[i]) < 0)
			fail_msg("'%s' was refused", good[i]);
		rule = key_rule_free(rule);
	}
}

static void
fits(void **state)
{
	static const struct {
		const char *pattern, *text;
		int fits;
	} table[] = {
		{ "[0-9]+", "", 0 },
		{ "[0-9]+", "1234567", 1 },
		{ "[0-9]+", "0", 1 },
		{ "[0-9]+", "1234567.0", 0 },
		{ "[0-9]+", " 1", 0 },
		{ "[0-9]+", "1 ", 0 },
		{ "[0-9]+", "12a", 0 },
		{ "[0-9]+", "-1", 0 },
		{ "[0-9]+", "\xD9\xA1", 0 }, /* a digit, but of Arabic */
		{ "[0-9]+", "1\n", 0 },
		{ "[0-9]{6}", "123456", 1 },
		{ "[0-9]{6}", "1234567", 0 },
		{ "[0-9]{6}", "12345", 0 },
		{ "[0-9]{6}|[0-9]{14}", "12345678901234", 1 }, /* the longer one counts, not the first */
		{ "[0-9]{6}|[0-9]{14}", "1234567", 0 },
		{ "S[0-9]+", "s123", 1 },
		{ "s[0-9]+", "S123", 1 },
		{ "S[0-9]+", "xS123", 0 },
		{ "^[0-9]+$", "123", 1 }, /* anchors of the administrator's own */
		{ "1)|2", "2", 1 },
		{ "1)|2", "92", 0 }, /* a stray parenthesis does not let a part pass */
		{ "1)|2", "1x", 0 },
		{ ".+", "a b", 1 },
		{ ".+", "a$b", 0 }, /* Sierra's line break */
		{ "[0-9\n]+", "1\n", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct key_rule *rule = NULL;

		assert_int_equal(key_rule_new(&rule, table[i].pattern), 0);
		if (key_rule_fits(rule, table[i].text, strlen(table[i].text)) != (table[i].fits != 0))
			fail_msg("pattern '%s', text '%s'", table[i].pattern, table[i].text);
		key_rule_freep(&rule);
		assert_null(rule);
	}
}

static void
size_and_nul(void **state)
{
	static const char *const patterns[] = { "[0-9]+", "[0-9]+|x" };
	char text[LIMIT_KEY + 1];

	(void)state;
	memset(text, '7', sizeof(text));
	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct key_rule *rule = NULL;

		assert_int_equal(key_rule_new(&rule, patterns[i]), 0);
		assert_false(key_rule_fits(rule, text, LIMIT_KEY + 1));
		assert_true(key_rule_fits(rule, text, LIMIT_KEY));
		assert_false(key_rule_fits(rule, text, 0));
		assert_false(key_rule_fits(rule, "12\0", 3));
		assert_false(key_rule_fits(rule,
		    "12\0"
		    "34",
		    5));
		assert_true(key_rule_fits(rule, "12345", 3)); /* not NUL-terminated */
		key_rule_freep(&rule);
	}
}

static void
normalises(void **state)
{
	static const struct {
		const char *cell, *key;
	} table[] = {
		{ "", "" }, { "#", "" }, { "-", "" }, { "1234567", "1234567" }, { "#1234567", "1234567" },
		{ "# 1234567", "1234567" }, { "- #12", "12" }, { "12-34 56", "123456" },
		{ "##12", "#12" },    /* one alone */
		{ "12#34", "12#34" }, /* a leading one alone */
		{ "1234567.0", "1234567.0" }, { "0012", "0012" }, { "ab-12", "ab12" }, { "1$2", "1$2" },
		{ "12\xE2\x80\x93"
		  "3",
		    "12\xE2\x80\x93"
		    "3" }, /* an en dash is no hyphen */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		char key[LIMIT_KEY];
		int size = key_normalise(table[i].cell, strlen(table[i].cell), key);

		assert_int_equal(size, strlen(table[i].key));
		assert_memory_equal(key, table[i].key, (size_t)size);
	}
}

static void
normalised_size(void **state)
{
	char cell[2 * LIMIT_KEY + 3], key[LIMIT_KEY];

	(void)state;
	memset(cell, '-', sizeof(cell));
	cell[0] = '#';
	memset(cell + sizeof(cell) - LIMIT_KEY, '5', LIMIT_KEY);
	assert_int_equal(key_normalise(cell, sizeof(cell), key), LIMIT_KEY);
	cell[1] = '5';
	assert_int_equal(key_normalise(cell, sizeof(cell), key), -E2BIG);
}

static void
folds(void **state)
{
	char text[] = "aZ09-z{`\xC3\xA9";

	(void)state;
	key_fold(text, strlen(text));
	assert_string_equal(text, "AZ09-Z{`\xC3\xA9");
	key_fold(text, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_refused),
		cmocka_unit_test(patterns_too_large),
		cmocka_unit_test(fits),
		cmocka_unit_test(size_and_nul),
		cmocka_unit_test(normalises),
		cmocka_unit_test(normalised_size),
		cmocka_unit_test(folds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
