/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_SHOW_ROWS_H
#define DECODE_SHOW_ROWS_H

/*
 * patrond --explain --show-rows: the rows of a feed, written to the terminal by decode itself, so that nobody else ever
 * holds them. Of a row that is opted out nothing is shown but its number.
 */

#include "common/buf.h"
#include "common/fd.h"
#include "common/record.h"
#include "decode/csv.h"

struct show_rows {
	int fd; /* the terminal, the caller's; -EBADF: rows are not shown */
	struct buf line;
};

#define SHOW_ROWS_INIT(descriptor) ((struct show_rows){ .fd = (descriptor), .line = BUF_INIT(1U << 20) })

/* Shows a row as it stands in the feed, after the rules of the cells, and what became of it. Returns 0 or a negative errno. */
int show_row(struct show_rows *show, const struct record *record, const struct csv_row *row) WARN_UNUSED;

void show_rows_done(struct show_rows *show); /* wipes */

#define _cleanup_show_rows_ __attribute__((cleanup(show_rows_done)))

#endif
