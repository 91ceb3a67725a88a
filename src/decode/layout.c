/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows become records: headers, blank lines, the tests that every shape has. */

#include "decode/layout_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/date.h"

#define STATUS_NEGATIVE 10U /* index of -0 in inactive_status */
#define PIN_KEY_SIZE 10U    /* a shorter staff key gives its last four digits to the PIN */
#define PIN_DIGITS 4U

/* --- making --- */

/* The configuration's statuses replace the profile's active ones; what else there may be stays the profile's. */
static int
make_active(struct layout *layout, enum feed_kind feed)
{
	const char *statuses = layout->options.feeds[feed].statuses;
	int r;

	if (statuses[strspn(statuses, " \t")] == '\0')
		return words_of_list(&layout->active[feed], layout->options.profile, layout->table->active);
	r = words_of_text(&layout->active[feed], statuses);
	/* blanks part the words there, so one of staff's is written without its own */
	layout->active[feed].loose = feed == FEED_STAFF;
	return r;
}

static int
make_words(struct layout *layout)
{
	const struct profile_table *table = layout->table;
	const struct {
		struct words *words;
		struct profile_words list;
	} lists[] = { { &layout->opted_out, table->opted_out }, { &layout->not_opted_out, table->not_opted_out },
		{ &layout->inactive, table->inactive }, { &layout->students, table->students }, { &layout->staff, table->staff },
		{ &layout->others, table->others } };
	int r = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && r == 0; i++)
		r = words_of_list(lists[i].words, layout->options.profile, lists[i].list);
	for (unsigned int feed = 0; feed < FEED_KIND_MAX && r == 0; feed++)
		r = make_active(layout, (enum feed_kind)feed);
	return r;
}

int
layout_new(struct layout **ret, const struct layout_options *options)
{
	_cleanup_layout_ struct layout *layout = calloc(1, sizeof(*layout));
	enum feed_kind first = (options->kinds & FEED_BIT(FEED_STUDENT)) != 0 ? FEED_STUDENT : FEED_STAFF;
	int r;

	if (layout == NULL)
		return -ENOMEM;
	layout->options = *options;
	layout->table = &options->profile->tables[first];
	if (!layout->table->given || (options->kinds == FEED_BITS_ALL && !options->profile->by_role))
		return -EINVAL;
	layout->first_birth_date = date_to_days((struct date){ 1900, 1, 1 });
	layout->misfit.missing = COLUMN_INVALID;
	r = make_words(layout);
	if (r == 0 && layout->table->key_pattern != 0)
		r = key_rule_new(&layout->own_keys, options->profile->words[layout->table->key_pattern]);
	if (r == 0)
		r = layout_cells_init(&layout->cells, options->profile->encoding);
	if (r < 0)
		return r;
	header_by_position(layout->table, &layout->map);
	for (size_t i = 0; i < options->profile->join_count; i++)
		layout->joins_school |= profile_column(&options->profile->joins[i], COLUMN_SCHOOL) != NULL;
	*ret = TAKE_PTR(layout);
	return 0;
}

struct layout *
layout_free(struct layout *layout)
{
	if (layout == NULL)
		return NULL;
	layout_cells_done(&layout->cells);
	words_done(&layout->opted_out);
	words_done(&layout->not_opted_out);
	words_done(&layout->inactive);
	words_done(&layout->students);
	words_done(&layout->staff);
	words_done(&layout->others);
	for (size_t feed = 0; feed < FEED_KIND_MAX; feed++)
		words_done(&layout->active[feed]);
	layout->own_keys = key_rule_free(layout->own_keys);
	explicit_bzero(layout, sizeof(*layout));
	free(layout);
	return NULL;
}

void
layout_freep(struct layout **layout)
{
	*layout = layout_free(*layout);
}

/* --- asking --- */

uint32_t
layout_rows(const struct layout *layout, enum feed_kind feed)
{
	return layout->rows[feed];
}

uint32_t
layout_rows_total(const struct layout *layout)
{
	return layout->rows[FEED_STUDENT] + layout->rows[FEED_STAFF];
}

