/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Delivering a report: every step that a full, read-only or vanishing share can break. */

#include "share/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/date.h"
#include "common/feed_name.h"
#include "patrond/limits.h"

#define REPORT_MODE 0640 /* the share's group are those who clean up */
#define BLOCK 65536U
#define TEMPORARY_END ".patrond"
#define TEMPORARY_SIZE (REPORT_NAME_SIZE + sizeof("." TEMPORARY_END) - 1) /* of the longest */

bool
deliver_is_temporary(const char *name, size_t size)
{
	const size_t end = strlen(TEMPORARY_END);

	return size > 1 + end && name[0] == '.' && memcmp(name + size - end, TEMPORARY_END, end) == 0 &&
	       report_name_date(name + 1, size - 1 - end) != DATE_NONE;
}

static int
create_temporary(const struct folder *folder, const char *temporary)
{
	int fd = folder_open_file(folder, temporary, O_WRONLY | O_CREAT | O_EXCL, REPORT_MODE);
	int r;

	if (fd != -EEXIST)
		return fd;
	/* Left by a delivery that was cut off; the name is nobody else's. */
	r = folder_remove(folder, temporary);
	return r < 0 ? r : folder_open_file(folder, temporary, O_WRONLY | O_CREAT | O_EXCL, REPORT_MODE);
}

/* Returns 0, or -1 with failure filled: reading the workspace and writing the share fail differently. */
static int
copy_zip(int zip_fd, uint64_t size, int fd, struct failure *failure)
{
	_cleanup_free_ char *block = malloc(BLOCK);
	uint64_t done = 0;

	if (block == NULL)
		return failure_set(failure, FAILURE_MEMORY, -ENOMEM);
	while (done < size) {
		ssize_t n = fd_pread_all(zip_fd, block, BLOCK, (off_t)done);
		int r;

		if (n <= 0)
			return failure_set(failure, FAILURE_INTERNAL, n < 0 ? (int)n : -EIO);
		r = fd_pwrite_all(fd, block, (size_t)n, (off_t)done);
		if (r < 0)
			return folder_fail(failure, FOLDER_WRITING, r);
		done += (uint64_t)n;
	}
	return 0;
}

static int
finish_file(int fd, uint64_t size)
{
	struct stat st;

	/* The umask may have taken the group's right. A share that has no such modes says so, and has its own. */
	if (fchmod(fd, REPORT_MODE) < 0 && errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	if (fsync(fd) < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return (uint64_t)st.st_size == size ? 0 : -EIO;
}

/* Some network shares cannot sync a folder, and say so in different ways. */
static int
sync_folder(const struct folder *folder)
{
	return fsync(folder->fd) == 0 || errno == EINVAL || errno == EOPNOTSUPP || errno == EBADF ? 0 : -errno;
}

/* Fills, syncs and closes the temporary file. fd is closed either way. */
static int
fill_temporary(int fd, int zip_fd, uint64_t size, struct failure *failure)
{
	int r = copy_zip(zip_fd, size, fd, failure);

	if (r < 0) {
		(void)fd_close(fd);
		return r;
	}
	r = finish_file(fd, size);
	/* A network share may tell only at the close that it is full. */
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r < 0 ? folder_fail(failure, FOLDER_WRITING, r) : 0;
}

/* rename would take away a link or a file, and nothing else may have a report's name. */
static int
rename_over(const struct folder *folder, const char *temporary, const char *final)
{
	struct stat st;

	if (fstatat(folder->fd, final, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return -EEXIST;
	return renameat(folder->fd, temporary, folder->fd, final) < 0 ? -errno : 0;
}

int
deliver_report(const struct folder *folder, const char *name, size_t name_size, int zip_fd, struct failure *ret_failure)
{
	char temporary[TEMPORARY_SIZE], final[REPORT_NAME_SIZE];
	struct stat st;
	int fd, r;

	if (report_name_date(name, name_size) == DATE_NONE)
		return failure_set(ret_failure, FAILURE_PROTOCOL, -EINVAL);
	if (fstat(zip_fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    (uint64_t)st.st_size > 2ULL * LIMIT_REPORT_SIZE)
		return failure_set(ret_failure, FAILURE_PROTOCOL, -EBADF);
	(void)snprintf(final, sizeof(final), "%.*s", (int)name_size, name);
	(void)snprintf(temporary, sizeof(temporary), ".%.*s%s", (int)name_size, name, TEMPORARY_END);
	fd = create_temporary(folder, temporary);
	if (fd < 0)
		return folder_fail(ret_failure, FOLDER_WRITING, fd);
	r = fill_temporary(fd, zip_fd, (uint64_t)st.st_size, ret_failure);
	if (r == 0) {
		r = rename_over(folder, temporary, final);
		r = r < 0 ? folder_fail(ret_failure, FOLDER_WRITING, r) : 0;
	}
	if (r < 0) {
		(void)unlinkat(folder->fd, temporary, 0);
		return r;
	}
	r = sync_folder(folder);
	return r < 0 ? folder_fail(ret_failure, FOLDER_WRITING, r) : 0;
}

int
deliver_remove(const struct folder *folder, const char *name, size_t name_size, struct failure *ret_failure)
{
	char final[REPORT_NAME_SIZE];
	int r;

	if (report_name_date(name, name_size) == DATE_NONE)
		return failure_set(ret_failure, FAILURE_PROTOCOL, -EINVAL);
	(void)snprintf(final, sizeof(final), "%.*s", (int)name_size, name);
	r = folder_remove(folder, final);
	return r < 0 ? folder_fail(ret_failure, FOLDER_WRITING, r) : 0;
}
