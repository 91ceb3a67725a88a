/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever a feed says, the record that decode makes of a row is one that load accepts. The first byte chooses feed and
 * rules, the rest is the feed.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/date.h"
#include "decode/csv.h"
#include "decode/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct layout *layout;
	struct wire_out out;
	int32_t today;
	uint32_t rows;
};

static int
take(void *data, const struct csv_row *row)
{
	struct run *run = data;
	struct record record, read;
	struct wire_in in;
	int r = layout_row(run->layout, row, &record);

	if (r < 0)
		abort();
	if (r != LAYOUT_RECORD)
		return r == LAYOUT_E_HEADER;
	if (record.row != ++run->rows || record_put(&run->out, &record) < 0)
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const patterns[] = { "[0-9]+", "[0-9A-Z]+", ".*[0-9$ -].*", "[^x]+" };
	struct run run = { .out = WIRE_OUT_INIT, .today = date_to_days((struct date){ 2026, 8, 15 }) };
	struct key_rule *keys = NULL;
	struct csv *csv = NULL;
	enum feed_kind feed;

	if (size < 1)
		return 0;
	feed = (data[0] & 1) != 0 ? FEED_STAFF : FEED_STUDENT;
	if (key_rule_new(&keys, patterns[(data[0] >> 1) & 3]) < 0 ||
	    layout_new(&run.layout, feed, (data[0] & 8) != 0 ? "0 1 active" : "", keys, run.today) < 0 ||
	    csv_new(&csv, take, &run) < 0)
		abort();
	if (csv_read(csv, (const char *)data + 1, size - 1) == CSV_OK)
		(void)!csv_finish(csv);
	if (run.rows != layout_rows(run.layout))
		abort();
	csv = csv_free(csv);
	run.layout = layout_free(run.layout);
	keys = key_rule_free(keys);
	wire_out_done(&run.out);
	return 0;
}
