/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resolving and connecting with a time limit. */

#include "common/connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ADDRESSES 16U /* that are tried at most: an answer with hundreds must not keep a load waiting */

static usec_t
now_usec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000U;
}

/* Waits for a connection under way. Returns 0, -ETIMEDOUT, or the negative errno that it ended with. */
static int
await_connection(int fd, usec_t timeout)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
	usec_t end = now_usec() + timeout;
	int error = 0;
	socklen_t size = sizeof(error);

	for (;;) {
		usec_t now = now_usec();
		int r;

		if (now >= end)
			return -ETIMEDOUT;
		r = poll(&pollfd, 1, (int)((end - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
		if (r > 0)
			break;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
}

static int
connect_one(const struct addrinfo *address, usec_t timeout, int *ret_fd)
{
	_cleanup_fd_ int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	const int one = 1;
	int r;

	if (fd < 0)
		return -errno;
	/* Nagle's waiting makes reading over SFTP 5–20 times slower; libssh sets it only on sockets of its own making. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		r = await_connection(fd, timeout);
		if (r < 0)
			return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int
connect_tcp(const char *host, unsigned int port, usec_t timeout, int *ret_fd, struct failure *ret_failure)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *addresses = NULL;
	unsigned int tried = 0;
	char service[16];
	int r;

	(void)snprintf(service, sizeof(service), "%u", port);
	r = getaddrinfo(host, service, &hints, &addresses);
	if (r != 0) {
		*ret_failure = failure_of(FAILURE_RESOLVE, r);
		return -EHOSTUNREACH;
	}
	r = -EHOSTUNREACH;
	for (const struct addrinfo *one = addresses; one != NULL && r < 0 && tried < ADDRESSES; one = one->ai_next) {
		r = connect_one(one, timeout, ret_fd);
		tried++;
	}
	freeaddrinfo(addresses);
	if (r < 0)
		*ret_failure = failure_of(FAILURE_CONNECT, -r);
	return r;
}
