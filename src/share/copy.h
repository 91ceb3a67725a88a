/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SHARE_COPY_H
#define SHARE_COPY_H

/* Copies one feed from the share, unparsed, into a descriptor of the workspace, and only if it stands still meanwhile. */

#include <stdbool.h>

#include "share/folder.h"

struct copy {
	const char *name;
	uint64_t size;  /* as listed */
	int64_t mtime;  /* as listed, microseconds since 1970 */
	int to_fd;      /* a regular file, empty; written from its start by pwrite */
	bool (*go_on)(uint64_t done, void *userdata); /* asked between blocks: false cancels */
	void *userdata;
};

/*
 * Returns 0 with size bytes in to_fd, or -1 with ret_failure filled: SHARE_FILE where it is gone or no regular file,
 * FEED_CHANGED where it is not, or does not stay, what was listed, FEED_TOO_LARGE over LIMIT_ZIP_SIZE, WORKSPACE_FULL,
 * CANCELLED, PROTOCOL for a to_fd that is not as said, and those of folder_failure.
 */
int copy_feed(const struct folder *folder, const struct copy *copy, struct failure *ret_failure) WARN_UNUSED;

#endif
