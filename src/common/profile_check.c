/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A profile as a whole: what is missing, what contradicts, what could never be told apart. */

#include "common/profile_check.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"

struct check {
	struct profile *profile;
	struct config_error *error;
	const struct profile_table *table;
	char section[48]; /* of the table, for the error */
};

#define REFUSE(check, format, ...) ini_refuse((check)->error, "[%s] " format, (check)->section, ##__VA_ARGS__)

/* --- lists --- */

/* True where a word stands in both lists. */
static bool
lists_meet(const struct profile *profile, struct profile_words a, struct profile_words b)
{
	for (size_t i = 0; i < a.count; i++)
		for (size_t j = 0; j < b.count; j++) {
			const char *one = profile->words[a.first + i], *other = profile->words[b.first + j];

			if (text_same_name(one, strlen(one), other, strlen(other)) && strcmp(one, PROFILE_WORD_ANY) != 0)
				return true;
		}
	return false;
}

/* True where a word of one list, `1`, is meant by another's that stands for more than itself, `(digit)`. */
static bool
list_covers(const struct profile *profile, struct profile_words list, struct profile_words words)
{
	for (size_t i = 0; i < words.count; i++) {
		const char *word = profile->words[words.first + i];

		if (profile_has_word(profile, list, word, strlen(word)))
			return true;
	}
	return false;
}

static bool
is_anywhere(const struct check *check, enum feed_column what)
{
	if (profile_column(check->table, what) != NULL)
		return true;
	for (size_t i = 0; i < check->profile->join_count; i++)
		if (profile_column(&check->profile->joins[i], what) != NULL)
			return true;
	return false;
}

/* The polarity must be said: which values mean no, and which yes. */
static int
check_opt_out(const struct check *check)
{
	const struct profile_table *table = check->table;
	const struct profile *profile = check->profile;
	const struct profile_column *column = profile_column(table, COLUMN_OPT_OUT);
	bool has = column != NULL;

	if (!has && (table->opted_out.count > 0 || table->not_opted_out.count > 0))
		return REFUSE(check, "opted_out and not_opted_out need the column opt_out");
	if (!has)
		return 0;
	if (table->opted_out.count == 0 || table->not_opted_out.count == 0)
		return REFUSE(check, "opt_out needs opted_out and not_opted_out: which values mean yes, and which no");
	/* an export that loses the column would make all children be taken; that there is none the configuration says */
	if (column->optional && table == &profile->tables[FEED_STUDENT])
		return REFUSE(check, "opt_out must not be optional; where there is none [feed student] says opt_out = none");
	if (lists_meet(profile, table->opted_out, table->not_opted_out) ||
	    list_covers(profile, table->not_opted_out, table->opted_out) ||
	    list_covers(profile, table->opted_out, table->not_opted_out))
		return REFUSE(check, "a value stands in opted_out and in not_opted_out");
	if (profile_has_any(profile, table->opted_out) || profile_has_any(profile, table->not_opted_out))
		return REFUSE(check, "opted_out and not_opted_out take no (any): what is in neither counts as opted out");
	return 0;
}

static int
check_status(const struct check *check)
{
	const struct profile_table *table = check->table;
	bool has = profile_column(table, COLUMN_STATUS) != NULL;

	if (!has && (table->active.count > 0 || table->inactive.count > 0))
		return REFUSE(check, "active and inactive need the column status");
	if (has && table->active.count == 0)
		return REFUSE(check, "status needs active: the values that are processed");
	if (lists_meet(check->profile, table->active, table->inactive))
		return REFUSE(check, "a value stands in active and in inactive");
	return 0;
}

static int
check_roles(const struct check *check)
{
	const struct profile_table *table = check->table;
	const struct profile *profile = check->profile;

	if (!profile->by_role)
		return 0;
	if (!is_anywhere(check, COLUMN_ROLE))
		return REFUSE(check, "role is missing: without it student and staff cannot be told apart");
	if (table->students.count == 0 || table->staff.count == 0)
		return REFUSE(check, "students and staff must be given: the roles of each");
	if (lists_meet(profile, table->students, table->staff) || lists_meet(profile, table->students, table->others) ||
	    lists_meet(profile, table->staff, table->others))
		return REFUSE(check, "a role stands in two of students, staff and others");
	if (profile_has_any(profile, table->students) || profile_has_any(profile, table->staff))
		return REFUSE(check, "(any) may stand in others alone");
	return 0;
}

/* --- columns --- */

static int
check_names(const struct check *check)
{
	const struct profile_table *table = check->table;

	for (size_t i = 0; i < table->column_count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct profile_column *a = &table->columns[i], *b = &table->columns[j];

			if (a->position != 0 && a->position == b->position)
				return REFUSE(check, "two columns have the position #%u", a->position);
			for (size_t k = 0; k < a->names.count; k++) {
				const char *name = check->profile->words[a->names.first + k];

				if (profile_is_name(check->profile, b, name, strlen(name)))
					return REFUSE(check, "a name stands for both %s and %s", profile_column_name(b->what),
					    profile_column_name(a->what));
			}
		}
	return 0;
}

