/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cells of a row: the short way of plain rows must say what the rules of the cells say. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/text.h"
#include "decode/layout_cells.h"

static struct layout_cells cells;

/* The ways in which the reader of rows gives them: cells one behind the other, or with their delimiters between. */
enum form { COMMA_APART, COMMA_BETWEEN, TAB_BETWEEN, TAB_QUOTED, FORM_MAX };

static struct csv_row
row_of(const char *line, enum form form, char *bytes, struct text *at)
{
	struct csv_row row = {
		.cells = at,
		.bytes = bytes,
		.delimiter = form == TAB_BETWEEN || form == TAB_QUOTED ? '\t' : ',',
		.quoted = form == TAB_QUOTED,
	};

	for (;;) {
		size_t size = strcspn(line, "|");

		memcpy(bytes + row.size, line, size);
		at[row.count++] = (struct text){ bytes + row.size, size };
		row.size += size;
		if (line[size] == '\0')
			return row;
		if (form == COMMA_BETWEEN || form == TAB_BETWEEN)
			bytes[row.size++] = row.delimiter;
		line += size + 1;
	}
}

static void
check_against_rules(const struct csv_row *row)
{
	assert_int_equal(layout_cells_set(&cells, row), 0);
	assert_int_equal(cells.count, row->count);
	for (size_t i = 0; i < row->count; i++) {
		_cleanup_buf_ struct buf expected = BUF_INIT(1U << 16);

		assert_int_equal(text_add_cell(&expected, row->cells[i].bytes, row->cells[i].size), 0);
		assert_int_equal(cells.at[i].size, expected.size);
		if (expected.size > 0)
			assert_memory_equal(cells.at[i].bytes, expected.bytes, expected.size);
	}
}

static void
test_rules(void **state)
{
	static const char *const rows[] = {
		"", "a", " ", "|", " | ", "a |b| c| d ", "a | b", " a b ", "a  b|c", "a\tb|c", "0123456789abcdef|0123456789abcde f",
		"0123456789abcde | 123456789abcdef", "0123456789abcdef |  0123456789abcdef", "a\x7f|b", "Ren\xc3\xa9|x", "Ren\xe9|x",
		"\x01|\xc2\xa0", "0123456789abcde\xe9|b", "0123456789abcd\x1f|b", "0123456789abcd\x80", "$|a$b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int form = 0; form < FORM_MAX; form++) {
			char bytes[256];
			struct text at[LIMIT_CELLS];
			struct csv_row row;

			if (form == TAB_BETWEEN && strchr(rows[i], '\t') != NULL)
				continue; /* it would be another cell */
			row = row_of(rows[i], (enum form)form, bytes, at);
			check_against_rules(&row);
		}
}

/* Every byte at every place of a row over a few vectors' width. */
static void
test_every_byte_everywhere(void **state)
{
	(void)state;
	for (size_t place = 0; place < 40; place++)
		for (unsigned int i = 1; i < 3 * 256; i++) {
			static const enum form forms[] = { COMMA_APART, COMMA_BETWEEN, TAB_QUOTED };
			unsigned int byte = i % 256;
			char bytes[256], line[] = "Ada Lovelace|1 Main St Apt 2|Chapel Hill|NC";
			struct text at[LIMIT_CELLS];
			struct csv_row row;

			if (byte == 0)
				continue;
			line[place] = (char)byte;
			row = row_of(line, forms[i / 256], bytes, at);
			check_against_rules(&row);
		}
}

static bool
is_text(const struct text *text, const char *expected)
{
	return text->size == strlen(expected) && (text->size == 0 || memcmp(text->bytes, expected, text->size) == 0);
}

static void
test_dollars(void **state)
{
	char bytes[256];
	struct text at[LIMIT_CELLS];
	struct csv_row row = row_of("$a|$b $ c$|$|d$", COMMA_APART, bytes, at);

	(void)state;
	assert_int_equal(layout_cells_set(&cells, &row), 0);
	assert_int_equal(layout_cells_blank_dollars(&cells, 1, 3), 0);
	assert_true(is_text(&cells.at[0], "$a"));
	assert_true(is_text(&cells.at[1], "b c"));
	assert_true(is_text(&cells.at[2], ""));
	assert_true(is_text(&cells.at[3], "d$"));
}

