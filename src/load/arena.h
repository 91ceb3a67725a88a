/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_ARENA_H
#define LOAD_ARENA_H

/* Many small items in few large pieces: nothing moves as it grows, no malloc an item, all wiped at the end. */

#include <stddef.h>
#include <stdint.h>

#include "common/fd.h"

#define ARENA_PIECE_BITS 18U
#define ARENA_PIECE (1U << ARENA_PIECE_BITS) /* bytes of a piece; each item is smaller, none crosses two */

/* A place in an arena. 0 is no place. */
typedef uint32_t arena_ref;

struct arena {
	unsigned char **pieces;
	size_t count; /* pieces there are */
	size_t room;  /* pieces that the table has room for */
	size_t used;  /* bytes of the last piece */
	uint64_t max; /* bytes; at most 4 GiB, since a place has 32 bits */
};

#define ARENA_INIT(maximum) ((struct arena){ .max = (maximum) })

/* Takes size bytes (1 to ARENA_PIECE - 1), zeroed, not aligned. Returns 0, -ENOBUFS over the maximum, or -ENOMEM. */
int arena_take(struct arena *arena, size_t size, arena_ref *ret) WARN_UNUSED;

/* The bytes at a place; as long-lived as the arena. */
static inline unsigned char *
arena_at(const struct arena *arena, arena_ref ref)
{
	return arena->pieces[ref >> ARENA_PIECE_BITS] + (ref & (ARENA_PIECE - 1U));
}

/* Bytes that the arena holds of the system. */
size_t arena_memory(const struct arena *arena);

/* Wipes and frees. */
void arena_done(struct arena *arena);

#endif
