/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SHARE_FOLDER_H
#define SHARE_FOLDER_H

/*
 * The share's folder and the files right in it. It is opened for each request and closed after it: a mount may come and
 * go, and a descriptor kept open would hold an old one. Everybody at the library can put anything there: nothing is
 * followed, nothing is waited for, and only regular files are read.
 */

#include <stdint.h>
#include <sys/stat.h>

#include "common/fd.h"
#include "patrond/failure.h"

struct folder {
	int fd; /* readable */
};

#define FOLDER_INIT ((struct folder){ .fd = -EBADF })
#define _cleanup_folder_ __attribute__((cleanup(folder_done)))

/*
 * Opens the folder. Returns 0, or -1 with ret_failure filled: SHARE_GONE where it is not there (or its server is not),
 * SHARE_UNREADABLE where it may not be read.
 */
int folder_open(struct folder *folder, const char *path, struct failure *ret_failure) WARN_UNUSED;
void folder_done(struct folder *folder);

/*
 * Opens a name right in the folder, a descriptor that is the caller's. No symbolic link is followed, no other file system
 * entered, nothing waited for (a FIFO, a device). Returns it, or a negative errno.
 */
int folder_open_file(const struct folder *folder, const char *name, int flags, mode_t mode) WARN_UNUSED;

/*
 * Calls visit for each name but . and .., in no order; a negative answer ends it and is returned. visit may remove the
 * name. Returns 0 or a negative errno.
 */
int folder_each(const struct folder *folder, int (*visit)(const struct folder *folder, const char *name, void *userdata),
    void *userdata) WARN_UNUSED;

/*
 * Removes a regular file. Returns 0 (also where it was not there), -EINVAL where something else has that name, or
 * another negative errno.
 */
int folder_remove(const struct folder *folder, const char *name) WARN_UNUSED;

enum folder_act { FOLDER_READING, FOLDER_WRITING };

/* A negative errno of the share as a failure: SHARE_GONE, _UNREADABLE, _READ_ONLY, _FULL, _FILE, or MEMORY. */
struct failure folder_failure(enum folder_act act, int r);

/* Fills in that failure. Returns -1. */
static inline int
folder_fail(struct failure *ret_failure, enum folder_act act, int r)
{
	*ret_failure = folder_failure(act, r);
	return -1;
}

/* Modification time in microseconds since 1970. */
int64_t folder_mtime_usec(const struct stat *st);

#endif
