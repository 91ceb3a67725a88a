/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first rows, read as either feed and as what is joined to one. */

#include "decode/plaintext.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/keyrule.h"
#include "decode/csv.h"
#include "decode/layout.h"
#include "decode/layout_cells.h"

#define HEAD_SIZE (64U << 10) /* bytes that are looked at: some 200 rows */
#define ROWS_MAX 50U
#define HEADER_COLUMNS 5U     /* that must be a feed's, in their places, where the rest of a header is not */

struct shape {
	struct layout *layout;
	enum feed_kind kind;
	uint32_t rows, fits;
	bool header;
	int error;
};

/* Which verdicts only a row of the right shape gets; of an opt-out nothing but the first cell was looked at. */
static bool
fits(const struct record *record)
{
	return record->verdict == REASON_NONE || record->verdict == REASON_INACTIVE;
}

/* All its columns are the profile's (another is missing), or the first few. */
static bool
is_nearly_header(const struct layout *layout)
{
	struct header_misfit misfit = layout_misfit(layout);

	return misfit.column == 0 || misfit.column > HEADER_COLUMNS;
}

static int
take_row(void *data, const struct csv_row *row)
{
	struct shape *shape = data;
	struct record record;
	int r = layout_row(shape->layout, row, &record);

	if (r < 0)
		shape->error = r;
	else if (r == LAYOUT_HEADER || (r == LAYOUT_E_HEADER && is_nearly_header(shape->layout)))
		shape->header = true;
	else if (r == LAYOUT_E_HEADER)
		return 1; /* where a header must be, and is not */
	else if (r == LAYOUT_RECORD && record.verdict != REASON_OPTED_OUT) {
		shape->rows++;
		shape->fits += fits(&record);
	}
	return r < 0 || shape->header || shape->rows == ROWS_MAX;
}

/* Four in five: a feed has bad rows, too. */
static bool
is_shaped(const struct shape *shape)
{
	return shape->header || (shape->fits > 0 && shape->fits * 5 >= shape->rows * 4);
}

static int
try(struct shape *shape, const struct layout_options *options, const char *bytes, size_t size)
{
	_cleanup_layout_ struct layout *layout = NULL;
	_cleanup_csv_ struct csv *csv = NULL;
	int r = layout_new(&layout, options);

	if (r == 0)
		r = csv_new(&csv, take_row, shape);
	if (r < 0)
		return r;
	csv_set_form(csv, options->profile->delimiter, options->profile->quotes);
	shape->layout = layout;
	/* An error of its form (a quote, a NUL byte, the end of the head) leaves what was read before. */
	if (csv_read(csv, bytes, size) == CSV_OK && size < HEAD_SIZE)
		(void)!csv_finish(csv);
	return shape->error;
}

/* --- joined files --- */

struct first_row {
	const struct profile *profile;
	const struct profile_table *table;
	struct layout_cells *cells;
	bool fits;
	int error;
};

/* Of the rest of such a file nothing need be seen: its header, which it must have, is all its own. */
static int
take_first_row(void *data, const struct csv_row *row)
{
	struct first_row *first = data;
	struct header_misfit misfit;
	struct header_map map;

	first->error = layout_cells_set(first->cells, row);
	if (first->error < 0)
		return 1;
	if (row->count == 1 && first->cells->at[0].size == 0)
		return 0;
	first->fits = header_fit(first->profile, first->table, false, first->cells->at, row->count, &map, &misfit);
	return 1;
}

/* Schools are nobody's secret; birth dates and who belongs where are. */
static bool
is_personal(const struct profile_table *join)
{
	return profile_column(join, COLUMN_BIRTH_DATE) != NULL || profile_column(join, COLUMN_ROLE) != NULL;
}

static int
try_joins(const struct profile *profile, struct layout_cells *cells, const char *bytes, size_t size, bool *ret)
{
	for (size_t i = 0; i < profile->join_count && !*ret; i++) {
		struct first_row first = { .profile = profile, .table = &profile->joins[i], .cells = cells };
		_cleanup_csv_ struct csv *csv = NULL;
		int r;

		if (!is_personal(first.table))
			continue;
		r = csv_new(&csv, take_first_row, &first);
		if (r < 0)
			return r;
		csv_set_form(csv, profile->delimiter, profile->quotes);
		if (csv_read(csv, bytes, size) == CSV_OK && size < HEAD_SIZE)
			(void)!csv_finish(csv);
		if (first.error < 0)
			return first.error;
		*ret = first.fits;
	}
	return 0;
}

static int
is_joined(const struct profiles *profiles, const char *bytes, size_t size, bool *ret)
{
	int r = 0;

	for (int i = 0; i < FEED_KIND_MAX && r == 0 && !*ret; i++) {
		struct layout_cells *cells = calloc(1, sizeof(*cells));

		r = cells != NULL ? layout_cells_init(cells, profiles->of[i]->encoding) : -ENOMEM;
		if (r == 0)
			r = try_joins(profiles->of[i], cells, bytes, size, ret);
		if (cells != NULL)
			layout_cells_done(cells);
		free(cells);
	}
	return r;
}

int
plaintext_is_feed(int fd, const struct config_feed feeds[FEED_KIND_MAX], const struct profiles *profiles,
    const char *barcode_pattern, int32_t today, bool *ret)
{
	__attribute__((cleanup(key_rule_freep))) struct key_rule *keys = NULL;
	_cleanup_free_ char *head = malloc(HEAD_SIZE);
	ssize_t size = head != NULL ? fd_pread_all(fd, head, HEAD_SIZE, 0) : -ENOMEM;
	int r = size < 0 ? (int)size : key_rule_new(&keys, barcode_pattern);

	*ret = false;
	for (int i = 0; r == 0 && i < FEED_KIND_MAX && !*ret; i++) {
		const struct layout_options options = {
			.kinds = FEED_BIT(i),
			.profile = profiles->of[i],
			.feeds = feeds,
			.keys = keys,
			.today = today,
		};
		struct shape shape = { .kind = (enum feed_kind)i };

		r = try(&shape, &options, head, (size_t)size);
		*ret = r == 0 && is_shaped(&shape);
	}
	if (r == 0 && !*ret)
		r = is_joined(profiles, head, (size_t)size, ret);
	if (head != NULL)
		explicit_bzero(head, HEAD_SIZE);
	return r;
}
