/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_WORKSPACE_H
#define SUPERVISOR_WORKSPACE_H

/* The workspace: nameless descriptors on tmpfs, overwritten before they are closed. Nothing in it ever has a name. */

#include "common/fd.h"

/*
 * Looks where the workspace is: $RUNTIME_DIRECTORY/work, which must be tmpfs, else memory files. Returns 0, -EXDEV where
 * the directory is on another file system (it must not be used: its blocks may reach a disk), or a negative errno.
 */
int workspace_check(void) WARN_UNUSED;

/* A new nameless file to read and write. Returns the descriptor, the caller's, or a negative errno. */
int workspace_new(void) WARN_UNUSED;

/* Overwrites and closes. Returns -EBADF. Accepts -EBADF. */
int workspace_wipe(int fd);

static inline void
workspace_wipep(int *fd)
{
	*fd = workspace_wipe(*fd);
}

#endif
