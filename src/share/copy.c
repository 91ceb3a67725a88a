/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copying a feed: what is written is what was listed, or it is refused. */

#include "share/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "patrond/limits.h"

#define BLOCK (256U << 10)

/* Same file, same content, as far as can be seen from outside. ctime: a writer can put mtime back, but not that. */
static bool
unchanged(const struct stat *before, const struct stat *after)
{
	return before->st_dev == after->st_dev && before->st_ino == after->st_ino && before->st_size == after->st_size &&
	       before->st_mtim.tv_sec == after->st_mtim.tv_sec && before->st_mtim.tv_nsec == after->st_mtim.tv_nsec &&
	       before->st_ctim.tv_sec == after->st_ctim.tv_sec && before->st_ctim.tv_nsec == after->st_ctim.tv_nsec;
}

static int
open_feed(const struct folder *folder, const struct copy *copy, struct stat *ret_st, struct failure *failure)
{
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	/* Looked at first: opening a device can do things. */
	if (fstatat(folder->fd, copy->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return folder_fail(failure, FOLDER_READING, -errno);
	if (!S_ISREG(st.st_mode))
		return failure_set(failure, FAILURE_SHARE_FILE, 0);
	fd = folder_open_file(folder, copy->name, O_RDONLY, 0);
	if (fd < 0)
		return folder_fail(failure, FOLDER_READING, fd);
	if (fstat(fd, &st) < 0)
		return folder_fail(failure, FOLDER_READING, -errno);
	if (!S_ISREG(st.st_mode))
		return failure_set(failure, FAILURE_SHARE_FILE, 0);
	if ((uint64_t)st.st_size != copy->size || folder_mtime_usec(&st) != copy->mtime)
		return failure_set(failure, FAILURE_FEED_CHANGED, 0);
	if (copy->size > LIMIT_ZIP_SIZE)
		return failure_set(failure, FAILURE_FEED_TOO_LARGE, 0);
	*ret_st = st;
	return TAKE_FD(fd);
}

static int
check_target(int fd, struct failure *failure)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failure_set(failure, FAILURE_PROTOCOL, -errno);
	if (!S_ISREG(st.st_mode) || st.st_size != 0)
		return failure_set(failure, FAILURE_PROTOCOL, -EINVAL);
	return 0;
}

static int
fail_target(struct failure *failure, int r)
{
	bool full = r == -ENOSPC || r == -EDQUOT || r == -EFBIG;

	return failure_set(failure, full ? FAILURE_WORKSPACE_FULL : FAILURE_INTERNAL, r);
}

static int
copy_bytes(int fd, const struct copy *copy, struct failure *failure)
{
	_cleanup_free_ char *block = malloc(BLOCK);
	uint64_t done = 0;

	if (block == NULL)
		return failure_set(failure, FAILURE_MEMORY, -ENOMEM);
	for (;;) {
		ssize_t n;
		int r;

		if (!copy->go_on(done, copy->userdata))
			return failure_set(failure, FAILURE_CANCELLED, 0);
		n = read(fd, block, BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return folder_fail(failure, FOLDER_READING, -errno);
		if (n == 0)
			return done == copy->size ? 0 : failure_set(failure, FAILURE_FEED_CHANGED, 0);
		if ((uint64_t)n > copy->size - done)
			return failure_set(failure, FAILURE_FEED_CHANGED, 0); /* it grows: an upload under way */
		r = fd_pwrite_all(copy->to_fd, block, (size_t)n, (off_t)done);
		if (r < 0)
			return fail_target(failure, r);
		done += (uint64_t)n;
	}
}

int
copy_feed(const struct folder *folder, const struct copy *copy, struct failure *ret_failure)
{
	struct stat before, after;
	_cleanup_fd_ int fd = -EBADF;

	if (check_target(copy->to_fd, ret_failure) < 0)
		return -1;
	fd = open_feed(folder, copy, &before, ret_failure);
	if (fd < 0 || copy_bytes(fd, copy, ret_failure) < 0)
		return -1;
	if (fstat(fd, &after) < 0)
		return folder_fail(ret_failure, FOLDER_READING, -errno);
	if (!unchanged(&before, &after))
		return failure_set(ret_failure, FAILURE_FEED_CHANGED, 0);
	/* And the name still means this file: one that was put in its place is the feed now. */
	if (fstatat(folder->fd, copy->name, &after, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? failure_set(ret_failure, FAILURE_FEED_CHANGED, 0) :
		                         folder_fail(ret_failure, FOLDER_READING, -errno);
	if (!unchanged(&before, &after))
		return failure_set(ret_failure, FAILURE_FEED_CHANGED, 0);
	return 0;
}
