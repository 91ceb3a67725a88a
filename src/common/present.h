/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_PRESENT_H
#define COMMON_PRESENT_H

/* Numbers, guards and tables of counts as people read them: the same in patrond and in patronctl. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "patrond/outcome.h"

/* Writes a number with commas: 14,210. ret holds 27 bytes. */
const char *present_number(unsigned long long number, char ret[static 27]);

/* True where a guard trips under its limit, not over it. */
bool guard_is_floor(enum guard guard);

/* The column that a guard is about, by its word; or NULL. */
const char *guard_column(const struct guard_figure *figure);

/* Writes "creates 38% > 30% (4,560 of 12,000 rows, student)". */
void present_guard(const struct guard_figure *figure, char *ret, size_t size);

/* Prints the table of a load's counts, a column for each feed in kinds. zeros: outcomes that no row had, too. */
void present_counts(uint32_t kinds, const struct feed_counts counts[static FEED_KIND_MAX], bool zeros, FILE *to);

#endif
