/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"

static int
memory_file(const char *bytes, size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_pwrite_all(fd, bytes, size, 0), 0);
	return fd;
}

static void
close_keeps_errno(void **state)
{
	int fd = memory_file("", 0);

	(void)state;
	errno = EDOM;
	assert_int_equal(fd_close(fd), -EBADF);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	errno = EDOM;
	assert_int_equal(fd_close(-EBADF), -EBADF);
	assert_int_equal(fd_close(123456), -EBADF);
	assert_int_equal(errno, EDOM);
}

static void
taken_is_not_closed(void **state)
{
	int outer;

	(void)state;
	{
		_cleanup_fd_ int fd = memory_file("", 0);

		outer = TAKE_FD(fd);
		assert_int_equal(fd, -EBADF);
	}
	assert_true(fcntl(outer, F_GETFD) >= 0);
	assert_int_equal(fd_close(outer), -EBADF);
}

static void
errors_come_up(void **state)
{
	_cleanup_fd_ int reading = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char byte;

	(void)state;
	assert_int_equal(fd_write_all(-1, "a", 1), -EBADF);
	assert_int_equal(fd_write_all(reading, "a", 1), -EBADF);
	assert_int_equal(fd_pwrite_all(reading, "a", 1, 0), -EBADF);
	assert_int_equal(fd_pread_all(-1, &byte, 1, 0), -EBADF);
	assert_int_equal(fd_wipe(-1), -EBADF);
	assert_int_equal(fd_nonblock(-1), -EBADF);
}

static void
write_and_read_whole(void **state)
{
	enum { SIZE = 300000 };
	_cleanup_free_ char *bytes = malloc(SIZE), *back = malloc(SIZE + 10);
	_cleanup_fd_ int fd = memory_file("", 0);

	(void)state;
	assert_non_null(bytes);
	assert_non_null(back);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(i * 7);
	assert_int_equal(fd_pwrite_all(fd, bytes, SIZE, 5), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0); /* the offset is left alone */
	assert_int_equal(fd_pread_all(fd, back, SIZE + 10, 5), SIZE);
	assert_memory_equal(bytes, back, SIZE);
	assert_int_equal(fd_pread_all(fd, back, 10, SIZE + 5), 0);
	assert_int_equal(fd_pread_all(fd, back, 10, SIZE), 5);
}

/* A folder of its own for the files of a test. */
struct folder {
	char path[64];
};

static void
folder_make(struct folder *folder)
{
	(void)snprintf(folder->path, sizeof(folder->path), "/tmp/test_fd.XXXXXX");
	assert_non_null(mkdtemp(folder->path));
}

static void
file_path(const struct folder *folder, const char *name, char ret[static 128])
{
	(void)snprintf(ret, 128, "%s/%s", folder->path, name);
}

static void
read_file_refuses(void **state)
{
	struct folder folder;
	char path[128], *bytes = NULL;
	size_t size = 7;
	int fd;

	(void)state;
	folder_make(&folder);
	file_path(&folder, "absent", path);
	assert_int_equal(fd_read_file(path, 10, &bytes, &size), -ENOENT);
	assert_int_equal(fd_read_file(folder.path, 10, &bytes, &size), -EISDIR);
	assert_int_equal(fd_read_file("/dev/null", 10, &bytes, &size), -EINVAL);
	file_path(&folder, "fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(fd_read_file(path, 10, &bytes, &size), -EINVAL); /* at once: nobody writes to it */
	assert_int_equal(unlink(path), 0);
	file_path(&folder, "file", path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(fd_write_all(fd, "12345678901", 11), 0);
	assert_int_equal(fd_close(fd), -EBADF);
	assert_int_equal(fd_read_file(path, 10, &bytes, &size), -EFBIG);
	assert_null(bytes);
	assert_int_equal(size, 7);
	assert_int_equal(fd_read_file(path, 11, &bytes, &size), 0);
	assert_int_equal(size, 11);
	assert_string_equal(bytes, "12345678901");
	free(bytes);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder.path), 0);
}

/* Files of /proc say that they have no bytes. */
static void
read_file_of_no_size(void **state)
{
	char *bytes = NULL;
	size_t size = 0;

	(void)state;
	assert_int_equal(fd_read_file("/proc/self/mountinfo", 1 << 20, &bytes, &size), 0);
	assert_true(size > 0);
	assert_int_equal(strlen(bytes), size);
	free(bytes);
	bytes = NULL;
	assert_int_equal(fd_read_file("/proc/self/mountinfo", 3, &bytes, &size), -EFBIG);
	assert_null(bytes);
}

static void
wipes(void **state)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 200000 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		_cleanup_free_ char *bytes = malloc(sizes[i] + 1);
		_cleanup_fd_ int fd = -EBADF;
		struct stat st;

		assert_non_null(bytes);
		memset(bytes, 0xAA, sizes[i] + 1);
		fd = memory_file(bytes, sizes[i]);
		assert_int_equal(fd_wipe(fd), 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size, sizes[i]);
		assert_int_equal(fd_pread_all(fd, bytes, sizes[i], 0), sizes[i]);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(bytes[at], 0);
	}
}

/* A stage taken over may have made its file terabytes of hole: wiping must neither fill them nor take for ever. */
static void
wipes_data_not_holes(void **state)
{
	_cleanup_fd_ int fd = memory_file("first", 5);
	const off_t far = (off_t)1 << 40;
	struct stat st;
	char bytes[4] = "xxx";

	(void)state;
	assert_int_equal(fd_pwrite_all(fd, "last", 4, far), 0);
	assert_int_equal(ftruncate(fd, far * 2), 0);
	assert_int_equal(fd_wipe(fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_blocks <= 4096); /* in 512 bytes */
	assert_int_equal(fd_pread_all(fd, bytes, 4, far), 4);
	assert_memory_equal(bytes, "\0\0\0\0", 4);
	assert_int_equal(fd_pread_all(fd, bytes, 4, 0), 4);
	assert_memory_equal(bytes, "\0\0\0\0", 4);
}

static void
nonblocking(void **state)
{
	int pair[2];
	char byte;

	(void)state;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	assert_int_equal(fd_nonblock(pair[0]), 0);
	assert_int_equal(read(pair[0], &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	(void)fd_close(pair[0]);
	(void)fd_close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_keeps_errno),
		cmocka_unit_test(taken_is_not_closed),
		cmocka_unit_test(errors_come_up),
		cmocka_unit_test(read_file_refuses),
		cmocka_unit_test(read_file_of_no_size),
		cmocka_unit_test(write_and_read_whole),
		cmocka_unit_test(wipes),
		cmocka_unit_test(wipes_data_not_holes),
		cmocka_unit_test(nonblocking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
