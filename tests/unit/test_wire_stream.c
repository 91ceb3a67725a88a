/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two ends of a connection: frames cut anywhere, many at once, descriptors, and a peer that floods or leaves. */
#include "testkit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/wire.h"

struct pair {
	int near, far;
};

static struct pair
make_pair(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){ fds[0], fds[1] };
}

static void
close_pair(struct pair pair)
{
	(void)fd_close(pair.near);
	(void)fd_close(pair.far);
}

static size_t
open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder);
	return count;
}

/* Three frames, one of them with content. */
static void
add_three(struct wire_out *out)
{
	assert_int_equal(wire_add_progress(out, PHASE_WRITING, 1, 2), 0);
	wire_begin(out, WIRE_LISTING);
	wire_put_string(out, "feed.zip", 8);
	wire_put_u64(out, 77);
	wire_put_i64(out, -1);
	assert_int_equal(wire_end(out), 0);
	assert_int_equal(wire_add_empty(out, WIRE_DONE), 0);
}

static void
check_three(struct wire_reader *reader, int fd)
{
	struct wire_in in;
	size_t size;

	assert_int_equal(wire_receive(reader, fd, &in), 1);
	assert_int_equal(in.type, WIRE_PROGRESS);
	assert_int_equal(wire_receive(reader, fd, &in), 1);
	assert_int_equal(in.type, WIRE_LISTING);
	assert_memory_equal(wire_get_string(&in, LIMIT_FILE_NAME, &size), "feed.zip", 8);
	assert_int_equal(size, 8);
	assert_int_equal(wire_get_u64(&in), 77);
	assert_true(wire_get_i64(&in) == -1);
	assert_int_equal(wire_finish(&in), 0);
	assert_int_equal(wire_receive(reader, fd, &in), 1);
	assert_int_equal(in.type, WIRE_DONE);
}

static void
cut_at_every_byte(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;

	(void)state;
	add_three(&out);
	for (size_t cut = 0; cut < out.buf.size; cut++) {
		struct pair pair = make_pair();
		_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
		struct wire_in in;
		size_t whole = 0, end_1 = 8 + 17, end_2 = end_1 + 8 + 4 + 8 + 16;
		int r;

		assert_int_equal(fd_write_all(pair.far, out.buf.bytes, cut), 0);
		pair.far = fd_close(pair.far);
		do
			r = wire_receive(&reader, pair.near, &in);
		while (r == 1 && ++whole);
		assert_int_equal(whole, (cut >= end_1) + (cut >= end_2));
		assert_int_equal(r, cut == 0 || cut == end_1 || cut == end_2 ? 0 : -EBADMSG);
		assert_true(reader.ended);
		close_pair(pair);
	}
}

static void
byte_by_byte(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct pair pair = make_pair();
	struct wire_in in;
	size_t whole = 0;

	(void)state;
	add_three(&out);
	for (size_t i = 0; i < out.buf.size; i++) {
		assert_int_equal(wire_next(&reader, &in), 0);
		assert_int_equal(fd_write_all(pair.far, out.buf.bytes + i, 1), 0);
		assert_int_equal(wire_read(&reader, pair.near), 1);
		whole += wire_next(&reader, &in) == 1;
	}
	assert_int_equal(whole, 3);
	assert_int_equal(wire_next(&reader, &in), 0);
	close_pair(pair);
}

static void
sent_and_received(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct pair pair = make_pair();
	struct wire_in in;
	int pipe_fds[2];

	(void)state;
	add_three(&out);
	assert_int_equal(wire_send(pair.far, &out, NULL, 0), 0);
	assert_int_equal(out.buf.size, 0);
	check_three(&reader, pair.near);
	pair.far = fd_close(pair.far);
	assert_int_equal(wire_receive(&reader, pair.near, &in), 0);
	close_pair(pair);
	wire_reader_done(&reader);
	reader = WIRE_READER_INIT;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	add_three(&out);
	assert_int_equal(wire_send(pipe_fds[1], &out, NULL, 0), 0);
	check_three(&reader, pipe_fds[0]);
	(void)fd_close(pipe_fds[1]);
	assert_int_equal(wire_receive(&reader, pipe_fds[0], &in), 0);
	(void)fd_close(pipe_fds[0]);
}

