/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_FEED_NAME_H
#define COMMON_FEED_NAME_H

/* Which file names of a source may be feeds, and which are our own reports. Names are bytes, in no particular encoding. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest name of a report, with its NUL. */
#define REPORT_NAME_SIZE sizeof("barcode_errors-YYYYMMDD-student.zip")

/*
 * True where a name may be a feed: 1–255 bytes without slash or NUL, no dot file, no name of an upload that is under way
 * or of an editor, no clean-up report of our own (however it is dated), and it fits the shell pattern, case included.
 * name need not end in a NUL.
 */
bool feed_name_fits(const char *name, size_t size, const char *pattern);

/*
 * Days since 1970 in the name of a clean-up report: barcode_errors-YYYYMMDD.zip with a real date, and -student or -staff
 * after it where the load held that feed alone; else DATE_NONE.
 */
int32_t report_name_date(const char *name, size_t size);

/* The feeds that a report's name speaks of, as a mask of FEED_BIT; 0 where it is no report's. */
uint32_t report_name_kinds(const char *name, size_t size);

/* Makes the name for the load of a day (days since 1970), by its feeds. ret has room for REPORT_NAME_SIZE. */
void report_name_make(int32_t date, uint32_t kinds, char *ret);

#endif
