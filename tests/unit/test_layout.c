/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The profile `chccs`: each sentence of the domain on rows of students and staff, the refusals first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/date.h"
#include "decode/layout.h"
#include "layoutkit.h"
#include "patrond/limits.h"
#include "profilekit.h"

/* Pieces of good rows, cells parted by `|`. */
#define S_OUT ""
#define S_NAME "|Ada|Lovelace|12/10/2010|304|5|"
#define S_FRONT S_OUT "|123456" S_NAME
#define S_CITY "|Chapel Hill|NC|27514|"
#define S_ADDRESS "1 Main St" S_CITY
#define S_GOOD S_FRONT S_ADDRESS "ada@x.org|919-555-0100|mum@x.org|"
#define T_FRONT "Active|1234567890|Grace|Hopper|"
#define T_ADDRESS "2 Oak St|Carrboro|NC|27510|"
#define T_GOOD T_FRONT T_ADDRESS "919-555-0101|919-555-0102|grace@x.org|Teacher|304|School"

static int32_t today;
static struct key_rule *digits, *letters;
static struct profile *chccs;

static struct layout *
layout_of(enum feed_kind feed, const char *statuses, const struct key_rule *keys)
{
	static struct config_feed feeds[FEED_KIND_MAX]; /* outlives the layout */
	const struct layout_options options = {
		.kinds = FEED_BIT(feed),
		.profile = chccs,
		.feeds = feeds,
		.keys = keys,
		.today = today,
	};
	struct layout *layout = NULL;

	memset(feeds, 0, sizeof(feeds));
	(void)snprintf(feeds[feed].statuses, sizeof(feeds[feed].statuses), "%s", statuses);
	assert_int_equal(layout_new(&layout, &options), 0);
	return layout;
}

static bool
is_text(const struct text *text, const char *expected)
{
	return text->size == strlen(expected) && (text->size == 0 || memcmp(text->bytes, expected, text->size) == 0);
}

struct verdict_case {
	const char *name;
	const char *line;
	enum reason verdict;
	const char *key;
	bool fits;
	int status; /* -1: none */
};

