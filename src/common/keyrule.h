/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_KEYRULE_H
#define COMMON_KEYRULE_H

/* The barcode pattern: which keys and barcode fields are clean, and how two of them compare. */

#include <stdbool.h>
#include <stddef.h>

#include "common/fd.h"
#include "patrond/limits.h"

struct key_rule;

/*
 * Compiles a pattern, a POSIX extended regular expression that the whole of a key must match, letters without case.
 * The default `[0-9]+` is matched by hand. Returns 0, -EINVAL for a pattern that does not compile or that matches the
 * empty text, -E2BIG for one that grows beyond LIMIT_PATTERN_COST, or -ENOMEM.
 */
int key_rule_new(struct key_rule **ret, const char *pattern) WARN_UNUSED;
struct key_rule *key_rule_free(struct key_rule *rule); /* accepts NULL, returns NULL */
void key_rule_freep(struct key_rule **rule);

/* True where the whole text fits. Texts that are empty, longer than LIMIT_KEY, or with a NUL or a `$` never fit. */
bool key_rule_fits(const struct key_rule *rule, const char *bytes, size_t size);

/*
 * A key as the domain takes it from a cell: blanks, hyphens and one leading # removed. ret has LIMIT_KEY bytes. Returns
 * its size, or -E2BIG where it is longer than LIMIT_KEY.
 */
int key_normalise(const char *cell, size_t size, char ret[static LIMIT_KEY]);

/* Upper-cases ASCII letters in place: the form in which keys and barcodes are compared. */
void key_fold(char *bytes, size_t size);

#endif
