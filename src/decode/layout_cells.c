/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cells of one row after the rules of the cells. */

#include "decode/layout_cells.h"

#include <errno.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/text.h"

/* Three bytes for each of a row, twice (`$` blanked), and the joined street and e-mails. */
#define SCRATCH_MAX (8U * LIMIT_ROW_SIZE)

int
layout_cells_init(struct layout_cells *cells, enum profile_encoding encoding)
{
	cells->encoding = encoding;
	cells->scratch = BUF_INIT(SCRATCH_MAX);
	/* All of it at once: texts point into it, so it must never move. */
	return buf_reserve(&cells->scratch, SCRATCH_MAX);
}

void
layout_cells_done(struct layout_cells *cells)
{
	buf_done(&cells->scratch);
	explicit_bzero(cells, sizeof(*cells));
}

/*
 * True for ASCII without two blanks in a row and without control characters but the delimiter, which may be a tab: nothing
 * to do but to trim. Only then ret_dollars is set: whether there is a `$`.
 */
static bool
is_plain(const char *at, size_t size, char delimiter, bool *ret_dollars)
{
	const char *end = at + size;
	bool blank = false, dollars = false;

#ifdef __SSE2__
	const __m128i parts = _mm_set1_epi8(delimiter), blanks = _mm_set1_epi8(' '), last_control = _mm_set1_epi8(0x1f),
	              delete = _mm_set1_epi8(0x7f), dollar = _mm_set1_epi8('$');
	__m128i seen = _mm_setzero_si128();

	while (end - at >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		/* signed: bytes from 80 on are less than any control character */
		unsigned int good = (unsigned int)_mm_movemask_epi8(_mm_or_si128(_mm_cmpgt_epi8(bytes, last_control),
		    _mm_cmpeq_epi8(bytes, parts)));
		unsigned int bad = (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, delete));
		unsigned int gaps = (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, blanks));

		if (good != 0xffff || bad != 0 || (gaps & (gaps << 1 | blank)) != 0)
			return false;
		seen = _mm_or_si128(seen, _mm_cmpeq_epi8(bytes, dollar));
		blank = (gaps & 0x8000) != 0;
		at += 16;
	}
	dollars = _mm_movemask_epi8(seen) != 0;
#endif
	for (; at < end; at++) {
		unsigned char byte = (unsigned char)*at; /* a char of ARM has no sign */

		if ((byte < ' ' && *at != delimiter) || byte >= 0x7f || (byte == ' ' && blank))
			return false;
		blank = *at == ' ';
		dollars |= *at == '$';
	}
	*ret_dollars = dollars;
	return true;
}

/* Normalises a text of the feed into scratch. */
static int
normalise(struct layout_cells *cells, const struct text *text, struct text *ret)
{
	size_t before = cells->scratch.size;
	int r = cells->encoding == PROFILE_ENCODING_WINDOWS_1252
	    ? text_add_cell_1252(&cells->scratch, text->bytes, text->size)
	    : text_add_cell(&cells->scratch, text->bytes, text->size);

	if (r < 0)
		return r;
	if (cells->encoding == PROFILE_ENCODING_UTF_8 && !text_is_utf8(text->bytes, text->size))
		cells->strange = true;
	*ret = (struct text){ cells->scratch.bytes + before, cells->scratch.size - before };
	return 0;
}

/* In a plain row a cell is as it shall be but for one blank at either end. */
static struct text
trim(struct text text)
{
	if (text.size > 0 && text.bytes[0] == ' ') {
		text.bytes++;
		text.size--;
	}
	if (text.size > 0 && text.bytes[text.size - 1] == ' ')
		text.size--;
	return text;
}

int
layout_cells_set(struct layout_cells *cells, const struct csv_row *row)
{
	/*
	 * Most rows are plain: one look at all of it spares one at each of its cells. In the others most cells are. In quotes
	 * the delimiter is a byte of a cell, and a tab no plain one.
	 */
	bool plain = is_plain(row->bytes, row->size, row->quoted ? ' ' : row->delimiter, &cells->dollars), unused;

	buf_clear(&cells->scratch);
	cells->count = row->count;
	cells->strange = false;
	if (!plain)
		cells->dollars = memchr(row->bytes, '$', row->size) != NULL;
	for (size_t i = 0; i < row->count; i++) {
		int r = 0;

		if (plain || is_plain(row->cells[i].bytes, row->cells[i].size, ' ', &unused))
			cells->at[i] = trim(row->cells[i]);
		else
			r = normalise(cells, &row->cells[i], &cells->at[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
blank_dollar(struct layout_cells *cells, struct text *cell)
{
	size_t before = cells->scratch.size;
	int r;

	if (cell->size == 0 || memchr(cell->bytes, '$', cell->size) == NULL)
		return 0;
	for (size_t i = 0; i < cell->size; i++)
		cells->copy[i] = cell->bytes[i] == '$' ? ' ' : cell->bytes[i];
	/* it is UTF-8 by now, whatever the feed's encoding: read as Windows-1252 once more it would be another name */
	r = text_add_cell(&cells->scratch, cells->copy, cell->size);
	explicit_bzero(cells->copy, cell->size);
	*cell = (struct text){ cells->scratch.bytes + before, cells->scratch.size - before };
	return r;
}

int
layout_cells_blank_dollars(struct layout_cells *cells, size_t from, size_t to)
{
	if (!cells->dollars)
		return 0;
	for (size_t i = from; i < to; i++) {
		int r = blank_dollar(cells, &cells->at[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Adds a cell to what is joined since `before`, a blank between. */
static int
join_one(struct layout_cells *cells, size_t before, const struct text *cell, size_t max)
{
	size_t size = cells->scratch.size - before;
	int r = 0;

	if (cell->size == 0)
		return 0;
	if (size + (size > 0) + cell->size > max)
		return -EMSGSIZE;
	if (size > 0)
		r = buf_add(&cells->scratch, " ", 1);
	return r < 0 ? r : buf_add(&cells->scratch, cell->bytes, cell->size);
}

int
layout_cells_join(struct layout_cells *cells, size_t from, size_t to, size_t max, struct text *ret)
{
	size_t before = cells->scratch.size;
	int r = 0;

	for (size_t i = from; i < to && r == 0; i++)
		r = join_one(cells, before, &cells->at[i], max);
	*ret = (struct text){ cells->scratch.bytes + before, cells->scratch.size - before };
	return r;
}

int
layout_cells_gather(struct layout_cells *cells, const uint16_t *places, size_t count, size_t max, struct text *ret)
{
	size_t before = cells->scratch.size;
	int r = 0;

	/* nearly always one cell: no copy */
	if (count == 1) {
		*ret = cells->at[places[0]];
		return ret->size > max ? -EMSGSIZE : 0;
	}
	for (size_t i = 0; i < count && r == 0; i++)
		r = join_one(cells, before, &cells->at[places[i]], max);
	*ret = (struct text){ cells->scratch.bytes + before, cells->scratch.size - before };
	return r;
}

bool
cell_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
cell_is_integer(const struct text *cell)
{
	size_t at = cell->size > 0 && cell->bytes[0] == '-' ? 1 : 0;

	if (at == cell->size)
		return false;
	for (; at < cell->size; at++)
		if (!cell_digit(cell->bytes[at]))
			return false;
	return true;
}

bool
cell_is_zip(const struct text *cell)
{
	if (cell->size != 5 && cell->size != 10)
		return false;
	for (size_t i = 0; i < cell->size; i++)
		if (i == 5 ? cell->bytes[i] != '-' : !cell_digit(cell->bytes[i]))
			return false;
	return true;
}
