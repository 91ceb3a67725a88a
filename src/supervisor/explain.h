/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_EXPLAIN_H
#define SUPERVISOR_EXPLAIN_H

/*
 * patrond --explain: one decode stage, as a user without rights, reads a feed and says its shape. No network, no
 * Sierra, no state, no log; nothing of a row but its number, unless rows are asked for, which decode itself writes to
 * the terminal.
 */

#include <stdbool.h>
#include <stdio.h>

#include "common/config.h"
#include "patrond/shape.h"

struct explain_options {
	const char *config_path;
	const char *feed; /* path of the zip */
	bool show_rows;
};

/* Does it; what is wrong is told on standard error. Returns the exit status: 0, 1 (usage, configuration), 2 (refused). */
int explain_run(const struct explain_options *options);

/* Prints the shape of a feed for people. */
void explain_show(enum feed_kind feed, const struct feed_shape *shape, FILE *to);

#endif