static const struct verdict_case students[] = {
	/* opted out: before every other test, and with the key of the row */
	{ "opt-out 1", "1|123456" S_NAME S_ADDRESS "|||0", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out true", "TRUE|123456" S_NAME S_ADDRESS "|||0", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out yes", "yes|123456" S_NAME S_ADDRESS "|||0", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out y", "Y|123456" S_NAME S_ADDRESS "|||0", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out x", " x |123456" S_NAME S_ADDRESS "|||0", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out anything else", "maybe|123456" S_NAME S_ADDRESS "|||0", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out 00", "00|123456" S_NAME S_ADDRESS "|||0", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out no with a blank in it", "n o|123456" S_NAME S_ADDRESS "|||0", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out $", "$|123456" S_NAME S_ADDRESS "|||0", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out 0$", "0$|123456" S_NAME S_ADDRESS "|||0", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out before shape", "1|#12-34 56|x", REASON_OPTED_OUT, "123456", true, -1 },
	{ "opt-out before key", "1|12.0|x", REASON_OPTED_OUT, "12.0", false, -1 },
	{ "opt-out without a key", "1", REASON_OPTED_OUT, "", false, -1 },
	{ "opt-out before status", "1|123456" S_NAME S_ADDRESS "|||9", REASON_OPTED_OUT, "123456", true, -1 },
	{ "not opted out: 0", "0|123456" S_NAME S_ADDRESS "|||2", REASON_INACTIVE, "123456", true, 2 },
	{ "not opted out: false", "False|123456" S_NAME S_ADDRESS "|||2", REASON_INACTIVE, "123456", true, 2 },
	{ "not opted out: no", "NO|123456" S_NAME S_ADDRESS "|||2", REASON_INACTIVE, "123456", true, 2 },
	{ "not opted out: n", "n|123456" S_NAME S_ADDRESS "|||2", REASON_INACTIVE, "123456", true, 2 },
	{ "not opted out: blanks", " \t|123456" S_NAME S_ADDRESS "|||2", REASON_INACTIVE, "123456", true, 2 },
	/* shape: the ZIP at index 10 or 11, and the columns between it and the status */
	{ "no ZIP", S_FRONT "1 Main St|Chapel Hill|NC||a@x.org|1|m@x.org|0", REASON_SHAPE, "123456", true, -1 },
	{ "ZIP of four digits", S_FRONT "1 Main St|Chapel Hill|NC|2751||||0", REASON_SHAPE, "123456", true, -1 },
	{ "ZIP of six digits", S_FRONT "1 Main St|Chapel Hill|NC|275140||||0", REASON_SHAPE, "123456", true, -1 },
	{ "ZIP 5-3", S_FRONT "1 Main St|Chapel Hill|NC|27514-123||||0", REASON_SHAPE, "123456", true, -1 },
	{ "ZIP of nine digits", S_FRONT "1 Main St|Chapel Hill|NC|275141234||||0", REASON_SHAPE, "123456", true, -1 },
	{ "ZIP 5 4", S_FRONT "1 Main St|Chapel Hill|NC|27514 1234||||0", REASON_SHAPE, "123456", true, -1 },
	{ "ZIP with letters", S_FRONT "1 Main St|Chapel Hill|NC|2751A||||0", REASON_SHAPE, "123456", true, -1 },
	{ "ZIP at index 9", S_FRONT "1 Main St|Chapel Hill|27514|a@x.org|1|m@x.org|0", REASON_SHAPE, "123456", true, -1 },
	{ "ZIP at index 12", S_FRONT "1|2|3|Chapel Hill|NC|27514|a@x.org|1|m@x.org|0", REASON_SHAPE, "123456", true, -1 },
	{ "short row", "|123456|Ada", REASON_SHAPE, "123456", true, -1 },
	{ "one cell", "0", REASON_SHAPE, "", false, -1 },
	{ "no guardian column", S_FRONT S_ADDRESS "a@x.org|1|0", REASON_SHAPE, "123456", true, -1 },
	{ "no guardian column, phone of digits", S_FRONT S_ADDRESS "a@x.org|9195550100|0", REASON_SHAPE, "123456", true, -1 },
	{ "no guardian column, DCID", S_FRONT S_ADDRESS "a@x.org|1|0|77", REASON_SHAPE, "123456", true, -1 },
	{ "ZIP as the last", S_FRONT "1 Main St|Chapel Hill|NC|27514", REASON_SHAPE, "123456", true, -1 },
	{ "repeated street, no guardian column", S_FRONT "1 Main St|Apt 2|C|NC|27514|a@x.org|1|0", REASON_SHAPE, "123456", true, -1 },
	{ "words where a guardian belongs", S_FRONT S_ADDRESS "a@x.org|1|m@x.org|unknown|0", REASON_SHAPE, "123456", true, -1 },
	{ "another row ran into it", S_FRONT S_ADDRESS "a@x.org|1|m@x.org|0 1|999999|Bob|Doe|1/2/2012|1|2|St|C|NC|27510|b@x.org|1|d@x.org|0", REASON_SHAPE, "123456", true, -1 },
	{ "words where a guardian belongs, inactive", S_FRONT S_ADDRESS "a@x.org|1|m@x.org|unknown|2", REASON_SHAPE, "123456", true, -1 },
	{ "shape before status, key and name", "|x||||||||||||", REASON_SHAPE, "x", false, -1 },
	/* status */
	{ "status empty", S_GOOD "", REASON_STATUS, "123456", true, -1 },
	{ "status a letter", S_GOOD "A", REASON_STATUS, "123456", true, -1 },
	{ "status of two digits", S_GOOD "10", REASON_STATUS, "123456", true, -1 },
	{ "status 00", S_GOOD "00", REASON_STATUS, "123456", true, -1 },
	{ "status 0.0", S_GOOD "0.0", REASON_STATUS, "123456", true, -1 },
	{ "status +0", S_GOOD "+0", REASON_STATUS, "123456", true, -1 },
	{ "status -", S_GOOD "-", REASON_STATUS, "123456", true, -1 },
	{ "status --1", S_GOOD "--1", REASON_STATUS, "123456", true, -1 },
	{ "status -12", S_GOOD "-12", REASON_STATUS, "123456", true, -1 },
	{ "status $0", S_GOOD "$0", REASON_STATUS, "123456", true, -1 },
	{ "status before key", "|x" S_NAME S_ADDRESS "|||x", REASON_STATUS, "x", false, -1 },
	{ "inactive 2", S_GOOD "2", REASON_INACTIVE, "123456", true, 2 },
	{ "inactive 9", S_GOOD "9", REASON_INACTIVE, "123456", true, 9 },
	{ "inactive -1", S_GOOD "-1", REASON_INACTIVE, "123456", true, 11 },
	{ "inactive -0 is not 0", S_GOOD "-0", REASON_INACTIVE, "123456", true, 10 },
	{ "inactive before key", "|x" S_NAME S_ADDRESS "|||3", REASON_INACTIVE, "x", false, 3 },
	{ "DCID after the status", S_GOOD "3|77", REASON_INACTIVE, "123456", true, 3 },
	{ "DCID negative", S_GOOD "3|-77", REASON_INACTIVE, "123456", true, 3 },
	{ "DCID empty", S_GOOD "3|", REASON_INACTIVE, "123456", true, 3 },
	{ "DCID not an integer is the status", S_GOOD "3|77.0", REASON_STATUS, "123456", true, -1 },
	{ "status empty before a DCID", S_GOOD "|77", REASON_STATUS, "123456", true, -1 },
	{ "guardian empty before the status", S_FRONT S_ADDRESS "|||4", REASON_INACTIVE, "123456", true, 4 },
	{ "two guardians", S_FRONT S_ADDRESS "|||d@x.org|4", REASON_INACTIVE, "123456", true, 4 },
	{ "repeated street, DCID", S_FRONT "1 Main St|Apt 2" S_CITY "|||4|12", REASON_INACTIVE, "123456", true, 4 },
	/* key */
	{ "key empty", "|" S_NAME S_ADDRESS "|||0", REASON_KEY, "", false, -1 },
	{ "key of hyphens", "|#- -" S_NAME S_ADDRESS "|||0", REASON_KEY, "", false, -1 },
	{ "key from a spreadsheet", "|1234567.0" S_NAME S_ADDRESS "|||0", REASON_KEY, "1234567.0", false, -1 },
	{ "key with $", "|123$456" S_NAME S_ADDRESS "|||0", REASON_KEY, "123$456", false, -1 },
	{ "key with letters", "|A123456" S_NAME S_ADDRESS "|||0", REASON_KEY, "A123456", false, -1 },
	{ "key with two #", "|##123456" S_NAME S_ADDRESS "|||0", REASON_KEY, "#123456", false, -1 },
	{ "key too long", "|12345678901234567890123456789012345678901234567890123456789012345" S_NAME S_ADDRESS "|||0",
	    REASON_KEY, "", false, -1 },
	{ "key before name", "|x|||12/10/2010|304|5|" S_ADDRESS "|||0", REASON_KEY, "x", false, -1 },
	/* name */
	{ "no name", "|123456|||12/10/2010|304|5|" S_ADDRESS "|||0", REASON_NAME, "123456", true, -1 },
	{ "name of blanks", "|123456| |\xc2\xa0|12/10/2010|304|5|" S_ADDRESS "|||0", REASON_NAME, "123456", true, -1 },
	{ "name of $", "|123456|$|$ $|12/10/2010|304|5|" S_ADDRESS "|||0", REASON_NAME, "123456", true, -1 },
	{ "name of commas", "|123456|,|, ,|12/10/2010|304|5|" S_ADDRESS "|||0", REASON_NAME, "123456", true, -1 },
	{ "name before birth date", "|123456|||x|304|5|" S_ADDRESS "|||0", REASON_NAME, "123456", true, -1 },
	/* birth date */
	{ "no birth date", "|123456|Ada|Lovelace||304|5|" S_ADDRESS "|||0", REASON_BIRTH_DATE, "123456", true, -1 },
	{ "ISO birth date", "|123456|Ada|L|2010-12-10|304|5|" S_ADDRESS "|||0", REASON_BIRTH_DATE, "123456", true, -1 },
	{ "no such day", "|123456|Ada|L|02/29/2011|304|5|" S_ADDRESS "|||0", REASON_BIRTH_DATE, "123456", true, -1 },
	{ "no such month", "|123456|Ada|L|13/10/2010|304|5|" S_ADDRESS "|||0", REASON_BIRTH_DATE, "123456", true, -1 },
	{ "two-digit year", "|123456|Ada|L|12/10/10|304|5|" S_ADDRESS "|||0", REASON_BIRTH_DATE, "123456", true, -1 },
	{ "before 1900", "|123456|Ada|L|12/31/1899|304|5|" S_ADDRESS "|||0", REASON_BIRTH_DATE, "123456", true, -1 },
	{ "tomorrow", "|123456|Ada|L|08/16/2026|304|5|" S_ADDRESS "|||0", REASON_BIRTH_DATE, "123456", true, -1 },
	{ "date and time", "|123456|Ada|L|12/10/2010 00:00|304|5|" S_ADDRESS "|||0", REASON_BIRTH_DATE, "123456", true, -1 },
	/* nothing wrong */
	{ "born today", "|123456|Ada|L|8/15/2026|304|5|" S_ADDRESS "|||0", REASON_NONE, "123456", true, -1 },
	{ "born in 1900", "|123456|Ada|L|01/01/1900|304|5|" S_ADDRESS "|||0", REASON_NONE, "123456", true, -1 },
	{ "M/D/YYYY", "|123456|Ada|L|1/2/2010|304|5|" S_ADDRESS "|||0", REASON_NONE, "123456", true, -1 },
	{ "first name alone", "|123456|Ada||1/2/2010|304|5|" S_ADDRESS "|||0", REASON_NONE, "123456", true, -1 },
	{ "last name alone", "|123456||L|1/2/2010|304|5|" S_ADDRESS "|||0", REASON_NONE, "123456", true, -1 },
	{ "key with blanks, hyphens and #", "|# 12-34 56" S_NAME S_ADDRESS "|||0", REASON_NONE, "123456", true, -1 },
	{ "active", S_GOOD "0", REASON_NONE, "123456", true, -1 },
	{ "pre-registered", S_GOOD "1", REASON_NONE, "123456", true, -1 },
	{ "active, DCID", S_GOOD "0|4711", REASON_NONE, "123456", true, -1 },
	{ "DCID of one digit is no status", S_GOOD "0|5", REASON_NONE, "123456", true, -1 },
	{ "ZIP 5-4", S_FRONT "1 Main St|Chapel Hill|NC|27514-1234||||0", REASON_NONE, "123456", true, -1 },
	{ "repeated street", S_FRONT "1 Main St|Apt 2" S_CITY "|||0", REASON_NONE, "123456", true, -1 },
	{ "repeated street, ZIP 5-4", S_FRONT "1 Main St||C|NC|27514-1234||||0", REASON_NONE, "123456", true, -1 },
};

