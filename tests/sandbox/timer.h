/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_TIMER_H
#define STANDIN_TIMER_H

/* Owns the delays: a thread that resumes suspended connections when they are due, so that no delay holds up another
 * request. */

#include <stdint.h>

struct MHD_Connection;
struct timers;

struct timers *timers_new(void);

/* Resumes the connection, which is suspended already, at due_us, microseconds of the monotonic clock. */
void timers_add(struct timers *t, uint64_t due_us, struct MHD_Connection *connection);

/* Resumes all that still wait at once, and ends the thread. Nothing may be added any more. */
struct timers *timers_free(struct timers *t);

#endif
