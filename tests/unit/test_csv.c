/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reader of rows: what it refuses and where, and what it reads, however the bytes are cut. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "decode/csv.h"
#include "patrond/limits.h"

#define TEXT(literal) (literal), sizeof(literal) - 1

struct refusal {
	const char *name;
	const char *bytes;
	size_t size;
	enum csv_error error;
	uint64_t line;
	uint32_t column;
	const char *rows; /* given out before it */
};

static const struct refusal refusals[] = {
	{ "open quote", TEXT("a,\"b"), CSV_E_QUOTE_OPEN, 1, 2, "" },
	{ "open quote that swallows rows", TEXT("a,b\nc,\"d\ne,f\ng,h\n"), CSV_E_QUOTE_OPEN, 2, 2, "[a][b]\n" },
	{ "CR that ends lines alone", TEXT("a,b\rc,d\r"), CSV_E_LINE_END, 1, 2, "" },
	{ "CR that ends one line alone", TEXT("a,b\nc,d\re,f\ng,h\n"), CSV_E_LINE_END, 2, 2, "[a][b]\n" },
	{ "CR within a cell", TEXT("a\rb,c\n"), CSV_E_LINE_END, 1, 1, "" },
	{ "two stray quotes, a row between", TEXT("a,\"b\n1,2,3,4,5,6,7,8,9\nc,d\"\n"), CSV_E_QUOTE_ROWS, 1, 2, "" },
	{ "two stray quotes, the second in a row", TEXT("a,\"b\n1,2,3,4,5,6,7,8,9\"\n"), CSV_E_QUOTE_ROWS, 1, 2, "" },
	{ "two stray quotes, the second at a cell's end", TEXT("a,\"b\n1,2,3,4,5,6,7,8,9\",x\n"), CSV_E_QUOTE_ROWS, 1, 2, "" },
	{ "two stray quotes, the second at the end", TEXT("a,\"b\n1,2,3,4,5,6,7,8,9\""), CSV_E_QUOTE_ROWS, 1, 2, "" },
	{ "a stray quote in each of two rows", TEXT("1,2,3,4,\"b,6,7,8,9\n1,2,3,4,b\",6,7,8,9\n"), CSV_E_QUOTE_ROWS, 1, 5, "" },
	{ "a stray quote in each of two rows, the second further left", TEXT("1,2,3,4,5,6,\"b,8,9,10,11,12\n1,2,3,b\",5,6,7,8,9,10,11,12\n"), CSV_E_QUOTE_ROWS, 1, 7, "" },
	{ "a stray quote in each of two rows of five cells", TEXT("h,i,j,k,l\n1,2,\"b,4,5\n1,2,b\",4,5\n"), CSV_E_QUOTE_ROWS, 2, 3, "[h][i][j][k][l]\n" },
	{ "a stray quote in each of two rows of six cells", TEXT("h,i,j,k,l,m\n1,2,\"b,4,5,6\n1,2,b\",4,5,6\n"), CSV_E_QUOTE_ROWS, 2, 3, "[h][i][j][k][l][m]\n" },
	{ "a stray quote in each of two rows, an empty line between", TEXT("1,2,3,4,5,6,7,8,9,10,11,12\n1,2,3,4,5,\"b,7,8,9,10,11,12\n\n1,2,3,4,5,b\",7,8,9,10,11,12\n"),
	    CSV_E_QUOTE_ROWS, 2, 6, "[1][2][3][4][5][6][7][8][9][10][11][12]\n" },
	{ "two stray quotes, tabs", TEXT("a\t\"b\n1\t2\t3\t4\t5\t6\t7\t8\t9\nc\"\n"), CSV_E_QUOTE_ROWS, 1, 2, "" },
	{ "quote as the last byte", TEXT("a,b\n\""), CSV_E_QUOTE_OPEN, 2, 1, "[a][b]\n" },
	{ "doubled quote at the end", TEXT("\"a\"\""), CSV_E_QUOTE_OPEN, 1, 1, "" },
	{ "text after a quote", TEXT("a,b\n\"c\"x,d\n"), CSV_E_QUOTE_TEXT, 2, 1, "[a][b]\n" },
	{ "blank after a quote", TEXT("\"a\" ,b\n"), CSV_E_QUOTE_TEXT, 1, 1, "" },
	{ "the other delimiter after a quote", TEXT("\"a\",b\tc\n"), CSV_E_QUOTE_TEXT, 1, 1, "" },
	{ "lone CR after a quote", TEXT("\"a\"\rb\n"), CSV_E_QUOTE_TEXT, 1, 1, "" },
	{ "two CR after a quote", TEXT("\"a\"\r\r\n"), CSV_E_QUOTE_TEXT, 1, 1, "" },
	{ "line break in quotes counts as a line", TEXT("\"a\nb\"\n\"c\"x"), CSV_E_QUOTE_TEXT, 3, 1, "[a<LF>b]\n" },
	{ "NUL in a cell", TEXT("a\0b,c\n"), CSV_E_NUL_BYTE, 1, 1, "" },
	{ "NUL in quotes", TEXT("a,\"b\0\"\n"), CSV_E_NUL_BYTE, 1, 2, "" },
	{ "NUL after a quote", TEXT("a,\"b\"\0\n"), CSV_E_NUL_BYTE, 1, 2, "" },
	{ "NUL as a cell's first byte", TEXT("a\nb,\0"), CSV_E_NUL_BYTE, 2, 2, "[a]\n" },
	{ "UTF-16", TEXT("\xff\xfe""a\0,\0b\0\n\0"), CSV_E_NUL_BYTE, 1, 1, "" },
};