static const struct verdict_case staff[] = {
	{ "13 columns", "Active|1234567890|Grace|Hopper|2 Oak St|C|NC|27510|1|2|g@x.org|T|304", REASON_SHAPE, "1234567890", true, -1 },
	{ "15 columns", T_GOOD "|", REASON_SHAPE, "1234567890", true, -1 },
	{ "one column", "Active", REASON_SHAPE, "", false, -1 },
	{ "shape before key", "Active|x", REASON_SHAPE, "x", false, -1 },
	{ "key empty", "Active||Grace|H|" T_ADDRESS "1|2|g@x.org|T|304|S", REASON_KEY, "", false, -1 },
	{ "key with $", "Active|12345$|Grace|H|" T_ADDRESS "1|2|g@x.org|T|304|S", REASON_KEY, "12345$", false, -1 },
	{ "key of three digits", "Active|123|Grace|H|" T_ADDRESS "1|2|g@x.org|T|304|S", REASON_KEY, "123", true, -1 },
	{ "key before name", "Active|123|||" T_ADDRESS "1|2|g@x.org|T|304|S", REASON_KEY, "123", true, -1 },
	{ "no name", "Active|1234||$|" T_ADDRESS "1|2|g@x.org|T|304|S", REASON_NAME, "1234", true, -1 },
	{ "key of four digits", "Active|1234|Grace|H|" T_ADDRESS "1|2|g@x.org|T|304|S", REASON_NONE, "1234", true, -1 },
	{ "whole", T_GOOD, REASON_NONE, "1234567890", true, -1 },
	{ "every status is processed", "|1234567890|Grace|H|" T_ADDRESS "1|2|g@x.org|T|304|S", REASON_NONE, "1234567890", true, -1 },
	{ "the opt-out is the students' alone", "yes|1234567890|Grace|H|" T_ADDRESS "1|2|g@x.org|T|304|S", REASON_NONE,
	    "1234567890", true, -1 },
	{ "no ZIP is no matter", T_FRONT "|||||||||", REASON_NONE, "1234567890", true, -1 },
};

