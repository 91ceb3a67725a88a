/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_DIGEST_H
#define REPORT_DIGEST_H

/* What tells whether a report says the same as another: the zips of equal tables differ, since each has a salt of its own. */

#include "report/tables.h"

#define DIGEST_SIZE 32U

/*
 * BLAKE2b of the tables, keyed with the report password: it goes to the supervisor, which must not be able to guess at a
 * field by it.
 */
void tables_digest(const struct tables *tables, const char *password, uint8_t ret[static DIGEST_SIZE]);

#endif