struct header_misfit
layout_misfit(const struct layout *layout)
{
	return layout->misfit;
}

size_t
layout_columns(const struct layout *layout, enum feed_column ret[static LIMIT_CELLS])
{
	for (size_t i = 0; i < layout->map.cells; i++)
		ret[i] = (enum feed_column)layout->map.what[i];
	return layout->map.cells;
}

const struct row_sight *
layout_sight(const struct layout *layout)
{
	return &layout->sight;
}

/* --- the tests that every shape has --- */

void
layout_take_key(struct layout *layout, const struct csv_row *row, size_t column, struct record *record)
{
	int size;

	if (column >= row->count)
		return;
	size = key_normalise(layout->cells.at[column].bytes, layout->cells.at[column].size, layout->key);
	if (size <= 0)
		return;
	record->fields[RECORD_KEY] = (struct text){ layout->key, (size_t)size };
	record->key_fits = memchr(layout->key, '$', (size_t)size) == NULL &&
	    key_rule_fits(layout->options.keys, layout->key, (size_t)size) &&
	    (layout->own_keys == NULL || key_rule_fits(layout->own_keys, layout->key, (size_t)size));
}

bool
layout_opted_out(const struct layout *layout, const struct text *cell)
{
	return !words_have(&layout->not_opted_out, cell);
}

enum reason
layout_take_cell(const struct layout *layout, const struct field_rule *rule, struct record *record)
{
	const struct text *cell = &layout->cells.at[rule->column];

	if (cell->size > rule->max)
		return REASON_SHAPE;
	record->fields[rule->field] = *cell;
	return REASON_NONE;
}

/* The index of a single digit, with or without a minus, in inactive_status; or RECORD_NO_STATUS. */
static uint8_t
status_index(const struct text *status)
{
	size_t digit = status->size == 2 && status->bytes[0] == '-' ? 1 : 0;

	if (status->size != digit + 1 || !cell_digit(status->bytes[digit]))
		return RECORD_NO_STATUS;
	return (uint8_t)(status->bytes[digit] - '0' + (digit == 1 ? (int)STATUS_NEGATIVE : 0));
}

