/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lock against a second patrond. */

#include "supervisor/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

/* FNV-1a, 64 bits: a name of one length for URLs of any. Nothing depends on its being hard to guess. */
static uint64_t
hash(const char *text)
{
	uint64_t value = 0xcbf29ce484222325ULL;

	for (; *text != '\0'; text++)
		value = (value ^ (uint8_t)*text) * 0x100000001b3ULL;
	return value;
}

static int
take_socket(const char *url)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int n;

	if (fd < 0)
		return -errno;
	/* the first byte stays NUL: an abstract name, which no file system holds */
	n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "patrond-%016llx", (unsigned long long)hash(url));
	if (bind(fd, (const struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0)
		return errno == EADDRINUSE ? -EBUSY : -errno;
	return TAKE_FD(fd);
}

static int
take_file(void)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	_cleanup_fd_ int fd = -EBADF;
	char path[1024];

	if (runtime == NULL || *runtime == '\0')
		return -ENOENT;
	if ((size_t)snprintf(path, sizeof(path), "%.*s/lock", (int)strcspn(runtime, ":"), runtime) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return TAKE_FD(fd);
}

int
lock_take(struct lock *lock, const struct config *config)
{
	int r = take_socket(config->sierra.url);

	if (r < 0)
		return r;
	lock->socket = r;
	r = take_file();
	if (r >= 0)
		lock->file = r;
	return r == -ENOENT || r >= 0 ? 0 : r;
}

void
lock_done(struct lock *lock)
{
	lock->socket = fd_close(lock->socket);
	lock->file = fd_close(lock->file);
}
