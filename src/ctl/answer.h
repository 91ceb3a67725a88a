/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CTL_ANSWER_H
#define CTL_ANSWER_H

/* What did not work, as a sentence that says what to do, and the exit status that it stands for. */

#include "ctl/client.h"

#define EXIT_USAGE 1   /* usage, configuration; patrond cannot be reached or understood */
#define EXIT_REFUSED 2 /* patrond refuses; a load failed, or is due again */
#define EXIT_DIFFERS 3 /* complete, but rows failed or differ */
#define EXIT_HELD 4
#define EXIT_INTERRUPTED 130

/* Tells of a connection that failed with a negative errno. Returns the exit status. */
int answer_tell_unreachable(int error, const char *path);

/* Tells of an error that patrond answered. Returns the exit status. */
int answer_tell_error(const struct answer *answer);

#endif