/* Each column must be findable in every form that the header may have. */
static int
check_places(const struct check *check)
{
	const struct profile_table *table = check->table;
	enum profile_header header = check->profile->header;

	if (table->shape == PROFILE_SHAPE_COLUMNS && (header != PROFILE_HEADER_REQUIRED) != (table->cells != 0))
		return REFUSE(check, "cells is needed where there may be no header, and there alone: how many a row has");
	for (size_t i = 0; i < table->column_count; i++) {
		const struct profile_column *column = &table->columns[i];
		const char *word = profile_column_name(column->what);

		if (table->shape == PROFILE_SHAPE_CHCCS) {
			if (column->names.count == 0 || column->position != 0)
				return REFUSE(check, "%s: with shape = chccs a column has its name, and no position", word);
			continue;
		}
		if (header != PROFILE_HEADER_ABSENT && column->names.count == 0)
			return REFUSE(check, "%s: needs a name, since there may be a header", word);
		if (header != PROFILE_HEADER_REQUIRED && column->position == 0 && !column->optional &&
		    column->what != COLUMN_OTHER)
			return REFUSE(check, "%s: needs a position (#1), since there may be no header", word);
		if (header == PROFILE_HEADER_REQUIRED && column->position != 0)
			return REFUSE(check, "%s: with header = required a column has its name, and no position", word);
		if (table->cells != 0 && column->position > table->cells)
			return REFUSE(check, "%s: its position is behind the last of cells", word);
	}
	return 0;
}

static int
check_repeats(const struct check *check)
{
	for (size_t i = 0; i < check->table->column_count; i++) {
		const struct profile_column *column = &check->table->columns[i];

		if (!column->repeats)
			continue;
		if (column->what != COLUMN_STREET && column->what != COLUMN_EMAIL && column->what != COLUMN_GUARDIAN_EMAIL)
			return REFUSE(check, "repeat: street, email and guardian_email alone can be joined");
		if (column->position != 0)
			return REFUSE(check, "repeat: %s has a position, which is one column", profile_column_name(column->what));
	}
	return 0;
}

static int
check_dates(const struct check *check)
{
	const struct profile_table *table = check->table;
	unsigned int forms = 0;

	for (size_t i = 0; i < table->date_count; i++) {
		if ((forms & 1U << table->dates[i]) != 0)
			return REFUSE(check, "dates names a form twice");
		forms |= 1U << table->dates[i];
	}
	if ((forms & 1U << PROFILE_DATE_MDY) != 0 && (forms & 1U << PROFILE_DATE_DMY) != 0)
		return REFUSE(check, "dates: MM/DD/YYYY and DD/MM/YYYY cannot be told apart");
	if ((profile_column(table, COLUMN_BIRTH_DATE) != NULL) != (forms != 0))
		return REFUSE(check, "birth_date and dates need each other");
	return 0;
}

/* --- the shape of CHCCS --- */

static const enum feed_column chccs_student[] = { COLUMN_OPT_OUT, COLUMN_KEY, COLUMN_FIRST, COLUMN_LAST,
	COLUMN_BIRTH_DATE, COLUMN_SCHOOL, COLUMN_GRADE, COLUMN_STREET, COLUMN_CITY, COLUMN_STATE, COLUMN_ZIP, COLUMN_EMAIL,
	COLUMN_PHONE, COLUMN_GUARDIAN_EMAIL, COLUMN_STATUS, COLUMN_STATE_ID };
static const enum feed_column chccs_staff[] = { COLUMN_STATUS, COLUMN_KEY, COLUMN_FIRST, COLUMN_LAST,
	COLUMN_STREET, COLUMN_CITY, COLUMN_STATE, COLUMN_ZIP, COLUMN_PHONE, COLUMN_PHONE_2, COLUMN_EMAIL,
	COLUMN_JOB, COLUMN_SCHOOL, COLUMN_SITE };

/* Its order is written in C: a profile may give the columns other names, and no other order. */
static int
check_chccs(const struct check *check, enum feed_kind feed)
{
	const enum feed_column *order = feed == FEED_STUDENT ? chccs_student : chccs_staff;
	size_t count = feed == FEED_STUDENT ? sizeof(chccs_student) / sizeof(chccs_student[0])
	                                    : sizeof(chccs_staff) / sizeof(chccs_staff[0]);
	const struct profile_table *table = check->table;

	if (table->shape != PROFILE_SHAPE_CHCCS)
		return 0;
	if (check->profile->join_count > 0 || check->profile->header != PROFILE_HEADER_EITHER || table->cells != 0 ||
	    table->unknown_ignored)
		return REFUSE(check, "shape = chccs goes with header = either, and without joined files, cells and unknown_columns");
	if (table->column_count != count)
		return REFUSE(check, "shape = chccs has %zu columns", count);
	for (size_t i = 0; i < count; i++) {
		const struct profile_column *column = &table->columns[i];
		bool repeats = feed == FEED_STUDENT && (order[i] == COLUMN_STREET || order[i] == COLUMN_GUARDIAN_EMAIL);
		bool optional = feed == FEED_STUDENT && order[i] == COLUMN_STATE_ID;

		if (column->what != order[i])
			return REFUSE(check, "shape = chccs has %s as its column %zu", profile_column_name(order[i]), i + 1);
		if (column->repeats != repeats || column->optional != optional)
			return REFUSE(check, "shape = chccs repeats street and guardian_email, and may lack state_id, of students");
	}
	return 0;
}