/* What was given out is not left behind, neither by the next frame nor by the next read. */
static void
frames_are_wiped(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct pair pair = make_pair();
	struct wire_in in;
	size_t size;

	(void)state;
	add_three(&out);
	size = out.buf.size;
	assert_int_equal(wire_send(pair.far, &out, NULL, 0), 0);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(out.buf.bytes[i], 0);
	assert_int_equal(wire_receive(&reader, pair.near, &in), 1);
	assert_int_equal(wire_receive(&reader, pair.near, &in), 1);
	assert_memory_equal(in.at + 4, "feed.zip", 8);
	assert_int_equal(wire_receive(&reader, pair.near, &in), 1);
	assert_null(memmem(reader.buf.bytes, reader.buf.room, "feed.zip", 8));
	close_pair(pair);
}

/* --- descriptors --- */

static void
descriptors_travel(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct pair pair = make_pair(), sent = make_pair();
	struct wire_in in;
	struct stat a, b;

	(void)state;
	assert_int_equal(wire_add_empty(&out, WIRE_DECODE_INSPECT), 0);
	assert_int_equal(wire_send(pair.far, &out, (int[]){ sent.near, sent.far }, 2), 0);
	assert_int_equal(wire_receive(&reader, pair.near, &in), 1);
	for (int i = 0; i < 2; i++) {
		int fd = wire_take_fd(&reader);

		assert_true(fd >= 0);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(fstat(fd, &a), 0);
		assert_int_equal(fstat(i == 0 ? sent.near : sent.far, &b), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		(void)fd_close(fd);
	}
	assert_int_equal(wire_take_fd(&reader), -EBADF);
	close_pair(pair);
	close_pair(sent);
}

static void
descriptors_not_sent(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct pair pair = make_pair();
	int pipe_fds[2], many[LIMIT_FRAME_FDS + 1] = { 0 };

	(void)state;
	assert_int_equal(wire_send(pair.far, &out, many, 1), -EINVAL); /* there is no byte that they could go with */
	assert_int_equal(wire_add_empty(&out, WIRE_DONE), 0);
	assert_int_equal(wire_send(pair.far, &out, many, COUNT(many)), -EINVAL);
	assert_int_equal(wire_send(pair.far, &out, (int[]){ -1 }, 1), -EBADF);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(wire_send(pipe_fds[1], &out, many, 1), -ENOTSOCK);
	assert_int_equal(out.buf.size, WIRE_HEADER_SIZE);
	(void)fd_close(pipe_fds[0]);
	(void)fd_close(pipe_fds[1]);
	close_pair(pair);
}

static void
send_flood(int fd, size_t count, const char *bytes, size_t size)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(64 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room };
	struct cmsghdr *cmsg;

	msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (size_t i = 0; i < count; i++)
		memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &fd, sizeof(int));
	assert_int_equal(sendmsg(fd, &msg, 0), (ssize_t)size);
}

