/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SHARE_PUT_AWAY_H
#define SHARE_PUT_AWAY_H

/* Moves or deletes a feed that was loaded, and no other file: not one that has taken its name since. */

#include "share/folder.h"

struct put_away {
	const char *name;
	uint64_t size;       /* as listed, as copied */
	int64_t mtime;       /* microseconds since 1970 */
	const char *pattern; /* a feed's names: nothing else is moved or deleted */
	const char *to;      /* the folder in the share to move it to, made where it is not there; NULL deletes */
};

/*
 * Returns 0 (also where it is gone already), or -1 with ret_failure filled: FEED_CHANGED where the file is not the one
 * that was loaded, PROTOCOL for a name that cannot be a feed's, and those of folder_failure. It is where it was then.
 */
int put_away_feed(const struct folder *folder, const struct put_away *put_away, struct failure *ret_failure) WARN_UNUSED;

#endif
