/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_LAYOUT_PRIVATE_H
#define DECODE_LAYOUT_PRIVATE_H

/* What the two shapes of rows (columns; chccs) share. */

#include "decode/layout.h"
#include "decode/layout_cells.h"
#include "decode/words.h"

struct layout {
	struct layout_options options;
	const struct profile_table *table;
	struct key_rule *own_keys; /* the profile's, beside the library's; or NULL */
	struct words opted_out, not_opted_out, active[FEED_KIND_MAX], inactive, students, staff, others;
	int32_t first_birth_date;
	uint32_t rows[FEED_KIND_MAX];
	struct header_misfit misfit;
	bool begun; /* the place for a header is passed */
	struct header_map map;
	char key[LIMIT_KEY];
	struct row_sight sight;
	uint16_t positions[COLUMN_MAX]; /* of the sight */
	bool joins_school; /* what a school is, a joined file says */
	uint8_t school[sizeof(uint32_t)]; /* what the sight has of a joined one */
	struct layout_cells cells;
};

/* Which cell a field comes from, and how long it may be. */
struct field_rule {
	enum record_field field;
	size_t column;
	size_t max;
};

/* --- the tests that every shape has; each returns REASON_NONE or the reason --- */

/* The key is told also of rows that are rejected or opted out: an opt-out counts for every row of that key. */
void layout_take_key(struct layout *layout, const struct csv_row *row, size_t column, struct record *record);

/* Anything that does not clearly say no is an opt-out: the careful reading protects the child. */
bool layout_opted_out(const struct layout *layout, const struct text *cell);

/* Takes a cell into the record. REASON_SHAPE where it is over its limit: cut, it would be somebody else's. */
enum reason layout_take_cell(const struct layout *layout, const struct field_rule *rule, struct record *record);

/* REASON_NONE, REASON_INACTIVE (with the record's status where it is a digit, of students) or REASON_STATUS. It was seen. */
enum reason layout_status(const struct layout *layout, const struct text *status, struct record *record);

/* Key, name and, of students, the birth date that was seen. */
enum reason layout_person(struct layout *layout, struct record *record);

/* --- what was seen in a row whose shape is known --- */

void layout_see(struct layout *layout, enum feed_column column, size_t at);
void layout_see_status(struct layout *layout, enum feed_kind feed, const struct text *status);
void layout_see_birth_date(struct layout *layout, const struct text *cell);
void layout_see_days(struct layout *layout, int32_t days);

/* --- the shapes; each returns REASON_NONE, the reason, or a negative errno --- */

int layout_chccs_student(struct layout *layout, const struct csv_row *row, struct record *record);
int layout_chccs_staff(struct layout *layout, const struct csv_row *row, struct record *record);
int layout_columns_row(struct layout *layout, const struct csv_row *row, struct record *record);

/* Of a file with both feeds: whose row it is. FEED_KIND_INVALID: nobody's. */
enum feed_kind layout_columns_feed(const struct layout *layout, const struct csv_row *row, bool *ret_unknown);

#endif
