/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_WORKDAY_H
#define SUPERVISOR_WORKDAY_H

/* When business closes, by local time. The supervisor alone asks the time zone. */

#include <stdint.h>

/*
 * The last close of business at or before `now`, and the next one after it. now and what is returned: microseconds since
 * 1970. minutes: of the close, since midnight. days: bit 0 Sunday … bit 6 Saturday, at least one. A close that the clocks
 * leap over is when they have leapt.
 */
int64_t workday_last_close(int64_t now, uint32_t minutes, uint32_t days);
int64_t workday_next_close(int64_t now, uint32_t minutes, uint32_t days);

#endif
