/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SHARE_LIST_H
#define SHARE_LIST_H

/* Which files of the share may be feeds. */

#include "share/folder.h"

struct listed {
	const char *name; /* bytes as they are, NUL-terminated, as long-lived as the call */
	uint64_t size;    /* bytes */
	int64_t mtime;    /* microseconds since 1970 */
};

/*
 * Calls take for each regular file with a name that may be a feed's, in no order; a negative answer ends it. Returns 0,
 * or -1 with ret_failure filled: LISTING_TOO_LONG over LIMIT_LISTING files, INTERNAL with what take answered.
 */
int list_feeds(const struct folder *folder, const char *pattern, int (*take)(const struct listed *file, void *userdata),
    void *userdata, struct failure *ret_failure) WARN_UNUSED;

#endif
