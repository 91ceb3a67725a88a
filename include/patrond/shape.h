/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PATROND_SHAPE_H
#define PATROND_SHAPE_H

/*
 * The shape of a feed: how many rows, how full each column, how many of each kind. Integers alone, as in outcome.h: it
 * goes to the supervisor, which compares it with the last accepted feed's and with bounds, and to `patrond --explain`.
 */

#include <stdint.h>

#include "patrond/limits.h"
#include "patrond/outcome.h"

/* What a profile can find in a row. X(name, word): the word is the same in guards, reports and documentation. */
#define FEED_COLUMNS(X) \
	X(OPT_OUT, "opt-out") \
	X(KEY, "key") \
	X(FIRST, "first-name") \
	X(LAST, "last-name") \
	X(BIRTH_DATE, "birth-date") \
	X(SCHOOL, "school") \
	X(GRADE, "grade") \
	X(STREET, "street") \
	X(STREET_2, "street-2") \
	X(CITY, "city") \
	X(STATE, "state") \
	X(ZIP, "zip") \
	X(EMAIL, "email") \
	X(PHONE, "phone") \
	X(PHONE_2, "phone-2") \
	X(GUARDIAN_EMAIL, "guardian-email") \
	X(STATUS, "status") \
	X(STATE_ID, "state-id") \
	X(JOB, "job") \
	X(SITE, "site")

enum feed_column {
#define FEED_COLUMN_ENUM(name, word) COLUMN_##name,
	FEED_COLUMNS(FEED_COLUMN_ENUM)
#undef FEED_COLUMN_ENUM
	COLUMN_MAX,
	/* of profiles alone: they say what a row is, and nothing of it is kept or counted */
	COLUMN_ROLE = COLUMN_MAX, /* student, or which kind of staff: where both stand in one file */
	COLUMN_ID,                /* what a joined file's rows are found by */
	COLUMN_KIND,              /* of a joined file: which of its rows count */
	COLUMN_OTHER,             /* known, and not used */
	COLUMN_PROFILE_MAX,
	COLUMN_INVALID = -22,
};

#define COLUMN_BIT(column) (1U << (column))

/* Schools whose rows are told one by one, the largest first: the district has 20, the largest in the US 1,800. */
#define SHAPE_SCHOOLS 256U

/*
 * Rows are `understood` where they are neither opted out (those are never looked at further) nor rejected for their
 * shape. Of these alone it is known what stands in a column, so they are the basis of all below but key_fits (of all).
 */
struct feed_shape {
	uint32_t rows;
	uint32_t understood;
	uint8_t delimiter; /* the byte */
	uint8_t header;    /* 1 where the first row was one */
	uint16_t cells_min, cells_max; /* cells of a row, over all rows */
	uint32_t key_fits;
	uint32_t birth_dates; /* real dates from 1900 to today */
	uint32_t of_age;      /* of these, those that a pupil may have */
	uint32_t active;      /* rows with a status that is processed */
	uint32_t status[STATUS_VALUES]; /* of one digit, index as in feed_counts; processed ones, too */
	uint32_t status_other;          /* statuses that are not empty and no digit */
	struct {
		uint32_t rows;
		uint32_t first_row; /* 0 where there is none */
	} reasons[REASON_MAX]; /* the verdicts of rows alone: opted-out, inactive, and those of rejected rows */
	struct {
		uint16_t position; /* from 1, in the first understood row; 0: not there */
		uint32_t filled;
	} columns[COLUMN_MAX];
	uint32_t schools; /* different ones; at most LIMIT_SCHOOLS are told apart */
	uint32_t school_rows[SHAPE_SCHOOLS]; /* the largest first, zeros behind */
};

/* Returns the word of a column (a key of a profile, with _ for each hyphen), or NULL for a value out of range. */
const char *feed_column_name(enum feed_column column);

#endif
