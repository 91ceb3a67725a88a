/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taken aside, compared, then moved or deleted. Not overwritten: a feed is encrypted. */

#include "share/put_away.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/feed_name.h"
#include "share/aside.h"

#define DONE_MODE 0750 /* as a share's folders are */

/* Opens the folder of done feeds, a folder of the same file system and no link, or makes it. */
static int
open_done(const struct folder *folder, const char *name)
{
	bool made = mkdirat(folder->fd, name, DONE_MODE) == 0;
	int fd = made || errno == EEXIST ? folder_open_file(folder, name, O_RDONLY | O_DIRECTORY, 0) : -errno;

	/* The umask has taken the group's right. A share that has no such modes, or refuses, has its own. */
	if (made && fd >= 0)
		(void)fchmod(fd, DONE_MODE);
	return fd;
}

static int
move(const struct folder *folder, const char *aside, const struct put_away *put_away)
{
	_cleanup_fd_ int to = open_done(folder, put_away->to);

	return to < 0 ? to : aside_rename_free(folder->fd, aside, to, put_away->name);
}

int
put_away_feed(const struct folder *folder, const struct put_away *put_away, struct failure *ret_failure)
{
	char aside[ASIDE_NAME_SIZE];
	struct stat looked;
	int r, back;

	if (!feed_name_fits(put_away->name, strlen(put_away->name), put_away->pattern))
		return failure_set(ret_failure, FAILURE_PROTOCOL, -EINVAL);
	if (fstatat(folder->fd, put_away->name, &looked, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : folder_fail(ret_failure, FOLDER_WRITING, -errno);
	if (!S_ISREG(looked.st_mode) || (uint64_t)looked.st_size != put_away->size ||
	    folder_mtime_usec(&looked) != put_away->mtime)
		return failure_set(ret_failure, FAILURE_FEED_CHANGED, 0);
	r = aside_take(folder, put_away->name, &looked, aside);
	if (r == -ESTALE)
		return failure_set(ret_failure, FAILURE_FEED_CHANGED, 0);
	if (r < 0)
		return folder_fail(ret_failure, FOLDER_WRITING, r);
	if (put_away->to != NULL)
		r = move(folder, aside, put_away);
	else if (unlinkat(folder->fd, aside, 0) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	back = aside_put_back(folder, aside, put_away->name);
	return folder_fail(ret_failure, FOLDER_WRITING, back < 0 ? back : r);
}