struct reading {
	const char *name;
	const char *bytes;
	size_t size;
	const char *rows;
};

static const struct reading readings[] = {
	{ "commas in the first line of quotes", TEXT("\"a,b,c,d,e,f,g,h,i,j\",k\n"), "[a,b,c,d,e,f,g,h,i,j][k]\n" },
	{ "an address of two lines", TEXT("\"1 Main St, Apt 2\nChapel Hill, NC, USA\",k\n"), "[1 Main St, Apt 2<LF>Chapel Hill, NC, USA][k]\n" },
	{ "commas in three lines", TEXT("1,2,3,4,5,6,7,8,9,10,11,12\n\"a,b,c\nd,e,f,g\nh,i\",k\n"),
	    "[1][2][3][4][5][6][7][8][9][10][11][12]\n[a,b,c<LF>d,e,f,g<LF>h,i][k]\n" },
	{ "an address of two lines in the first row", TEXT("0,1234567,Ada,Lovelace,12/10/2010,304,05,\"1 Main St, Apt 4, Bldg B\nc/o Smith, Jones, Inc\",Durham\n"),
	    "[0][1234567][Ada][Lovelace][12/10/2010][304][05][1 Main St, Apt 4, Bldg B<LF>c/o Smith, Jones, Inc][Durham]\n" },
	{ "an address of two lines behind rows of 12", TEXT("1,2,3,4,5,6,7,8,9,10,11,12\n\"1 Main St, Apt 2, Unit 3\nChapel Hill, NC, 27514, USA\",k\n"),
	    "[1][2][3][4][5][6][7][8][9][10][11][12]\n[1 Main St, Apt 2, Unit 3<LF>Chapel Hill, NC, 27514, USA][k]\n" },
	{ "CR within quotes stays", TEXT("\"a\rb\",c\n"), "[a<CR>b][c]\n" },
	{ "CR as the last byte", TEXT("a,b\r"), "[a][b]\n" },
	{ "nothing", TEXT(""), "" },
	{ "one row", TEXT("a,b,c\n"), "[a][b][c]\n" },
	{ "no line's end at the end", TEXT("a,b\nc,d"), "[a][b]\n[c][d]\n" },
	{ "CRLF", TEXT("a,b\r\nc,d\r\n"), "[a][b]\n[c][d]\n" },
	{ "CRLF and LF mixed", TEXT("a,b\r\nc,d\ne,f\r\n"), "[a][b]\n[c][d]\n[e][f]\n" },
	{ "CR CR LF", TEXT("a\r\r\nb\r\r\n"), "[a]\n[b]\n" },
	{ "empty cell before CRLF", TEXT("a,\r\nb,\r\n"), "[a][]\n[b][]\n" },
	{ "empty cells", TEXT(",,\n"), "[][][]\n" },
	{ "delimiter at the end", TEXT("a,"), "[a][]\n" },
	{ "empty lines are not given out", TEXT("\n\na\n\n\nb\n\r\n\n"), "[a]\n[b]\n" },
	{ "a line of blanks is", TEXT("a\n  \nb\n"), "[a]\n[  ]\n[b]\n" },
	{ "quotes", TEXT("\"a\",\"b\"\n"), "[a][b]\n" },
	{ "quoted delimiter", TEXT("\"a,b\",c\n"), "[a,b][c]\n" },
	{ "doubled quotes", TEXT("\"a\"\"b\",\"\"\"\",\"\"\n"), "[a\"b][\"][]\n" },
	{ "line breaks in quotes", TEXT("\"a\nb\r\nc\",d\n"), "[a<LF>b<CR><LF>c][d]\n" },
	{ "quoted cell before CRLF", TEXT("a,\"b\"\r\nc,\"d\"\r\n"), "[a][b]\n[c][d]\n" },
	{ "quoted cell at the end", TEXT("a,\"b\""), "[a][b]\n" },
	{ "quoted cell and CR at the end", TEXT("a,\"b\"\r"), "[a][b]\n" },
	{ "quoted emptiness is a row", TEXT("a\n\"\"\nb\n"), "[a]\n[]\n[b]\n" },
	{ "quote within an unquoted cell is text", TEXT("a\"b\",c \"d\"\n"), "[a\"b\"][c \"d\"]\n" },
	{ "quote behind a blank is text", TEXT("a, \"b\"\n"), "[a][ \"b\"]\n" },
	{ "BOM", TEXT("\xef\xbb\xbf""a,b\n"), "[a][b]\n" },
	{ "BOM and quote", TEXT("\xef\xbb\xbf\"a\",b\n"), "[a][b]\n" },
	{ "BOM alone", TEXT("\xef\xbb\xbf"), "" },
	{ "BOM in an empty line", TEXT("\xef\xbb\xbf\r\na\tb\n"), "[a][b]\n" },
	{ "a second BOM is text", TEXT("\xef\xbb\xbf\xef\xbb\xbf""a\n"), "[\xef\xbb\xbf""a]\n" },
	{ "BOM cut off is text", TEXT("\xef\xbb"), "[\xef\xbb]\n" },
	{ "tab", TEXT("a\tb,c\nd,e\tf\n"), "[a][b,c]\n[d,e][f]\n" },
	{ "a tab in a later line is text", TEXT("a,b\nc\td,e\n"), "[a][b]\n[c<TAB>d][e]\n" },
	{ "tab told behind empty lines", TEXT("\n \r\na\tb\n"), "[a][b]\n" },
	{ "tab told in one line without end", TEXT("a\tb"), "[a][b]\n" },
	{ "tab within quotes", TEXT("a\t\"b\tc\"\n"), "[a][b<TAB>c]\n" },
	{ "tab and CRLF", TEXT("a\tb\r\n\tc\r\n"), "[a][b]\n[][c]\n" },
	{ "long cells run over the fast path", TEXT("abcdefghijklmnopqrstuvwxyz,\"ABCDEFGHIJKLMNOPQRSTUVWXYZ\"\n"),
	    "[abcdefghijklmnopqrstuvwxyz][ABCDEFGHIJKLMNOPQRSTUVWXYZ]\n" },
};

