/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_PROFILE_H
#define COMMON_PROFILE_H

/*
 * A profile: how a district's files are to be read. A file of its own, as strict as the configuration; what its keys mean
 * is in patrond-profile(5). Everything here is the administrator's; no byte of a feed ever gets in.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "patrond/limits.h"
#include "patrond/outcome.h"
#include "patrond/shape.h"

enum profile_header {
	PROFILE_HEADER_REQUIRED, /* the first row, whatever is in it */
	PROFILE_HEADER_ABSENT,   /* columns by position alone */
	PROFILE_HEADER_EITHER,   /* the first row is one where any of its cells is a column's name */
};

enum profile_encoding {
	PROFILE_ENCODING_AUTO,         /* each cell UTF-8, or else Windows-1252 */
	PROFILE_ENCODING_UTF_8,        /* a cell that is not rejects its row (shape) */
	PROFILE_ENCODING_WINDOWS_1252, /* every cell */
};

enum profile_date {
	PROFILE_DATE_MDY, /* MM/DD/YYYY, M/D/YYYY */
	PROFILE_DATE_DMY, /* DD/MM/YYYY, D/M/YYYY */
	PROFILE_DATE_ISO, /* YYYY-MM-DD */
	PROFILE_DATE_BARE, /* YYYYMMDD */
	PROFILE_DATE_MAX,
};

/* How cells become a row's columns. */
enum profile_shape {
	PROFILE_SHAPE_COLUMNS, /* by the header or by position */
	PROFILE_SHAPE_CHCCS,   /* by the row itself, which may repeat columns: the district's own layout, written in C */
};

/* Some of profile->words. */
struct profile_words {
	uint16_t first, count;
};

struct profile_column {
	enum feed_column what;
	struct profile_words names; /* of the header; one that ends in * stands for all that begin so (COLUMN_OTHER alone) */
	uint16_t position;          /* from 1; 0: by name alone */
	bool optional;              /* the header may lack it */
	bool repeats;               /* the header may have it several times */
};

/* Where a joined file's rows are found from. */
struct profile_join {
	char name[32]; /* of the section: [join NAME] */
	enum feed_column from; /* COLUMN_ID, COLUMN_SCHOOL: the column of the main file that holds the joined file's id */
	bool optional;         /* the file may be absent */
};

/* The layout of one file. */
struct profile_table {
	bool given;
	uint16_t file; /* index into words: a shell pattern of the file's name in the zip */
	enum profile_shape shape;
	struct profile_column columns[PROFILE_COLUMNS_MAX];
	size_t column_count;
	struct profile_words opted_out, not_opted_out; /* of the opt-out column; what is in neither counts as opted out */
	struct profile_words active, inactive;         /* of the status column */
	struct profile_words students, staff, others;  /* of the role column */
	struct profile_words kinds;                    /* of a joined file's kind column: the rows that count */
	enum profile_date dates[PROFILE_DATE_MAX];     /* tried in this order */
	size_t date_count;
	uint16_t key_pattern; /* index into words: the whole key must match it too; 0: none */
	uint16_t cells;       /* of every row; 0: as many as the header has */
	bool unknown_ignored; /* columns that are not in the profile are no misfit */
	struct profile_join join;
};

struct profile {
	char delimiter; /* NUL: tab where the first line holds one, else comma */
	bool quotes;    /* double quotes mean something */
	enum profile_encoding encoding;
	enum profile_header header;
	bool by_role; /* one file holds both feeds; tables[] are the same but for nothing */
	struct profile_table tables[FEED_KIND_MAX];
	struct profile_table joins[PROFILE_JOINS_MAX];
	size_t join_count;
	const char *words[PROFILE_WORDS_MAX]; /* into text; words[0] is empty */
	size_t word_count;
	char text[PROFILE_TEXT_MAX];
	size_t text_size;
};

/* Words of a list that stand for more than themselves. */
#define PROFILE_WORD_EMPTY "(empty)" /* the empty cell */
#define PROFILE_WORD_DIGIT "(digit)" /* a single digit, with or without a minus */
#define PROFILE_WORD_ANY "(any)"     /* whatever is not in another list */

/* The pure parser and checker of a profile's bytes. Returns 0, or a negative errno with error filled but for its file. */
int profile_parse(struct profile **ret, const char *bytes, size_t size, struct config_error *error) WARN_UNUSED;

/*
 * Finds and reads a profile: an absolute path, or a name, looked for in the folder profiles beside the configuration
 * (config_path), in the one that was installed, and beside the programs of a build. Returns 0, or a negative errno with
 * error filled.
 */
int profile_read(struct profile **ret, const char *name, const char *config_path, struct config_error *error) WARN_UNUSED;

#define PROFILE_FOLDERS_MAX 5

/* The folders in which a profile of a name is looked for, in their order. Returns how many. */
size_t profile_folders(const char *config_path, char ret[static PROFILE_FOLDERS_MAX][CONFIG_TEXT]);

struct profile *profile_free(struct profile *profile); /* accepts NULL, returns NULL */
void profile_freep(struct profile **profile);

/* What the feeds are read by. Both may be the same profile, read twice. */
struct profiles {
	struct profile *of[FEED_KIND_MAX];
};

/*
 * Reads the profiles that the configuration names, checks each against its [feed] section, and gives that section's empty
 * keys the profile's values (pattern). Returns 0, or a negative errno with error filled.
 */
int profiles_read(struct profiles *ret, struct config *config, const char *config_path, struct config_error *error)
    WARN_UNUSED;
void profiles_done(struct profiles *profiles);

/* The column of a table that means something, or NULL. */
const struct profile_column *profile_column(const struct profile_table *table, enum feed_column what);

/* True where a header's cell is one of a column's names; case and blanks aside. */
bool profile_is_name(const struct profile *profile, const struct profile_column *column, const char *bytes, size_t size);

/* True where a cell is in a list as it stands, letters of ASCII without case; PROFILE_WORD_ANY is in no list here. */
bool profile_has_word(const struct profile *profile, struct profile_words list, const char *bytes, size_t size);

/* Reads a date in one of a table's forms, the first that fits. Returns 0 or -EINVAL. */
int profile_date(const struct profile_table *table, const char *bytes, size_t size, int32_t *ret_days) WARN_UNUSED;

/* The key of a column in a profile, or NULL for a value out of range. */
const char *profile_column_name(enum feed_column what);

/* True where a list holds PROFILE_WORD_ANY. */
bool profile_has_any(const struct profile *profile, struct profile_words list);

#define _cleanup_profile_ __attribute__((cleanup(profile_freep)))
#define _cleanup_profiles_ __attribute__((cleanup(profiles_done)))

#endif
