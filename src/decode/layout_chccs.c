/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shape `chccs`: rows that may repeat the street and the guardians' e-mails, told by where ZIP and integers stand. The order
 * of the tests is the domain's, and the first that applies counts.
 */

#include "decode/layout_private.h"

#include <errno.h>
#include <string.h>

/* The student feed; what follows the first street stands one further on in a row that repeats it. */
enum student_column {
	STUDENT_OPT_OUT,
	STUDENT_KEY,
	STUDENT_FIRST,
	STUDENT_LAST,
	STUDENT_DOB,
	STUDENT_SCHOOL,
	STUDENT_GRADE,
	STUDENT_STREET,
	STUDENT_CITY,
	STUDENT_STATE,
	STUDENT_ZIP,
	STUDENT_EMAIL,
	STUDENT_PHONE,
	STUDENT_GUARDIAN,
};

enum staff_column {
	STAFF_STATUS,
	STAFF_KEY,
	STAFF_FIRST,
	STAFF_LAST,
	STAFF_STREET,
	STAFF_CITY,
	STAFF_STATE,
	STAFF_ZIP,
	STAFF_MOBILE,
	STAFF_HOME,
	STAFF_EMAIL,
	STAFF_JOB,
	STAFF_SITE_ID,
	STAFF_SITE,
	STAFF_COLUMNS,
};

/*
 * Takes the cells of a row into its record. shift: by how much what follows the first street stands further on. Returns
 * REASON_NONE or REASON_SHAPE.
 */
static enum reason
take_fields(const struct layout *layout, const struct field_rule *rules, size_t count, size_t shift, struct record *record)
{
	for (size_t i = 0; i < count; i++) {
		struct field_rule rule = rules[i];
		enum reason reason;

		rule.column += rule.column > STUDENT_STREET ? shift : 0;
		reason = layout_take_cell(layout, &rule, record);
		if (reason != REASON_NONE)
			return reason;
	}
	return REASON_NONE;
}

/* --- students --- */

/*
 * Where the status stands, counted from the row's end: the last cell, or the one before where the last is the DCID.
 * A guardian's e-mail is empty or has an @, so two integers, or an integer and nothing, can only be these two.
 */
static size_t
student_status_column(const struct layout *layout, size_t count)
{
	const struct text *last = &layout->cells.at[count - 1];

	if (count >= 2 && cell_is_integer(&layout->cells.at[count - 2]) && (last->size == 0 || cell_is_integer(last)))
		return count - 2;
	return count - 1;
}

/* Where each column stands and whether there is anything in it, in a row whose shape is known. */
static void
student_see(struct layout *layout, const struct csv_row *row, size_t shift, size_t status)
{
	static const uint8_t columns[] = { COLUMN_OPT_OUT, COLUMN_KEY, COLUMN_FIRST, COLUMN_LAST, COLUMN_BIRTH_DATE,
		COLUMN_SCHOOL, COLUMN_GRADE, COLUMN_STREET, COLUMN_CITY, COLUMN_STATE, COLUMN_ZIP, COLUMN_EMAIL, COLUMN_PHONE };

	for (size_t i = 0; i < sizeof(columns); i++)
		layout_see(layout, (enum feed_column)columns[i], i + (i > STUDENT_STREET ? shift : 0));
	if (shift == 1)
		layout_see(layout, COLUMN_STREET_2, STUDENT_STREET + 1);
	for (size_t i = status; i > STUDENT_GUARDIAN + shift; i--)
		layout_see(layout, COLUMN_GUARDIAN_EMAIL, i - 1);
	layout_see(layout, COLUMN_STATUS, status);
	if (status + 1 < row->count)
		layout_see(layout, COLUMN_STATE_ID, status + 1);
	layout_see_status(layout, FEED_STUDENT, &layout->cells.at[status]);
	layout_see_birth_date(layout, &layout->cells.at[STUDENT_DOB]);
	layout->sight.school = layout->cells.at[STUDENT_SCHOOL];
}

/* The street and its second part, and the e-mails around the phone. Returns as the verdict of a row. */
static int
student_joins(struct layout *layout, size_t shift, size_t status, struct record *record)
{
	struct layout_cells *cells = &layout->cells;
	int r = 0;

	if (shift == 1) {
		if (cells->at[STUDENT_STREET + 1].size > LIMIT_TEXT)
			return REASON_SHAPE;
		r = layout_cells_join(cells, STUDENT_STREET, STUDENT_STREET + 2, 2 * LIMIT_TEXT + 1,
		    &record->fields[RECORD_STREET]);
		if (r < 0)
			return r;
	}
	/* The phone between the student's e-mail and the guardians' is no e-mail. */
	cells->at[STUDENT_PHONE + shift].size = 0;
	r = layout_cells_join(cells, STUDENT_EMAIL + shift, status, LIMIT_EMAILS, &record->fields[RECORD_EMAILS]);
	return r == -EMSGSIZE ? (int)REASON_SHAPE : r;
}

/* Where a student's row has what may stand further on. */
struct student_places {
	size_t guardian;
	size_t status;
};

