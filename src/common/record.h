/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

/*
 * A row of a feed, normalised by decode and checked again by load: the RECORD frame. Strings are UTF-8 after the rules
 * of the cells (trimmed, control characters and runs of blanks one blank), not NUL-terminated, and live as long as the
 * frame. `$` is a blank in all but the key.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

struct text {
	const char *bytes; /* may be NULL where size is 0 */
	size_t size;
};

enum record_field {
	RECORD_KEY,     /* blanks, hyphens and a leading # removed, letters as they stand; also of a row that is rejected,
	                   where the row has the cell and it is within LIMIT_KEY: an opt-out counts for every row of that key */
	RECORD_FIRST,   /* first name */
	RECORD_LAST,    /* last name */
	RECORD_STREET,  /* street, a blank, second street */
	RECORD_CITY,
	RECORD_STATE,
	RECORD_ZIP,
	RECORD_EMAILS,  /* student's, then guardians', as they stand, a blank between */
	RECORD_PHONE,   /* student: Home_Phone; staff: Mobile Phone */
	RECORD_PHONE_2, /* staff: Home Phone */
	RECORD_FIELD_MAX,
};

/*
 * What the row alone says, in the order of the tests: opted-out, shape, status, key, name, birth date. Only a record
 * without a verdict (REASON_NONE) has more than a key.
 */
struct record {
	enum feed_kind feed;
	uint32_t row;           /* from 1, one after the other in each feed */
	enum reason verdict;    /* NONE, OPTED_OUT, SHAPE, STATUS, INACTIVE, KEY, NAME, BIRTH_DATE */
	uint8_t status;         /* with INACTIVE in the student feed, where it is a digit: index into inactive_status; else 255 */
	bool key_fits;          /* the key fits the barcode pattern */
	int32_t birth_date;     /* days since 1970; staff: RECORD_NO_DATE */
	struct text fields[RECORD_FIELD_MAX];
};

#define RECORD_NO_DATE INT32_MIN
#define RECORD_NO_STATUS 255U

/*
 * Adds a RECORD frame; what the verdict does not allow is left out. Returns 0, -EMSGSIZE over a limit, -ENOBUFS or -ENOMEM.
 */
int record_put(struct wire_out *out, const struct record *record) WARN_UNUSED;

/*
 * Reads a RECORD frame and checks it: enums, row not 0, each field's limit, valid UTF-8 without control characters,
 * `$`-free but for the key, the fields that a verdict allows, student birth date from 1900 to today (days since 1970).
 * Returns 0 or -EBADMSG. The texts point into the frame.
 */
int record_get(struct wire_in *in, int32_t today, struct record *ret) WARN_UNUSED;

/* Adds the trailer. rows: how many records of each kind came before. */
int record_put_trailer(struct wire_out *out, const uint32_t rows[FEED_KIND_MAX]) WARN_UNUSED;
int record_get_trailer(struct wire_in *in, uint32_t ret_rows[FEED_KIND_MAX]) WARN_UNUSED;

#endif
