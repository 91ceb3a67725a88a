/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parser of a profile: the form of each key; what they must be together is in profile_check.c. */

#include "common/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/date.h"
#include "common/keyrule.h"
#include "common/profile_check.h"
#include "common/text.h"

enum place {
	PLACE_FORMAT = 1U << 0,
	PLACE_FEED = 1U << 1,
	PLACE_PEOPLE = 1U << 2,
	PLACE_JOIN = 1U << 3,
	PLACE_MAIN = PLACE_FEED | PLACE_PEOPLE,
	PLACE_TABLE = PLACE_MAIN | PLACE_JOIN,
};

struct parser {
	struct profile *profile;
	struct config_error *error;
	enum place place;
	struct profile_table *table; /* NULL in [format] */
	uint32_t seen;               /* keys of this section, bits of their places in the table of keys */
	uint32_t sections;           /* format, student, staff, people */
};

/* --- words --- */

/* Returns the index of a copy of a word, or a negative errno. */
static int
add_word(struct parser *p, const char *word)
{
	struct profile *profile = p->profile;
	size_t size = strlen(word) + 1;

	if (profile->word_count == PROFILE_WORDS_MAX || size > sizeof(profile->text) - profile->text_size)
		return ini_refuse(p->error, "the profile has too many names and values");
	for (const char *at = word; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return ini_refuse(p->error, "must not have control characters");
	memcpy(profile->text + profile->text_size, word, size);
	profile->words[profile->word_count] = profile->text + profile->text_size;
	profile->text_size += size;
	return (int)profile->word_count++;
}

/* The next of a list parted by bars; NULL at the end. */
static char *
next_item(char **rest)
{
	char *item = *rest, *bar;

	if (item == NULL)
		return NULL;
	bar = strchr(item, '|');
	if (bar != NULL)
		*bar++ = '\0';
	*rest = bar;
	return ini_trim(item);
}

static bool
is_special(const char *word)
{
	return strcmp(word, PROFILE_WORD_EMPTY) == 0 || strcmp(word, PROFILE_WORD_DIGIT) == 0 ||
	    strcmp(word, PROFILE_WORD_ANY) == 0;
}

/* A list of values of cells. */
static int
take_words(struct parser *p, char *value, struct profile_words *ret)
{
	char *rest = value, *item;

	*ret = (struct profile_words){ (uint16_t)p->profile->word_count, 0 };
	while ((item = next_item(&rest)) != NULL) {
		int r;

		if (*item == '\0')
			return ini_refuse(p->error, "an empty value in a list is written " PROFILE_WORD_EMPTY);
		if (*item == '(' && !is_special(item))
			return ini_refuse(p->error, "in parentheses stand (empty), (digit) and (any) alone");
		r = add_word(p, item);
		if (r < 0)
			return r;
		ret->count++;
	}
	return 0;
}

struct word_choice {
	const char *word;
	int value;
};

static int
take_choice(struct parser *p, const char *value, const struct word_choice *choices, int *ret)
{
	char list[256] = "";
	size_t used = 0;

	for (; choices->word != NULL; choices++) {
		int n;

		if (strcmp(choices->word, value) == 0) {
			*ret = choices->value;
			return 0;
		}
		n = snprintf(list + used, sizeof(list) - used, "%s%s", used > 0 ? ", " : "", choices->word);
		if (n > 0 && used + (size_t)n < sizeof(list))
			used += (size_t)n;
	}
	return ini_refuse(p->error, "must be one of: %s", list);
}

/* --- [format] --- */

static int
take_delimiter(struct parser *p, char *value)
{
	static const struct word_choice choices[] = { { "auto", '\0' }, { "comma", ',' }, { "tab", '\t' }, { "pipe", '|' },
		{ "semicolon", ';' }, { NULL, 0 } };
	int delimiter = 0, r = take_choice(p, value, choices, &delimiter);

	if (r == 0)
		p->profile->delimiter = (char)delimiter;
	return r;
}

static int
take_quotes(struct parser *p, char *value)
{
	static const struct word_choice choices[] = { { "yes", 1 }, { "no", 0 }, { NULL, 0 } };
	int quotes = 0, r = take_choice(p, value, choices, &quotes);

	if (r == 0)
		p->profile->quotes = quotes != 0;
	return r;
}

static int
take_encoding(struct parser *p, char *value)
{
	static const struct word_choice choices[] = { { "auto", PROFILE_ENCODING_AUTO },
		{ "utf-8", PROFILE_ENCODING_UTF_8 }, { "windows-1252", PROFILE_ENCODING_WINDOWS_1252 }, { NULL, 0 } };
	int encoding = 0, r = take_choice(p, value, choices, &encoding);

	if (r == 0)
		p->profile->encoding = (enum profile_encoding)encoding;
	return r;
}

static int
take_header(struct parser *p, char *value)
{
	static const struct word_choice choices[] = { { "required", PROFILE_HEADER_REQUIRED },
		{ "absent", PROFILE_HEADER_ABSENT }, { "either", PROFILE_HEADER_EITHER }, { NULL, 0 } };
	int header = 0, r = take_choice(p, value, choices, &header);

	if (r == 0)
		p->profile->header = (enum profile_header)header;
	return r;
}

/* --- keys of a table --- */

static int
take_file(struct parser *p, char *value)
{
	int r;

	if (*value == '\0' || strchr(value, '/') != NULL)
		return ini_refuse(p->error, "must be a pattern of a file name, without /");
	r = add_word(p, value);
	if (r < 0)
		return r;
	p->table->file = (uint16_t)r;
	return 0;
}

static int
take_shape(struct parser *p, char *value)
{
	static const struct word_choice choices[] = { { "columns", PROFILE_SHAPE_COLUMNS }, { "chccs", PROFILE_SHAPE_CHCCS },
		{ NULL, 0 } };
	int shape = 0, r = take_choice(p, value, choices, &shape);

	if (r == 0)
		p->table->shape = (enum profile_shape)shape;
	return r;
}

static struct profile_column *
find_column(struct profile_table *table, const char *word, struct profile_column *from)
{
	struct profile_column *end = table->columns + table->column_count;

	for (struct profile_column *column = from != NULL ? from + 1 : table->columns; column < end; column++)
		if (strcmp(profile_column_name(column->what), word) == 0)
			return column;
	return NULL;
}

/* Sets a flag of the columns in a list; they stand before it. */
static int
flag_columns(struct parser *p, char *value, bool repeats)
{
	char *rest = value, *item;

	while ((item = next_item(&rest)) != NULL) {
		struct profile_column *column = find_column(p->table, item, NULL);

		if (column == NULL)
			return ini_refuse(p->error, "names a column that this section has no key for, or has it further down");
		for (; column != NULL; column = find_column(p->table, item, column)) {
			if (repeats)
				column->repeats = true;
			else
				column->optional = true;
		}
	}
	return 0;
}

static int
take_optional(struct parser *p, char *value)
{
	return flag_columns(p, value, false);
}

static int
take_repeat(struct parser *p, char *value)
{
	return flag_columns(p, value, true);
}

static int
take_dates(struct parser *p, char *value)
{
	static const struct word_choice choices[] = { { "MM/DD/YYYY", PROFILE_DATE_MDY }, { "DD/MM/YYYY", PROFILE_DATE_DMY },
		{ "YYYY-MM-DD", PROFILE_DATE_ISO }, { "YYYYMMDD", PROFILE_DATE_BARE }, { NULL, 0 } };
	char *rest = value, *item;

	while ((item = next_item(&rest)) != NULL) {
		int date = 0, r = take_choice(p, item, choices, &date);

		if (r < 0)
			return r;
		if (p->table->date_count == PROFILE_DATE_MAX)
			return ini_refuse(p->error, "names a form twice");
		p->table->dates[p->table->date_count++] = (enum profile_date)date;
	}
	return 0;
}

static int
take_key_pattern(struct parser *p, char *value)
{
	struct key_rule *rule = NULL;
	int r = key_rule_new(&rule, value);

	key_rule_free(rule);
	if (r == -EINVAL)
		return ini_refuse(p->error, "is not a regular expression (POSIX extended) that needs at least one character");
	if (r == -E2BIG)
		return ini_refuse(p->error, "repeats too much");
	if (r == 0)
		r = add_word(p, value);
	if (r < 0)
		return r;
	p->table->key_pattern = (uint16_t)r;
	return 0;
}

/* A whole number from 1 to LIMIT_CELLS. */
static int
read_position(const char *text, uint16_t *ret)
{
	unsigned int number = 0;

	if (*text == '\0' || *text == '0')
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		number = number * 10 + (unsigned int)(*text - '0');
		if (number > LIMIT_CELLS)
			return -EINVAL;
	}
	*ret = (uint16_t)number;
	return 0;
}

