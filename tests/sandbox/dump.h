/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_DUMP_H
#define STANDIN_DUMP_H

/* Owns the state as lines of JSON: loading it, dumping it. What was dumped can be loaded again. */

#include "standin.h"

/*
 * Adds the record of one line. @replace: one with the same id is replaced; otherwise that is an error.
 * Returns NULL, or what is wrong with the line; the text lives until the next call.
 */
const char *load_line(struct standin *s, const char *line, size_t n, bool replace);

/* Loads a file; prints what is wrong to standard error, with the line's number, and returns false. */
bool load_file(struct standin *s, const char *path);

/* Adds one record as a line, everything that is stored of it. */
void dump_patron(struct text *t, const struct patron *p);

/* Hands over the lines of all records in order of id, derived ones that nobody wrote to only when the switch says so.
 */
void dump_all(struct standin *s, void (*sink)(void *ctx, const char *data, size_t n), void *ctx);

/* Dumps into a file by way of a temporary name. */
bool dump_file(struct standin *s, const char *path);

#endif
