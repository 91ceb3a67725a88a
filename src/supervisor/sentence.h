/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_SENTENCE_H
#define SUPERVISOR_SENTENCE_H

/* From a failure's code and integers to a sentence: what, where, and what to do. */

#include <stddef.h>

#include "common/program.h"
#include "patrond/failure.h"

/* Writes the sentence of a failure that a program reported (or that the supervisor saw of it). Always terminated. */
void sentence_failure(enum program program, const struct failure *failure, char *ret, size_t size);

/* Writes "creates 38% > 30% (4,560 of 12,000 rows, student)". */
void sentence_guard(const struct guard_figure *figure, char *ret, size_t size);

/* Writes a number with commas: 14,210. ret holds 27 bytes. */
const char *sentence_number(unsigned long long number, char ret[static 27]);

/* The exit status that a failure stands for: 1 usage or configuration, 2 anything else. */
int sentence_exit_status(const struct failure *failure);

#endif