static int
take_cells(struct parser *p, char *value)
{
	return read_position(value, &p->table->cells) < 0
	    ? ini_refuse(p->error, "must be a whole number from 1 to %u", LIMIT_CELLS)
	    : 0;
}

static int
take_unknown_columns(struct parser *p, char *value)
{
	static const struct word_choice choices[] = { { "refuse", 0 }, { "ignore", 1 }, { NULL, 0 } };
	int ignored = 0, r = take_choice(p, value, choices, &ignored);

	if (r == 0)
		p->table->unknown_ignored = ignored != 0;
	return r;
}

static int
take_from(struct parser *p, char *value)
{
	static const struct word_choice choices[] = { { "id", COLUMN_ID }, { "school", COLUMN_SCHOOL }, { NULL, 0 } };
	int from = 0, r = take_choice(p, value, choices, &from);

	if (r == 0)
		p->table->join.from = (enum feed_column)from;
	return r;
}

static int
take_presence(struct parser *p, char *value)
{
	static const struct word_choice choices[] = { { "required", 0 }, { "optional", 1 }, { NULL, 0 } };
	int optional = 0, r = take_choice(p, value, choices, &optional);

	if (r == 0)
		p->table->join.optional = optional != 0;
	return r;
}

#define LIST(name) \
	static int \
	take_##name(struct parser *p, char *value) \
	{ \
		return take_words(p, value, &p->table->name); \
	}
