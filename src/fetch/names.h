/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FETCH_NAMES_H
#define FETCH_NAMES_H

/* Which names of the SFTP drop may be feeds, and how a name becomes a path there. */

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"

#define REMOTE_PATH (CONFIG_TEXT + LIMIT_FILE_NAME + 2U) /* bytes of folder, slash, name and NUL */

/* True where a name may be a feed, by feed_name_fits, and is UTF-8. name need not end in a NUL. */
bool names_is_feed(const char *name, size_t size, const char *pattern);

/* Joins folder and name, one of names_is_feed. Returns 0, or -ENAMETOOLONG. */
int names_path(const char *folder, const char *name, size_t size, char ret_path[static REMOTE_PATH]) WARN_UNUSED;

#endif
