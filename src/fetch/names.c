/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of the SFTP drop. */

#include "fetch/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/feed_name.h"
#include "common/text.h"

bool
names_is_feed(const char *name, size_t size, const char *pattern)
{
	/* a name in no known encoding cannot be said to fit a pattern, nor be shown */
	return feed_name_fits(name, size, pattern) && text_is_utf8(name, size);
}

int
names_path(const char *folder, const char *name, size_t size, char ret_path[static REMOTE_PATH])
{
	size_t length = strlen(folder);
	const char *slash = length == 0 || folder[length - 1] == '/' ? "" : "/";
	int n = snprintf(ret_path, REMOTE_PATH, "%s%s%.*s", folder, slash, (int)size, name);

	return n < 0 || (size_t)n >= REMOTE_PATH ? -ENAMETOOLONG : 0;
}
