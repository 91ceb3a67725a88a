/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_CLOCK_H
#define LOAD_CLOCK_H

/* The one clock of the load: monotonic microseconds, so that a corrected wall clock moves no deadline. */

#include <time.h>

#include "common/config.h"

static inline usec_t
clock_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

#endif
