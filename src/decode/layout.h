/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_LAYOUT_H
#define DECODE_LAYOUT_H

/*
 * The profile `chccs`: what the columns of the student and the staff feed mean, and what a row alone says of itself
 * (verdict). Pure: a row in, a record out.
 */

#include <stdint.h>

#include "common/fd.h"
#include "common/keyrule.h"
#include "common/record.h"
#include "decode/csv.h"
#include "decode/shape_tally.h"

enum layout_result {
	LAYOUT_RECORD,   /* the row is a record, the next in its feed */
	LAYOUT_BLANK,    /* empty after trimming: no row */
	LAYOUT_HEADER,   /* the header, and it fits: no row */
	LAYOUT_E_HEADER, /* a header that does not fit: the feed is refused whole */
};

struct layout;

/*
 * Makes the layout of one feed. statuses: the processed ones, parted by blanks; empty: all (staff). keys is the caller's
 * and outlives it; today in days since 1970. Returns 0 or -ENOMEM.
 */
int layout_new(struct layout **ret, enum feed_kind feed, const char *statuses, const struct key_rule *keys, int32_t today)
    WARN_UNUSED;

/* Wipes and frees. Accepts NULL, returns NULL. */
struct layout *layout_free(struct layout *layout);
void layout_freep(struct layout **layout);

/*
 * Reads the next row of the feed. A record's texts live until the next call, and as long as the row. Returns a result,
 * or a negative errno.
 */
int layout_row(struct layout *layout, const struct csv_row *row, struct record *ret) WARN_UNUSED;

/* After LAYOUT_RECORD: what was seen in the row; as long-lived as its record. */
const struct row_sight *layout_sight(const struct layout *layout);

/* Rows so far. */
uint32_t layout_rows(const struct layout *layout);

/* After LAYOUT_E_HEADER: the position, from 1, of the first column that is not the one that should stand there. */
uint32_t layout_header_column(const struct layout *layout);

#define _cleanup_layout_ __attribute__((cleanup(layout_freep)))

#endif
