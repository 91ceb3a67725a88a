/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_LAYOUT_HEADER_H
#define DECODE_LAYOUT_HEADER_H

/* What is a header, whether it fits its profile, and which cell of each row is which column. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/profile.h"
#include "common/record.h"

#define HEADER_NOWHERE UINT16_MAX

/* Positions of cells from 0. */
struct header_places {
	uint16_t count;
	uint16_t at[LIMIT_CELLS];
};

/* Where each column stands, found once: rows only index. */
struct header_map {
	uint16_t at[COLUMN_PROFILE_MAX];      /* the first of that column; HEADER_NOWHERE: none */
	uint8_t what[LIMIT_CELLS];            /* enum feed_column */
	size_t cells;                         /* that every row has */
	struct header_places streets, emails; /* both streets; students' then guardians' e-mails */
};

/* What does not fit about a header; column from 1, 0 none; missing COLUMN_INVALID none. */
struct header_misfit {
	uint32_t column;
	enum feed_column missing;
};

/* True where any of the cells (as text_add_cell leaves them) is a column's name in any table of the profile. */
bool header_is(const struct profile *profile, const struct text *cells, size_t count);

/*
 * Fits a header whose columns stand in the profile's order, those that repeat one behind the other. Returns 0, or the
 * position from 1 of the first column that is not the one expected.
 */
uint32_t header_fit_ordered(const struct profile *profile, const struct profile_table *table, const struct text *cells,
    size_t count);

/*
 * Fits a header in any order. no_opt_out: that column may be missing, and then no other may be called so but staff's.
 * Returns true with the map, or false with what does not fit.
 */
bool header_fit(const struct profile *profile, const struct profile_table *table, bool no_opt_out,
    const struct text *cells, size_t count, struct header_map *ret, struct header_misfit *ret_misfit);

/* The map of a file without a header: by position alone. */
void header_by_position(const struct profile_table *table, struct header_map *ret);

#endif
