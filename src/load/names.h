/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_NAMES_H
#define LOAD_NAMES_H

/*
 * How names compare: by letters and digits alone, case and accents folded, and what of two names must agree. Names are
 * kept as keyed 64-bit hashes, so that an index of millions needs few bytes a patron and holds no name at all.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/record.h"

#define NAMES_KEY_SIZE 16U
#define NAMES_PARTS_MAX 14U /* parts of one surname that are compared; a name of more is held sooner than matched */
#define NAMES_FOLDED_MAX 8192U /* bytes of a folded name: `LAST, FIRST`, two of LIMIT_NAME, at the worst growth, 11 times */

/* The secret key of this process: without it nobody can make two names with one hash. */
struct names_key {
	uint8_t bytes[NAMES_KEY_SIZE];
};

/*
 * One name, ready to be compared. surnames[0] is the whole, then its parts. firsts[0] is the whole first name,
 * firsts[1] its first word where that is not the whole. A count of 0: there is nothing to compare.
 */
struct name {
	uint64_t surnames[1U + NAMES_PARTS_MAX];
	uint64_t firsts[2];
	uint8_t surname_count;
	uint8_t first_count;
};

/* What agrees of a row's name and the names of a patron, and what could be compared at all. */
struct names_verdict {
	bool surname;            /* the surname agrees with that of any of the names */
	bool first;              /* the first name does */
	bool both;               /* both do, within one of the names */
	bool surname_comparable; /* both sides have one */
	bool first_comparable;
};

/* A key from the kernel's random numbers. Returns 0 or a negative errno. */
int names_key_init(struct names_key *ret) WARN_UNUSED;

/*
 * Adds the folding of a text: letters and digits alone, in lower case, accents dropped, UTF-8. Bytes that are not UTF-8
 * stand for nothing. Returns 0, or the errors of buf_add.
 */
int names_fold(struct buf *out, const char *bytes, size_t size) WARN_UNUSED;

/* A row's name. Without a last name the first name stands for the surname too, as it does once it is created. */
void name_from_row(const struct names_key *key, const struct text *last, const struct text *first, struct name *ret);

/* One of a patron's names: `SURNAME, FIRST`, or without a comma the whole as a surname without parts. */
void name_from_patron(const struct names_key *key, const struct text *text, struct name *ret);

/* Adds the agreement of a row's name with one name of a patron. */
void names_compare(const struct name *row, const struct name *patron, struct names_verdict *verdict);

/* The bytes that a name takes packed, and back. name_unpack returns the bytes that it read. */
#define NAME_PACKED_MAX (1U + 8U * (1U + NAMES_PARTS_MAX + 2U))
size_t name_pack(const struct name *name, unsigned char ret[static NAME_PACKED_MAX]);
size_t name_unpack(const unsigned char *bytes, struct name *ret);

/*
 * True where two rows bear one name: folded, nothing left out; where a folding is empty (a name without letters), as it
 * stands. Returns 1, 0, or a negative errno.
 */
int names_same(const struct text *last, const struct text *first, const struct text *other_last,
    const struct text *other_first) WARN_UNUSED;

#endif