/* --- tables --- */

static int
check_common(const struct check *check)
{
	static int (*const checks[])(const struct check *check) = { check_names, check_places, check_repeats, check_dates,
		check_opt_out, check_status, check_roles };

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int r = checks[i](check);

		if (r < 0)
			return r;
	}
	return 0;
}

static int
check_feed(struct check *check, enum feed_kind feed)
{
	const struct profile_table *table = check->table = &check->profile->tables[feed];
	int r;

	(void)snprintf(check->section, sizeof(check->section), "%s",
	    check->profile->by_role ? "people" : feed_kind_name(feed));
	r = check_common(check);
	if (r < 0)
		return r;
	if (table->file == 0)
		return REFUSE(check, "file is missing: the pattern of the file's name in the zip");
	if (profile_column(table, COLUMN_KEY) == NULL)
		return REFUSE(check, "key is missing");
	if (profile_column(table, COLUMN_LAST) == NULL || profile_column(table, COLUMN_FIRST) == NULL)
		return REFUSE(check, "first_name and last_name are needed");
	if (feed == FEED_STUDENT && !is_anywhere(check, COLUMN_BIRTH_DATE))
		return REFUSE(check, "birth_date is missing: students cannot be created without it");
	if (feed == FEED_STUDENT && !check->profile->by_role && profile_column(table, COLUMN_PHONE_2) != NULL)
		return REFUSE(check, "phone_2 is of staff alone");
	return check_chccs(check, feed);
}

static int
check_join(struct check *check, size_t i)
{
	const struct profile_table *table = check->table = &check->profile->joins[i];
	const enum feed_column gives[] = { COLUMN_BIRTH_DATE, COLUMN_SCHOOL, COLUMN_ROLE };
	bool useful = false;
	int r;

	(void)snprintf(check->section, sizeof(check->section), "join %s", table->join.name);
	r = check_names(check);
	if (r == 0)
		r = check_places(check);
	if (r == 0)
		r = check_dates(check);
	if (r < 0)
		return r;
	if (table->file == 0 || profile_column(table, COLUMN_ID) == NULL || table->join.from == COLUMN_INVALID)
		return REFUSE(check, "file, id and from are needed");
	for (size_t j = 0; j < sizeof(gives) / sizeof(gives[0]); j++)
		useful |= profile_column(table, gives[j]) != NULL;
	if (!useful)
		return REFUSE(check, "gives nothing: birth_date, school or role");
	if ((profile_column(table, COLUMN_KIND) != NULL) != (table->kinds.count > 0))
		return REFUSE(check, "kind and kinds need each other");
	return 0;
}

/* What a joined file is found from must be in the main file, which must not have the same itself. */
static int
check_joins(struct check *check)
{
	struct profile *profile = check->profile;

	for (size_t i = 0; i < profile->join_count; i++) {
		int r = check_join(check, i);

		if (r < 0)
			return r;
		for (size_t feed = 0; feed < FEED_KIND_MAX; feed++)
			if (profile->tables[feed].given &&
			    profile_column(&profile->tables[feed], check->table->join.from) == NULL)
				return REFUSE(check, "from = %s, and there is no such column in the main file",
				    profile_column_name(check->table->join.from));
	}
	if (profile->join_count > 0 && profile->header != PROFILE_HEADER_REQUIRED)
		return ini_refuse(check->error, "[format] header must be required where files are joined");
	return 0;
}

int
profile_check(struct profile *profile, struct config_error *error)
{
	struct check check = { .profile = profile, .error = error };
	struct profile_table *tables = profile->tables;
	int r = 0;

	if (profile->by_role && tables[FEED_STAFF].given)
		return ini_refuse(error, "[people] is student and staff in one file: it stands alone");
	if (profile->by_role)
		tables[FEED_STAFF] = tables[FEED_STUDENT];
	if (!tables[FEED_STUDENT].given && !tables[FEED_STAFF].given)
		return ini_refuse(error, "there is neither [student], [staff] nor [people]");
	for (unsigned int feed = 0; feed < FEED_KIND_MAX && r == 0; feed++)
		if (tables[feed].given)
			r = check_feed(&check, (enum feed_kind)feed);
	return r < 0 ? r : check_joins(&check);
}
