/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_JOIN_H
#define DECODE_JOIN_H

/*
 * Files that are joined to the one with the people (OneRoster's demographics, orgs, roles): read first, each row kept as an
 * id and three integers, all of them in bounded memory.
 */

#include <stdint.h>

#include "common/fd.h"
#include "common/profile.h"
#include "decode/csv.h"
#include "decode/layout_header.h"
#include "decode/words.h"
#include "patrond/failure.h"

enum joined_role {
	JOINED_ROLE_NONE, /* nothing says */
	JOINED_ROLE_STUDENT,
	JOINED_ROLE_STAFF,
	JOINED_ROLE_OTHER,   /* known, and of neither feed */
	JOINED_ROLE_UNKNOWN, /* not declared, or two that disagree */
};

/* What joined files say of a row. */
struct joined {
	int32_t birth_date; /* RECORD_NO_DATE: nothing, or nothing that reads */
	enum joined_role role;
	uint32_t school; /* a number for it, 0 none */
};

#define JOINED_NOTHING { RECORD_NO_DATE, JOINED_ROLE_NONE, 0 }

struct joins;

/*
 * Makes room for the joined files of a profile, which outlives it. no_opt_out: students are taken to have no such column, so
 * none may hide in a joined file. Returns 0 or -ENOMEM.
 */
int joins_new(struct joins **ret, const struct profile *profile, bool no_opt_out) WARN_UNUSED;
struct joins *joins_free(struct joins *joins); /* wipes; accepts NULL, returns NULL */
void joins_freep(struct joins **joins);

/*
 * Takes the next row of joined file number i: the first is its header. Returns 0, a positive enum failure_code with the
 * header's misfit (FAILURE_HEADER, FAILURE_COLUMN_MISSING) or FAILURE_JOIN_SIZE, or a negative errno.
 */
int joins_row(struct joins *joins, size_t i, const struct csv_row *row) WARN_UNUSED;
struct header_misfit joins_misfit(const struct joins *joins);

/* True once a file's header was taken. */
bool joins_begun(const struct joins *joins, size_t i);

/* Looks a row up by its id and its schools (a list parted by commas). joins may be NULL. */
struct joined joins_find(const struct joins *joins, const struct text *id, const struct text *schools);

/* What a role is, by the lists of the profile. */
enum joined_role joined_role_of(const struct words *students, const struct words *staff, const struct words *others,
    const struct text *role);

#define _cleanup_joins_ __attribute__((cleanup(joins_freep)))

#endif
