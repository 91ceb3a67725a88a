/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connecting anywhere else. */

#include "escape/escape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MPTCP 262

/* clang-format off */
static int packet(void) { return escape_answer_fd(socket(AF_PACKET, SOCK_RAW, 0)); }
static int raw(void) { return escape_answer_fd(socket(AF_INET, SOCK_RAW, IPPROTO_TCP)); }
static int ping(void) { return escape_answer_fd(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)); }
static int sctp(void) { return escape_answer_fd(socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP)); }
static int netlink(void) { return escape_answer_fd(socket(AF_NETLINK, SOCK_RAW, 0)); }
static int virtual(void) { return escape_answer_fd(socket(AF_VSOCK, SOCK_STREAM, 0)); }
static int crypto(void) { return escape_answer_fd(socket(AF_ALG, SOCK_SEQPACKET, 0)); }
/* clang-format on */

static struct sockaddr_in
loopback(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return to;
}

/* Connects a new socket and closes it. Returns 0 or the errno of what failed. */
static int
connect_new(int family, int type, int protocol, const void *to, size_t size)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);
	int r;

	if (fd < 0)
		return errno;
	r = escape_answer(connect(fd, to, (socklen_t)size));
	(void)close(fd);
	return r;
}

static int
tcp(void)
{
	struct sockaddr_in to = loopback(escape_aim.tcp);

	return connect_new(AF_INET, SOCK_STREAM, 0, &to, sizeof(to));
}

static int
tcp6(void)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(escape_aim.tcp6), .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return connect_new(AF_INET6, SOCK_STREAM, IPPROTO_TCP, &to, sizeof(to));
}

/* The same port by the other family's name. */
static int
tcp_mapped(void)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(escape_aim.tcp) };

	to.sin6_addr.s6_addr[10] = to.sin6_addr.s6_addr[11] = 0xff;
	to.sin6_addr.s6_addr[12] = 127;
	to.sin6_addr.s6_addr[15] = 1;
	return connect_new(AF_INET6, SOCK_STREAM, 0, &to, sizeof(to));
}

static int
mptcp(void)
{
	struct sockaddr_in to = loopback(escape_aim.tcp);

	return connect_new(AF_INET, SOCK_STREAM, MPTCP, &to, sizeof(to));
}

/* Data with the first packet, and with it the address: no connect() is called. */
static int
fast_open(void)
{
	struct sockaddr_in to = loopback(escape_aim.tcp);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return errno;
	r = escape_answer(sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)));
	(void)close(fd);
	return r;
}

static int
fast_open_message(void)
{
	struct sockaddr_in to = loopback(escape_aim.tcp);
	struct iovec iov = { .iov_base = (char[]){ 'x' }, .iov_len = 1 };
	struct msghdr message = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return errno;
	r = escape_answer(sendmsg(fd, &message, MSG_FASTOPEN | MSG_NOSIGNAL));
	(void)close(fd);
	return r;
}

/* connect() only notes the address then; what is noted must be looked at all the same. */
static int
fast_open_option(void)
{
	struct sockaddr_in to = loopback(escape_aim.tcp);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return errno;
	r = escape_answer(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &(int){ 1 }, sizeof(int)));
	if (r == 0)
		r = escape_answer(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	if (r == 0)
		r = escape_answer(send(fd, "x", 1, MSG_NOSIGNAL));
	(void)close(fd);
	return r;
}

/* A TCP connection that stands is let go and connected elsewhere. Without one it is a new socket's try. */
static int
redirect(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_in to = loopback(escape_aim.tcp);

	for (int fd = STAGE_FD + 1; fd < 32; fd++) {
		char byte;
		int family = 0;
		socklen_t size = sizeof(family);

		/* recv, which every stage has, tells sockets from the rest; those with a TCP one have getsockopt, too */
		if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno != EAGAIN)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0 || family != AF_INET)
			continue;
		(void)fcntl(fd, F_SETFL, 0); /* the answer shall not be "under way" */
		(void)connect(fd, &none, sizeof(none));
		return escape_answer(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	}
	return tcp();
}

