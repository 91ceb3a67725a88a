/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape `columns`: each column where the header, or the profile's position, has it. */

#include "decode/layout_private.h"

#include <errno.h>
#include <string.h>

/* The cell of a column; an empty one where the file has no such column. */
static struct text
cell_of(const struct layout *layout, const struct csv_row *row, enum feed_column what)
{
	size_t at = layout->map.at[what];

	return at < row->count ? layout->cells.at[at] : (struct text){ 0 };
}

static bool
has(const struct layout *layout, enum feed_column what)
{
	return layout->map.at[what] != HEADER_NOWHERE;
}

/* --- what joined files say of the row --- */

static struct joined
joined_of(const struct layout *layout, const struct csv_row *row)
{
	const struct text id = cell_of(layout, row, COLUMN_ID), school = cell_of(layout, row, COLUMN_SCHOOL);

	/* (none are joined, in most profiles) */
	return joins_find(layout->options.joins, &id, &school);
}

static bool
row_opted_out(const struct layout *layout, const struct csv_row *row)
{
	size_t at = layout->map.at[COLUMN_OPT_OUT];

	return at < row->count && layout_opted_out(layout, &layout->cells.at[at]);
}

enum feed_kind
layout_columns_feed(const struct layout *layout, const struct csv_row *row, bool *ret_unknown)
{
	bool staff = (layout->options.kinds & FEED_BIT(FEED_STAFF)) != 0;
	enum joined_role role = JOINED_ROLE_NONE;

	if (has(layout, COLUMN_ROLE)) {
		const struct text cell = cell_of(layout, row, COLUMN_ROLE);

		role = joined_role_of(&layout->students, &layout->staff, &layout->others, &cell);
	} else
		role = joined_of(layout, row).role;
	if (role == JOINED_ROLE_STAFF && staff)
		return FEED_STAFF;
	/*
	 * Others, and staff where they are not wanted, are passed over without a word: not a row whose cells stand elsewhere than
	 * they should, which may be a child's, and not one that is opted out, which speaks for every row of its key.
	 */
	if ((role == JOINED_ROLE_OTHER || role == JOINED_ROLE_STAFF) && row->count == layout->map.cells && !row_opted_out(layout, row))
		return FEED_KIND_INVALID;
	/* a role that nobody declared may be a child's; the row is of the students' feed, and rejected there */
	*ret_unknown = role != JOINED_ROLE_STUDENT;
	return FEED_STUDENT;
}

/* --- fields --- */

static const struct {
	enum feed_column what;
	enum record_field fields[FEED_KIND_MAX]; /* RECORD_FIELD_MAX: not taken */
	size_t max;
} singles[] = {
	{ COLUMN_FIRST, { RECORD_FIRST, RECORD_FIRST }, LIMIT_NAME },
	{ COLUMN_LAST, { RECORD_LAST, RECORD_LAST }, LIMIT_NAME },
	{ COLUMN_CITY, { RECORD_CITY, RECORD_CITY }, LIMIT_TEXT },
	{ COLUMN_STATE, { RECORD_STATE, RECORD_STATE }, LIMIT_TEXT },
	{ COLUMN_ZIP, { RECORD_ZIP, RECORD_ZIP }, LIMIT_TEXT },
	{ COLUMN_PHONE, { RECORD_PHONE, RECORD_PHONE }, LIMIT_TEXT },
	{ COLUMN_PHONE_2, { RECORD_FIELD_MAX, RECORD_PHONE_2 }, LIMIT_TEXT },
};

static int
blank_dollars(struct layout *layout, const struct header_places *places)
{
	int r = 0;

	for (size_t i = 0; i < places->count && r == 0; i++)
		r = layout_cells_blank_dollars(&layout->cells, places->at[i], places->at[i] + 1U);
	return r;
}

static int
take_singles(struct layout *layout, struct record *record)
{
	for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
		size_t at = layout->map.at[singles[i].what];
		struct field_rule rule = { singles[i].fields[record->feed], at, singles[i].max };
		int r;

		if (at == HEADER_NOWHERE || rule.field == RECORD_FIELD_MAX)
			continue;
		r = layout_cells_blank_dollars(&layout->cells, at, at + 1);
		if (r == 0)
			r = (int)layout_take_cell(layout, &rule, record);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Columns that may repeat: each within its limit, joined by a blank. */
static int
take_joined(struct layout *layout, const struct header_places *places, size_t max, enum record_field field,
    struct record *record)
{
	int r;

	if (places->count == 0)
		return 0;
	r = layout->cells.dollars ? blank_dollars(layout, places) : 0;
	if (r == 0)
		r = layout_cells_gather(&layout->cells, places->at, places->count, max, &record->fields[field]);
	return r == -EMSGSIZE ? (int)REASON_SHAPE : r;
}

static int
take_fields(struct layout *layout, struct record *record)
{
	int r = take_singles(layout, record);

	if (r == 0)
		r = take_joined(layout, &layout->map.streets, 2 * LIMIT_TEXT + 1, RECORD_STREET, record);
	return r != 0 ? r : take_joined(layout, &layout->map.emails, LIMIT_EMAILS, RECORD_EMAILS, record);
}

/* A joined school is a number; the tally takes texts. */
static void
see_school(struct layout *layout, const struct joined *joined)
{
	if (joined->school != 0) {
		memcpy(layout->school, &joined->school, sizeof(layout->school));
		layout->sight.school = (struct text){ (const char *)layout->school, sizeof(layout->school) };
		layout->sight.filled |= COLUMN_BIT(COLUMN_SCHOOL);
	} else if (has(layout, COLUMN_SCHOOL) && !layout->joins_school)
		layout->sight.school = layout->cells.at[layout->map.at[COLUMN_SCHOOL]];
}

static void
see_row(struct layout *layout, const struct record *record, const struct joined *joined)
{
	const struct header_map *map = &layout->map;

	for (size_t i = 0; i < map->cells; i++)
		if (map->what[i] < COLUMN_MAX)
			layout_see(layout, (enum feed_column)map->what[i], i);
	if (has(layout, COLUMN_STATUS))
		layout_see_status(layout, record->feed, &layout->cells.at[map->at[COLUMN_STATUS]]);
	else
		layout->sight.active = true;
	if (record->feed == FEED_STUDENT && has(layout, COLUMN_BIRTH_DATE))
		layout_see_birth_date(layout, &layout->cells.at[map->at[COLUMN_BIRTH_DATE]]);
	else if (record->feed == FEED_STUDENT && joined->birth_date != RECORD_NO_DATE) {
		layout_see_days(layout, joined->birth_date);
		layout->sight.filled |= COLUMN_BIT(COLUMN_BIRTH_DATE);
	}
	see_school(layout, joined);
}

int
layout_columns_row(struct layout *layout, const struct csv_row *row, struct record *record)
{
	const struct joined joined = joined_of(layout, row);
	int r;

	layout_take_key(layout, row, layout->map.at[COLUMN_KEY], record);
	if (row_opted_out(layout, row))
		return REASON_OPTED_OUT;
	/* Not one cell more or less: an inserted one shifts every value behind it. */
	if (row->count != layout->map.cells || layout->cells.strange)
		return REASON_SHAPE;
	see_row(layout, record, &joined);
	r = take_fields(layout, record);
	if (r == 0 && has(layout, COLUMN_STATUS))
		r = (int)layout_status(layout, &layout->cells.at[layout->map.at[COLUMN_STATUS]], record);
	return r != 0 ? r : (int)layout_person(layout, record);
}
