/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_INDEX_TABLE_H
#define LOAD_INDEX_TABLE_H

/*
 * The table of keys below the index: open addressing over entries in an arena, by the keyed hash of a key without its
 * leading zeros. Every key is kept in full and compared in full, so that no two are ever taken for one; the keyed hash
 * only finds them, and nobody can craft keys that crowd one place.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/arena.h"
#include "load/cleanup.h"
#include "load/names.h"

enum table_flag {
	TABLE_CLEAN = 1U << 0,     /* a clean barcode of `patron` alone */
	TABLE_AMBIGUOUS = 1U << 1, /* a clean barcode of several; `patron` is the last of them so far */
	TABLE_MIXED = 1U << 2,     /* stands in a malformed field of another patron, too */
	TABLE_DIGITS = 1U << 3,    /* digits alone, kept two a byte */
};

struct table_slot {
	uint32_t tag; /* of the hash; also the place */
	arena_ref entry;
};

struct table {
	struct names_key key;
	struct arena entries;
	struct table_slot *slots;
	size_t slot_count; /* a power of two */
	uint64_t used;
};

/* What is known of a key but for its bytes. */
struct table_entry {
	uint32_t patron;
	uint8_t flags;
	uint8_t zeros; /* at most 255; a row's key has no more than LIMIT_KEY */
	uint8_t size;  /* characters without the leading zeros */
} __attribute__((packed));

/* A key's entry, and the others that are equal to it but for leading zeros. */
struct table_hits {
	arena_ref exact;      /* 0: none */
	uint32_t others;      /* how many */
	uint32_t other_patron;
	bool several_patrons; /* the others are not all of one patron */
};

int table_new(struct table *table) WARN_UNUSED;
void table_done(struct table *table);

/* Finds a key, letters without case. */
void table_find(const struct table *table, const struct bare_key *key, struct table_hits *ret);

/* Adds a key that table_find did not find exactly. Returns 0, -ENOBUFS or -ENOMEM. */
int table_add(struct table *table, const struct bare_key *key, uint32_t patron, uint8_t flags) WARN_UNUSED;

/* An entry, to read and to change. Not aligned. */
static inline struct table_entry *
table_entry(const struct table *table, arena_ref ref)
{
	return (struct table_entry *)arena_at(&table->entries, ref);
}

/* Writes an entry's key as it stood when it was added, zeros included. Returns its size. */
#define TABLE_KEY_MAX (255U + LIMIT_KEY)
size_t table_key(const struct table *table, arena_ref ref, char ret[static TABLE_KEY_MAX]);

size_t table_memory(const struct table *table);

#endif
