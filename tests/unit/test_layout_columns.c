/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows by the columns of a header: the refusals first, then what ends up where; and files that are joined. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/date.h"
#include "decode/layout.h"
#include "layoutkit.h"
#include "profilekit.h"

#define CAMPUS "publicLibraryOptOut|studentNumber|firstName|lastName|birthdate|schoolNumber|addressLine1|city|state|zip|" \
	"enrollmentStatus|guardianEmail|studentEmail|guardianEmail|homePhone"
#define GOOD "N|123456|Ada|Lovelace|2010-12-10|304|1 Main St|Chapel Hill|NC|27514|A|m@x.org|a@x.org|d@x.org|919"
#define USERS "sourcedId|identifier|givenName|familyName|email|orgSourcedIds|role|metadata.libraryOptOut"

static struct key_rule *digits;

static struct layout *
layout_of(const struct profile *profile, unsigned int kinds, const struct joins *joins)
{
	static const struct config_feed feeds[FEED_KIND_MAX];
	const struct layout_options options = { .kinds = kinds, .profile = profile, .feeds = feeds, .keys = digits,
		.today = date_to_days((struct date){ 2026, 8, 15 }), .joins = joins };
	struct layout *layout = NULL;

	assert_int_equal(layout_new(&layout, &options), 0);
	return layout;
}

static int
give(struct layout *layout, const char *line, struct record *ret)
{
	static struct text cells[CELLS_MAX];
	struct csv_row row = row_of(line, '|', cells);

	return layout_row(layout, &row, ret);
}

static bool
is_text(const struct record *record, enum record_field field, const char *expected)
{
	const struct text *text = &record->fields[field];

	return text->size == strlen(expected) && (text->size == 0 || memcmp(text->bytes, expected, text->size) == 0);
}

static void
verdicts(void **state)
{
	static const struct {
		const char *line;
		enum reason verdict;
		const char *key;
	} cases[] = {
		{ "Y|123456|A|B|2010-12-10|304|S|C|NC|27514|A||||", REASON_OPTED_OUT, "123456" },
		{ "maybe|123456|A|B|2010-12-10|304|S|C|NC|27514|A||||", REASON_OPTED_OUT, "123456" },
		{ "Y|12", REASON_OPTED_OUT, "12" },
		{ "maybe|123456|one cell more than the header|A|B|2010-12-10|304|S|C|NC|27514|A||||", REASON_OPTED_OUT, "123456" },
		{ "N|123456|one cell more than the header|A|B|2010-12-10|304|S|C|NC|27514|A||||", REASON_SHAPE, "123456" },
		{ "N|123456", REASON_SHAPE, "123456" },
		{ "N|123456|Ren\xe9|B|2010-12-10|304|S|C|NC|27514|A||||", REASON_SHAPE, "123456" },
		{ "N|123456|A|B|2010-12-10|304|S|C|NC|27514|Q||||", REASON_STATUS, "123456" },
		{ "N|123456|A|B|2010-12-10|304|S|C|NC|27514|i||||", REASON_INACTIVE, "123456" },
		{ "N|12x|A|B|2010-12-10|304|S|C|NC|27514|A||||", REASON_KEY, "12x" },
		{ "N|123456||,|2010-12-10|304|S|C|NC|27514|A||||", REASON_NAME, "123456" },
		{ "N|123456|A|B|12/10/2010|304|S|C|NC|27514|A||||", REASON_BIRTH_DATE, "123456" },
		{ "N|123456|A|B|2027-01-01|304|S|C|NC|27514|A||||", REASON_BIRTH_DATE, "123456" },
		{ "|123456|A|B|2010-12-10|304|S|C|NC|27514|A||||", REASON_NONE, "123456" },
		{ GOOD, REASON_NONE, "123456" },
	};
	struct profile *campus = shipped_profile("infinite-campus");
	struct layout *layout = layout_of(campus, FEED_BIT(FEED_STUDENT), NULL);
	struct record record;

	(void)state;
	assert_int_equal(give(layout, CAMPUS, &record), LAYOUT_HEADER);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(give(layout, cases[i].line, &record), LAYOUT_RECORD);
		if (record.verdict != cases[i].verdict || record.row != i + 1 || !is_text(&record, RECORD_KEY, cases[i].key))
			fail_msg("%s: %s", cases[i].line, reason_name(record.verdict));
		/* of a row that is not taken nothing but its key leaves */
		if (record.verdict != REASON_NONE && (!is_text(&record, RECORD_FIRST, "") || record.birth_date != RECORD_NO_DATE))
			fail_msg("%s: more than a key", cases[i].line);
	}
	layout = layout_free(layout);
	campus = profile_free(campus);
}

