/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Headers against profiles. */

#include "decode/layout_header.h"

#include <string.h>

#include "common/text.h"

#define REPEATS_ANY UINT32_MAX

static bool
is_column(const struct profile *profile, const struct profile_column *column, const struct text *cell)
{
	return cell->size > 0 && profile_is_name(profile, column, cell->bytes, cell->size);
}

bool
header_is(const struct profile *profile, const struct text *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t feed = 0; feed < FEED_KIND_MAX; feed++)
			for (size_t j = 0; j < profile->tables[feed].column_count; j++)
				if (is_column(profile, &profile->tables[feed].columns[j], &cells[i]))
					return true;
	return false;
}

/* How often a column may stand there; a third street would put the ZIP where no row's shape has it. */
static uint32_t
times_max(const struct profile_column *column)
{
	if (!column->repeats)
		return 1;
	return column->what == COLUMN_STREET ? 2 : REPEATS_ANY;
}

uint32_t
header_fit_ordered(const struct profile *profile, const struct profile_table *table, const struct text *cells, size_t count)
{
	size_t at = 0;

	for (size_t j = 0; j < table->column_count; j++) {
		const struct profile_column *column = &table->columns[j];
		uint32_t times = 0;

		while (at < count && times < times_max(column) && is_column(profile, column, &cells[at])) {
			times++;
			at++;
		}
		if (times == 0 && !column->optional)
			return (uint32_t)at + 1;
	}
	return at < count ? (uint32_t)at + 1 : 0;
}

static void
map_begin(struct header_map *map)
{
	memset(map, 0, sizeof(*map));
	for (size_t i = 0; i < COLUMN_PROFILE_MAX; i++)
		map->at[i] = HEADER_NOWHERE;
	memset(map->what, COLUMN_OTHER, sizeof(map->what));
}

static void
add_places(const struct header_map *map, enum feed_column what, struct header_places *places)
{
	for (size_t i = 0; i < map->cells; i++)
		if (map->what[i] == (uint8_t)what)
			places->at[places->count++] = (uint16_t)i;
}

static void
map_end(struct header_map *map)
{
	add_places(map, COLUMN_STREET, &map->streets);
	add_places(map, COLUMN_STREET_2, &map->streets);
	add_places(map, COLUMN_EMAIL, &map->emails);
	add_places(map, COLUMN_GUARDIAN_EMAIL, &map->emails);
}

static const struct profile_column *
find_column(const struct profile *profile, const struct profile_table *table, const struct text *cell)
{
	for (size_t j = 0; j < table->column_count; j++)
		if (is_column(profile, &table->columns[j], cell))
			return &table->columns[j];
	return NULL;
}

/* The first column that a header must have and has not. */
static enum feed_column
find_missing(const struct profile_table *table, bool no_opt_out, const struct header_map *map)
{
	for (size_t j = 0; j < table->column_count; j++) {
		const struct profile_column *column = &table->columns[j];

		if (column->optional || column->what == COLUMN_OTHER || map->at[column->what] != HEADER_NOWHERE)
			continue;
		if (column->what != COLUMN_OPT_OUT || !no_opt_out)
			return column->what;
	}
	return COLUMN_INVALID;
}

/* True where a name holds a word, case and what is no letter aside. */
static bool
holds(const struct text *cell, const char *word)
{
	size_t found = 0;

	for (size_t i = 0; i < cell->size && word[found] != '\0'; i++) {
		char c = cell->bytes[i] >= 'A' && cell->bytes[i] <= 'Z' ? (char)(cell->bytes[i] - 'A' + 'a') : cell->bytes[i];

		if (c < 'a' || c > 'z')
			continue;
		if (c == word[found])
			found++;
		else
			found = c == word[0];
	}
	return word[found] == '\0';
}

static bool
sounds_like_opt_out(const struct text *cell)
{
	static const char *const words[] = { "optout", "optedout", "optsout", "optingout" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (holds(cell, words[i]))
			return true;
	return false;
}

static bool
stands_by_name(const struct profile *profile, const struct profile_table *table, const struct text *cell)
{
	for (size_t j = 0; j < table->column_count; j++)
		for (size_t k = 0; k < table->columns[j].names.count; k++) {
			const char *name = profile->words[table->columns[j].names.first + k];

			if (text_same_name(cell->bytes, cell->size, name, strlen(name)))
				return true;
		}
	return false;
}

/*
 * The first column, from 1, that may be the opt-out under another name in a header that has none, or 0. That there is none
 * the configuration may say; but that was said before this column came. One that stands in the profile by its whole name
 * has been looked at by somebody.
 */
static uint32_t
find_unread_opt_out(const struct profile *profile, const struct profile_table *table, const struct text *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (sounds_like_opt_out(&cells[i]) && !stands_by_name(profile, table, &cells[i]))
			return (uint32_t)i + 1;
	return 0;
}

bool
header_fit(const struct profile *profile, const struct profile_table *table, bool no_opt_out, const struct text *cells,
    size_t count, struct header_map *ret, struct header_misfit *ret_misfit)
{
	struct header_misfit misfit = { 0, COLUMN_INVALID };

	map_begin(ret);
	ret->cells = count;
	for (size_t i = 0; i < count; i++) {
		const struct profile_column *column = find_column(profile, table, &cells[i]);
		bool misplaced = column == NULL ? !table->unknown_ignored
		                                : column->what != COLUMN_OTHER && !column->repeats &&
		                                      ret->at[column->what] != HEADER_NOWHERE;

		if (misplaced && misfit.column == 0)
			misfit.column = (uint32_t)i + 1;
		if (column == NULL || misplaced)
			continue;
		ret->what[i] = (uint8_t)column->what;
		if (ret->at[column->what] == HEADER_NOWHERE)
			ret->at[column->what] = (uint16_t)i;
	}
	/* of students, and in what is joined to them; staff opt out where their own profile has it */
	if (misfit.column == 0 && no_opt_out && table != &profile->tables[FEED_STAFF] && ret->at[COLUMN_OPT_OUT] == HEADER_NOWHERE)
		misfit.column = find_unread_opt_out(profile, table, cells, count);
	misfit.missing = find_missing(table, no_opt_out, ret);
	map_end(ret);
	*ret_misfit = misfit;
	return misfit.column == 0 && misfit.missing == COLUMN_INVALID;
}

void
header_by_position(const struct profile_table *table, struct header_map *ret)
{
	map_begin(ret);
	ret->cells = table->cells;
	for (size_t j = 0; j < table->column_count; j++) {
		const struct profile_column *column = &table->columns[j];

		if (column->position == 0)
			continue;
		ret->at[column->what] = (uint16_t)(column->position - 1);
		ret->what[column->position - 1] = (uint8_t)column->what;
	}
	map_end(ret);
}
