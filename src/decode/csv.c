/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The strict reader of a feed's rows. */

#include "decode/csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "patrond/limits.h"

/*
 * Delimiters in two neighbouring lines within quotes from which they are taken for rows: a quote too many in each of two
 * rows makes one of them, with all the delimiters from the first quote to the second. An address has two or three commas;
 * chccs has 13 columns and more. A feed of fewer columns than that has rows of fewer.
 */
#define ROW_LIKE 8U
#define ROW_LIKE_MIN 4U

#define BOM "\xef\xbb\xbf"
#define BOM_SIZE 3U

enum csv_state {
	CSV_CELL,     /* at a cell's first byte */
	CSV_PLAIN,    /* within an unquoted cell */
	CSV_QUOTED,   /* within quotes */
	CSV_QUOTE,    /* behind a quote that closes, or is the first of a doubled one */
	CSV_QUOTE_CR, /* behind a closing quote and a CR */
};

struct csv {
	csv_row_fn *fn;
	void *data;
	enum csv_state state;
	char delimiter; /* NUL until the first line with anything in it is whole */
	char given;     /* the delimiter that is set; NUL: told by the first line */
	bool unquoted;  /* quotes are bytes as any */
	bool begun;     /* the place for a BOM is passed */
	bool quoted;
	bool cr; /* there is a CR in the open cell, where it is not quoted */
	uint64_t line;
	uint64_t quote_line;
	size_t raw;     /* bytes of the row as it stands in the feed */
	size_t used;    /* bytes of row[] */
	size_t start;   /* of the open cell in row[] */
	size_t segment; /* of the line within quotes in row[]; the cell's start in its first line */
	unsigned int delimiters; /* in the last line within quotes before that one that has any */
	size_t widest;           /* cells of the row that had most */
	size_t count;   /* cells that are closed */
	struct csv_place error;
	struct text cells[LIMIT_CELLS];
	char row[LIMIT_ROW_SIZE];
	char head[LIMIT_ROW_SIZE]; /* the first line, until the delimiter is known */
	size_t head_size;
};

int
csv_new(struct csv **ret, csv_row_fn *fn, void *data)
{
	struct csv *csv = calloc(1, sizeof(*csv));

	if (csv == NULL)
		return -ENOMEM;
	csv->fn = fn;
	csv->data = data;
	csv->line = 1;
	*ret = csv;
	return 0;
}

void
csv_set_form(struct csv *csv, char delimiter, bool quotes)
{
	csv->given = delimiter;
	csv->unquoted = !quotes;
}

struct csv *
csv_free(struct csv *csv)
{
	if (csv != NULL)
		explicit_bzero(csv, sizeof(*csv));
	free(csv);
	return NULL;
}

void
csv_freep(struct csv **csv)
{
	*csv = csv_free(*csv);
}

struct csv_place
csv_error_place(const struct csv *csv)
{
	return csv->error;
}

static enum csv_error
fail(struct csv *csv, enum csv_error error, uint64_t line)
{
	csv->error = (struct csv_place){ .line = line, .column = (uint32_t)csv->count + 1 };
	return error;
}

/*
 * The first byte that is the given one, a line feed or NUL; end where there is none. cr is set where a CR may stand before
 * it, so that cells without one, which are nearly all, need not be searched for it.
 */
static const char *
find_special(const char *at, const char *end, char special, bool *cr)
{
#ifdef __SSE2__
	const __m128i specials = _mm_set1_epi8(special), feeds = _mm_set1_epi8('\n'), nul = _mm_setzero_si128();
	const __m128i crs = _mm_set1_epi8('\r');

	while (end - at >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		__m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, specials),
		    _mm_or_si128(_mm_cmpeq_epi8(bytes, feeds), _mm_cmpeq_epi8(bytes, nul)));
		unsigned int mask = (unsigned int)_mm_movemask_epi8(hits);
		unsigned int returns = (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, crs));

		/* those before the hit: below its lowest bit */
		*cr |= (returns & (mask != 0 ? (mask & -mask) - 1 : 0xffff)) != 0;
		if (mask != 0)
			return at + __builtin_ctz(mask);
		at += 16;
	}
#endif
	for (; at < end && *at != special && *at != '\n' && *at != '\0'; at++)
		*cr |= *at == '\r';
	return at;
}

