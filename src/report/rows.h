/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_ROWS_H
#define REPORT_ROWS_H

/* What load says of the clean-up report, checked anew frame by frame and turned into tables. */

#include <stdbool.h>
#include <stdint.h>

#include "common/wire.h"
#include "report/tables.h"

struct rows {
	struct tables *tables;
	bool with_rows;                /* [report] rows: held and rejected rows are shown too */
	uint32_t received[TABLE_MAX];
	bool complete;                 /* the trailer came, and agrees */
};

/*
 * Takes one frame. Returns 0, -EBADMSG for one that may not come, or whose content is not possible, or for a trailer that
 * does not agree; or the errors of the tables (-ENOBUFS, -ENOMEM).
 */
int rows_take(struct rows *rows, struct wire_in *in) WARN_UNUSED;

#endif