static void
fields(void **state)
{
	struct profile *campus = shipped_profile("infinite-campus");
	struct layout *layout = layout_of(campus, FEED_BIT(FEED_STUDENT), NULL);
	struct record record;

	(void)state;
	assert_int_equal(give(layout, CAMPUS, &record), LAYOUT_HEADER);
	assert_int_equal(give(layout, "N|#12-34 56| Ada  May |Love$lace|2010-12-10|304|1 Main$St|Chapel Hill|NC|27514|A|m@x.org|a@x.org$||919",
	                     &record), LAYOUT_RECORD);
	assert_int_equal(record.verdict, REASON_NONE);
	assert_true(is_text(&record, RECORD_KEY, "123456"));
	assert_true(is_text(&record, RECORD_FIRST, "Ada May"));
	assert_true(is_text(&record, RECORD_LAST, "Love lace"));
	assert_true(is_text(&record, RECORD_STREET, "1 Main St"));
	assert_true(is_text(&record, RECORD_CITY, "Chapel Hill"));
	assert_true(is_text(&record, RECORD_ZIP, "27514"));
	assert_true(is_text(&record, RECORD_EMAILS, "a@x.org m@x.org")); /* the student's first, whatever stands first */
	assert_true(is_text(&record, RECORD_PHONE, "919"));
	assert_true(is_text(&record, RECORD_PHONE_2, ""));
	assert_int_equal(record.birth_date, date_to_days((struct date){ 2010, 12, 10 }));
	layout = layout_free(layout);
	campus = profile_free(campus);
}

static void
join(struct joins *joins, size_t number, const char *const *lines, size_t count)
{
	struct text cells[CELLS_MAX];

	for (size_t i = 0; i < count; i++) {
		struct csv_row row = row_of(lines[i], '|', cells);

		assert_int_equal(joins_row(joins, number, &row), 0);
	}
}

/* People of both feeds in one file, and their birth dates in another: what is unknown, or told twice, is nobody's leave. */
static void
joined(void **state)
{
	static const char *const demographics[] = { "sourcedId|birthDate|sex", "a|2010-12-10|f", "b|no date|f", "c|2010-01-01|f",
		"c|2011-01-01|f", "d|2012-02-02", "s|2012-02-02|f" };
	static const struct {
		const char *line;
		int result;
		enum feed_kind feed;
		enum reason verdict;
		uint32_t row;
	} rows[] = {
		{ "a|11|A|A||o|student|", LAYOUT_RECORD, FEED_STUDENT, REASON_NONE, 1 },
		{ "b|12|A|A||o|student|", LAYOUT_RECORD, FEED_STUDENT, REASON_BIRTH_DATE, 2 },
		{ "t|1234567890|A|A||o|teacher|", LAYOUT_RECORD, FEED_STAFF, REASON_NONE, 1 },
		{ "p|14|A|A||o|parent|", LAYOUT_ELSE, FEED_STUDENT, REASON_NONE, 0 },
		{ "c|13|A|A||o|student|", LAYOUT_RECORD, FEED_STUDENT, REASON_BIRTH_DATE, 3 }, /* two that disagree */
		{ "d|15|A|A||o|student|", LAYOUT_RECORD, FEED_STUDENT, REASON_BIRTH_DATE, 4 }, /* a broken row gives nothing */
		{ "e|16|A|A||o|student|", LAYOUT_RECORD, FEED_STUDENT, REASON_BIRTH_DATE, 5 }, /* none there */
		{ "a|17|A|A||o|wizard|", LAYOUT_RECORD, FEED_STUDENT, REASON_SHAPE, 6 },
		{ "a|18|A|A||o|wizard|yes", LAYOUT_RECORD, FEED_STUDENT, REASON_OPTED_OUT, 7 },
		{ "s|2234567890|A|A||o|teacher|", LAYOUT_RECORD, FEED_STAFF, REASON_NONE, 2 },
	};
	struct profile *roster = shipped_profile("oneroster");
	struct joins *joins = NULL;
	struct layout *layout;
	struct record record;

	(void)state;
	assert_int_equal(joins_new(&joins, roster, false), 0);
	join(joins, 0, demographics, sizeof(demographics) / sizeof(demographics[0]));
	layout = layout_of(roster, FEED_BITS_ALL, joins);
	assert_int_equal(give(layout, USERS, &record), LAYOUT_HEADER);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r = give(layout, rows[i].line, &record);

		if (r != rows[i].result || (r == LAYOUT_RECORD && (record.feed != rows[i].feed || record.row != rows[i].row ||
		                                                      record.verdict != rows[i].verdict)))
			fail_msg("%s: %d, %s", rows[i].line, r, r == LAYOUT_RECORD ? reason_name(record.verdict) : "no record");
		/* staff have no birth date, whatever another file says */
		if (r == LAYOUT_RECORD && record.feed == FEED_STAFF)
			assert_int_equal(record.birth_date, RECORD_NO_DATE);
	}
	layout = layout_free(layout);
	joins = joins_free(joins);
	roster = profile_free(roster);
}

