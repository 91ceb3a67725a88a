/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

/* A literal with its size, NUL bytes in it counted. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static void
not_utf8(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} table[] = {
		{ BYTES("\x80") },				  /* continuation alone */
		{ BYTES("\xBF") }, { BYTES("abcdefgh\x80") },	  /* after a whole word of ASCII */
		{ BYTES("abcdefg\xC3") },			  /* cut */
		{ BYTES("\xC0\x80") },				  /* a NUL too long */
		{ BYTES("\xC1\xBF") }, { BYTES("\xE0\x80\xAF") }, /* a slash too long */
		{ BYTES("\xE0\x9F\xBF") }, { BYTES("\xF0\x8F\xBF\xBF") }, { BYTES("\xED\xA0\x80") }, /* surrogates */
		{ BYTES("\xED\xBF\xBF") }, { BYTES("\xF4\x90\x80\x80") },			     /* past U+10FFFF */
		{ BYTES("\xF5\x80\x80\x80") }, { BYTES("\xFE") }, { BYTES("\xFF") },
		{ BYTES("\xE2\x82") }, /* cut in the middle */
		{ BYTES("\xE2\x82"
			"a") },
		{ BYTES("\xF0\x9F\x98") },
		{ BYTES("\xF0\x9F\x98"
			"A") },
		{ BYTES("\xC3(") }, { BYTES("\xF8\x88\x80\x80\x80") }, /* five bytes */
		{ BYTES("Jos\xE9") },				       /* Windows-1252 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (text_is_utf8(table[i].bytes, table[i].size))
			fail_msg("row %zu was taken for UTF-8", i);
}

static void
is_utf8(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} table[] = {
		{ BYTES("") },
		{ BYTES("a") },
		{ BYTES("a\0b") },
		{ BYTES("abcdefghijklmnop") },
		{ BYTES("abcdefg\xC3\xA9") },
		{ BYTES("\xC2\x80") },
		{ BYTES("\xDF\xBF") },
		{ BYTES("\xE0\xA0\x80") },
		{ BYTES("\xED\x9F\xBF") },
		{ BYTES("\xEE\x80\x80") },
		{ BYTES("\xEF\xBF\xBF") },
		{ BYTES("\xF0\x90\x80\x80") },
		{ BYTES("\xF4\x8F\xBF\xBF") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (!text_is_utf8(table[i].bytes, table[i].size))
			fail_msg("row %zu was not taken for UTF-8", i);
}

/* Every sequence of two bytes, and every one of three with the third fixed, against the definition by code point. */
static void
agrees_with_the_definition(void **state)
{
	(void)state;
	for (unsigned int a = 0; a < 256; a++)
		for (unsigned int b = 0; b < 256; b++) {
			const char two[] = { (char)a, (char)b };
			const char three[] = { (char)a, (char)b, (char)0x80 };
			unsigned int c2 = (a & 0x1F) << 6 | (b & 0x3F);
			unsigned int c3 = (a & 0x0F) << 12 | (b & 0x3F) << 6;
			bool tail = (b & 0xC0) == 0x80;
			bool two_ok = (a < 0x80 && b < 0x80) || ((a & 0xE0) == 0xC0 && tail && c2 >= 0x80);
			bool three_ok = (a & 0xF0) == 0xE0 && tail && c3 >= 0x800 && (c3 < 0xD800 || c3 > 0xDFFF);

			three_ok = three_ok || (a < 0x80 && (b & 0xE0) == 0xC0 && (b & 0x1F) << 6 >= 0x80);
			assert_int_equal(text_is_utf8(two, 2), two_ok);
			assert_int_equal(text_is_utf8(three, 3), three_ok);
		}
}

struct cell_case {
	const char *in;
	size_t in_size;
	const char *out;
};

