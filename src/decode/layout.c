/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The profile `chccs`: rows become records. The order of the tests is the domain's, and the first that applies counts. */

#include "decode/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/date.h"
#include "decode/layout_cells.h"
#include "decode/layout_header.h"
#include "patrond/limits.h"

#define STATUS_NEGATIVE 10U /* index of -0 in inactive_status */
#define PIN_KEY_SIZE 10U    /* a shorter staff key gives its last four digits to the PIN */
#define PIN_DIGITS 4U

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

struct layout {
	enum feed_kind feed;
	const struct key_rule *keys;
	char *statuses;
	int32_t today;
	int32_t first_birth_date;
	uint32_t rows;
	uint32_t header_column;
	bool begun; /* the place for a header is passed */
	char key[LIMIT_KEY];
	struct row_sight sight;
	uint16_t positions[COLUMN_MAX]; /* of the sight */
	struct layout_cells cells;
};

int
layout_new(struct layout **ret, enum feed_kind feed, const char *statuses, const struct key_rule *keys, int32_t today)
{
	_cleanup_layout_ struct layout *layout = calloc(1, sizeof(*layout));
	int r;

	if (layout == NULL)
		return -ENOMEM;
	layout->feed = feed;
	layout->keys = keys;
	layout->today = today;
	layout->first_birth_date = date_to_days((struct date){ 1900, 1, 1 });
	layout->statuses = strdup(statuses);
	if (layout->statuses == NULL)
		return -ENOMEM;
	r = layout_cells_init(&layout->cells);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(layout);
	return 0;
}

struct layout *
layout_free(struct layout *layout)
{
	if (layout == NULL)
		return NULL;
	layout_cells_done(&layout->cells);
	free(layout->statuses);
	explicit_bzero(layout, sizeof(*layout));
	free(layout);
	return NULL;
}

void
layout_freep(struct layout **layout)
{
	*layout = layout_free(*layout);
}

uint32_t
layout_rows(const struct layout *layout)
{
	return layout->rows;
}

const struct row_sight *
layout_sight(const struct layout *layout)
{
	return &layout->sight;
}

uint32_t
layout_header_column(const struct layout *layout)
{
	return layout->header_column;
}

/* --- the tests that both feeds have --- */

/* The key is told also of rows that are rejected or opted out: an opt-out counts for every row of that key. */
static void
take_key(struct layout *layout, const struct csv_row *row, size_t column, struct record *record)
{
	int size;

	if (column >= row->count)
		return;
	size = key_normalise(layout->cells.at[column].bytes, layout->cells.at[column].size, layout->key);
	if (size <= 0)
		return;
	record->fields[RECORD_KEY] = (struct text){ layout->key, (size_t)size };
	record->key_fits = memchr(layout->key, '$', (size_t)size) == NULL &&
	    key_rule_fits(layout->keys, layout->key, (size_t)size);
}

/* A name of nothing but commas and blanks is none: in Sierra a comma parts surname and first name. */
static bool
is_missing(const struct text *name)
{
	for (size_t i = 0; i < name->size; i++)
		if (name->bytes[i] != ',' && name->bytes[i] != ' ')
			return false;
	return true;
}

/* --- what the shape of a feed is counted by --- */

static void
see(struct layout *layout, enum feed_column column, size_t at)
{
	layout->positions[column] = (uint16_t)(at + 1);
	if (layout->cells.at[at].size > 0)
		layout->sight.filled |= COLUMN_BIT(column);
}

/* Which cell a field comes from, and how long it may be. */
struct field_rule {
	enum record_field field;
	size_t column;
	size_t max;
};

/*
 * Takes the cells of a row into its record. shift: by how much what follows the first street stands further on. Returns
 * REASON_NONE, or REASON_SHAPE where one is over its limit: cut, it would be somebody else's.
 */
static enum reason
take_fields(const struct layout *layout, const struct field_rule *rules, size_t count, size_t shift, struct record *record)
{
	for (size_t i = 0; i < count; i++) {
		size_t column = rules[i].column + (rules[i].column > STUDENT_STREET ? shift : 0);
		const struct text *cell = &layout->cells.at[column];

		if (cell->size > rules[i].max)
			return REASON_SHAPE;
		record->fields[rules[i].field] = *cell;
	}
	return REASON_NONE;
}