/* Adds bytes to the open cell, within the limits of the cell and of the row. */
static enum csv_error
add(struct csv *csv, const char *bytes, size_t size)
{
	csv->raw += size;
	if (csv->raw > LIMIT_ROW_SIZE)
		return fail(csv, CSV_E_ROW_TOO_LONG, csv->line);
	if (csv->used - csv->start + size > LIMIT_CELL_SIZE)
		return fail(csv, CSV_E_CELL_TOO_LONG, csv->line);
	memcpy(csv->row + csv->used, bytes, size);
	csv->used += size;
	return CSV_OK;
}

/* Counts a quote or a delimiter, which is no byte of a cell, against the row's limit. */
static enum csv_error
skip(struct csv *csv)
{
	csv->raw++;
	return csv->raw > LIMIT_ROW_SIZE ? fail(csv, CSV_E_ROW_TOO_LONG, csv->line) : CSV_OK;
}

static enum csv_error
end_cell(struct csv *csv)
{
	if (csv->count == LIMIT_CELLS)
		return fail(csv, CSV_E_TOO_MANY_CELLS, csv->line);
	csv->cells[csv->count++] = (struct text){ csv->row + csv->start, csv->used - csv->start };
	csv->start = csv->used;
	csv->state = CSV_CELL;
	return CSV_OK;
}

static void
note_width(struct csv *csv, size_t count)
{
	if (count > csv->widest)
		csv->widest = count;
}

static enum csv_error
end_row(struct csv *csv)
{
	bool empty = csv->count == 0 && csv->used == 0 && !csv->quoted;
	enum csv_error error = end_cell(csv);

	if (error == CSV_OK && !empty) {
		struct csv_row row = {
			.cells = csv->cells,
			.count = csv->count,
			.bytes = csv->row,
			.size = csv->used,
			.delimiter = csv->delimiter,
			.quoted = csv->quoted,
		};

		note_width(csv, row.count);
		if (csv->fn(csv->data, &row) != 0)
			error = fail(csv, CSV_E_STOPPED, csv->line);
	}
	csv->quoted = false;
	csv->raw = csv->used = csv->start = csv->count = 0;
	return error;
}

/* A CR that is left in an unquoted cell stands before no LF. Some systems end lines so: all rows would be one. */
static enum csv_error
end_plain_cell(struct csv *csv)
{
	bool cr = csv->cr;

	csv->cr = false;
	if (cr && memchr(csv->row + csv->start, '\r', csv->used - csv->start) != NULL)
		return fail(csv, CSV_E_LINE_END, csv->line);
	return CSV_OK;
}

/* By the widest row, and the one under way, which may be the first. */
static unsigned int
row_like(const struct csv *csv)
{
	size_t cells = csv->widest > csv->count ? csv->widest : csv->count + 1;

	if (cells > ROW_LIKE)
		return ROW_LIKE;
	return cells > ROW_LIKE_MIN ? (unsigned int)cells - 1 : ROW_LIKE_MIN;
}

/* The line within quotes that ends here: from the second on, it and the one before may not have a row's delimiters. */
static enum csv_error
end_segment(struct csv *csv)
{
	const char *at = csv->row + csv->segment, *end = csv->row + csv->used;
	unsigned int before = csv->delimiters, delimiters = 0;

	while (delimiters < ROW_LIKE && (at = memchr(at, csv->delimiter, (size_t)(end - at))) != NULL) {
		at++;
		delimiters++;
	}
	/* an empty line between two rows parts them no more than it does outside quotes */
	if (delimiters > 0)
		csv->delimiters = delimiters;
	if (csv->segment == csv->start || before + delimiters < row_like(csv))
		return CSV_OK;
	return fail(csv, CSV_E_QUOTE_ROWS, csv->quote_line);
}

/* The special byte that ends a run outside quotes. A CR belongs to the line's end only right before the LF. */
static enum csv_error
plain_special(struct csv *csv, char byte)
{
	enum csv_error error;

	if (byte == '\0')
		return fail(csv, CSV_E_NUL_BYTE, csv->line);
	/* all of them: a file that was converted twice ends its lines in CR CR LF */
	while (csv->cr && byte != csv->delimiter && csv->used > csv->start && csv->row[csv->used - 1] == '\r')
		csv->used--;
	error = end_plain_cell(csv);
	if (error != CSV_OK)
		return error;
	if (byte == csv->delimiter) {
		error = skip(csv);
		return error == CSV_OK ? end_cell(csv) : error;
	}
	error = end_row(csv);
	csv->line++;
	return error;
}

