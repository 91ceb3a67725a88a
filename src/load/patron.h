/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_PATRON_H
#define LOAD_PATRON_H

/* A patron as Sierra's answers show one: the fields that the work needs, and no more. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/date.h"
#include "common/record.h"

/*
 * Texts are valid UTF-8 (what is not makes the answer unreadable), not NUL-terminated, as long-lived as the parsed answer.
 * Absent, null and empty arrays are alike: count 0. Dates: DATE_NONE where missing or unreadable.
 */
struct patron {
	uint64_t id;
	bool deleted;
	int32_t expiration;
	int32_t birth_date;
	const struct text *barcodes;
	size_t barcode_count;
	const struct text *names;
	size_t name_count;
};

#endif
