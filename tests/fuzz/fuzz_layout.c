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
#include "rowkit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const patterns[] = { "[0-9]+", "[0-9A-Z]+", ".*[0-9$ -].*", "[^x]+" };
	struct row_run run = { .out = WIRE_OUT_INIT, .today = date_to_days((struct date){ 2026, 8, 15 }) };
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
	    csv_new(&csv, take_row, &run) < 0)
		abort();
	if (csv_read(csv, (const char *)data + 1, size - 1) == CSV_OK)
		(void)!csv_finish(csv);
	for (int i = 0; i < FEED_KIND_MAX; i++)
		if (run.rows[i] != ((enum feed_kind)i == feed ? layout_rows(run.layout, feed) : 0))
			abort();
	csv = csv_free(csv);
	run.layout = layout_free(run.layout);
	keys = key_rule_free(keys);
	wire_out_done(&run.out);
	return 0;
}
