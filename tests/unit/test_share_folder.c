/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "share/folder.h"

static char share[] = "/tmp/share-folder-XXXXXX";

static void
failures_of_errors(void **state)
{
	static const struct {
		int number;
		enum failure_code reading, writing;
	} errors[] = {
		{ EROFS, FAILURE_SHARE_UNREADABLE, FAILURE_SHARE_READ_ONLY },
		{ EACCES, FAILURE_SHARE_UNREADABLE, FAILURE_SHARE_READ_ONLY },
		{ ENOSPC, FAILURE_SHARE_FULL, FAILURE_SHARE_FULL },
		{ EDQUOT, FAILURE_SHARE_FULL, FAILURE_SHARE_FULL },
		{ ESTALE, FAILURE_SHARE_GONE, FAILURE_SHARE_GONE },
		{ EHOSTDOWN, FAILURE_SHARE_GONE, FAILURE_SHARE_GONE },
		{ ENOTCONN, FAILURE_SHARE_GONE, FAILURE_SHARE_GONE },
		{ ENOENT, FAILURE_SHARE_FILE, FAILURE_SHARE_FILE },
		{ ELOOP, FAILURE_SHARE_FILE, FAILURE_SHARE_FILE },
		{ ENOMEM, FAILURE_MEMORY, FAILURE_MEMORY },
		{ EIO, FAILURE_SHARE_UNREADABLE, FAILURE_SHARE_UNREADABLE },
		{ 9999, FAILURE_SHARE_UNREADABLE, FAILURE_SHARE_UNREADABLE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct failure reading = folder_failure(FOLDER_READING, -errors[i].number);
		struct failure writing = folder_failure(FOLDER_WRITING, -errors[i].number);

		assert_int_equal(reading.code, errors[i].reading);
		assert_int_equal(writing.code, errors[i].writing);
		assert_int_equal(reading.number, -errors[i].number);
		assert_int_equal(folder_fail(&reading, FOLDER_WRITING, -errors[i].number), -1);
		assert_int_equal(reading.code, errors[i].writing);
	}
}

static void
folders_that_are_none(void **state)
{
	static const char *const paths[] = { "", "/nowhere/at/all", "/etc/passwd", "/etc/passwd/x", "/dev/null" };
	struct failure failure;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct folder folder = FOLDER_INIT;

		assert_int_equal(folder_open(&folder, paths[i], &failure), -1);
		assert_int_equal(failure.code, FAILURE_SHARE_GONE);
		assert_true(folder.fd < 0);
	}
}

static void
make(const struct folder *folder)
{
	int fd = openat(folder->fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)fd_close(fd);
	assert_int_equal(symlinkat("file", folder->fd, "link"), 0);
	assert_int_equal(symlinkat("/etc/passwd", folder->fd, "away"), 0);
	assert_int_equal(mkdirat(folder->fd, "folder", 0700), 0);
	assert_int_equal(mkfifoat(folder->fd, "fifo", 0600), 0);
}

static void
names_that_are_not_opened(void **state)
{
	static const struct {
		const char *name;
		int flags;
		int expected;
	} names[] = {
		{ "", O_RDONLY, -EINVAL },
		{ ".", O_RDONLY, -EINVAL },
		{ "..", O_RDONLY, -EINVAL },
		{ "../etc", O_RDONLY, -EINVAL },
		{ "/etc/passwd", O_RDONLY, -EINVAL },
		{ "folder/x", O_RDONLY | O_CREAT, -EINVAL },
		{ "link", O_RDONLY, -ELOOP },
		{ "away", O_RDONLY, -ELOOP },
		{ "away", O_WRONLY | O_CREAT, -ELOOP },
		{ "gone", O_RDONLY, -ENOENT },
		{ "file", O_WRONLY | O_CREAT | O_EXCL, -EEXIST },
		{ "link", O_WRONLY | O_CREAT | O_EXCL, -EEXIST },
		{ "fifo", O_WRONLY, -ENXIO }, /* and not: waited for */
		{ "folder", O_WRONLY, -EISDIR },
	};
	struct folder folder = FOLDER_INIT;
	struct failure failure;
	int fd;

	(void)state;
	assert_int_equal(folder_open(&folder, share, &failure), 0);
	make(&folder);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(folder_open_file(&folder, names[i].name, names[i].flags, 0600), names[i].expected);
	fd = folder_open_file(&folder, "file", O_RDONLY, 0);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	(void)fd_close(fd);
	folder_done(&folder);
	assert_true(folder.fd < 0);
}

static void
what_is_not_removed(void **state)
{
	static const struct {
		const char *name;
		int expected;
		bool stays;
	} names[] = {
		{ "folder", -EINVAL, true }, { "link", -EINVAL, true }, { "fifo", -EINVAL, true },
		{ "gone", 0, false }, { "file", 0, false }, { "file", 0, false },
	};
	struct folder folder = FOLDER_INIT;
	struct failure failure;

	(void)state;
	assert_int_equal(folder_open(&folder, share, &failure), 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct stat st;

		assert_int_equal(folder_remove(&folder, names[i].name), names[i].expected);
		assert_int_equal(fstatat(folder.fd, names[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0, names[i].stays);
	}
	folder_done(&folder);
}

static int
count(const struct folder *folder, const char *name, void *userdata)
{
	int *left = userdata;

	(void)folder;
	assert_string_not_equal(name, ".");
	assert_string_not_equal(name, "..");
	*left -= 1;
	return *left == 0 ? -ECANCELED : 0;
}

static void
every_name_once(void **state)
{
	struct folder folder = FOLDER_INIT;
	struct failure failure;
	int all = 1000, two = 2;

	(void)state;
	assert_int_equal(folder_open(&folder, share, &failure), 0);
	for (int again = 0; again < 2; again++) {
		all = 1000;
		assert_int_equal(folder_each(&folder, count, &all), 0);
		assert_int_equal(all, 1000 - 4); /* away, fifo, folder, link */
	}
	assert_int_equal(folder_each(&folder, count, &two), -ECANCELED);
	assert_int_equal(two, 0);
	folder_done(&folder);
}

static void
times(void **state)
{
	const struct stat after = { .st_mtim = { .tv_sec = 1700000000, .tv_nsec = 123456789 } };
	const struct stat before = { .st_mtim = { .tv_sec = -1, .tv_nsec = 999999999 } };

	(void)state;
	assert_int_equal(folder_mtime_usec(&after), 1700000000123456);
	assert_int_equal(folder_mtime_usec(&before), -1);
}

static int
make_share(void **state)
{
	(void)state;
	return mkdtemp(share) != NULL ? 0 : -1;
}

static int
remove_share(void **state)
{
	static const char *const names[] = { "away", "fifo", "file", "link" };
	char path[sizeof(share) + 16];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", share, names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/folder", share);
	(void)rmdir(path);
	return rmdir(share);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_of_errors),
		cmocka_unit_test(folders_that_are_none),
		cmocka_unit_test(names_that_are_not_opened),
		cmocka_unit_test(what_is_not_removed),
		cmocka_unit_test(every_name_once),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, make_share, remove_share);
}
