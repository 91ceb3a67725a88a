/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SHARE_MOUNTS_H
#define SHARE_MOUNTS_H

/* Which kind of file system the share is on: whether the kernel sees every change itself. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* True for the type of a file system all of whose changes pass through this kernel. Anything unknown is not. */
bool mounts_type_is_local(const char *type);

/* Reads a mountinfo; true where the mount of that id is there and local. */
bool mounts_read_local(FILE *mountinfo, uint64_t mount_id);

/* The same of an open file or folder, by /proc/self/mountinfo. False where it cannot be told. */
bool mounts_is_local(int fd);

#endif
