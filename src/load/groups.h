/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_GROUPS_H
#define LOAD_GROUPS_H

/* What the rows of a load say of one another: opt-outs that reach further, duplicates, conflicts. */

#include <stdint.h>

#include "common/keyrule.h"
#include "load/rows.h"

/*
 * Judges every row but for its match. reasons (rows_total) gets, for each row, the first of the domain's tests that
 * applies: OPTED_OUT, SHAPE, STATUS or INACTIVE, KEY, NAME, BIRTH_DATE, DUPLICATE or CONFLICT, else NONE. Returns 0, or
 * a negative errno.
 */
int groups_judge(const struct rows *rows, const struct key_rule *rule, uint8_t *reasons) WARN_UNUSED;

#endif
