/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SHARE_ASIDE_H
#define SHARE_ASIDE_H

/*
 * Taking a file of the share aside before anything is done to it: it is renamed, in its folder, to a name that nobody can
 * guess, and only then compared with what was looked at. Whoever puts another file in its place at that moment finds it
 * put back.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "share/folder.h"

/* .patrond-INODE-SIZE-RANDOM.aside: by inode and size what was left behind is known again. */
#define ASIDE_NAME_SIZE sizeof(".patrond-0123456789abcdef-0123456789abcdef-0123456789abcdef0123456789abcdef.aside")

/*
 * Takes aside the file of that name, which must be the one that `looked` describes: device, inode, size, modification
 * time, a regular file. Returns 0 with its new name; -ESTALE where it is not, or not any more, what was looked at, and it
 * is where it was; or another negative errno.
 */
int aside_take(const struct folder *folder, const char *name, const struct stat *looked, char ret_aside[static ASIDE_NAME_SIZE])
    WARN_UNUSED;

/*
 * Puts it back under its name, or, where that is taken by now, under NAME.1 … NAME.99. Nothing is ever replaced. Returns 0
 * or a negative errno.
 */
int aside_put_back(const struct folder *folder, const char *aside, const char *name) WARN_UNUSED;

/* True where a name is one of ours and is that of the file that has this inode and size: left by a stage that was killed. */
bool aside_is_left(const char *name, const struct stat *st);

/*
 * Renames from one folder's descriptor to another's, or within one, never over anything. Returns 0, -EEXIST, or another
 * negative errno.
 */
int aside_rename(int from_fd, const char *from, int to_fd, const char *to) WARN_UNUSED;

/* Renames to NAME, or where that is taken to NAME.1 … NAME.99. Returns as aside_rename. */
int aside_rename_free(int from_fd, const char *from, int to_fd, const char *name) WARN_UNUSED;

/* True where both are the same file, with the same size and time. */
bool aside_same(const struct stat *a, const struct stat *b);

#endif