static int
udp(void)
{
	struct sockaddr_in to = loopback(escape_aim.udp);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return errno;
	r = escape_answer(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
	(void)close(fd);
	return r;
}

static int
udp6(void)
{
	return escape_answer_fd(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static socklen_t
unix_name(struct sockaddr_un *to, const char *name, int abstract)
{
	size_t size = strlen(name);

	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(to->sun_path + abstract, name, size);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
}

static int
unix_stream(void)
{
	struct sockaddr_un to;
	socklen_t size = unix_name(&to, escape_aim.stream, 0);

	return connect_new(AF_UNIX, SOCK_STREAM, 0, &to, size);
}

static int
unix_abstract(void)
{
	struct sockaddr_un to;
	socklen_t size = unix_name(&to, escape_aim.abstract, 1);

	return connect_new(AF_UNIX, SOCK_STREAM, 0, &to, size);
}

static int
unix_datagram(void)
{
	struct sockaddr_un to;
	socklen_t size = unix_name(&to, escape_aim.datagram, 0);

	return connect_new(AF_UNIX, SOCK_DGRAM, 0, &to, size);
}

/* A pair needs no connect(), and one of datagrams takes an address with each. */
static int
unix_pair(void)
{
	struct sockaddr_un to;
	socklen_t size = unix_name(&to, escape_aim.datagram, 0);
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	r = escape_answer(sendto(pair[0], "x", 1, 0, (struct sockaddr *)&to, size));
	(void)close(pair[0]);
	(void)close(pair[1]);
	return r;
}

/* The connection to the supervisor, aimed at somebody else. Connected streams refuse that, but the call shall not be there. */
static int
unix_redirect(void)
{
	struct sockaddr_un to;
	socklen_t size = unix_name(&to, escape_aim.stream, 0);

	return escape_answer(connect(STAGE_FD, (struct sockaddr *)&to, size));
}

static int
serve(void)
{
	struct sockaddr_in any = loopback(0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return errno;
	r = escape_answer(bind(fd, (struct sockaddr *)&any, sizeof(any)));
	if (r == 0)
		r = escape_answer(listen(fd, 1));
	(void)close(fd);
	return r;
}

/* Listening without bind() takes a port, too. */
static int
serve_unbound(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return errno;
	r = escape_answer(listen(fd, 1));
	(void)close(fd);
	return r;
}

const struct escape_try escape_network[] = {
	{ "tcp-to-another-port", tcp, ESCAPE_OPEN },
	{ "tcp-ipv6", tcp6, ESCAPE_CLOSED }, /* where there is IPv6 */
	{ "tcp-ipv4-mapped", tcp_mapped, ESCAPE_CLOSED },
	{ "tcp-redirected", redirect, ESCAPE_OPEN },
	{ "fast-open-sendto", fast_open, ESCAPE_OPEN },
	{ "fast-open-sendmsg", fast_open_message, ESCAPE_OPEN },
	{ "fast-open-option", fast_open_option, ESCAPE_OPEN },
	{ "mptcp", mptcp, ESCAPE_CLOSED }, /* where the kernel has it */
	{ "udp", udp, ESCAPE_OPEN },
	{ "udp-ipv6", udp6, ESCAPE_CLOSED },
	{ "sctp", sctp, ESCAPE_CLOSED },
	{ "icmp", ping, ESCAPE_CLOSED },
	{ "raw", raw, ESCAPE_CLOSED },
	{ "packet", packet, ESCAPE_CLOSED },
	{ "netlink", netlink, ESCAPE_OPEN },
	{ "vsock", virtual, ESCAPE_CLOSED },
	{ "af-alg", crypto, ESCAPE_CLOSED },
	{ "listen", serve, ESCAPE_OPEN },
	{ "listen-unbound", serve_unbound, ESCAPE_OPEN },
	{ "unix-stream", unix_stream, ESCAPE_OPEN },
	{ "unix-abstract", unix_abstract, ESCAPE_OPEN },
	{ "unix-datagram", unix_datagram, ESCAPE_OPEN },
	{ "unix-pair-of-datagrams", unix_pair, ESCAPE_OPEN },
	{ "unix-redirected", unix_redirect, ESCAPE_CLOSED },
	{ NULL, NULL, ESCAPE_CLOSED },
};
