/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entries: foreign names escaped, fields bounded, no journal that is not a namespace's. */

#include "testkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/journal.h"

static void
persistent_journal_is_refused(void **state)
{
	(void)state;
	if (journal_is_namespace())
		skip();
	assert_int_equal(journal_open(LOG_JOURNAL), -EXDEV);
	assert_int_equal(journal_open(LOG_JSON), 0);
}

/* Whatever is not surely forgotten is not written; what stands at the beginning of STATUS= is left alone. */
static void
what_would_be_kept_is_not_written(void **state)
{
	static const struct {
		const char *verdict;
		const char *told;
	} cases[] = {
		{ "volatile\n", "" },
		{ "persistent: Storage= is not volatile\n", " NO LOG: the journal would keep it, Storage= is not volatile." },
		{ "volatile?\n", " NO LOG: the journal would keep it, nobody has looked at its configuration (is patrond started by patrond.service?)." },
		{ "", " NO LOG: the journal would keep it, nobody has looked at its configuration (is patrond started by patrond.service?)." },
		{ NULL, " NO LOG: the journal would keep it, nobody has looked at its configuration (is patrond started by patrond.service?)." },
	};
	char folder[] = "/tmp/patrond-journal-XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/journal", folder);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)unlink(path);
		if (cases[i].verdict != NULL) {
			FILE *file = fopen(path, "w");

			assert_non_null(file);
			assert_true(fputs(cases[i].verdict, file) >= 0);
			assert_int_equal(fclose(file), 0);
		}
		journal_look_at(folder);
		assert_string_equal(journal_kept(), cases[i].told);
	}
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
	journal_look();
	assert_string_equal(journal_kept(), "");
}

static void
names_are_escaped(void **state)
{
	static const struct {
		const char *name;
		size_t size;
		const char *text;
	} cases[] = {
		{ "feed-2026.zip", 13, "feed-2026.zip" },
		{ "a b", 3, "a\\x20b" },
		{ "\033[31m", 5, "\\x1b[31m" },
		{ "a\nMESSAGE=x", 11, "a\\x0aMESSAGE=x" },
		{ "\xc3\xa9\\", 3, "\\xc3\\xa9\\x5c" },
		{ "", 0, "" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		journal_escape(cases[i].name, cases[i].size, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
	journal_escape("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 32, text, 10);
	assert_true(strlen(text) < 10);
}

static void
fields_are_bounded(void **state)
{
	struct entry entry;

	(void)state;
	entry_begin(&entry, 6, MESSAGE_ROW, FEED_STUDENT, "id", "m");
	for (int i = 0; i < 2 * ENTRY_FIELDS; i++)
		entry_field(&entry, "KEY", "%d", i);
	assert_int_equal(entry.count, ENTRY_FIELDS);
	entry_begin(&entry, 6, MESSAGE_ROW, FEED_STUDENT, "id", "m");
	for (int i = 0; i < 40; i++)
		entry_field(&entry, "KEY", "%0400d", i);
	assert_true(entry.used <= sizeof(entry.text));
	for (size_t i = 0; i < entry.count; i++)
		assert_non_null(strchr(entry.text + entry.starts[i], '='));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(persistent_journal_is_refused),
		cmocka_unit_test(what_would_be_kept_is_not_written),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(fields_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
