/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_SENTENCE_H
#define SUPERVISOR_SENTENCE_H

/* From a failure's code and integers to a sentence: what, where, and what to do. */

#include <stddef.h>

#include "common/program.h"
#include "patrond/failure.h"

#define CANCELLED_BY_STOP 1 /* number of FAILURE_CANCELLED: patrond itself was stopped */

/* Writes the sentence of a failure that a program reported (or that the supervisor saw of it). Always terminated. */
void sentence_failure(enum program program, const struct failure *failure, char *ret, size_t size);

/* The exit status that a failure stands for: 1 usage or configuration, 2 anything else. */
int sentence_exit_status(const struct failure *failure);

#endif