/* More descriptors than a frame may have, in one message or over several: refused, and none of them is left open. */
static void
descriptor_floods(void **state)
{
	static const struct {
		size_t count, times;
		ssize_t r; /* of the last */
	} table[] = {
		{ LIMIT_FRAME_FDS, 1, 1 },
		{ 1, LIMIT_FRAME_FDS, 1 },
		{ LIMIT_FRAME_FDS + 1, 1, -EBADMSG },
		{ 64, 1, -EBADMSG },
		{ 1, LIMIT_FRAME_FDS + 1, -EBADMSG },
		{ 3, 2, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct wire_reader reader = WIRE_READER_INIT;
		struct pair pair = make_pair();
		size_t before = open_descriptors();
		ssize_t r = 0;

		for (size_t n = 0; n < table[i].times; n++) {
			send_flood(pair.far, table[i].count, "\0", 1);
			r = wire_read(&reader, pair.near);
		}
		assert_int_equal(r, table[i].r);
		assert_true(open_descriptors() <= before + LIMIT_FRAME_FDS);
		wire_reader_done(&reader);
		assert_int_equal(open_descriptors(), before);
		close_pair(pair);
	}
}

/* --- large frames, endless peers --- */

struct writing {
	int fd;
	struct wire_out *out;
	int r;
};

static void *
write_it(void *p)
{
	struct writing *writing = p;

	writing->r = wire_send(writing->fd, writing->out, NULL, 0);
	return NULL;
}

/* Three frames of the largest size, larger than any socket's or pipe's buffer. */
static void
large_frames(void **state)
{
	static char bytes[98304 - 4];
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
		struct pair pair = make_pair();
		struct writing writing = { .out = &out };
		struct wire_in in;
		pthread_t thread;
		int fds[2] = { pair.near, pair.far };
		size_t size;

		if (kind == 1) {
			close_pair(pair);
			assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		}
		for (char i = 0; i < 3; i++) {
			memset(bytes, 'a' + i, sizeof(bytes));
			wire_begin(&out, WIRE_RECORD);
			wire_put_string(&out, bytes, sizeof(bytes));
			assert_int_equal(wire_end(&out), 0);
		}
		writing.fd = fds[1];
		assert_int_equal(pthread_create(&thread, NULL, write_it, &writing), 0);
		for (char i = 0; i < 3; i++) {
			memset(bytes, 'a' + i, sizeof(bytes));
			assert_int_equal(wire_receive(&reader, fds[0], &in), 1);
			assert_memory_equal(wire_get_string(&in, sizeof(bytes), &size), bytes, sizeof(bytes));
			assert_int_equal(wire_finish(&in), 0);
		}
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(writing.r, 0);
		(void)fd_close(fds[0]);
		(void)fd_close(fds[1]);
	}
}

/* A reader whose frames nobody takes out stops reading; it does not grow for ever. */
static void
memory_is_bounded(void **state)
{
	static const char zeroes[65536];
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct pair pair = make_pair();
	ssize_t r = 0;

	(void)state;
	assert_int_equal(fd_nonblock(pair.far), 0);
	for (int i = 0; i < 100000 && r >= 0; i++) {
		(void)!write(pair.far, zeroes, sizeof(zeroes));
		r = wire_read(&reader, pair.near);
	}
	assert_int_equal(r, -ENOBUFS);
	assert_true(reader.buf.size <= 2 * LIMIT_FRAME);
	close_pair(pair);
}

static void
nothing_there(void **state)
{
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct pair pair = make_pair();
	struct wire_in in;

	(void)state;
	assert_int_equal(fd_nonblock(pair.near), 0);
	assert_int_equal(wire_read(&reader, pair.near), -EAGAIN);
	assert_int_equal(wire_receive(&reader, pair.near, &in), -EAGAIN);
	assert_int_equal(wire_read(&reader, -1), -EBADF);
	close_pair(pair);
}

/* The peer has gone: an error, never SIGPIPE. What was to be sent is still there. */
static void
peer_gone(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct pair pair = make_pair();

	(void)state;
	assert_ptr_not_equal(signal(SIGPIPE, SIG_DFL), SIG_ERR);
	pair.near = fd_close(pair.near);
	add_three(&out);
	assert_int_equal(wire_send(pair.far, &out, NULL, 0), -EPIPE);
	assert_true(out.buf.size > 0);
	close_pair(pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(descriptor_floods),
		cmocka_unit_test(descriptors_not_sent),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(peer_gone),
		cmocka_unit_test(nothing_there),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(sent_and_received),
		cmocka_unit_test(frames_are_wiped),
		cmocka_unit_test(descriptors_travel),
		cmocka_unit_test(large_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