static void
check_verdict(enum feed_kind feed, const char *statuses, const struct key_rule *keys, const struct verdict_case *c)
{
	_cleanup_layout_ struct layout *layout = layout_of(feed, statuses, keys);
	struct text cells[CELLS_MAX];
	struct csv_row row = row_of(c->line, ',', cells);
	struct record record;
	bool whole = c->verdict == REASON_NONE;

	assert_int_equal(layout_row(layout, &row, &record), LAYOUT_RECORD);
	if (record.verdict != c->verdict || record.feed != feed || record.row != 1)
		fail_msg("%s: verdict %s", c->name, reason_name(record.verdict));
	if (!is_text(&record.fields[RECORD_KEY], c->key) || record.key_fits != c->fits)
		fail_msg("%s: key %.*s, fits %d", c->name, (int)record.fields[RECORD_KEY].size, record.fields[RECORD_KEY].bytes,
		    record.key_fits);
	if (record.status != (c->status < 0 ? RECORD_NO_STATUS : (unsigned int)c->status))
		fail_msg("%s: status %u", c->name, record.status);
	if ((record.birth_date != RECORD_NO_DATE) != (whole && feed == FEED_STUDENT))
		fail_msg("%s: birth date", c->name);
	/* of a row that is not taken nothing but the key leaves */
	for (size_t i = 0; i < RECORD_FIELD_MAX; i++)
		if (!whole && i != RECORD_KEY && record.fields[i].size > 0)
			fail_msg("%s: field %zu", c->name, i);
}

