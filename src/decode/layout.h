/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_LAYOUT_H
#define DECODE_LAYOUT_H

/*
 * A profile applied to rows: what the columns mean, and what a row alone says of itself (verdict). Pure: a row in, a record
 * out.
 */

#include <stdint.h>

#include "common/fd.h"
#include "common/keyrule.h"
#include "common/profile.h"
#include "common/record.h"
#include "decode/csv.h"
#include "decode/join.h"
#include "decode/layout_header.h"
#include "decode/shape_tally.h"

enum layout_result {
	LAYOUT_RECORD,    /* the row is a record, the next in its feed */
	LAYOUT_BLANK,     /* empty after trimming: no row */
	LAYOUT_HEADER,    /* the header, and it fits: no row */
	LAYOUT_ELSE,      /* of a file with both feeds: a row of neither, or of one that is not wanted */
	LAYOUT_E_HEADER,  /* a header that does not fit: the file is refused whole, see layout_misfit */
};

/* Everything that a layout is made of; all of it is the caller's and outlives it. */
struct layout_options {
	unsigned int kinds; /* FEED_BIT of the feeds to give out: both only where the profile tells them by role */
	const struct profile *profile;
	const struct config_feed *feeds; /* FEED_KIND_MAX of them: statuses, opt_out */
	const struct key_rule *keys;
	int32_t today;             /* days since 1970 */
	const struct joins *joins; /* the profile's joined files, read; NULL where it has none */
};

struct layout;

/* Makes the layout of one file. Returns 0, -EINVAL (the profile has no such feed, or a pattern of keys) or -ENOMEM. */
int layout_new(struct layout **ret, const struct layout_options *options) WARN_UNUSED;

/* Wipes and frees. Accepts NULL, returns NULL. */
struct layout *layout_free(struct layout *layout);
void layout_freep(struct layout **layout);

/*
 * Reads the next row of the file. A record's texts live until the next call, and as long as the row. Returns a result,
 * or a negative errno.
 */
int layout_row(struct layout *layout, const struct csv_row *row, struct record *ret) WARN_UNUSED;

/* After LAYOUT_RECORD: what was seen in the row; as long-lived as its record. */
const struct row_sight *layout_sight(const struct layout *layout);

/* Rows of a feed so far; of all. */
uint32_t layout_rows(const struct layout *layout, enum feed_kind feed);
uint32_t layout_rows_total(const struct layout *layout);

/* After LAYOUT_E_HEADER. */
struct header_misfit layout_misfit(const struct layout *layout);

/* What each cell of a row is understood as, by its header or position. Returns how many cells are known of. */
size_t layout_columns(const struct layout *layout, enum feed_column ret[static LIMIT_CELLS]);

#define _cleanup_layout_ __attribute__((cleanup(layout_freep)))

#endif
