/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <string.h>

#include "common/date.h"
#include "patrond/limits.h"
#include "report/tables.h"

#define HEADER "patron_id,field,expiration_date,class\n"

static int
add(struct tables *tables, const char *field, size_t size)
{
	const struct cleanup_row row = {
		.patron_id = 7, .class = CLEANUP_OTHER, .expiration = DATE_NONE, .field = field, .field_size = size
	};

	return tables_add_cleanup(tables, &row);
}

static void
over_the_maximum(void **state)
{
	const struct outcome outcome = { .feed = FEED_STAFF, .row = 1, .kind = OUTCOME_HELD, .reason = REASON_CONFLICT };
	const size_t row = strlen("7,x,,other\n"), held = strlen("feed,row,reason,patron_id\nstaff,1,conflict,\n");

	(void)state;
	for (size_t max = 0; max < strlen(HEADER) + row; max++) {
		_cleanup_tables_ struct tables tables;

		tables_init(&tables, max);
		assert_int_equal(add(&tables, "x", 1), -ENOBUFS);
		assert_true(tables_empty(&tables));
		assert_int_equal(tables.csv[TABLE_CLEANUP].size, 0); /* no header without a row */
		assert_int_equal(tables.classes[CLEANUP_OTHER], 0);
	}
	/* the maximum is that of all tables together */
	for (size_t less = 0; less <= 1; less++) {
		_cleanup_tables_ struct tables tables;

		tables_init(&tables, strlen(HEADER) + row + held - less);
		assert_int_equal(add(&tables, "x", 1), 0);
		assert_int_equal(tables_add_held(&tables, &outcome), less == 0 ? 0 : -ENOBUFS);
		assert_int_equal(tables.rows[TABLE_HELD], less == 0);
	}
}

static void
field_that_is_too_long(void **state)
{
	_cleanup_tables_ struct tables tables;
	char field[LIMIT_CLEANUP_FIELD + 1];

	(void)state;
	tables_init(&tables, 1U << 20);
	memset(field, '"', sizeof(field));
	assert_int_equal(add(&tables, field, sizeof(field)), -ENOBUFS);
	assert_true(tables_empty(&tables));
	assert_int_equal(add(&tables, field, sizeof(field) - 1), 0);
	assert_int_equal(tables.csv[TABLE_CLEANUP].size, strlen(HEADER) + 2 * LIMIT_CLEANUP_FIELD + strlen("7,\"\",,other\n"));
}

/* What the ILS has, and what stands in the table. */
static const struct {
	const char *field;
	size_t size; /* 0: strlen */
	const char *cell;
} cells[] = {
	{ "12345678", 0, "12345678" },
	{ "12345678 / PREV ID", 0, "12345678 / PREV ID" },
	{ "a,b", 0, "\"a,b\"" },
	{ "12345678;23456789", 0, "\"12345678;23456789\"" },
	{ "a\"b", 0, "\"a\"\"b\"" },
	{ "\"", 0, "\"\"\"\"" },
	{ "a\nb", 0, "a b" },
	{ "a\r\nb", 0, "a  b" },
	{ "a\tb", 0, "a b" },
	{ "a\0b", 3, "a b" },
	{ "a\xc2\x85" "b", 0, "a b" },
	{ "a\xc2\xa0" "b", 0, "a\xc2\xa0" "b" },
	{ "\xc2\x9b=1", 0, "\"' =1\"" },
	{ "\x7f", 0, "\" \"" },
	{ " a ", 0, "\" a \"" },
	{ "=1+1", 0, "'=1+1" },
	{ "+1", 0, "'+1" },
	{ "-1", 0, "'-1" },
	{ "@x", 0, "'@x" },
	{ "=", 0, "'=" },
	{ "\t=1", 0, "\"' =1\"" },
	{ "\r=1", 0, "\"' =1\"" },
	{ "  =1", 0, "\"'  =1\"" },
	{ "=\"1\"", 0, "\"'=\"\"1\"\"\"" },
	{ "=1,2", 0, "\"'=1,2\"" },
	{ "'x", 0, "''x" },
	{ "\xef\xbc\x9d" "1", 0, "'\xef\xbc\x9d" "1" },
	{ "\xef\xbc\x8b", 0, "'\xef\xbc\x8b" },
	{ "\xef\xbc\x8d", 0, "'\xef\xbc\x8d" },
	{ "\xef\xbc\xa0", 0, "'\xef\xbc\xa0" },
	{ "\xef\xbc\x9c", 0, "\xef\xbc\x9c" }, /* a full-width < is nothing */
	{ "1=1", 0, "1=1" },
	{ "12-34", 0, "12-34" },
	{ "x'", 0, "x'" },
};

