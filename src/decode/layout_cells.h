/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_LAYOUT_CELLS_H
#define DECODE_LAYOUT_CELLS_H

/* The cells of one row after the rules of the cells: trimmed, one blank for many, UTF-8; and what shape each has. */

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/fd.h"
#include "common/profile.h"
#include "decode/csv.h"
#include "patrond/limits.h"

struct layout_cells {
	struct text at[LIMIT_CELLS]; /* as long-lived as the row, until the next is set */
	size_t count;
	bool dollars; /* a `$` stands in the row */
	bool strange; /* a cell of the row is not of the profile's encoding */
	enum profile_encoding encoding;
	struct buf scratch;
	char copy[3U * LIMIT_CELL_SIZE]; /* a byte of Windows-1252 becomes at most three of UTF-8 */
};

/* Returns 0 or -ENOMEM. */
int layout_cells_init(struct layout_cells *cells, enum profile_encoding encoding) WARN_UNUSED;
void layout_cells_done(struct layout_cells *cells); /* wipes */

/* Takes the cells of a row. Returns 0 or a negative errno. */
int layout_cells_set(struct layout_cells *cells, const struct csv_row *row) WARN_UNUSED;

/* Makes each `$` of the cells from `from` up to `to` a blank (Sierra's own line break). Returns as set. */
int layout_cells_blank_dollars(struct layout_cells *cells, size_t from, size_t to) WARN_UNUSED;

/*
 * Joins the cells from `from` up to `to` that are not empty, a blank between. Returns 0, -EMSGSIZE over max bytes, or
 * another negative errno.
 */
int layout_cells_join(struct layout_cells *cells, size_t from, size_t to, size_t max, struct text *ret) WARN_UNUSED;

/* The same of the cells at some places, in their order. */
int layout_cells_gather(struct layout_cells *cells, const uint16_t *places, size_t count, size_t max, struct text *ret)
    WARN_UNUSED;

bool cell_digit(char c);
bool cell_is_integer(const struct text *cell); /* digits, a minus before them or not */
bool cell_is_zip(const struct text *cell);     /* five digits, or five, a hyphen and four */

#endif
