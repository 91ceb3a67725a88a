/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * free() of a stage, its libraries included: what was in a block is wiped before it goes back. Our own buffers wipe
 * themselves; libcurl's, OpenSSL's, libzip's and the C library's do not, and they hold names, too. Linked into the stages
 * alone, and not where AddressSanitizer has an allocator of its own.
 */

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#ifndef PATROND_SANITIZE

/* The C library's own, under the names that it keeps for who puts something before them. */
extern void __libc_free(void *block);
extern void *__libc_malloc(size_t size);

void
free(void *block)
{
	if (block == NULL)
		return;
	explicit_bzero(block, malloc_usable_size(block));
	__libc_free(block);
}

/* Moved by hand where it grows out of its block: the C library's would leave the old bytes behind. */
void *
realloc(void *block, size_t size)
{
	size_t room;
	void *moved;

	if (block == NULL)
		return __libc_malloc(size);
	if (size == 0) {
		free(block);
		return NULL;
	}
	room = malloc_usable_size(block);
	if (size <= room && size >= room / 2)
		return block; /* what is cut off is wiped with the rest */
	moved = __libc_malloc(size);
	if (moved == NULL)
		return NULL;
	memcpy(moved, block, size < room ? size : room);
	free(block);
	return moved;
}

#endif
