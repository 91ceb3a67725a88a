/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window of read requests against a libssh of our own, which answers as badly as servers do. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fetch/sftp_copy.c"

#define ASKED 4096U

/* The server: a file of size bytes, and how it answers. Its libssh moves the offset as the real one does. */
static struct {
	uint64_t size;     /* of the file as it is */
	uint32_t at_most;  /* bytes of an answer; 0: all that was asked for */
	uint32_t fail_at;  /* the request that is answered with an error; UINT32_MAX: none */
	uint32_t refuse_at; /* the request that cannot be sent */
	uint64_t offset;
	struct {
		uint64_t offset;
		uint32_t size;
		bool answered;
	} asked[ASKED];
	uint32_t count, open, most_open;
} server;

static uint8_t
byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 2654435761U >> 13);
}

int
sftp_seek64(sftp_file file, uint64_t new_offset)
{
	(void)file;
	server.offset = new_offset;
	return 0;
}

int
sftp_async_read_begin(sftp_file file, uint32_t len)
{
	(void)file;
	assert_true(len > 0 && len <= 32768);
	assert_true(server.count < ASKED);
	if (server.count == server.refuse_at)
		return -1;
	server.asked[server.count].offset = server.offset;
	server.asked[server.count].size = len;
	server.offset += len;
	server.open++;
	if (server.open > server.most_open)
		server.most_open = server.open;
	return (int)server.count++;
}

int
sftp_async_read(sftp_file file, void *data, uint32_t len, uint32_t id)
{
	uint64_t offset = server.asked[id].offset;
	uint64_t there = offset < server.size ? server.size - offset : 0;
	uint32_t n = there < len ? (uint32_t)there : len;

	(void)file;
	assert_true(id < server.count && !server.asked[id].answered && len == server.asked[id].size);
	server.asked[id].answered = true;
	server.open--;
	if (id == server.fail_at)
		return -1;
	if (server.at_most > 0 && n > server.at_most)
		n = server.at_most;
	for (uint32_t i = 0; i < n; i++)
		((uint8_t *)data)[i] = byte_at(offset + i);
	server.offset -= len - n;
	return (int)n;
}

static uint64_t told;
static uint64_t stop_at = UINT64_MAX;

static int
on_got(uint64_t done, void *userdata)
{
	(void)userdata;
	assert_true(done > told);
	told = done;
	return done >= stop_at ? 1 : 0;
}

static int
run(uint64_t want, int fd)
{
	server.count = server.open = server.most_open = 0;
	memset(server.asked, 0, sizeof(server.asked));
	told = 0;
	return sftp_copy(NULL, want, fd, on_got, NULL);
}

static int
reset(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	server.fail_at = server.refuse_at = UINT32_MAX;
	stop_at = UINT64_MAX;
	return 0;
}

static void
assert_file(int fd, uint64_t size)
{
	uint8_t bytes[4096];

	assert_int_equal(lseek(fd, 0, SEEK_END), (off_t)size);
	for (uint64_t at = 0; at < size;) {
		ssize_t n = pread(fd, bytes, sizeof(bytes), (off_t)at);

		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(bytes[i], byte_at(at + (uint64_t)i));
		at += (uint64_t)n;
	}
}

/* Sizes around the request's, answers cut in every way: byte-identical, each byte from its own offset. */
static void
test_whole(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 32767, 32768, 32769, 65536, 1000003, 32768 * 33 + 5 };
	static const uint32_t at_most[] = { 0, 32767, 20000, 16384, 4096 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t j = 0; j < sizeof(at_most) / sizeof(at_most[0]); j++) {
			int fd = memfd_create("feed", MFD_CLOEXEC);

			server.size = sizes[i];
			server.at_most = at_most[j];
			assert_int_equal(run(sizes[i], fd), SFTP_COPY_DONE);
			assert_int_equal(told, sizes[i]);
			assert_int_equal(server.open, 0);
			assert_true(server.most_open <= 32);
			assert_file(fd, sizes[i]);
			close(fd);
		}
}

static void
test_window_is_used(void **state)
{
	int fd = memfd_create("feed", MFD_CLOEXEC);

	(void)state;
	server.size = 4 << 20;
	assert_int_equal(run(server.size, fd), SFTP_COPY_DONE);
	assert_int_equal(server.most_open, 32);
	close(fd);
}

static void
test_changed(void **state)
{
	int fd = memfd_create("feed", MFD_CLOEXEC);

	(void)state;
	server.size = 100000;
	assert_int_equal(run(100001, fd), SFTP_COPY_CHANGED);
	assert_int_equal(run(99999, fd), SFTP_COPY_CHANGED);
	assert_int_equal(run(0, fd), SFTP_COPY_CHANGED);
	server.size = 0;
	assert_int_equal(run(1, fd), SFTP_COPY_CHANGED);
	server.size = 98304; /* cut at a request's end */
	assert_int_equal(run(131072, fd), SFTP_COPY_CHANGED);
	close(fd);
}

static void
test_remote_errors(void **state)
{
	int fd = memfd_create("feed", MFD_CLOEXEC);

	(void)state;
	server.size = 1000000;
	for (uint32_t i = 0; i <= 31; i++) {
		server.fail_at = i; /* 31 requests, and the look past the end */
		server.refuse_at = UINT32_MAX;
		assert_int_equal(run(server.size, fd), SFTP_COPY_REMOTE);
		server.fail_at = UINT32_MAX;
		server.refuse_at = i;
		assert_int_equal(run(server.size, fd), SFTP_COPY_REMOTE);
	}
	close(fd);
}

static void
test_stop_and_write_errors(void **state)
{
	int fd = memfd_create("feed", MFD_CLOEXEC), pipe_fds[2];

	(void)state;
	server.size = 1000000;
	stop_at = 300000;
	assert_int_equal(run(server.size, fd), SFTP_COPY_STOPPED);
	stop_at = UINT64_MAX;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(run(server.size, pipe_fds[1]), -ESPIPE);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_whole, reset),
		cmocka_unit_test_setup(test_window_is_used, reset),
		cmocka_unit_test_setup(test_changed, reset),
		cmocka_unit_test_setup(test_remote_errors, reset),
		cmocka_unit_test_setup(test_stop_and_write_errors, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