static void
test_students(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(students) / sizeof(students[0]); i++)
		check_verdict(FEED_STUDENT, "0 1", digits, &students[i]);
}

static void
test_staff(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(staff) / sizeof(staff[0]); i++)
		check_verdict(FEED_STAFF, "", digits, &staff[i]);
}

static void
test_statuses(void **state)
{
	static const struct {
		enum feed_kind feed;
		const char *statuses;
		struct verdict_case c;
	} cases[] = {
		{ FEED_STUDENT, "0", { "student 1 unlisted", S_GOOD "1", REASON_INACTIVE, "123456", true, 1 } },
		{ FEED_STUDENT, " 0  -1 ", { "student -1 listed", S_GOOD "-1", REASON_NONE, "123456", true, -1 } },
		{ FEED_STUDENT, "0 1 2", { "student 2 listed", S_GOOD "2", REASON_NONE, "123456", true, -1 } },
		{ FEED_STAFF, "Active", { "staff unlisted", "Retired|1234567890|G|H|" T_ADDRESS "1|2|g|T|304|S", REASON_INACTIVE,
		    "1234567890", true, -1 } },
		{ FEED_STAFF, "Active", { "staff without status", "|1234567890|G|H|" T_ADDRESS "1|2|g|T|304|S", REASON_INACTIVE,
		    "1234567890", true, -1 } },
		{ FEED_STAFF, "Active", { "staff inactive before key", "R|x|G|H|" T_ADDRESS "1|2|g|T|304|S", REASON_INACTIVE, "x",
		    false, -1 } },
		{ FEED_STAFF, "OnLeave active", { "staff listed, case aside", T_GOOD, REASON_NONE, "1234567890", true, -1 } },
		{ FEED_STAFF, "OnLeave", { "staff listed, blanks aside", "on leave|1234567890|G|H|" T_ADDRESS "1|2|g|T|304|S",
		    REASON_NONE, "1234567890", true, -1 } },
		{ FEED_STAFF, " ", { "staff, no word listed: all", T_GOOD, REASON_NONE, "1234567890", true, -1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_verdict(cases[i].feed, cases[i].statuses, digits, &cases[i].c);
}

static void
test_key_pattern(void **state)
{
	static const struct verdict_case cases[] = {
		{ "letters fit", "Active|ab-12345678|G|H|" T_ADDRESS "1|2|g|T|304|S", REASON_NONE, "ab12345678", true, -1 },
		{ "short key, three digits", "Active|abcde123|G|H|" T_ADDRESS "1|2|g|T|304|S", REASON_KEY, "abcde123", true, -1 },
		{ "short key, four digits", "Active|a1b2c3d4|G|H|" T_ADDRESS "1|2|g|T|304|S", REASON_NONE, "a1b2c3d4", true, -1 },
		{ "ten characters need no digits", "Active|abcdefghij|G|H|" T_ADDRESS "1|2|g|T|304|S", REASON_NONE, "abcdefghij",
		    true, -1 },
		{ "other signs", "Active|12345_6789|G|H|" T_ADDRESS "1|2|g|T|304|S", REASON_KEY, "12345_6789", false, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_verdict(FEED_STAFF, "", letters, &cases[i]);
}

struct field_case {
	const char *name;
	enum feed_kind feed;
	const char *line;
	enum record_field field;
	const char *expected;
};

static const struct field_case fields[] = {
	{ "first", FEED_STUDENT, S_GOOD "0", RECORD_FIRST, "Ada" },
	{ "last", FEED_STUDENT, S_GOOD "0", RECORD_LAST, "Lovelace" },
	{ "street", FEED_STUDENT, S_GOOD "0", RECORD_STREET, "1 Main St" },
	{ "city", FEED_STUDENT, S_GOOD "0", RECORD_CITY, "Chapel Hill" },
	{ "state", FEED_STUDENT, S_GOOD "0", RECORD_STATE, "NC" },
	{ "ZIP", FEED_STUDENT, S_GOOD "0", RECORD_ZIP, "27514" },
	{ "e-mails", FEED_STUDENT, S_GOOD "0", RECORD_EMAILS, "ada@x.org mum@x.org" },
	{ "phone", FEED_STUDENT, S_GOOD "0", RECORD_PHONE, "919-555-0100" },
	{ "students have one phone", FEED_STUDENT, S_GOOD "0", RECORD_PHONE_2, "" },
	{ "e-mails and DCID", FEED_STUDENT, S_GOOD "d@x.org|0|12", RECORD_EMAILS, "ada@x.org mum@x.org d@x.org" },
	{ "empty e-mails", FEED_STUDENT, S_FRONT S_ADDRESS "||||d@x.org|0", RECORD_EMAILS, "d@x.org" },
	{ "no e-mail", FEED_STUDENT, S_FRONT S_ADDRESS "|1||0", RECORD_EMAILS, "" },
	{ "e-mails in a list stay", FEED_STUDENT, S_FRONT S_ADDRESS "a@x.org;b@x.org|1|c@x.org, d@x.org|0", RECORD_EMAILS,
	    "a@x.org;b@x.org c@x.org, d@x.org" },
	{ "repeated: street", FEED_STUDENT, S_FRONT "1 Main St|Apt 2" S_CITY "a@x.org|7|m@x.org|0", RECORD_STREET, "1 Main St Apt 2" },
	{ "repeated: second empty", FEED_STUDENT, S_FRONT "1 Main St|" S_CITY "a@x.org|7|m@x.org|0", RECORD_STREET, "1 Main St" },
	{ "repeated: first empty", FEED_STUDENT, S_FRONT "|Apt 2" S_CITY "a@x.org|7|m@x.org|0", RECORD_STREET, "Apt 2" },
	{ "repeated: city", FEED_STUDENT, S_FRONT "1 Main St|Apt 2" S_CITY "a@x.org|7|m@x.org|0", RECORD_CITY, "Chapel Hill" },
	{ "repeated: state", FEED_STUDENT, S_FRONT "1 Main St|Apt 2" S_CITY "a@x.org|7|m@x.org|0", RECORD_STATE, "NC" },
	{ "repeated: ZIP", FEED_STUDENT, S_FRONT "1 Main St|Apt 2" S_CITY "a@x.org|7|m@x.org|0", RECORD_ZIP, "27514" },
	{ "repeated: e-mails", FEED_STUDENT, S_FRONT "1 Main St|Apt 2" S_CITY "a@x.org|7|m@x.org|0", RECORD_EMAILS, "a@x.org m@x.org" },
	{ "repeated: phone", FEED_STUDENT, S_FRONT "1 Main St|Apt 2" S_CITY "a@x.org|7|m@x.org|0", RECORD_PHONE, "7" },
	{ "trimmed", FEED_STUDENT, "|123456| \t Ada  May\n\x01 |L|1/2/2010|304|5|" S_ADDRESS "|||0", RECORD_FIRST, "Ada May" },
	{ "Unicode spaces", FEED_STUDENT, "|123456|Ada\xe2\x80\x83\xc2\xa0May|L|1/2/2010|304|5|" S_ADDRESS "|||0", RECORD_FIRST,
	    "Ada May" },
	{ "Windows-1252", FEED_STUDENT, "|123456|Ren\xe9\x81X\x9d|L|1/2/2010|304|5|" S_ADDRESS "|||0", RECORD_FIRST, "Ren\xc3\xa9 X" },
	{ "UTF-8", FEED_STUDENT, "|123456|Ren\xc3\xa9|L|1/2/2010|304|5|" S_ADDRESS "|||0", RECORD_FIRST, "Ren\xc3\xa9" },
	{ "$ is a blank", FEED_STUDENT, "|123456|A$B|L|1/2/2010|304|5|" S_ADDRESS "|||0", RECORD_FIRST, "A B" },
	{ "$ is no second blank", FEED_STUDENT, "|123456|$A $$ B$|L|1/2/2010|304|5|" S_ADDRESS "|||0", RECORD_FIRST, "A B" },
	{ "$ in a street", FEED_STUDENT, S_FRONT "1 Main$St|Chapel$Hill|NC|27514||||0", RECORD_STREET, "1 Main St" },
	{ "$ beside a ZIP", FEED_STUDENT, S_FRONT "1 Main St|C|NC|27514$||||0", RECORD_ZIP, "27514" },
	{ "$ in an e-mail", FEED_STUDENT, S_FRONT S_ADDRESS "a@x.org$|1$2|$|0", RECORD_EMAILS, "a@x.org" },
	{ "$ in a phone", FEED_STUDENT, S_FRONT S_ADDRESS "a@x.org$|1$2|$|0", RECORD_PHONE, "1 2" },
	{ "commas are load's", FEED_STUDENT, "|123456|A, B|,|1/2/2010|304|5|" S_ADDRESS "|||0", RECORD_FIRST, "A, B" },
	{ "staff: first", FEED_STAFF, T_GOOD, RECORD_FIRST, "Grace" },
	{ "staff: last", FEED_STAFF, T_GOOD, RECORD_LAST, "Hopper" },
	{ "staff: street", FEED_STAFF, T_GOOD, RECORD_STREET, "2 Oak St" },
	{ "staff: city", FEED_STAFF, T_GOOD, RECORD_CITY, "Carrboro" },
	{ "staff: state", FEED_STAFF, T_GOOD, RECORD_STATE, "NC" },
	{ "staff: ZIP", FEED_STAFF, T_GOOD, RECORD_ZIP, "27510" },
	{ "staff: e-mail", FEED_STAFF, T_GOOD, RECORD_EMAILS, "grace@x.org" },
	{ "staff: mobile", FEED_STAFF, T_GOOD, RECORD_PHONE, "919-555-0101" },
	{ "staff: home", FEED_STAFF, T_GOOD, RECORD_PHONE_2, "919-555-0102" },
	{ "staff: $", FEED_STAFF, T_FRONT "2 Oak$St|C|NC|Z|1|2|g|T|304|S", RECORD_STREET, "2 Oak St" },
};

static void
test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field_case *c = &fields[i];
		_cleanup_layout_ struct layout *layout = layout_of(c->feed, "", digits);
		struct text cells[CELLS_MAX];
		struct csv_row row = row_of(c->line, ',', cells);
		struct record record;

		if (c->feed == FEED_STUDENT) {
			layout_freep(&layout);
			layout = layout_of(c->feed, "0 1", digits);
		}
		assert_int_equal(layout_row(layout, &row, &record), LAYOUT_RECORD);
		if (record.verdict != REASON_NONE || !is_text(&record.fields[c->field], c->expected))
			fail_msg("%s: %.*s (%s)", c->name, (int)record.fields[c->field].size, record.fields[c->field].bytes,
			    reason_name(record.verdict));
	}
}

static void
test_birth_date(void **state)
{
	_cleanup_layout_ struct layout *layout = layout_of(FEED_STUDENT, "0 1", digits);
	struct text cells[CELLS_MAX];
	struct csv_row row = row_of(S_GOOD "0", ',', cells);
	struct record record;

	(void)state;
	assert_int_equal(layout_row(layout, &row, &record), LAYOUT_RECORD);
	assert_int_equal(record.birth_date, date_to_days((struct date){ 2010, 12, 10 }));
}

/* A cell at its limit is taken, one byte more rejects the row: cut, it would be somebody else's. */
static void
test_limits(void **state)
{
	static const struct {
		enum feed_kind feed;
		const char *before, *after;
		size_t size;
		enum reason over;
	} cases[] = {
		{ FEED_STUDENT, "|123456|", "|L|1/2/2010|304|5|" S_ADDRESS "|||0", LIMIT_NAME, REASON_SHAPE },
		{ FEED_STUDENT, "|123456|A|", "|1/2/2010|304|5|" S_ADDRESS "|||0", LIMIT_NAME, REASON_SHAPE },
		{ FEED_STUDENT, S_FRONT, S_CITY "|||0", LIMIT_TEXT, REASON_SHAPE },
		{ FEED_STUDENT, S_FRONT "1|", S_CITY "|||0", LIMIT_TEXT, REASON_SHAPE },
		{ FEED_STUDENT, S_FRONT S_ADDRESS "|", "||0", LIMIT_TEXT, REASON_SHAPE },
		{ FEED_STUDENT, "|123456|", "|L|1/2/2010|304|5|" S_ADDRESS "|||x", LIMIT_NAME, REASON_SHAPE },
		{ FEED_STUDENT, "|", S_NAME S_ADDRESS "|||0", LIMIT_KEY, REASON_KEY },
		{ FEED_STAFF, T_FRONT, "|C|NC|Z|1|2|g|T|304|S", LIMIT_TEXT, REASON_SHAPE },
		{ FEED_STAFF, T_FRONT T_ADDRESS, "|2|g|T|304|S", LIMIT_TEXT, REASON_SHAPE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t over = 0; over < 2; over++) {
			_cleanup_layout_ struct layout *layout = NULL;
			char line[2048], cell[LIMIT_TEXT + 2];
			struct text cells[CELLS_MAX];
			struct record record;
			struct csv_row row;

			layout = layout_of(cases[i].feed, cases[i].feed == FEED_STUDENT ? "0 1 x" : "", digits);
			memset(cell, '7', sizeof(cell));
			cell[cases[i].size + over] = '\0';
			(void)snprintf(line, sizeof(line), "%s%s%s", cases[i].before, cell, cases[i].after);
			row = row_of(line, ',', cells);
			assert_int_equal(layout_row(layout, &row, &record), LAYOUT_RECORD);
			if (record.verdict != (over ? cases[i].over : REASON_NONE))
				fail_msg("case %zu, over %zu: %s", i, over, reason_name(record.verdict));
		}
}

/* The longest row of the worst bytes stays inside the layout's memory, and its e-mails are over the limit. */
static void
test_worst_row(void **state)
{
	_cleanup_layout_ struct layout *layout = layout_of(FEED_STUDENT, "0 1", digits);
	static char big[LIMIT_CELL_SIZE];
	struct text cells[CELLS_MAX];
	struct csv_row row = row_of(S_GOOD "e|f|g|h|i|0", ',', cells);
	struct record record;

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = i % 2 == 0 ? '$' : '\x80'; /* a euro sign of Windows-1252, three bytes of UTF-8 */
	for (size_t i = row.count - 8; i < row.count - 1; i++)
		cells[i] = (struct text){ big, sizeof(big) };
	row.bytes = big;
	row.size = sizeof(big);
	for (int times = 0; times < 3; times++) {
		assert_int_equal(layout_row(layout, &row, &record), LAYOUT_RECORD);
		assert_int_equal(record.verdict, REASON_SHAPE);
	}
}

static void
test_first_row(void **state)
{
	static const char header[] = "Employment Status|UIDStaffID|FirstName|LastName|Address1|City|State|Zip|Mobile Phone|"
	                             "Home Phone|Email|PR Job Desc.|PrimarySiteId|Site Name";
	static const struct {
		const char *line;
		int result;
		uint32_t row, column;
	} rows[] = {
		{ " ", LAYOUT_BLANK, 0, 0 },
		{ header, LAYOUT_HEADER, 0, 0 },
		{ "\xc2\xa0\x01", LAYOUT_BLANK, 0, 0 },
		{ T_GOOD, LAYOUT_RECORD, 1, 0 },
		{ "", LAYOUT_BLANK, 0, 0 },
		{ "|", LAYOUT_RECORD, 2, 0 },
		/* only the first row is a header */
		{ header, LAYOUT_RECORD, 3, 0 },
	};
	_cleanup_layout_ struct layout *layout = layout_of(FEED_STAFF, "", digits), *misfit = NULL;
	struct text cells[CELLS_MAX];
	struct record record;
	struct csv_row row;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		row = row_of(rows[i].line, ',', cells);
		assert_int_equal(layout_row(layout, &row, &record), rows[i].result);
		if (rows[i].result == LAYOUT_RECORD)
			assert_int_equal(record.row, rows[i].row);
	}
	assert_int_equal(layout_rows(layout, FEED_STAFF), 3);

	misfit = layout_of(FEED_STAFF, "", digits);
	row = row_of("Employment Status|UIDStaffID|Shoe Size", ',', cells);
	assert_int_equal(layout_row(misfit, &row, &record), LAYOUT_E_HEADER);
	assert_int_equal(layout_misfit(misfit).column, 3);
}

/* In a feed parted by tabs a line of tabs is a line of blanks; a line of commas is not. */
static void
test_blank_rows(void **state)
{
	static const struct {
		char delimiter;
		bool quoted;
		const char *line;
		int result;
	} cases[] = {
		{ ',', false, "", LAYOUT_BLANK },
		{ ',', true, "", LAYOUT_RECORD },
		{ ',', false, "||", LAYOUT_RECORD },
		{ '\t', false, "||", LAYOUT_BLANK },
		{ '\t', false, "| |", LAYOUT_BLANK },
		{ '\t', true, "||", LAYOUT_RECORD },
		{ '\t', false, "||x", LAYOUT_RECORD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_layout_ struct layout *layout = layout_of(FEED_STUDENT, "0 1", digits);
		struct text cells[CELLS_MAX];
		struct csv_row row = row_of(cases[i].line, ',', cells);
		struct record record;

		row.delimiter = cases[i].delimiter;
		row.quoted = cases[i].quoted;
		if (layout_row(layout, &row, &record) != cases[i].result)
			fail_msg("case %zu", i);
	}
}

static int
set_up(void **state)
{
	(void)state;
	today = date_to_days((struct date){ 2026, 8, 15 });
	chccs = shipped_profile("chccs");
	if (key_rule_new(&digits, "[0-9]+") < 0 || key_rule_new(&letters, "[0-9a-z]+") < 0)
		return -1;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	chccs = profile_free(chccs);
	key_rule_freep(&digits);
	key_rule_freep(&letters);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_students),
		cmocka_unit_test(test_staff),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_key_pattern),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_birth_date),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_worst_row),
		cmocka_unit_test(test_first_row),
		cmocka_unit_test(test_blank_rows),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
