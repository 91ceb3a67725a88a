/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_CLEANUP_H
#define LOAD_CLEANUP_H

/* A barcode field taken apart: trimmed, classed where it is malformed, and the keys that it may stand for. */

#include <stdbool.h>
#include <stddef.h>

#include "common/fd.h"
#include "common/keyrule.h"
#include "common/record.h"
#include "patrond/limits.h"
#include "patrond/outcome.h"

/* The field without the blanks and control characters around it; points into the field. */
struct text cleanup_trim(const struct text *field);

/*
 * Whether a field, trimmed, is a clean barcode: it fits the rule, and a row's key can be it. Where a pattern admits blanks,
 * hyphens or a leading #, which are taken out of every key, a field with them is malformed all the same.
 */
bool cleanup_is_clean(const struct text *trimmed, const struct key_rule *rule);

/* The class of a malformed field, trimmed and not empty: the first of the domain's list that applies. */
enum cleanup_class cleanup_class_of(const struct text *trimmed);

/* A key with its leading zeros counted apart: keys that are equal but for them stand side by side in the index. */
struct bare_key {
	size_t zeros;
	const char *bytes; /* letters as they stand */
	size_t size;       /* at most LIMIT_KEY; 0 for a key of zeros alone */
};

/* Takes the leading zeros off a key. */
struct bare_key bare_key_of(const char *bytes, size_t size);

/*
 * Calls with every key that a malformed field may stand for: each run of digits, the field with everything but letters
 * and digits removed, and each piece (parted by blanks and punctuation) that would be a key if it stood alone in a
 * feed. Digits of other scripts are given as 0-9. Keys longer than LIMIT_KEY without their zeros are left out: no row
 * can bear them. Stops at the first negative answer and returns it, else 0.
 */
typedef int (*cleanup_key_fn)(void *data, const struct bare_key *key);
int cleanup_keys(const struct text *trimmed, const struct key_rule *rule, cleanup_key_fn fn, void *data) WARN_UNUSED;

/*
 * The field as the report shows it: one line, cut between two characters at LIMIT_CLEANUP_FIELD bytes. Returns the
 * size.
 */
size_t cleanup_show(const struct text *trimmed, char ret[static LIMIT_CLEANUP_FIELD]);

#endif