/* The shape: where the ZIP stands tells whether the street is repeated. Returns as the verdict of a row. */
static int
student_shape(struct layout *layout, const struct csv_row *row, struct student_places *ret, struct record *record)
{
	static const struct field_rule rules[] = {
		{ RECORD_FIRST, STUDENT_FIRST, LIMIT_NAME },
		{ RECORD_LAST, STUDENT_LAST, LIMIT_NAME },
		{ RECORD_STREET, STUDENT_STREET, LIMIT_TEXT },
		{ RECORD_CITY, STUDENT_CITY, LIMIT_TEXT },
		{ RECORD_STATE, STUDENT_STATE, LIMIT_TEXT },
		{ RECORD_ZIP, STUDENT_ZIP, LIMIT_TEXT },
		{ RECORD_PHONE, STUDENT_PHONE, LIMIT_TEXT },
	};
	struct layout_cells *cells = &layout->cells;
	size_t shift, status;
	int r = layout_cells_blank_dollars(cells, STUDENT_FIRST, row->count < STUDENT_PHONE ? row->count : STUDENT_PHONE);

	if (r < 0)
		return r;
	if (row->count > STUDENT_ZIP && cell_is_zip(&cells->at[STUDENT_ZIP]))
		shift = 0;
	else if (row->count > STUDENT_ZIP + 1 && cell_is_zip(&cells->at[STUDENT_ZIP + 1]))
		shift = 1;
	else
		return REASON_SHAPE;
	status = student_status_column(layout, row->count);
	if (status < STUDENT_GUARDIAN + shift + 1)
		return REASON_SHAPE;
	student_see(layout, row, shift, status);
	*ret = (struct student_places){ .guardian = STUDENT_GUARDIAN + shift, .status = status };
	r = layout_cells_blank_dollars(cells, STUDENT_PHONE, status);
	if (r < 0)
		return r;
	r = (int)take_fields(layout, rules, sizeof(rules) / sizeof(rules[0]), shift, record);
	return r == 0 ? student_joins(layout, shift, status, record) : r;
}

/*
 * A guardian's e-mail is empty or has an @; words there are another column, or another row that ran into this one.
 * (A number alone may be a status before a DCID that is none.)
 */
static bool
guardians_are_strange(const struct layout *layout, const struct student_places *places)
{
	for (size_t i = places->guardian; i < places->status; i++) {
		const struct text *cell = &layout->cells.at[i];

		if (cell->size > 0 && memchr(cell->bytes, '@', cell->size) == NULL && !cell_is_integer(cell))
			return true;
	}
	return false;
}

int
layout_chccs_student(struct layout *layout, const struct csv_row *row, struct record *record)
{
	struct student_places places = { 0 };
	int r;

	layout_take_key(layout, row, STUDENT_KEY, record);
	if (layout_opted_out(layout, &layout->cells.at[STUDENT_OPT_OUT]))
		return REASON_OPTED_OUT;
	r = student_shape(layout, row, &places, record);
	if (r != 0)
		return r;
	r = (int)layout_status(layout, &layout->cells.at[places.status], record);
	if (r != REASON_STATUS && guardians_are_strange(layout, &places)) {
		record->status = RECORD_NO_STATUS;
		return REASON_SHAPE;
	}
	return r != 0 ? r : (int)layout_person(layout, record);
}

/* --- staff --- */

static void
staff_see(struct layout *layout)
{
	static const uint8_t columns[STAFF_COLUMNS] = { COLUMN_STATUS, COLUMN_KEY, COLUMN_FIRST, COLUMN_LAST, COLUMN_STREET,
		COLUMN_CITY, COLUMN_STATE, COLUMN_ZIP, COLUMN_PHONE, COLUMN_PHONE_2, COLUMN_EMAIL, COLUMN_JOB, COLUMN_SCHOOL,
		COLUMN_SITE };

	for (size_t i = 0; i < STAFF_COLUMNS; i++)
		layout_see(layout, (enum feed_column)columns[i], i);
	layout_see_status(layout, FEED_STAFF, &layout->cells.at[STAFF_STATUS]);
	layout->sight.school = layout->cells.at[STAFF_SITE_ID];
}

int
layout_chccs_staff(struct layout *layout, const struct csv_row *row, struct record *record)
{
	static const struct field_rule rules[] = {
		{ RECORD_FIRST, STAFF_FIRST, LIMIT_NAME },
		{ RECORD_LAST, STAFF_LAST, LIMIT_NAME },
		{ RECORD_STREET, STAFF_STREET, LIMIT_TEXT },
		{ RECORD_CITY, STAFF_CITY, LIMIT_TEXT },
		{ RECORD_STATE, STAFF_STATE, LIMIT_TEXT },
		{ RECORD_ZIP, STAFF_ZIP, LIMIT_TEXT },
		{ RECORD_EMAILS, STAFF_EMAIL, LIMIT_EMAILS },
		{ RECORD_PHONE, STAFF_MOBILE, LIMIT_TEXT },
		{ RECORD_PHONE_2, STAFF_HOME, LIMIT_TEXT },
	};
	int r;

	layout_take_key(layout, row, STAFF_KEY, record);
	if (row->count != STAFF_COLUMNS)
		return REASON_SHAPE;
	staff_see(layout);
	r = layout_cells_blank_dollars(&layout->cells, STAFF_FIRST, STAFF_COLUMNS);
	if (r == 0)
		r = (int)take_fields(layout, rules, sizeof(rules) / sizeof(rules[0]), 0, record);
	if (r != 0)
		return r;
	r = (int)layout_status(layout, &layout->cells.at[STAFF_STATUS], record);
	return r != 0 ? r : (int)layout_person(layout, record);
}
