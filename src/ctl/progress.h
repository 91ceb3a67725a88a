/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

/* What goes on: a bar that is drawn over itself on a terminal, a line now and then elsewhere. */

#include "common/config.h"
#include "ctl/reply.h"

#define PROGRESS_LINES 3U

struct progress {
	unsigned int drawn; /* lines on the terminal that the next drawing covers */
	char phase[32];	    /* of the last plain line */
	usec_t last;
};

/* Draws what an event says of progress and outcomes. */
void progress_draw(struct progress *progress, const struct ctl_event *event);

/* Takes the drawing away, so that lines can be printed. */
void progress_clear(struct progress *progress);

/* Leaves the drawing where it is and goes on below it. */
void progress_leave(struct progress *progress);

/* Prints it once, as status does. */
void progress_print(const struct ctl_progress *progress);

/* Writes seconds as 45 s, 1:08 or 2:03:04. ret holds 32 bytes. */
const char *progress_duration(uint64_t seconds, char ret[static 32]);

/* Writes a bar of that many columns (3 or more), brackets included: [=====>    ]. ret holds columns + 1 bytes. */
const char *progress_bar(uint64_t done, uint64_t total, unsigned int columns, char *ret);

#endif