/* The special byte that ends a run within quotes. */
static enum csv_error
quoted_special(struct csv *csv, char byte)
{
	enum csv_error error;

	if (byte == '\0')
		return fail(csv, CSV_E_NUL_BYTE, csv->line);
	if (byte == '"') {
		csv->state = CSV_QUOTE;
		return skip(csv);
	}
	error = end_segment(csv);
	csv->line++;
	if (error == CSV_OK)
		error = add(csv, &byte, 1);
	csv->segment = csv->used;
	return error;
}

/* The byte behind a quote: nothing but a second quote, a delimiter or the line's end may stand there. */
static enum csv_error
after_quote(struct csv *csv, char byte)
{
	enum csv_error error = skip(csv);

	if (error != CSV_OK)
		return error;
	if (byte == '\n') {
		error = end_segment(csv);
		if (error == CSV_OK)
			error = end_row(csv);
		csv->line++;
		return error;
	}
	if (csv->state == CSV_QUOTE && byte == '"') {
		csv->state = CSV_QUOTED;
		csv->raw--; /* the pair is counted once as quote, once as byte of the cell */
		return add(csv, &byte, 1);
	}
	if (csv->state == CSV_QUOTE && byte == csv->delimiter) {
		error = end_segment(csv);
		return error == CSV_OK ? end_cell(csv) : error;
	}
	if (csv->state == CSV_QUOTE && byte == '\r') {
		csv->state = CSV_QUOTE_CR;
		return CSV_OK;
	}
	return fail(csv, byte == '\0' ? CSV_E_NUL_BYTE : CSV_E_QUOTE_TEXT, csv->line);
}

/* --- rows that lie whole in a piece --- */

/* Gives out the row of these cells, which stand in the feed as they are. */
static enum csv_error
give_row(struct csv *csv, const char *bytes, size_t size, size_t count)
{
	const struct csv_row row = {
		.cells = csv->cells,
		.count = count,
		.bytes = bytes,
		.size = size,
		.delimiter = csv->delimiter,
	};
	enum csv_error error = CSV_OK;

	note_width(csv, count);
	/* a line without any byte is no row */
	if (size > 0 && csv->fn(csv->data, &row) != 0)
		error = fail(csv, CSV_E_STOPPED, csv->line);
	csv->line++;
	return error;
}