LIST(opted_out)
LIST(not_opted_out)
LIST(active)
LIST(inactive)
LIST(students)
LIST(staff)
LIST(others)
LIST(kinds)
#undef LIST

static const struct {
	const char *key;
	unsigned int places;
	int (*take)(struct parser *p, char *value);
} keys[] = {
	{ "delimiter", PLACE_FORMAT, take_delimiter },
	{ "quotes", PLACE_FORMAT, take_quotes },
	{ "encoding", PLACE_FORMAT, take_encoding },
	{ "header", PLACE_FORMAT, take_header },
	{ "file", PLACE_TABLE, take_file },
	{ "shape", PLACE_FEED, take_shape },
	{ "optional", PLACE_TABLE, take_optional },
	{ "repeat", PLACE_MAIN, take_repeat },
	{ "dates", PLACE_TABLE, take_dates },
	{ "key_pattern", PLACE_MAIN, take_key_pattern },
	{ "cells", PLACE_MAIN, take_cells },
	{ "unknown_columns", PLACE_TABLE, take_unknown_columns },
	{ "opted_out", PLACE_MAIN, take_opted_out },
	{ "not_opted_out", PLACE_MAIN, take_not_opted_out },
	{ "active", PLACE_MAIN, take_active },
	{ "inactive", PLACE_MAIN, take_inactive },
	{ "students", PLACE_PEOPLE, take_students },
	{ "staff", PLACE_PEOPLE, take_staff },
	{ "others", PLACE_PEOPLE, take_others },
	{ "from", PLACE_JOIN, take_from },
	{ "presence", PLACE_JOIN, take_presence },
	{ "kinds", PLACE_JOIN, take_kinds },
};

/* --- columns --- */

/* Where a column may be declared. */
static unsigned int
places_of(enum feed_column what)
{
	switch (what) {
	case COLUMN_ID:
		return PLACE_PEOPLE | PLACE_FEED | PLACE_JOIN;
	case COLUMN_KIND:
		return PLACE_JOIN;
	case COLUMN_ROLE:
		return PLACE_PEOPLE | PLACE_JOIN;
	case COLUMN_BIRTH_DATE:
	case COLUMN_SCHOOL:
	case COLUMN_OTHER:
		return PLACE_TABLE;
	default:
		return PLACE_MAIN;
	}
}

static int
take_name(struct parser *p, struct profile_column *column, const char *name)
{
	const char *star = strchr(name, '*');
	int r;

	if (*name == '\0')
		return ini_refuse(p->error, "a column's name must not be empty");
	if (*name == '#')
		return column->position != 0 || read_position(name + 1, &column->position) < 0
		    ? ini_refuse(p->error, "a position is written #1 to #%u, once a column", LIMIT_CELLS)
		    : 0;
	if (star != NULL && (star[1] != '\0' || star == name || column->what != COLUMN_OTHER))
		return ini_refuse(p->error, "a * may only end a name of other");
	r = add_word(p, name);
	if (r < 0)
		return r;
	column->names.count++;
	return 0;
}

