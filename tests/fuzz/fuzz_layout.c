/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever a feed says, the record that decode makes of a row is one that load accepts. The first byte chooses feed and
 * rules, the rest is the feed.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	static struct profile *chccs;
	static struct config_feed feeds[FEED_KIND_MAX];
	struct layout_options options = { .feeds = feeds, .today = run.today };
	struct config_error error;
	struct key_rule *keys = NULL;
	struct csv *csv = NULL;
	enum feed_kind feed;

	if (size < 1)
		return 0;
	if (chccs == NULL && profile_read(&chccs, SHIPPED_PROFILES "/chccs.conf", "", &error) < 0)
		abort();
	feed = (data[0] & 1) != 0 ? FEED_STAFF : FEED_STUDENT;
	memset(feeds, 0, sizeof(feeds));
	if ((data[0] & 8) != 0 || feed == FEED_STUDENT)
		(void)snprintf(feeds[feed].statuses, sizeof(feeds[feed].statuses), "%s", (data[0] & 8) != 0 ? "0 1 active" : "5");
	if (key_rule_new(&keys, patterns[(data[0] >> 1) & 3]) < 0)
		abort();
	options.kinds = FEED_BIT(feed);
	options.profile = chccs;
	options.keys = keys;
	if (layout_new(&run.layout, &options) < 0 ||
	    csv_new(&csv, take, &run) < 0)
		abort();
	if (csv_read(csv, (const char *)data + 1, size - 1) == CSV_OK)
		(void)!csv_finish(csv);
	if (run.rows != layout_rows(run.layout, feed))
		abort();
	csv = csv_free(csv);
	run.layout = layout_free(run.layout);
	keys = key_rule_free(keys);
	wire_out_done(&run.out);
	return 0;
}
