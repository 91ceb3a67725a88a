/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items in pieces of 256 KiB: a growing index never holds two copies of itself. */

#include "load/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A place has 32 bits. */
#define PIECES_MAX (1U << (32U - ARENA_PIECE_BITS))

static int
add_piece(struct arena *arena)
{
	unsigned char *piece;

	if (arena->count >= PIECES_MAX || (uint64_t)(arena->count + 1) * ARENA_PIECE > arena->max)
		return -ENOBUFS;
	if (arena->count == arena->room) {
		size_t room = arena->room > 0 ? 2 * arena->room : 16;
		unsigned char **pieces = reallocarray(arena->pieces, room, sizeof(*pieces));

		if (pieces == NULL)
			return -ENOMEM;
		arena->pieces = pieces;
		arena->room = room;
	}
	piece = calloc(1, ARENA_PIECE);
	if (piece == NULL)
		return -ENOMEM;
	/* The first byte of all is never given out, so that 0 is no place. */
	arena->used = arena->count == 0 ? 1 : 0;
	arena->pieces[arena->count++] = piece;
	return 0;
}

int
arena_take(struct arena *arena, size_t size, arena_ref *ret)
{
	if (size == 0 || size >= ARENA_PIECE)
		return -EINVAL;
	if (arena->count == 0 || size > ARENA_PIECE - arena->used) {
		int r = add_piece(arena);

		if (r < 0)
			return r;
	}
	*ret = (arena_ref)(((arena->count - 1) << ARENA_PIECE_BITS) + arena->used);
	arena->used += size;
	return 0;
}

size_t
arena_memory(const struct arena *arena)
{
	return arena->count * ARENA_PIECE + arena->room * sizeof(*arena->pieces);
}

void
arena_done(struct arena *arena)
{
	for (size_t i = 0; i < arena->count; i++) {
		explicit_bzero(arena->pieces[i], ARENA_PIECE);
		free(arena->pieces[i]);
	}
	free(arena->pieces);
	*arena = ARENA_INIT(arena->max);
}
