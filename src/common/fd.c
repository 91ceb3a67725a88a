/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Descriptors: closing, whole reads and writes, wiping. */

#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"

#define WIPE_BLOCK 65536U
#define READ_BLOCK 4096U

int
fd_close(int fd)
{
	int saved = errno;

	/* Linux closes the descriptor whatever close() answers: EINTR must not be repeated. */
	if (fd >= 0)
		(void)close(fd);
	errno = saved;
	return -EBADF;
}

void
freep(void *p)
{
	void **pointer = p;

	free(*pointer);
	*pointer = NULL;
}

void
fclosep(FILE **file)
{
	if (*file != NULL)
		(void)fclose(*file);
	*file = NULL;
}

int
fd_write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			return -EIO; /* never on Linux; here it would be for ever */
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int
fd_pwrite_all(int fd, const void *bytes, size_t size, off_t offset)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t n = pwrite(fd, at, size, offset);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			return -EIO;
		at += n;
		offset += n;
		size -= (size_t)n;
	}
	return 0;
}

ssize_t
fd_pread_all(int fd, void *bytes, size_t size, off_t offset)
{
	char *at = bytes;
	size_t got = 0;

	while (got < size) {
		ssize_t n = pread(fd, at + got, size - got, offset + (off_t)got);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* Reads up to the end of the file, however far that is when it is reached: the size beforehand is only a guess. */
static int
read_to_end(int fd, off_t guess, struct buf *buf)
{
	size_t block = guess > 0 ? (size_t)guess + 1 : READ_BLOCK;

	for (;;) {
		size_t room = buf->max - buf->size;
		ssize_t n;
		int r;

		if (room == 0)
			return -EFBIG;
		block = block < room ? block : room;
		r = buf_reserve(buf, block);
		if (r < 0)
			return r;
		n = fd_pread_all(fd, buf->bytes + buf->size, block, (off_t)buf->size);
		if (n < 0)
			return (int)n;
		buf->size += (size_t)n;
		if ((size_t)n < block)
			break;
		block = READ_BLOCK;
	}
	buf->bytes[buf->size] = '\0';
	return 0;
}

int
fd_read_file(const char *path, size_t max, char **ret_bytes, size_t *ret_size)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(max + 1); /* one more shows that there is more */
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;
	int r;

	/* O_NONBLOCK: a FIFO of that name must not hold the program up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size < 0 || (uintmax_t)st.st_size > max)
		return -EFBIG;
	r = read_to_end(fd, st.st_size, &buf);
	if (r < 0)
		return r;
	*ret_size = buf.size;
	*ret_bytes = TAKE_PTR(buf.bytes);
	return 0;
}

int
fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

/* Where the next bytes are that were ever written. A stage may have made the file sparse and huge; its holes hold
 * nothing. */
static off_t
next_data(int fd, off_t at)
{
	off_t data = lseek(fd, at, SEEK_DATA);

	if (data >= 0)
		return data;
	return errno == EINVAL ? at : -errno; /* EINVAL: a file system that cannot tell */
}

int
fd_wipe(int fd)
{
	static const char zeroes[WIPE_BLOCK];
	struct stat st;
	off_t at = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	while (at < st.st_size) {
		off_t left;
		size_t n;
		int r;

		at = next_data(fd, at);
		if (at == -ENXIO)
			return 0; /* only a hole is left */
		if (at < 0)
			return (int)at;
		left = st.st_size - at;
		if (left <= 0)
			return 0;
		n = left < (off_t)sizeof(zeroes) ? (size_t)left : sizeof(zeroes);
		r = fd_pwrite_all(fd, zeroes, n, at);
		if (r < 0)
			return r;
		at += (off_t)n;
	}
	return 0;
}
