/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_CONFIRM_H
#define LOAD_CONFIRM_H

/* Whether the patron who bears a row's key is the row's person: school ids and card barcodes share one number space. */

#include <stdbool.h>
#include <stdint.h>

#include "load/names.h"
#include "patrond/outcome.h"

/*
 * The verdict. birth dates: days since 1970, DATE_NONE where missing or unreadable (a staff row has none, and it is
 * not asked). True: matched, also where nothing at all can be compared.
 */
bool confirm_person(enum feed_kind feed, int32_t row_birth_date, int32_t patron_birth_date,
    const struct names_verdict *names);

#endif
