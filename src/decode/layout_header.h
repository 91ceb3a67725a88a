/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_LAYOUT_HEADER_H
#define DECODE_LAYOUT_HEADER_H

/* The column names of the profile `chccs`: what is a header, and whether it fits its feed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/record.h"

/* True where any of the cells (as text_add_cell leaves them) is a column name of either feed; case and blanks aside. */
bool header_is(const struct text *cells, size_t count);

/* Returns 0 where the header fits the feed, or the position from 1 of the first column that is not the one expected. */
uint32_t header_misfit(enum feed_kind feed, const struct text *cells, size_t count);

/* Compares two texts, letters of ASCII without case, blanks left out. */
bool header_same(const char *a, size_t a_size, const char *b, size_t b_size);

#endif
