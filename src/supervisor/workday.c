/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Closes of business, day by day, left to mktime. */

#include "supervisor/workday.h"

#include <stdbool.h>
#include <time.h>

#define USEC 1000000LL
#define DAYS_AROUND 8 /* a week, and today's own close may lie on either side of now */

/* The close on the day that lies `offset` days from that of `now`. Returns false where that day is none of business. */
static bool
close_of_day(time_t now, int offset, uint32_t minutes, uint32_t days, int64_t *ret)
{
	struct tm tm;
	time_t at;

	if (localtime_r(&now, &tm) == NULL)
		return false;
	tm.tm_mday += offset;
	tm.tm_hour = (int)(minutes / 60);
	tm.tm_min = (int)(minutes % 60);
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	at = mktime(&tm); /* sets tm_wday of the day that it is */
	if (at == (time_t)-1 || (days & 1U << tm.tm_wday) == 0)
		return false;
	*ret = (int64_t)at * USEC;
	return true;
}

int64_t
workday_last_close(int64_t now, uint32_t minutes, uint32_t days)
{
	int64_t close;

	for (int offset = 0; offset >= -DAYS_AROUND; offset--)
		if (close_of_day((time_t)(now / USEC), offset, minutes, days, &close) && close <= now)
			return close;
	return 0;
}

int64_t
workday_next_close(int64_t now, uint32_t minutes, uint32_t days)
{
	int64_t close;

	for (int offset = 0; offset <= DAYS_AROUND; offset++)
		if (close_of_day((time_t)(now / USEC), offset, minutes, days, &close) && close > now)
			return close;
	return INT64_MAX;
}
