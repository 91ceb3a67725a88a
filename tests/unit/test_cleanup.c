/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Malformed fields: classes, the keys in them, what is shown. */

#include "testkit.h"

#include <string.h>

#include "load/cleanup.h"

static const struct {
	const char *field;
	enum cleanup_class class;
} classes[] = {
	{ "123456;654321", CLEANUP_SEVERAL },
	{ "123456 654321", CLEANUP_SEVERAL },
	{ "123456 ; 654321;77", CLEANUP_SEVERAL },
	{ "123456;654321;", CLEANUP_SEVERAL },
	{ "123456\xC2\xA0" "654321", CLEANUP_SEVERAL },
	{ "123456\t654321", CLEANUP_SEVERAL },
	{ "12345678 / PREV ID", CLEANUP_NOTE },
	{ "12345678 OLD", CLEANUP_NOTE },
	{ "123456 -", CLEANUP_NOTE },
	{ "123456 654321 lost", CLEANUP_NOTE },
	{ "123456 654321/7", CLEANUP_NOTE },
	{ "123-456", CLEANUP_PUNCTUATION },
	{ "123456;", CLEANUP_PUNCTUATION },
	{ ";123456", CLEANUP_PUNCTUATION },
	{ "#123456", CLEANUP_PUNCTUATION },
	{ "123456.0", CLEANUP_PUNCTUATION },
	{ "+123456", CLEANUP_PUNCTUATION },
	{ "(123 456)", CLEANUP_PUNCTUATION },
	{ "123,456 7", CLEANUP_PUNCTUATION },
	{ "A123456", CLEANUP_LETTERS },
	{ "123456A", CLEANUP_LETTERS },
	{ "123;456 lost", CLEANUP_LETTERS },
	{ "lost", CLEANUP_LETTERS },
	{ "n/a", CLEANUP_LETTERS },
	{ "Ж-12", CLEANUP_LETTERS },
	{ "---", CLEANUP_OTHER },
	{ "123", CLEANUP_OTHER }, /* too short for some pattern */
	{ "１２３４", CLEANUP_OTHER },
	{ "123€", CLEANUP_OTHER },
};

static void
test_classes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(classes); i++) {
		struct text field = { classes[i].field, strlen(classes[i].field) };

		if (cleanup_class_of(&field) != classes[i].class)
			fail_msg("%s: %s", classes[i].field, cleanup_class_name(cleanup_class_of(&field)));
	}
}

static void
test_trim(void **state)
{
	static const struct {
		const char *field, *trimmed;
	} fields[] = {
		{ "", "" },
		{ "  ", "" },
		{ "\xC2\xA0\t\r\n\xE2\x80\x83", "" },
		{ "123", "123" },
		{ " 1 2\t", "1 2" },
		{ "\xE3\x80\x80" "123\xC2\x85", "123" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		struct text field = { fields[i].field, strlen(fields[i].field) };
		struct text trimmed = cleanup_trim(&field);

		assert_int_equal(trimmed.size, strlen(fields[i].trimmed));
		assert_memory_equal(trimmed.bytes, fields[i].trimmed, trimmed.size);
	}
}

struct keys {
	char list[1024];
	size_t used;
	unsigned int calls;
	unsigned int fail_at; /* the call that answers -1 */
};

static int
note_key(void *data, const struct bare_key *bare)
{
	struct keys *keys = data;

	if (++keys->calls == keys->fail_at)
		return -1;
	assert_true(keys->used + bare->zeros + bare->size + 1 < sizeof(keys->list));
	memset(keys->list + keys->used, '0', bare->zeros);
	keys->used += bare->zeros;
	memcpy(keys->list + keys->used, bare->bytes, bare->size);
	keys->used += bare->size;
	keys->list[keys->used++] = '|';
	keys->list[keys->used] = '\0';
	return 0;
}

static const struct {
	const char *pattern, *field, *keys;
} key_lists[] = {
	{ "[0-9]+", "123456;654321", "123456|654321|123456654321|123456|654321|" },
	{ "[0-9]+", "0123 / PREV ID", "0123|0123PREVID|0123|" },
	{ "[0-9]+", "#12-34", "12|34|1234|1234|" },
	{ "[0-9]+", "12-3456 / old", "12|3456|123456old|123456|" },
	{ "[0-9]+", "A00", "00|A00|" },
	{ "[0-9]+", "lost", "lost|" },
	{ "[0-9]+", "--", "" },
	{ "[0-9]+", "１２３", "123|123|" },
	{ "[0-9]+", "１23４56", "23|123456|56|123456|" }, /* digits of two scripts */
	{ "[A-Z][0-9]+", "a123 (old)", "123|a123old|a123|" },
	{ "[0-9]{4,}", "123", "123|123|" },
};

static void
test_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(key_lists); i++) {
		struct text field = { key_lists[i].field, strlen(key_lists[i].field) };
		struct keys keys = { .used = 0 };
		struct key_rule *rule;

		assert_int_equal(key_rule_new(&rule, key_lists[i].pattern), 0);
		assert_int_equal(cleanup_keys(&field, rule, note_key, &keys), 0);
		assert_string_equal(keys.list, key_lists[i].keys);
		/* a refusal ends it, wherever it comes */
		for (unsigned int n = 1; n <= keys.calls; n++) {
			struct keys refusing = { .fail_at = n };

			assert_int_equal(cleanup_keys(&field, rule, note_key, &refusing), -1);
			assert_int_equal(refusing.calls, n);
		}
		(void)key_rule_free(rule);
	}
}

/* Leading zeros do not make a key too long: it is equal to a shorter one but for them. */
static void
test_long_keys(void **state)
{
	char bytes[200];
	struct text field = { bytes, sizeof(bytes) };
	struct keys keys = { .used = 0 };
	struct key_rule *rule;

	(void)state;
	assert_int_equal(key_rule_new(&rule, "[0-9]+"), 0);
	memset(bytes, '0', sizeof(bytes));
	memcpy(bytes + 190, "123456", 6);
	memcpy(bytes + 196, "    ", 4);
	assert_int_equal(cleanup_keys(&field, rule, note_key, &keys), 0);
	assert_int_equal(keys.calls, 2);
	memset(bytes, '7', sizeof(bytes));
	keys = (struct keys){ .used = 0 };
	assert_int_equal(cleanup_keys(&field, rule, note_key, &keys), 0);
	assert_int_equal(keys.calls, 0);
	(void)key_rule_free(rule);
}

static void
test_show(void **state)
{
	static char bytes[LIMIT_CLEANUP_FIELD + 8];
	struct text field = { bytes, sizeof(bytes) };
	char shown[LIMIT_CLEANUP_FIELD];
	struct text lines = { "1  2\r\n3\xE2\x80\xA8" "4\xC2\x85", 13 };
	size_t size;

	(void)state;
	size = cleanup_show(&lines, shown);
	assert_int_equal(size, 10);
	assert_memory_equal(shown, "1  2  3 4 ", 10);
	/* cut between two characters */
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes + LIMIT_CLEANUP_FIELD - 1, "\xC3\xA9", 2);
	assert_int_equal(cleanup_show(&field, shown), LIMIT_CLEANUP_FIELD - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_long_keys),
		cmocka_unit_test(test_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
