/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_GENERATE_H
#define STANDIN_GENERATE_H

/* Owns the records that are derived from their number instead of stored. The README gives the formulas for feed makers.
 */

#include "patron.h"

struct generator {
	uint64_t first_id;
	uint64_t count;
	uint64_t first_barcode;
	int64_t expires_day; /* days since 1970 for all of them; negative: derived */
	int64_t created;
};

/* One derived record; p's texts point into the buffers, so it must not be freed or written to. */
struct generated {
	struct patron p;
	char names[64];
	char barcodes[32];
	char expiration_date[16];
	char birth_date[16];
};

/* Fills ret with the record of that id, which must lie in the generator's range. */
void generate(const struct generator *g, uint64_t id, struct generated *ret);

/* Is it an id of the generator's range? */
bool generate_has(const struct generator *g, uint64_t id);

/* The id whose derived barcode this is, or 0. */
uint64_t generate_id_of(const struct generator *g, const char *barcode);

#endif
