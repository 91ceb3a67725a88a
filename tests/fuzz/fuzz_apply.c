/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever a profile says of whatever feed, the records are such that load accepts them. The first byte chooses the feeds,
 * then comes the profile, a NUL byte, and the feed; the same feed serves as each joined file.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/date.h"
#include "decode/csv.h"
#include "decode/layout.h"
#include "rowkit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct row_run rows;
	struct joins *joins;
	size_t join;
};

static int
take_joined(void *data, const struct csv_row *row)
{
	struct run *run = data;
	int r = joins_row(run->joins, run->join, row);

	if (r < 0)
		abort();
	return r;
}

static void
read_all(const struct profile *profile, csv_row_fn *fn, void *run, const char *bytes, size_t size)
{
	_cleanup_csv_ struct csv *csv = NULL;

	if (csv_new(&csv, fn, run) < 0)
		abort();
	csv_set_form(csv, profile->delimiter, profile->quotes);
	if (csv_read(csv, bytes, size) == CSV_OK)
		(void)!csv_finish(csv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config_feed feeds[FEED_KIND_MAX];
	struct run run = { .rows = { .out = WIRE_OUT_INIT, .today = date_to_days((struct date){ 2026, 8, 15 }) } };
	struct layout_options options = { .feeds = feeds, .today = run.rows.today };
	const uint8_t *nul = size > 1 ? memchr(data + 1, '\0', size - 1) : NULL;
	_cleanup_profile_ struct profile *profile = NULL;
	struct key_rule *keys = NULL;
	struct config_error error;

	if (nul == NULL || profile_parse(&profile, (const char *)data + 1, (size_t)(nul - data - 1), &error) < 0)
		return 0;
	options.kinds = data[0] % FEED_BITS_ALL + 1U;
	options.profile = profile;
	size -= (size_t)(nul + 1 - data);
	if (key_rule_new(&keys, "[0-9A-Z]+") < 0 || joins_new(&run.joins, profile, false) < 0)
		abort();
	for (run.join = 0; run.join < profile->join_count; run.join++)
		read_all(profile, take_joined, &run, (const char *)nul + 1, size);
	options.keys = keys;
	options.joins = profile->join_count > 0 ? run.joins : NULL;
	if (layout_new(&run.rows.layout, &options) == 0) {
		read_all(profile, take_row, &run.rows, (const char *)nul + 1, size);
		for (int feed = 0; feed < FEED_KIND_MAX; feed++)
			if (run.rows.rows[feed] != layout_rows(run.rows.layout, (enum feed_kind)feed))
				abort();
	}
	run.rows.layout = layout_free(run.rows.layout);
	run.joins = joins_free(run.joins);
	keys = key_rule_free(keys);
	wire_out_done(&run.rows.out);
	return 0;
}
