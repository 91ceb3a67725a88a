/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_FUZZ_ROWKIT_H
#define TESTS_FUZZ_ROWKIT_H

/* Rows of a feed through a layout: whatever they say, each record is one that load accepts. */

#include <stdint.h>
#include <stdlib.h>

#include "common/record.h"
#include "common/wire.h"
#include "decode/csv.h"
#include "decode/layout.h"

struct row_run {
	struct layout *layout;
	struct wire_out out;
	int32_t today;
	uint32_t rows[FEED_KIND_MAX]; /* records so far */
};

/*
 * For csv_new; data is the row_run. Aborts where a record is out of its order, or is not read as it was written. Returns 0, or 1
 * where the header is refused.
 */
static inline int
take_row(void *data, const struct csv_row *row)
{
	struct row_run *run = data;
	struct record record, read;
	struct wire_in in;
	int r = layout_row(run->layout, row, &record);

	if (r < 0)
		abort();
	if (r != LAYOUT_RECORD)
		return r == LAYOUT_E_HEADER;
	if (record.row != ++run->rows[record.feed] || record_put(&run->out, &record) < 0)
		abort();
	in = (struct wire_in){
		.type = WIRE_RECORD,
		.at = (const uint8_t *)run->out.buf.bytes + WIRE_HEADER_SIZE,
		.end = (const uint8_t *)run->out.buf.bytes + run->out.buf.size,
	};
	if (record_get(&in, run->today, &read) < 0 || read.verdict != record.verdict)
		abort();
	buf_clear(&run->out.buf);
	return 0;
}

#endif