static void
cells_as_spreadsheets_must_see_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cells); i++) {
		_cleanup_tables_ struct tables tables;
		_cleanup_buf_ struct buf expected = BUF_INIT(4096);

		tables_init(&tables, 4096);
		assert_int_equal(buf_addf(&expected, HEADER "7,%s,,other\n", cells[i].cell), 0);
		assert_int_equal(add(&tables, cells[i].field, cells[i].size > 0 ? cells[i].size : strlen(cells[i].field)), 0);
		assert_string_equal(tables.csv[TABLE_CLEANUP].bytes, expected.bytes);
	}
}

static void
rows_of_each_kind(void **state)
{
	static const struct {
		struct outcome outcome;
		const char *held, *rejected;
	} rows[] = {
		{ { FEED_STUDENT, 1, OUTCOME_HELD, REASON_AMBIGUOUS, 0 }, "student,1,ambiguous,\n", NULL },
		{ { FEED_STAFF, LIMIT_ROWS, OUTCOME_HELD, REASON_NEEDS_CLEANUP, UINT64_MAX },
		  "staff,2000000,needs-cleanup,18446744073709551615\n", NULL },
		{ { FEED_STAFF, 3, OUTCOME_REJECTED, REASON_BIRTH_DATE, 0 }, NULL, "staff,3,birth-date\n" },
		{ { FEED_STUDENT, 4, OUTCOME_REJECTED, REASON_KEY, 0 }, NULL, "student,4,key\n" },
	};
	_cleanup_tables_ struct tables tables;
	_cleanup_buf_ struct buf held = BUF_INIT(4096), rejected = BUF_INIT(4096);

	(void)state;
	tables_init(&tables, 4096);
	assert_int_equal(buf_add_text(&held, "feed,row,reason,patron_id\n"), 0);
	assert_int_equal(buf_add_text(&rejected, "feed,row,reason\n"), 0);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].held != NULL) {
			assert_int_equal(tables_add_held(&tables, &rows[i].outcome), 0);
			assert_int_equal(buf_add_text(&held, rows[i].held), 0);
		} else {
			assert_int_equal(tables_add_rejected(&tables, &rows[i].outcome), 0);
			assert_int_equal(buf_add_text(&rejected, rows[i].rejected), 0);
		}
	assert_string_equal(tables.csv[TABLE_HELD].bytes, held.bytes);
	assert_string_equal(tables.csv[TABLE_REJECTED].bytes, rejected.bytes);
	assert_int_equal(tables.rows[TABLE_HELD], 2);
	assert_int_equal(tables.rows[TABLE_REJECTED], 2);
	assert_int_equal(tables.rows[TABLE_CLEANUP], 0);
	assert_false(tables_empty(&tables));
}

static void
classes_are_counted(void **state)
{
	_cleanup_tables_ struct tables tables;

	(void)state;
	tables_init(&tables, 1U << 16);
	for (int class = 0; class < CLEANUP_CLASS_MAX; class++)
		for (int n = 0; n <= class; n++) {
			const struct cleanup_row row = {
				.patron_id = 1, .class = (enum cleanup_class)class, .expiration = 0, .field = "x", .field_size = 1
			};

			assert_int_equal(tables_add_cleanup(&tables, &row), 0);
		}
	for (uint32_t class = 0; class < CLEANUP_CLASS_MAX; class++)
		assert_int_equal(tables.classes[class], class + 1);
	assert_int_equal(tables.rows[TABLE_CLEANUP], 21);
	assert_non_null(strstr(tables.csv[TABLE_CLEANUP].bytes, "1,x,1970-01-01,several\n"));
	assert_non_null(strstr(tables.csv[TABLE_CLEANUP].bytes, "1,x,1970-01-01,ambiguous\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_the_maximum),
		cmocka_unit_test(field_that_is_too_long),
		cmocka_unit_test(cells_as_spreadsheets_must_see_them),
		cmocka_unit_test(rows_of_each_kind),
		cmocka_unit_test(classes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