/* True where the status is one of the configured words, as they stand or (loose) case and blanks aside. */
static bool
is_processed(const struct layout *layout, const struct text *status, bool loose)
{
	const char *at = layout->statuses;

	while (*at != '\0') {
		size_t size = strcspn(at, " \t");

		if (size > 0 && header_same(at, size, status->bytes, status->size) && (loose || size == status->size))
			return true;
		at += size;
		at += strspn(at, " \t");
	}
	return false;
}

/* --- students --- */

/* Anything that does not clearly say no is an opt-out: the careful reading protects the child. */
static bool
is_opted_out(const struct text *cell)
{
	static const char *const no[] = { "", "0", "false", "no", "n" };

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (cell_is_word(cell, no[i]))
			return false;
	return true;
}

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

/* Index of a status of one digit, with a minus before it or not; or RECORD_NO_STATUS. */
static uint8_t
status_index(const struct text *status)
{
	size_t digit = status->size == 2 && status->bytes[0] == '-' ? 1 : 0;

	if (status->size != digit + 1 || !cell_digit(status->bytes[digit]))
		return RECORD_NO_STATUS;
	return (uint8_t)(status->bytes[digit] - '0' + (digit == 1 ? (int)STATUS_NEGATIVE : 0));
}

/* Where each column stands and whether there is anything in it, in a row whose shape is known. */
static void
student_see(struct layout *layout, const struct csv_row *row, size_t shift, size_t status)
{
	static const uint8_t columns[] = { COLUMN_OPT_OUT, COLUMN_KEY, COLUMN_FIRST, COLUMN_LAST, COLUMN_BIRTH_DATE,
		COLUMN_SCHOOL, COLUMN_GRADE, COLUMN_STREET, COLUMN_CITY, COLUMN_STATE, COLUMN_ZIP, COLUMN_EMAIL, COLUMN_PHONE };
	const struct text *birth_date = &layout->cells.at[STUDENT_DOB];
	struct row_sight *sight = &layout->sight;

	for (size_t i = 0; i < sizeof(columns); i++)
		see(layout, (enum feed_column)columns[i], i + (i > STUDENT_STREET ? shift : 0));
	if (shift == 1)
		see(layout, COLUMN_STREET_2, STUDENT_STREET + 1);
	for (size_t i = status; i > STUDENT_GUARDIAN + shift; i--)
		see(layout, COLUMN_GUARDIAN_EMAIL, i - 1);
	see(layout, COLUMN_STATUS, status);
	if (status + 1 < row->count)
		see(layout, COLUMN_STATE_ID, status + 1);
	sight->status = status_index(&layout->cells.at[status]);
	sight->active = is_processed(layout, &layout->cells.at[status], false);
	sight->school = layout->cells.at[STUDENT_SCHOOL];
	if (date_parse_us(birth_date->bytes, birth_date->size, &sight->birth_date) < 0 ||
	    sight->birth_date < layout->first_birth_date || sight->birth_date > layout->today)
		sight->birth_date = RECORD_NO_DATE;
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

/* Returns REASON_NONE, REASON_INACTIVE with the record's status set, or REASON_STATUS. */
static enum reason
student_status(const struct layout *layout, struct record *record)
{
	if (layout->sight.active)
		return REASON_NONE;
	record->status = layout->sight.status;
	return record->status == RECORD_NO_STATUS ? REASON_STATUS : REASON_INACTIVE;
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

static int
student_verdict(struct layout *layout, const struct csv_row *row, struct record *record)
{
	struct student_places places = { 0 };
	int r;

	take_key(layout, row, STUDENT_KEY, record);
	if (is_opted_out(&layout->cells.at[STUDENT_OPT_OUT]))
		return REASON_OPTED_OUT;
	r = student_shape(layout, row, &places, record);
	if (r != 0)
		return r;
	r = (int)student_status(layout, record);
	if (r != REASON_STATUS && guardians_are_strange(layout, &places)) {
		record->status = RECORD_NO_STATUS;
		return REASON_SHAPE;
	}
	if (r != 0)
		return r;
	if (!record->key_fits)
		return REASON_KEY;
	if (is_missing(&record->fields[RECORD_FIRST]) && is_missing(&record->fields[RECORD_LAST]))
		return REASON_NAME;
	record->birth_date = layout->sight.birth_date;
	return record->birth_date == RECORD_NO_DATE ? REASON_BIRTH_DATE : REASON_NONE;
}

/* --- staff --- */

/* The PIN of a member of staff comes from the key, and a short key needs four digits for it. */
static bool
staff_key_fits(const struct text *key)
{
	size_t digits = 0;

	for (size_t i = 0; i < key->size; i++)
		digits += cell_digit(key->bytes[i]);
	return key->size >= PIN_KEY_SIZE || digits >= PIN_DIGITS;
}

static void
staff_see(struct layout *layout)
{
	static const uint8_t columns[STAFF_COLUMNS] = { COLUMN_STATUS, COLUMN_KEY, COLUMN_FIRST, COLUMN_LAST, COLUMN_STREET,
		COLUMN_CITY, COLUMN_STATE, COLUMN_ZIP, COLUMN_PHONE, COLUMN_PHONE_2, COLUMN_EMAIL, COLUMN_JOB, COLUMN_SCHOOL,
		COLUMN_SITE };
	bool all = layout->statuses[strspn(layout->statuses, " \t")] == '\0';

	for (size_t i = 0; i < STAFF_COLUMNS; i++)
		see(layout, (enum feed_column)columns[i], i);
	layout->sight.active = all || is_processed(layout, &layout->cells.at[STAFF_STATUS], true);
	layout->sight.school = layout->cells.at[STAFF_SITE_ID];
}

static int
staff_verdict(struct layout *layout, const struct csv_row *row, struct record *record)
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

	take_key(layout, row, STAFF_KEY, record);
	if (row->count != STAFF_COLUMNS)
		return REASON_SHAPE;
	staff_see(layout);
	r = layout_cells_blank_dollars(&layout->cells, STAFF_FIRST, STAFF_COLUMNS);
	if (r == 0)
		r = (int)take_fields(layout, rules, sizeof(rules) / sizeof(rules[0]), 0, record);
	if (r != 0)
		return r;
	if (!layout->sight.active)
		return REASON_INACTIVE;
	if (!record->key_fits || !staff_key_fits(&record->fields[RECORD_KEY]))
		return REASON_KEY;
	if (is_missing(&record->fields[RECORD_FIRST]) && is_missing(&record->fields[RECORD_LAST]))
		return REASON_NAME;
	return REASON_NONE;
}

/* --- rows --- */

/* A line of blanks alone; in a feed parted by tabs the tabs are blanks too. */
static bool
is_blank(const struct layout *layout, const struct csv_row *row)
{
	if (row->quoted || (row->count > 1 && row->delimiter != '\t'))
		return false;
	for (size_t i = 0; i < row->count; i++)
		if (layout->cells.at[i].size > 0)
			return false;
	return true;
}

/* Of a row that is not taken nothing but its key leaves. */
static void
drop_fields(struct record *record)
{
	for (size_t i = 0; i < RECORD_FIELD_MAX; i++)
		if (i != RECORD_KEY)
			record->fields[i] = (struct text){ 0 };
	record->birth_date = RECORD_NO_DATE;
}

int
layout_row(struct layout *layout, const struct csv_row *row, struct record *ret)
{
	struct record record = {
		.feed = layout->feed,
		.status = RECORD_NO_STATUS,
		.birth_date = RECORD_NO_DATE,
	};
	bool first = !layout->begun;
	int r = layout_cells_set(&layout->cells, row);

	if (r < 0)
		return r;
	if (is_blank(layout, row))
		return LAYOUT_BLANK;
	layout->begun = true;
	if (first && header_is(layout->cells.at, row->count)) {
		layout->header_column = header_misfit(layout->feed, layout->cells.at, row->count);
		return layout->header_column == 0 ? LAYOUT_HEADER : LAYOUT_E_HEADER;
	}
	memset(layout->positions, 0, sizeof(layout->positions));
	layout->sight = (struct row_sight){ .status = RECORD_NO_STATUS, .birth_date = RECORD_NO_DATE, .positions = layout->positions };
	r = layout->feed == FEED_STUDENT ? student_verdict(layout, row, &record) : staff_verdict(layout, row, &record);
	if (r < 0)
		return r;
	record.verdict = (enum reason)r;
	record.row = ++layout->rows;
	if (record.verdict != REASON_NONE)
		drop_fields(&record);
	*ret = record;
	return LAYOUT_RECORD;
}
