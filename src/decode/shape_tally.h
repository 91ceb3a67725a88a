/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_SHAPE_TALLY_H
#define DECODE_SHAPE_TALLY_H

/* Counts the shape of one feed, row by row. Of a row's text nothing stays but a number for its school. */

#include <stdbool.h>

#include "common/fd.h"
#include "common/record.h"
#include "patrond/shape.h"

/* What a profile saw of a row beside the record that it made of it; unused of one opted out or rejected for its shape. */
struct row_sight {
	bool active;        /* its status is processed */
	uint8_t status;     /* index into feed_shape.status, or RECORD_NO_STATUS */
	uint32_t filled;    /* COLUMN_BIT of each column that is not empty */
	int32_t birth_date; /* a real one from 1900 to today, whatever the verdict; or RECORD_NO_DATE */
	struct text school;
	const uint16_t *positions; /* COLUMN_MAX, from 1, 0: not there; as long-lived as the row */
};

struct shape_tally;

/* today in days since 1970. Returns 0 or -ENOMEM. */
int shape_tally_new(struct shape_tally **ret, int32_t today) WARN_UNUSED;

/* Wipes and frees. Accepts NULL, returns NULL. */
struct shape_tally *shape_tally_free(struct shape_tally *tally);
void shape_tally_freep(struct shape_tally **tally);

/* The first row was a header. */
void shape_tally_header(struct shape_tally *tally);

/* Counts a row. cells and delimiter are as it stands in the feed. */
void shape_tally_row(struct shape_tally *tally, const struct record *record, const struct row_sight *sight, size_t cells,
    char delimiter);

/* The figures so far. */
void shape_tally_figures(const struct shape_tally *tally, struct feed_shape *ret);

#define _cleanup_shape_tally_ __attribute__((cleanup(shape_tally_freep)))

#endif