/* clang-format off */
static const struct cell_case cells[] = {
	{ BYTES(""), "" },
	{ BYTES("   "), "" },
	{ BYTES("\r\n\t \x0B"), "" },
	{ BYTES("\0\0\0"), "" },
	{ BYTES("\xC2\xA0\xE3\x80\x80\xE2\x80\xA8"), "" },
	{ BYTES("plain"), "plain" },
	{ BYTES("  both ends  "), "both ends" },
	{ BYTES("a  b   c"), "a b c" },
	{ BYTES("a\r\nb"), "a b" },
	{ BYTES("a\0b"), "a b" },
	{ BYTES("a\x7F"
		"b"),
	    "a b" },
	{ BYTES("a\x1B[31mb"), "a [31mb" },
	/* every Unicode space, and the characters beside them */
	{ BYTES("a\xC2\xA0"
		"b"),
	    "a b" },
	{ BYTES("a\xC2\x85"
		"b"),
	    "a b" }, /* NEL, in UTF-8 */
	{ BYTES("a\xC2\x80"
		"b"),
	    "a b" }, /* the first C1 */
	{ BYTES("a\xC2\x9F"
		"b"),
	    "a b" }, /* the last C1 */
	{ BYTES("a\xC2\xA1"
		"b"),
	    "a\xC2\xA1"
	    "b" },
	{ BYTES("a\xE1\x9A\x80"
		"b"),
	    "a b" },
	{ BYTES("a\xE1\x9A\x81"
		"b"),
	    "a\xE1\x9A\x81"
	    "b" },
	{ BYTES("a\xE2\x80\x80"
		"b"),
	    "a b" },
	{ BYTES("a\xE2\x80\x8A"
		"b"),
	    "a b" },
	{ BYTES("a\xE2\x80\x8B"
		"b"),
	    "a\xE2\x80\x8B"
	    "b" }, /* zero width space: not white space in Unicode */
	{ BYTES("a\xE2\x80\xA8"
		"b"),
	    "a b" },
	{ BYTES("a\xE2\x80\xA9"
		"b"),
	    "a b" },
	{ BYTES("a\xE2\x80\xAA"
		"b"),
	    "a\xE2\x80\xAA"
	    "b" },
	{ BYTES("a\xE2\x80\xAF"
		"b"),
	    "a b" },
	{ BYTES("a\xE2\x81\x9F"
		"b"),
	    "a b" },
	{ BYTES("a\xE3\x80\x80"
		"b"),
	    "a b" },
	{ BYTES("\xEF\xBB\xBF"
		"a"),
	    "\xEF\xBB\xBF"
	    "a" }, /* a BOM within a field is not ours to judge */
	{ BYTES("\xC2\xA0 \xE3\x80\x80Zo\xC3\xAB\xE2\x80\x83 \xC2\xA0"), "Zo\xC3\xAB" },
	{ BYTES("\xF0\x9F\x98\x80"), "\xF0\x9F\x98\x80" },
	/* Windows-1252 */
	{ BYTES("Jos\xE9"), "Jos\xC3\xA9" },
	{ BYTES("\x80"), "\xE2\x82\xAC" },
	{ BYTES("O\x92"
		"Brien"),
	    "O\xE2\x80\x99"
	    "Brien" },
	{ BYTES("a\x81"
		"b"),
	    "a b" },
	{ BYTES("a\x8D"
		"b"),
	    "a b" },
	{ BYTES("a\x8F"
		"b"),
	    "a b" },
	{ BYTES("a\x90"
		"b"),
	    "a b" },
	{ BYTES("a\x9D"
		"b"),
	    "a b" },
	{ BYTES("a\xA0\xA0"
		"b"),
	    "a b" },
	{ BYTES("\x9F\xFF"), "\xC5\xB8\xC3\xBF" },
	/* one bad byte, and the whole field is Windows-1252 */
	{ BYTES("\xC3\xA9\xE9"), "\xC3\x83\xC2\xA9\xC3\xA9" },
	{ BYTES("$ 5"), "$ 5" },
};
/* clang-format on */

static void
adds_cells(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cells); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(256);

		assert_int_equal(buf_add_text(&out, "<"), 0);
		assert_int_equal(text_add_cell(&out, cells[i].in, cells[i].in_size), 0);
		if (strcmp(out.bytes + 1, cells[i].out) != 0 || strlen(cells[i].out) != out.size - 1)
			fail_msg("row %zu became '%s'", i, out.bytes + 1);
		assert_true(text_is_cell(out.bytes + 1, out.size - 1));
	}
}

static void
not_cells(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} table[] = {
		{ BYTES(" ") },
		{ BYTES(" a") },
		{ BYTES("a ") },
		{ BYTES("a  b") },
		{ BYTES("a\tb") },
		{ BYTES("a\nb") },
		{ BYTES("a\0b") },
		{ BYTES("a\x7F") },
		{ BYTES("a\xC2\x85") },
		{ BYTES("\xC3\xA9 ") },
		{ BYTES(" \xC3\xA9") },
		{ BYTES("\xC3\xA9  b") },
		{ BYTES("\xC3\xA9\xC2\xA0"
			"b") },
		{ BYTES("Jos\xE9") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (text_is_cell(table[i].bytes, table[i].size))
			fail_msg("row %zu was taken for a cell", i);
}

static void
over_the_maximum_nothing_is_added(void **state)
{
	static const size_t sizes[] = { 1, 9, 600, 5000 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(3 + sizes[i] * 2 - 1);
		char *cell = malloc(sizes[i]);

		assert_non_null(cell);
		memset(cell, 0xE9, sizes[i]); /* two bytes each, in UTF-8 */
		assert_int_equal(buf_add_text(&out, "old"), 0);
		assert_int_equal(text_add_cell(&out, cell, sizes[i]), -ENOBUFS);
		assert_int_equal(out.size, 3);
		assert_memory_equal(out.bytes, "old", 3);
		free(cell);
	}
}

/* Longer than the chunk in which the slow path collects; each character whole across its border. */
static void
long_cells_are_whole(void **state)
{
	(void)state;
	for (size_t size = 480; size < 1100; size++) {
		_cleanup_buf_ struct buf out = BUF_INIT(8192);
		char *cell = malloc(size + 2);

		assert_non_null(cell);
		memset(cell, 0x80, size); /* the euro: three bytes each */
		cell[0] = 'a';
		cell[size] = ' ';
		cell[size + 1] = 'z';
		assert_int_equal(text_add_cell(&out, cell, size + 2), 0);
		assert_int_equal(out.size, 1 + 3 * (size - 1) + 2);
		assert_true(text_is_cell(out.bytes, out.size));
		assert_memory_equal(out.bytes + out.size - 5, "\xE2\x82\xAC z", 5);
		free(cell);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_utf8),
		cmocka_unit_test(is_utf8),
		cmocka_unit_test(agrees_with_the_definition),
		cmocka_unit_test(not_cells),
		cmocka_unit_test(adds_cells),
		cmocka_unit_test(over_the_maximum_nothing_is_added),
		cmocka_unit_test(long_cells_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