/* Where students alone are wanted staff are nobody, but for what may be a child's or speaks for a child's key. */
static void
students_alone(void **state)
{
	static const struct {
		const char *line;
		int result;
		enum reason verdict;
	} rows[] = {
		{ "s|1234567|A|A||o|teacher|", LAYOUT_ELSE, REASON_NONE },
		{ "s|1234567|A|A||o|teacher|false", LAYOUT_ELSE, REASON_NONE },
		{ "s|1234567|A|A||o|teacher|true", LAYOUT_RECORD, REASON_OPTED_OUT },
		{ "s|1234567|A|A||o|parent|true", LAYOUT_RECORD, REASON_OPTED_OUT },
		{ "s|1234567|A|A||o|teacher||student", LAYOUT_RECORD, REASON_SHAPE },
		{ "s|1234567|A|A||o|student|", LAYOUT_RECORD, REASON_NONE },
	};
	struct profile *roster = shipped_profile("oneroster");
	struct joins *joins = NULL;
	struct layout *layout;
	struct record record;

	(void)state;
	assert_int_equal(joins_new(&joins, roster, false), 0);
	join(joins, 0, (const char *const[]){ "sourcedId|birthDate", "s|2012-02-02" }, 2);
	layout = layout_of(roster, FEED_BIT(FEED_STUDENT), joins);
	assert_int_equal(give(layout, USERS, &record), LAYOUT_HEADER);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r = give(layout, rows[i].line, &record);

		if (r != rows[i].result || (r == LAYOUT_RECORD && (record.feed != FEED_STUDENT || record.verdict != rows[i].verdict ||
		                                                      !is_text(&record, RECORD_KEY, "1234567"))))
			fail_msg("%s: %d", rows[i].line, r);
	}
	layout = layout_free(layout);
	joins = joins_free(joins);
	roster = profile_free(roster);
}

/* Staff whose profile has an opt-out must have the column, whatever is said of the students'. */
static void
staff_opt_out(void **state)
{
	static const struct {
		const char *optional, *header;
		int result;
	} cases[] = {
		{ "", "K|F|L|No Card", LAYOUT_HEADER },
		{ "", "K|F|L", LAYOUT_E_HEADER },
		{ "optional = opt_out\n", "K|F|L", LAYOUT_HEADER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int opt_out = 0; opt_out < 2; opt_out++) {
			const struct config_feed feeds[FEED_KIND_MAX] = { [FEED_STUDENT] = { .opt_out = opt_out ? OPT_OUT_NONE : OPT_OUT_PROFILE } };
			_cleanup_profile_ struct profile *profile = NULL;
			_cleanup_layout_ struct layout *layout = NULL;
			struct layout_options options = { .kinds = FEED_BIT(FEED_STAFF), .feeds = feeds, .keys = digits };
			struct config_error error;
			struct record record;
			char text[512];

			(void)snprintf(text, sizeof(text), "[format]\nheader = required\ndelimiter = pipe\n[staff]\nfile = s\nkey = K\nfirst_name = F\n"
			    "last_name = L\nopt_out = No Card\nopted_out = Y\nnot_opted_out = N | (empty)\n%s", cases[i].optional);
			if (profile_parse(&profile, text, strlen(text), &error) < 0)
				fail_msg("%u: %s", error.line, error.text);
			options.profile = profile;
			assert_int_equal(layout_new(&layout, &options), 0);
			if (give(layout, cases[i].header, &record) != cases[i].result)
				fail_msg("case %zu", i);
			if (cases[i].result == LAYOUT_E_HEADER)
				assert_int_equal(layout_misfit(layout).missing, COLUMN_OPT_OUT);
		}
}

/* A million rows of the longest ids are more than any district's: the feed is refused before memory is. */
static void
joined_bound(void **state)
{
	struct profile *roster = shipped_profile("oneroster");
	struct joins *joins = NULL;
	char id[2000], line[2100];
	struct text cells[CELLS_MAX];
	int r = 0;

	(void)state;
	assert_int_equal(joins_new(&joins, roster, false), 0);
	join(joins, 0, (const char *const[]){ "sourcedId|birthDate" }, 1);
	memset(id, 'x', sizeof(id));
	for (int i = 0; i < 1000000 && r == 0; i++) {
		struct csv_row row;

		(void)snprintf(line, sizeof(line), "%d%.*s|2010-01-01", i, 1990, id);
		row = row_of(line, '|', cells);
		r = joins_row(joins, 0, &row);
	}
	assert_int_equal(r, FAILURE_JOIN_SIZE);
	joins = joins_free(joins);
	roster = profile_free(roster);
}

static int
set_up(void **state)
{
	(void)state;
	return key_rule_new(&digits, "[0-9]+");
}

static int
tear_down(void **state)
{
	(void)state;
	key_rule_freep(&digits);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(fields),
		cmocka_unit_test(joined),
		cmocka_unit_test(students_alone),
		cmocka_unit_test(staff_opt_out),
		cmocka_unit_test(joined_bound),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
