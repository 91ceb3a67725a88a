/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Renaming first, looking second: a name can mean another file at any moment, one that nobody knows cannot. */

#include "share/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "patrond/limits.h"

#define ASIDE_START ".patrond-"
#define ASIDE_END ".aside"
#define RANDOM_BYTES 16U
#define FREE_NAMES 99

bool
aside_same(const struct stat *a, const struct stat *b)
{
	return S_ISREG(a->st_mode) && S_ISREG(b->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int
aside_rename(int from_fd, const char *from, int to_fd, const char *to)
{
	struct stat st;

	if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* Some network file systems cannot promise it: then looking first is all there is. */
	if (fstatat(to_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (errno != ENOENT)
		return -errno;
	return renameat(from_fd, from, to_fd, to) < 0 ? -errno : 0;
}

int
aside_rename_free(int from_fd, const char *from, int to_fd, const char *name)
{
	char other[LIMIT_FILE_NAME + sizeof(".99")];
	int r = aside_rename(from_fd, from, to_fd, name);

	for (int i = 1; i <= FREE_NAMES && r == -EEXIST; i++) {
		(void)snprintf(other, sizeof(other), "%s.%d", name, i);
		r = aside_rename(from_fd, from, to_fd, other);
	}
	return r;
}

static int
make_name(const struct stat *st, char ret[static ASIDE_NAME_SIZE])
{
	uint8_t random[RANDOM_BYTES];
	size_t used;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	used = (size_t)snprintf(ret, ASIDE_NAME_SIZE, ASIDE_START "%016" PRIx64 "-%016" PRIx64 "-", (uint64_t)st->st_ino,
	    (uint64_t)st->st_size);
	for (size_t i = 0; i < sizeof(random); i++)
		used += (size_t)snprintf(ret + used, ASIDE_NAME_SIZE - used, "%02x", random[i]);
	(void)snprintf(ret + used, ASIDE_NAME_SIZE - used, ASIDE_END);
	return 0;
}

bool
aside_is_left(const char *name, const struct stat *st)
{
	char start[ASIDE_NAME_SIZE];
	size_t length = (size_t)snprintf(start, sizeof(start), ASIDE_START "%016" PRIx64 "-%016" PRIx64 "-",
	    (uint64_t)st->st_ino, (uint64_t)st->st_size);
	size_t size = strlen(name);

	if (size != ASIDE_NAME_SIZE - 1 || memcmp(name, start, length) != 0 ||
	    strcmp(name + size - strlen(ASIDE_END), ASIDE_END) != 0)
		return false;
	return strspn(name + length, "0123456789abcdef") == (size_t)RANDOM_BYTES * 2;
}

int
aside_put_back(const struct folder *folder, const char *aside, const char *name)
{
	return aside_rename_free(folder->fd, aside, folder->fd, name);
}

int
aside_take(const struct folder *folder, const char *name, const struct stat *looked, char ret_aside[static ASIDE_NAME_SIZE])
{
	struct stat st;
	int r;

	/* Looked at before, so that what is plainly another file is not even touched for a moment. */
	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	if (!aside_same(&st, looked))
		return -ESTALE;
	r = make_name(looked, ret_aside);
	if (r < 0)
		return r;
	r = aside_rename(folder->fd, name, folder->fd, ret_aside);
	if (r < 0) {
		/* Of what else may have its name by now the walls let us rename regular files alone. */
		bool same = fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && aside_same(&st, looked);

		return same ? r : -ESTALE;
	}
	if (fstatat(folder->fd, ret_aside, &st, AT_SYMLINK_NOFOLLOW) == 0 && aside_same(&st, looked))
		return 0;
	r = aside_put_back(folder, ret_aside, name);
	return r < 0 ? r : -ESTALE;
}