static int
take_column(struct parser *p, enum feed_column what, char *value)
{
	struct profile_table *table = p->table;
	struct profile_column column = { .what = what, .names = { (uint16_t)p->profile->word_count, 0 } };
	char *rest = value, *name;

	if (what != COLUMN_OTHER && profile_column(table, what) != NULL)
		return ini_refuse(p->error, "stands twice in its section");
	if (table->column_count == PROFILE_COLUMNS_MAX)
		return ini_refuse(p->error, "the section has too many columns");
	while ((name = next_item(&rest)) != NULL) {
		int r = take_name(p, &column, name);

		if (r < 0)
			return r;
	}
	table->columns[table->column_count++] = column;
	return 0;
}

/* --- sections --- */

static int
begin_table(struct parser *p, struct profile_table *table, enum place place)
{
	p->place = place;
	p->table = table;
	p->seen = 0;
	table->given = true;
	table->join.from = COLUMN_INVALID;
	return 0;
}

static int
begin_join(struct parser *p, const char *name)
{
	struct profile *profile = p->profile;
	struct profile_table *table;

	if (*name == '\0' || strlen(name) >= sizeof(table->join.name) ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(name))
		return ini_refuse(p->error, "a joined file's section is written [join name], lower-case letters and digits");
	for (size_t i = 0; i < profile->join_count; i++)
		if (strcmp(profile->joins[i].join.name, name) == 0)
			return ini_refuse(p->error, "the section stands twice");
	if (profile->join_count == PROFILE_JOINS_MAX)
		return ini_refuse(p->error, "at most %u files can be joined", PROFILE_JOINS_MAX);
	table = &profile->joins[profile->join_count++];
	(void)snprintf(table->join.name, sizeof(table->join.name), "%s", name);
	return begin_table(p, table, PLACE_JOIN);
}

static int
take_section(void *data, char *name)
{
	static const char *const names[] = { "format", "student", "staff", "people" };
	struct parser *p = data;

	if (strncmp(name, "join ", strlen("join ")) == 0)
		return begin_join(p, ini_trim(name + strlen("join ")));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		if ((p->sections & 1U << i) != 0)
			return ini_refuse(p->error, "the section stands twice");
		p->sections |= 1U << i;
		p->profile->by_role |= i == 3;
		if (i > 0)
			return begin_table(p, &p->profile->tables[i == 2 ? FEED_STAFF : FEED_STUDENT], i == 3 ? PLACE_PEOPLE : PLACE_FEED);
		p->place = PLACE_FORMAT;
		p->table = NULL;
		p->seen = 0;
		return 0;
	}
	return ini_refuse(p->error, "there is no section of that name; see patrond-profile(5)");
}

/* Puts the key's name, which is ours, before what was wrong with its value. */
static int
name_key(struct parser *p, const char *key, int r)
{
	char text[sizeof(p->error->text)];

	if (r >= 0)
		return 0;
	memcpy(text, p->error->text, sizeof(text));
	(void)snprintf(p->error->text, sizeof(p->error->text), "%s: %.400s", key, text);
	return r;
}

static int
take_pair(void *data, char *key, char *value)
{
	struct parser *p = data;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if ((keys[i].places & p->place) == 0 || strcmp(keys[i].key, key) != 0)
			continue;
		if ((p->seen & 1U << i) != 0)
			return ini_refuse(p->error, "%s: stands twice in its section", keys[i].key);
		p->seen |= 1U << i;
		if (*value == '\0')
			return ini_refuse(p->error, "%s: must not be empty", keys[i].key);
		return name_key(p, keys[i].key, keys[i].take(p, value));
	}
	for (int i = 0; i < COLUMN_PROFILE_MAX && p->table != NULL; i++)
		if (strcmp(profile_column_name((enum feed_column)i), key) == 0 && (places_of((enum feed_column)i) & p->place) != 0)
			return name_key(p, profile_column_name((enum feed_column)i), take_column(p, (enum feed_column)i, value));
	return ini_refuse(p->error, "the section has no key of that name; see patrond-profile(5)");
}

