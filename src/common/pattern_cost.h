/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_PATTERN_COST_H
#define COMMON_PATTERN_COST_H

/* How large a regular expression grows when it is compiled: the C library writes each repetition out, twice for a `+`. */

#include <stdint.h>

/*
 * Returns about how many pieces a POSIX extended regular expression is compiled to, UINT32_MAX where that is beyond
 * counting. Nothing is said of whether it is one.
 */
uint32_t pattern_cost(const char *pattern);

#endif
