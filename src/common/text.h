/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

/* UTF-8 and the rules of the cells: what is valid, what is a blank, what Windows-1252 means. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* True for valid UTF-8: shortest form, no surrogates, up to U+10FFFF. NUL bytes are valid here. */
bool text_is_utf8(const char *bytes, size_t size);

/*
 * Adds a cell to out by the rules of the cells: bytes that are not valid UTF-8 as a whole are read as Windows-1252;
 * control characters (C0, DEL, C1 and the bytes 81 8D 8F 90 9D) and every Unicode space become a blank, runs of blanks
 * one, both ends are trimmed. Returns 0, or the errors of buf_add.
 */
int text_add_cell(struct buf *out, const char *bytes, size_t size) WARN_UNUSED;

/* The same, of bytes that are Windows-1252 whatever they look like. */
int text_add_cell_1252(struct buf *out, const char *bytes, size_t size) WARN_UNUSED;

/* Compares two texts as names of columns compare: letters of ASCII without case, blanks left out. */
bool text_same_name(const char *a, size_t a_size, const char *b, size_t b_size);

/* True where a text is as text_add_cell leaves it. */
bool text_is_cell(const char *bytes, size_t size);

#endif