static void
add_escaped(struct buf *out, const struct text *cell)
{
	for (size_t i = 0; i < cell->size; i++) {
		char c = cell->bytes[i];
		const char *name = c == '\n' ? "<LF>" : c == '\r' ? "<CR>" : c == '\t' ? "<TAB>" : NULL;

		assert_int_equal(name != NULL ? buf_add_text(out, name) : buf_add(out, &c, 1), 0);
	}
}

static int
collect(void *data, const struct csv_row *row)
{
	struct buf *out = data;
	size_t size = 0;

	for (size_t i = 0; i < row->count; i++) {
		assert_int_equal(buf_add_text(out, "["), 0);
		add_escaped(out, &row->cells[i]);
		assert_int_equal(buf_add_text(out, "]"), 0);
		/* the cells stand one behind the other */
		/* in their order, nothing between two but a delimiter */
		size += row->cells[i].bytes == row->bytes + size + 1 && i > 0 && row->bytes[size] == row->delimiter;
		assert_ptr_equal(row->cells[i].bytes, row->bytes + size);
		size += row->cells[i].size;
	}
	assert_int_equal(size, row->size);
	assert_int_equal(buf_add_text(out, "\n"), 0);
	return 0;
}

/* Reads bytes in pieces of one size (0: cut once, at `cut`). */
static enum csv_error
read_cut(const char *bytes, size_t size, size_t piece, size_t cut, struct buf *out, struct csv_place *ret_place)
{
	_cleanup_csv_ struct csv *csv = NULL;
	enum csv_error error = CSV_OK;
	size_t at = 0;

	assert_int_equal(csv_new(&csv, collect, out), 0);
	while (at < size && error == CSV_OK) {
		size_t n = piece > 0 ? piece : at == 0 && cut > 0 ? cut : size - at;
		char *copy;

		n = n < size - at ? n : size - at;
		copy = malloc(n); /* of the exact size: a read past the piece is seen */
		assert_non_null(copy);
		memcpy(copy, bytes + at, n);
		error = csv_read(csv, copy, n);
		free(copy);
		at += n;
	}
	if (error == CSV_OK)
		error = csv_finish(csv);
	*ret_place = csv_error_place(csv);
	return error;
}

