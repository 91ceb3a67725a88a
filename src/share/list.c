/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listing: names first, then the kind of file, never its content. */

#include "share/list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/feed_name.h"
#include "patrond/limits.h"

struct listing {
	const char *pattern;
	int (*take)(const struct listed *file, void *userdata);
	void *userdata;
	unsigned int count;
	bool too_long;
	int refused; /* what take answered */
};

static int
visit(const struct folder *folder, const char *name, void *userdata)
{
	struct listing *listing = userdata;
	struct listed file;
	struct stat st;

	if (!feed_name_fits(name, strlen(name), listing->pattern))
		return 0;
	/* What cannot be looked at is an error, but for what has just gone: an unknown file is not no file. */
	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (listing->count == LIMIT_LISTING) {
		listing->too_long = true;
		return -EOVERFLOW;
	}
	listing->count++;
	file = (struct listed){ .name = name, .size = (uint64_t)st.st_size, .mtime = folder_mtime_usec(&st) };
	listing->refused = listing->take(&file, listing->userdata);
	return listing->refused;
}

int
list_feeds(const struct folder *folder, const char *pattern, int (*take)(const struct listed *file, void *userdata),
    void *userdata, struct failure *ret_failure)
{
	struct listing listing = { .pattern = pattern, .take = take, .userdata = userdata };
	int r = folder_each(folder, visit, &listing);

	if (r == 0)
		return 0;
	if (listing.too_long)
		*ret_failure = failure_of(FAILURE_LISTING_TOO_LONG, 0);
	else if (listing.refused < 0)
		*ret_failure = failure_of(FAILURE_INTERNAL, r);
	else
		*ret_failure = folder_failure(FOLDER_READING, r);
	return -1;
}
