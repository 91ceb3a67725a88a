/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape of a feed, for people: what an administrator compares with what the district says that it sends. */

#include <inttypes.h>

#include "common/present.h"
#include "supervisor/explain.h"

/* "  keys that fit             13,846   99.8%" */
static void
show_share(const char *what, uint32_t value, uint32_t basis, FILE *to)
{
	char number[27];
	unsigned int tenths = basis > 0 ? (unsigned int)((uint64_t)value * 1000 / basis) : 0;

	(void)fprintf(to, "  %-24s%11s  %3u.%u%%", what, present_number(value, number), tenths / 10, tenths % 10);
}

static void
show_line(const char *what, uint32_t value, uint32_t basis, FILE *to)
{
	show_share(what, value, basis, to);
	(void)fprintf(to, "\n");
}

static const char *
delimiter_name(uint8_t delimiter)
{
	switch (delimiter) {
	case '\t': return "tabs";
	case ',': return "commas";
	case ';': return "semicolons";
	case '|': return "bars";
	default: return "another character";
	}
}

static void
show_head(enum feed_kind feed, const struct feed_shape *shape, FILE *to)
{
	char number[27];

	(void)fprintf(to, "%s feed: %s row%s, %s, parted by %s, ", feed_kind_name(feed), present_number(shape->rows, number),
	    shape->rows == 1 ? "" : "s", shape->header != 0 ? "a header before them" : "no header", delimiter_name(shape->delimiter));
	if (shape->cells_min == shape->cells_max)
		(void)fprintf(to, "%u cells each\n", shape->cells_min);
	else
		(void)fprintf(to, "%u to %u cells\n", shape->cells_min, shape->cells_max);
}

static void
show_statuses(const struct feed_shape *shape, FILE *to)
{
	for (unsigned int i = 0; i < STATUS_VALUES; i++) {
		char what[24];

		(void)snprintf(what, sizeof(what), "status %s%u", i >= 10 ? "-" : "", i % 10);
		if (shape->status[i] > 0)
			show_line(what, shape->status[i], shape->understood, to);
	}
	if (shape->status_other > 0)
		show_line("status, another word", shape->status_other, shape->understood, to);
}

static void
show_column(const struct feed_shape *shape, size_t column, FILE *to)
{
	show_share(feed_column_name((enum feed_column)column), shape->columns[column].filled, shape->understood, to);
	if (shape->columns[column].position > 0)
		(void)fprintf(to, "  %u\n", shape->columns[column].position);
	else
		(void)fprintf(to, "  not in that row, or joined from another file\n");
}

/* In the order in which they stand; behind them those that the first row has not. */
static void
show_columns(const struct feed_shape *shape, FILE *to)
{
	(void)fprintf(to, "\n  %-24s%11s  %6s  %s\n", "column", "filled", "", "place in the first of these rows");
	for (unsigned int place = 1; place <= LIMIT_CELLS; place++)
		for (size_t i = 0; i < COLUMN_MAX; i++)
			if (shape->columns[i].position == place)
				show_column(shape, i, to);
	for (size_t i = 0; i < COLUMN_MAX; i++)
		if (shape->columns[i].position == 0 && shape->columns[i].filled > 0)
			show_column(shape, i, to);
}

static void
show_schools(const struct feed_shape *shape, FILE *to)
{
	char number[27];

	(void)fprintf(to, "\n  %u school%s", shape->schools, shape->schools == 1 ? "" : "s");
	for (size_t i = 0; i < SHAPE_SCHOOLS && shape->school_rows[i] > 0; i++)
		(void)fprintf(to, "%s%s", i == 0 ? ", rows of each: " : " ", present_number(shape->school_rows[i], number));
	(void)fprintf(to, "\n");
}

static void
show_reasons(const struct feed_shape *shape, FILE *to)
{
	bool any = false;

	for (int i = 0; i < REASON_MAX; i++) {
		if (shape->reasons[i].rows == 0)
			continue;
		if (!any)
			(void)fprintf(to, "\n  %-24s%11s  %6s  %s\n", "rows that are not taken", "", "", "the first of them");
		any = true;
		show_share(reason_name((enum reason)i), shape->reasons[i].rows, shape->rows, to);
		(void)fprintf(to, "  row %" PRIu32 "\n", shape->reasons[i].first_row);
	}
	if (!any)
		(void)fprintf(to, "\n  No row is left out.\n");
}

void
explain_show(enum feed_kind feed, const struct feed_shape *shape, FILE *to)
{
	show_head(feed, shape, to);
	show_line("keys that fit", shape->key_fits, shape->rows, to);
	show_line("understood", shape->understood, shape->rows, to);
	(void)fprintf(to, "\n  Of those that were understood (neither opted out nor of another shape):\n");
	show_line("a status to process", shape->active, shape->understood, to);
	show_statuses(shape, to);
	if (shape->columns[COLUMN_BIRTH_DATE].position > 0 || shape->columns[COLUMN_BIRTH_DATE].filled > 0) {
		show_line("real birth dates", shape->birth_dates, shape->understood, to);
		show_line("of a pupil's age", shape->of_age, shape->understood, to);
	}
	show_columns(shape, to);
	show_schools(shape, to);
	show_reasons(shape, to);
}
