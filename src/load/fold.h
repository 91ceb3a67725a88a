/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_FOLD_H
#define LOAD_FOLD_H

/* One character at a time: what it is to a name, and what it folds to. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLD_MAX 96U /* bytes of one folded character: Unicode's longest decomposition has 18 characters of 4 bytes */

enum fold_kind {
	FOLD_NOTHING, /* punctuation, a mark, bytes that are not UTF-8 */
	FOLD_BLANK,
	FOLD_HYPHEN,
	FOLD_COMMA,
	FOLD_LETTER, /* letters and digits, folded into out */
};

/*
 * Takes the character at the front of bytes (size at least 1). ret_taken: its bytes. With FOLD_LETTER, out has its folding
 * and ret_size that one's size.
 */
enum fold_kind fold_char(const char *bytes, size_t size, size_t *ret_taken, char out[static FOLD_MAX], size_t *ret_size);

/* The character at the front: UTF-8 bytes, or 0xFFFD for one byte that begins none. Returns the bytes taken. */
size_t fold_decode(const char *bytes, size_t size, uint32_t *ret_char);

/* True for a Unicode space or a control character. */
bool fold_is_blank(uint32_t character);

#endif
