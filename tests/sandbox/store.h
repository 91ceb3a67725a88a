/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_STORE_H
#define STANDIN_STORE_H

/* Owns all patron records: by id, in order of id, and indexed by barcode and unique id. Not thread-safe. */

#include <stddef.h>
#include <stdint.h>

#include "generate.h"
#include "patron.h"

struct store;

struct store *store_new(const struct generator *generator);
struct store *store_free(struct store *s);

/* Adds a record and takes it over; id 0 gets the next free one. Returns -EEXIST, and takes nothing, when the id is
 * taken. */
int store_add(struct store *s, struct patron *p) __attribute__((warn_unused_result));

/* The record with this id, or NULL. A derived one is valid until the next call only; none may be written to. */
const struct patron *store_get(struct store *s, uint64_t id);

/* The record with the lowest id that is at least from, or NULL; lifetime as above. */
const struct patron *store_next(struct store *s, uint64_t from);
/* The same among those that are stored, i.e. loaded, created or written to; in no more than this order. */
const struct patron *store_next_stored(struct store *s, uint64_t from);

/* Opens a record for writing (a derived one becomes a stored one) and takes it out of the indexes; NULL when absent. */
struct patron *store_begin_write(struct store *s, uint64_t id);
/* Puts it back into the indexes. */
void store_end_write(struct store *s, struct patron *p);

/* Drops a record altogether, as if it had never been; used to replace one by a loaded one. */
void store_drop(struct store *s, uint64_t id);

/*
 * Ids of the records, deleted ones too, that hold value in the index of tag b or u.
 * @fold: compare without case and blanks, as the real index seems to; otherwise exactly.
 * @ret: ascending ids, at most max of them. Returns how many.
 */
size_t store_find(struct store *s, char tag, const char *value, bool fold, uint64_t *ret, size_t max);

/* Number of records, deleted ones included. */
uint64_t store_count(const struct store *s);

#endif