enum reason
layout_status(const struct layout *layout, const struct text *status, struct record *record)
{
	if (layout->sight.active)
		return REASON_NONE;
	if (!layout->inactive.any && !words_have(&layout->inactive, status))
		return REASON_STATUS;
	record->status = layout->sight.status;
	return REASON_INACTIVE;
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

/* The PIN of a member of staff comes from the key, and a short key needs four digits for it. */
static bool
staff_key_fits(const struct text *key)
{
	size_t digits = 0;

	for (size_t i = 0; i < key->size; i++)
		digits += cell_digit(key->bytes[i]);
	return key->size >= PIN_KEY_SIZE || digits >= PIN_DIGITS;
}

enum reason
layout_person(struct layout *layout, struct record *record)
{
	bool student = record->feed == FEED_STUDENT;

	if (!record->key_fits || (!student && !staff_key_fits(&record->fields[RECORD_KEY])))
		return REASON_KEY;
	if (is_missing(&record->fields[RECORD_FIRST]) && is_missing(&record->fields[RECORD_LAST]))
		return REASON_NAME;
	if (!student)
		return REASON_NONE;
	record->birth_date = layout->sight.birth_date;
	return record->birth_date == RECORD_NO_DATE ? REASON_BIRTH_DATE : REASON_NONE;
}

/* --- what the shape of a feed is counted by --- */

void
layout_see(struct layout *layout, enum feed_column column, size_t at)
{
	layout->positions[column] = (uint16_t)(at + 1);
	if (layout->cells.at[at].size > 0)
		layout->sight.filled |= COLUMN_BIT(column);
}

void
layout_see_status(struct layout *layout, enum feed_kind feed, const struct text *status)
{
	const struct words *active = &layout->active[feed];

	layout->sight.active = active->any || words_have(active, status);
	if (feed == FEED_STUDENT)
		layout->sight.status = status_index(status);
}

void
layout_see_days(struct layout *layout, int32_t days)
{
	if (days >= layout->first_birth_date && days <= layout->options.today)
		layout->sight.birth_date = days;
}

void
layout_see_birth_date(struct layout *layout, const struct text *cell)
{
	int32_t days;

	if (profile_date(layout->table, cell->bytes, cell->size, &days) == 0)
		layout_see_days(layout, days);
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

static bool
takes_header(const struct layout *layout, const struct csv_row *row)
{
	enum profile_header header = layout->options.profile->header;

	return header == PROFILE_HEADER_REQUIRED ||
	    (header == PROFILE_HEADER_EITHER && header_is(layout->options.profile, layout->cells.at, row->count));
}

/*
 * Whether the opt-out column may be missing: for students the configuration alone says so. Staff who may have none have a
 * profile that says `optional`; in a file of both the column is the students', who are not wanted where staff are alone.
 */
static bool
may_lack_opt_out(const struct layout_options *options)
{
	if ((options->kinds & FEED_BIT(FEED_STUDENT)) == 0)
		return options->profile->by_role;
	return options->feeds[FEED_STUDENT].opt_out == OPT_OUT_NONE;
}

static int
fit_header(struct layout *layout, const struct csv_row *row)
{
	const struct layout_options *options = &layout->options;

	if (layout->table->shape == PROFILE_SHAPE_CHCCS) {
		layout->misfit.column = header_fit_ordered(options->profile, layout->table, layout->cells.at, row->count);
		return layout->misfit.column == 0 ? LAYOUT_HEADER : LAYOUT_E_HEADER;
	}
	return header_fit(options->profile, layout->table, may_lack_opt_out(options), layout->cells.at, row->count,
	           &layout->map, &layout->misfit)
	    ? LAYOUT_HEADER
	    : LAYOUT_E_HEADER;
}

static int
verdict(struct layout *layout, const struct csv_row *row, struct record *record)
{
	if (layout->table->shape == PROFILE_SHAPE_COLUMNS)
		return layout_columns_row(layout, row, record);
	return record->feed == FEED_STUDENT ? layout_chccs_student(layout, row, record)
	                                    : layout_chccs_staff(layout, row, record);
}

/* Whose row it is. */
static enum feed_kind
feed_of(const struct layout *layout, const struct csv_row *row, bool *ret_unknown)
{
	*ret_unknown = false;
	if (layout->options.profile->by_role)
		return layout_columns_feed(layout, row, ret_unknown);
	return (layout->options.kinds & FEED_BIT(FEED_STUDENT)) != 0 ? FEED_STUDENT : FEED_STAFF;
}

int
layout_row(struct layout *layout, const struct csv_row *row, struct record *ret)
{
	struct record record = { .status = RECORD_NO_STATUS, .birth_date = RECORD_NO_DATE };
	bool first = !layout->begun, unknown;
	int r = layout_cells_set(&layout->cells, row);

	if (r < 0)
		return r;
	if (is_blank(layout, row))
		return LAYOUT_BLANK;
	layout->begun = true;
	if (first && takes_header(layout, row))
		return fit_header(layout, row);
	memset(layout->positions, 0, sizeof(layout->positions));
	layout->sight = (struct row_sight){ .status = RECORD_NO_STATUS, .birth_date = RECORD_NO_DATE, .positions = layout->positions };
	record.feed = feed_of(layout, row, &unknown);
	if (record.feed < 0 || (layout->options.kinds & FEED_BIT(record.feed)) == 0)
		return LAYOUT_ELSE;
	r = verdict(layout, row, &record);
	if (r < 0)
		return r;
	/* nobody knows whose it is: it is not taken, whatever else it says */
	if (unknown && r != REASON_OPTED_OUT)
		r = REASON_SHAPE;
	record.verdict = (enum reason)r;
	record.row = ++layout->rows[record.feed];
	if (record.verdict != REASON_NONE)
		drop_fields(&record);
	*ret = record;
	return LAYOUT_RECORD;
}