/* Whatever the feed's encoding is, it is read once: the second reading of a name would be another name. */
static void
test_dollars_of_each_encoding(void **state)
{
	static const struct {
		enum profile_encoding encoding;
		const char *row, *first;
	} cases[] = {
		{ PROFILE_ENCODING_AUTO, "Ren\xc3\xa9$e|x", "Ren\xc3\xa9 e" },
		{ PROFILE_ENCODING_AUTO, "Ren\xe9$e|x", "Ren\xc3\xa9 e" },
		{ PROFILE_ENCODING_UTF_8, "Ren\xc3\xa9$|x", "Ren\xc3\xa9" },
		{ PROFILE_ENCODING_WINDOWS_1252, "Ren\xe9$e|x", "Ren\xc3\xa9 e" },
		{ PROFILE_ENCODING_WINDOWS_1252, "$\x80 $ \x8d$|x", "\xe2\x82\xac" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char bytes[256];
		struct text at[LIMIT_CELLS];
		struct csv_row row = row_of(cases[i].row, COMMA_BETWEEN, bytes, at);

		cells.encoding = cases[i].encoding;
		assert_int_equal(layout_cells_set(&cells, &row), 0);
		assert_int_equal(layout_cells_blank_dollars(&cells, 0, 2), 0);
		if (!is_text(&cells.at[0], cases[i].first))
			fail_msg("case %zu: %.*s", i, (int)cells.at[0].size, cells.at[0].bytes);
	}
	cells.encoding = PROFILE_ENCODING_AUTO;
}

static void
test_join(void **state)
{
	char bytes[256];
	struct text at[LIMIT_CELLS], joined;
	struct csv_row row = row_of("a||bc|d", COMMA_APART, bytes, at);

	(void)state;
	assert_int_equal(layout_cells_set(&cells, &row), 0);
	assert_int_equal(layout_cells_join(&cells, 0, 4, 5, &joined), -EMSGSIZE);
	assert_int_equal(layout_cells_join(&cells, 0, 4, 6, &joined), 0);
	assert_true(is_text(&joined, "a bc d"));
	assert_int_equal(layout_cells_join(&cells, 2, 3, 2, &joined), 0);
	assert_true(is_text(&joined, "bc"));
	assert_int_equal(layout_cells_join(&cells, 1, 2, 0, &joined), 0);
	assert_int_equal(joined.size, 0);
}

static void
test_shapes(void **state)
{
	static const struct {
		const char *cell;
		bool integer, zip;
	} cases[] = {
		{ "", false, false }, { "-", false, false }, { "--1", false, false }, { "1-", false, false },
		{ "+1", false, false }, { "1.0", false, false }, { "0", true, false }, { "-12", true, false },
		{ "1234", true, false }, { "12345", true, true }, { "123456", true, false },
		{ "12345-6789", false, true }, { "12345 6789", false, false }, { "1234567890", true, false },
		{ "12345-678x", false, false }, { "-1234", true, false }, { "yes", false, false },
		{ "YeS", false, false }, { "y es", false, false }, { "yess", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text cell = { cases[i].cell, strlen(cases[i].cell) };

		if (cell_is_integer(&cell) != cases[i].integer || cell_is_zip(&cell) != cases[i].zip)
			fail_msg("%s", cases[i].cell);
	}
}

static int
set_up(void **state)
{
	(void)state;
	return layout_cells_init(&cells, PROFILE_ENCODING_AUTO);
}

static int
tear_down(void **state)
{
	(void)state;
	layout_cells_done(&cells);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_every_byte_everywhere),
		cmocka_unit_test(test_dollars),
		cmocka_unit_test(test_dollars_of_each_encoding),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_shapes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