static void
check_one(const char *name, const char *bytes, size_t size, enum csv_error error, const struct csv_place *place,
    const char *rows)
{
	/* whole, byte by byte, in threes, and cut once at every place */
	for (size_t way = 0; way < size + 2; way++) {
		_cleanup_buf_ struct buf out = BUF_INIT(1U << 20);
		struct csv_place got;
		enum csv_error r = way < 2 ? read_cut(bytes, size, 1 + 2 * way, 0, &out, &got)
		                           : read_cut(bytes, size, 0, way - 2, &out, &got);

		if (r != error || strcmp(out.bytes != NULL ? out.bytes : "", rows) != 0)
			fail_msg("%s, way %zu: error %d, rows %s", name, way, (int)r, out.bytes != NULL ? out.bytes : "");
		if (error != CSV_OK && (got.line != place->line || got.column != place->column))
			fail_msg("%s, way %zu: line %llu, column %u", name, way, (unsigned long long)got.line, got.column);
	}
}

static void
test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *c = &refusals[i];

		check_one(c->name, c->bytes, c->size, c->error, &(struct csv_place){ c->line, c->column }, c->rows);
	}
}

static void
test_readings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
		check_one(readings[i].name, readings[i].bytes, readings[i].size, CSV_OK, NULL, readings[i].rows);
}

/* A row made of count times a text, then a line's end; before it one short row. */
static enum csv_error
read_repeated(const char *before, const char *text, size_t count, const char *after, struct csv_place *ret_place)
{
	_cleanup_buf_ struct buf in = BUF_INIT(1U << 20), out = BUF_INIT(1U << 20);

	assert_int_equal(buf_add_text(&in, before), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buf_add_text(&in, text), 0);
	assert_int_equal(buf_add_text(&in, after), 0);
	return read_cut(in.bytes, in.size, 4096, 0, &out, ret_place);
}

static void
test_limits(void **state)
{
	static const struct {
		const char *before, *text, *after;
		size_t count;
		enum csv_error error;
		uint64_t line;
		uint32_t column;
	} cases[] = {
		{ "a\n", "x", "\n", LIMIT_CELL_SIZE, CSV_OK, 0, 0 },
		{ "a\nb,", "x", "\n", LIMIT_CELL_SIZE + 1, CSV_E_CELL_TOO_LONG, 2, 2 },
		{ "a\n\"", "x", "\"\n", LIMIT_CELL_SIZE, CSV_OK, 0, 0 },
		{ "a\n\"", "x", "\"\n", LIMIT_CELL_SIZE + 1, CSV_E_CELL_TOO_LONG, 2, 1 },
		{ "a\n\"", "\"\"", "\"\n", LIMIT_CELL_SIZE, CSV_OK, 0, 0 },
		{ "a\n\"", "\"\"", "\"\n", LIMIT_CELL_SIZE + 1, CSV_E_CELL_TOO_LONG, 2, 1 },
		{ "a\n", ",", "\n", LIMIT_CELLS - 1, CSV_OK, 0, 0 },
		{ "a\n", ",", "\n", LIMIT_CELLS, CSV_E_TOO_MANY_CELLS, 2, LIMIT_CELLS + 1 },
		{ "a\n", ",", "", LIMIT_CELLS, CSV_E_TOO_MANY_CELLS, 2, LIMIT_CELLS + 1 },
		{ "a\n", "\"\",", "\n", LIMIT_CELLS, CSV_E_TOO_MANY_CELLS, 2, LIMIT_CELLS + 1 },
		{ "a\n", "abcdefghijklmno,", "\n", 200, CSV_OK, 0, 0 },
		/* 512 bytes a cell: the row ends before the cells do */
		{ "a\n",
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    ",", "\n", 200, CSV_E_ROW_TOO_LONG, 2, 158 },
		/* the first line, which is collected until the delimiter is known */
		{ "", "x", "", LIMIT_ROW_SIZE + 1, CSV_E_ROW_TOO_LONG, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct csv_place place = { 0 };
		enum csv_error error = read_repeated(cases[i].before, cases[i].text, cases[i].count, cases[i].after, &place);

		if (error != cases[i].error)
			fail_msg("case %zu: error %d", i, (int)error);
		if (error != CSV_OK && (place.line != cases[i].line || place.column != cases[i].column))
			fail_msg("case %zu: line %llu, column %u", i, (unsigned long long)place.line, place.column);
	}
}

static int
stop_at_second(void *data, const struct csv_row *row)
{
	(void)row;
	return ++*(int *)data == 2;
}

static void
test_stopped(void **state)
{
	_cleanup_csv_ struct csv *csv = NULL;
	int rows = 0;

	(void)state;
	assert_int_equal(csv_new(&csv, stop_at_second, &rows), 0);
	assert_int_equal(csv_read(csv, TEXT("a\nb\nc\n")), CSV_E_STOPPED);
	assert_int_equal(rows, 2);
	assert_int_equal(csv_error_place(csv).line, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_readings),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