#ifdef __SSE2__
/* Bits of the bytes at which the reading of a row has to stop. */
static unsigned int
specials_at(const char *at, char delimiter)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i ends = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(delimiter)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
	__m128i odd = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_setzero_si128()));

	return (unsigned int)_mm_movemask_epi8(
	    _mm_or_si128(_mm_or_si128(ends, odd), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'))));
}

/*
 * Takes the row at the front where nothing is odd about it: whole, no quotes, far from every limit, ended by LF or CR LF.
 * Most rows are so, and nothing of them need be copied. Sets ret_used to the bytes taken; 0: it is for the slow way, which
 * also says what is wrong with it.
 */
static enum csv_error
take_plain_row(struct csv *csv, const char *begin, const char *end, size_t *ret_used)
{
	const char *cell = begin;
	size_t count = 0;

	*ret_used = 0;
	for (const char *block = begin; end - block >= 16 && block - begin < (ptrdiff_t)(LIMIT_CELL_SIZE - 16); block += 16)
		for (unsigned int bits = specials_at(block, csv->delimiter); bits != 0; bits &= bits - 1) {
			const char *at = block + __builtin_ctz(bits);

			csv->cells[count++] = (struct text){ cell, (size_t)(at - cell) };
			cell = at + 1;
			if (*at == csv->delimiter && count < LIMIT_CELLS)
				continue;
			if (*at == '\r' && cell < end && *cell == '\n')
				cell++;
			else if (*at != '\n')
				return CSV_OK;
			*ret_used = (size_t)(cell - begin);
			return give_row(csv, begin, (size_t)(at - begin), count);
		}
	return CSV_OK;
}
#endif

/* Rows from the front, as many as are plain. Returns as csv_read; ret_at: where the first stands that is not. */
static enum csv_error
take_plain_rows(struct csv *csv, const char *at, const char *end, const char **ret_at)
{
	enum csv_error error = CSV_OK;
	size_t used = 0;

#ifdef __SSE2__
	do {
		error = take_plain_row(csv, at, end, &used);
		at += used;
	} while (error == CSV_OK && used > 0);
#endif
	*ret_at = at;
	return error;
}

static enum csv_error
parse(struct csv *csv, const char *at, size_t size)
{
	const char *end = at + size;

	while (at < end) {
		enum csv_error error = CSV_OK;
		const char *stop;

		if (csv->state == CSV_CELL && csv->raw == 0 && csv->count == 0) {
			error = take_plain_rows(csv, at, end, &at);
			if (error != CSV_OK || at == end)
				return error;
		}

		switch (csv->state) {
		case CSV_CELL:
			if (*at != '"' || csv->unquoted) {
				csv->state = CSV_PLAIN;
				csv->cr = false;
				continue;
			}
			at++;
			csv->state = CSV_QUOTED;
			csv->quoted = true;
			csv->quote_line = csv->line;
			csv->segment = csv->start;
			csv->delimiters = 0;
			error = skip(csv);
			break;
		case CSV_PLAIN:
		case CSV_QUOTED:
			stop = find_special(at, end, csv->state == CSV_PLAIN ? csv->delimiter : '"', &csv->cr);
			error = add(csv, at, (size_t)(stop - at));
			at = stop;
			if (error == CSV_OK && at < end) {
				error = csv->state == CSV_PLAIN ? plain_special(csv, *at) : quoted_special(csv, *at);
				at++;
			}
			break;
		case CSV_QUOTE:
		case CSV_QUOTE_CR:
			error = after_quote(csv, *at++);
			break;
		}
		if (error != CSV_OK)
			return error;
	}
	return CSV_OK;
}

/* True where nothing but ASCII blanks stands in a line; such lines do not tell the delimiter. */
static bool
line_is_blank(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (strchr(" \t\r\n", bytes[i]) == NULL || bytes[i] == '\0')
			return false;
	return true;
}

/* The head holds a whole line, or all of a short feed: tells the delimiter and reads it, or drops a blank one. */
static enum csv_error
read_head(struct csv *csv, bool last)
{
	const char *at = csv->head;
	size_t size = csv->head_size;

	if (!csv->begun && size >= BOM_SIZE && memcmp(at, BOM, BOM_SIZE) == 0) {
		at += BOM_SIZE;
		size -= BOM_SIZE;
	}
	csv->begun = true;
	csv->head_size = 0;
	if (line_is_blank(at, size) && !last) {
		csv->line++;
		return CSV_OK;
	}
	csv->delimiter = csv->given != '\0' ? csv->given : memchr(at, '\t', size) != NULL ? '\t' : ',';
	return parse(csv, at, size);
}

enum csv_error
csv_read(struct csv *csv, const char *bytes, size_t size)
{
	while (csv->delimiter == '\0' && size > 0) {
		const char *feed = memchr(bytes, '\n', size);
		size_t part = feed != NULL ? (size_t)(feed - bytes) + 1 : size;
		enum csv_error error;

		if (part > sizeof(csv->head) - csv->head_size)
			return fail(csv, CSV_E_ROW_TOO_LONG, csv->line);
		memcpy(csv->head + csv->head_size, bytes, part);
		csv->head_size += part;
		bytes += part;
		size -= part;
		if (feed == NULL)
			return CSV_OK;
		error = read_head(csv, false);
		if (error != CSV_OK)
			return error;
	}
	return parse(csv, bytes, size);
}

enum csv_error
csv_finish(struct csv *csv)
{
	if (csv->delimiter == '\0') {
		enum csv_error error = read_head(csv, true);

		if (error != CSV_OK)
			return error;
	}
	if (csv->state == CSV_QUOTED)
		return fail(csv, CSV_E_QUOTE_OPEN, csv->quote_line);
	/* A last row without a line's end is a row all the same; a CR at the very end is half of one. */
	if (csv->state == CSV_PLAIN || csv->state == CSV_CELL) {
		enum csv_error error;

		if (csv->used > csv->start && csv->row[csv->used - 1] == '\r')
			csv->used--;
		error = end_plain_cell(csv);
		if (error != CSV_OK)
			return error;
	} else if (end_segment(csv) != CSV_OK)
		return CSV_E_QUOTE_ROWS;
	return csv->raw > 0 ? end_row(csv) : CSV_OK;
}