int
profile_parse(struct profile **ret, const char *bytes, size_t size, struct config_error *error)
{
	static const struct ini_handler handler = { take_section, take_pair };
	_cleanup_profile_ struct profile *profile = calloc(1, sizeof(*profile));
	struct parser p = { .profile = profile, .error = error };
	int r;

	if (profile == NULL)
		return -ENOMEM;
	_Static_assert(sizeof(keys) / sizeof(keys[0]) <= 32, "keys are bits of p->seen");
	profile->quotes = true;
	profile->words[profile->word_count++] = profile->text; /* "" */
	profile->text_size = 1;
	r = ini_parse(bytes, size, &handler, &p, error);
	if (r == 0)
		r = profile_check(profile, error);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(profile);
	return 0;
}

struct profile *
profile_free(struct profile *profile)
{
	free(profile);
	return NULL;
}

void
profile_freep(struct profile **profile)
{
	*profile = profile_free(*profile);
}

/* --- asking --- */

/* The words of the shape, as keys are written. */
static const char *const column_keys[COLUMN_PROFILE_MAX] = {
	[COLUMN_OPT_OUT] = "opt_out", [COLUMN_KEY] = "key", [COLUMN_FIRST] = "first_name", [COLUMN_LAST] = "last_name",
	[COLUMN_BIRTH_DATE] = "birth_date", [COLUMN_SCHOOL] = "school", [COLUMN_GRADE] = "grade", [COLUMN_STREET] = "street",
	[COLUMN_STREET_2] = "street_2", [COLUMN_CITY] = "city", [COLUMN_STATE] = "state", [COLUMN_ZIP] = "zip",
	[COLUMN_EMAIL] = "email", [COLUMN_PHONE] = "phone", [COLUMN_PHONE_2] = "phone_2",
	[COLUMN_GUARDIAN_EMAIL] = "guardian_email", [COLUMN_STATUS] = "status", [COLUMN_STATE_ID] = "state_id",
	[COLUMN_JOB] = "job", [COLUMN_SITE] = "site", [COLUMN_ROLE] = "role", [COLUMN_ID] = "id", [COLUMN_KIND] = "kind",
	[COLUMN_OTHER] = "other",
};

const char *
profile_column_name(enum feed_column what)
{
	return (int)what >= 0 && what < COLUMN_PROFILE_MAX ? column_keys[what] : NULL;
}

int
profile_date(const struct profile_table *table, const char *bytes, size_t size, int32_t *ret_days)
{
	static int (*const parsers[PROFILE_DATE_MAX])(const char *at, size_t length, int32_t *ret) = {
		[PROFILE_DATE_MDY] = date_parse_us,
		[PROFILE_DATE_DMY] = date_parse_dmy,
		[PROFILE_DATE_ISO] = date_parse_iso,
		[PROFILE_DATE_BARE] = date_parse_bare,
	};

	for (size_t i = 0; i < table->date_count; i++)
		if (parsers[table->dates[i]](bytes, size, ret_days) == 0)
			return 0;
	return -EINVAL;
}

const struct profile_column *
profile_column(const struct profile_table *table, enum feed_column what)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].what == what)
			return &table->columns[i];
	return NULL;
}

bool
profile_is_name(const struct profile *profile, const struct profile_column *column, const char *bytes, size_t size)
{
	for (size_t i = 0; i < column->names.count; i++) {
		const char *name = profile->words[column->names.first + i];
		size_t length = strlen(name);

		if (name[length - 1] == '*' ? size >= length - 1 && text_same_name(bytes, length - 1, name, length - 1)
		                            : text_same_name(bytes, size, name, length))
			return true;
	}
	return false;
}

static bool
is_digit(const char *bytes, size_t size)
{
	if (size == 2 && bytes[0] == '-') {
		bytes++;
		size--;
	}
	return size == 1 && *bytes >= '0' && *bytes <= '9';
}

bool
profile_has_word(const struct profile *profile, struct profile_words list, const char *bytes, size_t size)
{
	for (size_t i = 0; i < list.count; i++) {
		const char *word = profile->words[list.first + i];
		bool special = *word == '(';

		if (special ? (strcmp(word, PROFILE_WORD_EMPTY) == 0 && size == 0) ||
		        (strcmp(word, PROFILE_WORD_DIGIT) == 0 && is_digit(bytes, size))
		            : strlen(word) == size && text_same_name(bytes, size, word, size))
			return true;
	}
	return false;
}

bool
profile_has_any(const struct profile *profile, struct profile_words list)
{
	for (size_t i = 0; i < list.count; i++)
		if (strcmp(profile->words[list.first + i], PROFILE_WORD_ANY) == 0)
			return true;
	return false;
}
