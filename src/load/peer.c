/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host, port and addresses of Sierra. */

#include "load/peer.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define SCHEME "https://"
#define PORT_DEFAULT 443U

static int
read_port(const char *text, size_t size, uint16_t *ret)
{
	unsigned int port = 0;

	if (size == 0 || size > 5)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		port = port * 10 + (unsigned int)(text[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

int
peer_from_url(struct peer *peer, const char *url)
{
	const char *host = url + strlen(SCHEME);
	size_t whole, size;

	*peer = (struct peer){ .port = PORT_DEFAULT, .resolve = BUF_INIT(PEER_RESOLVE_MAX) };
	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
		return -EINVAL;
	whole = strcspn(host, "/?#");
	if (memchr(host, '@', whole) != NULL)
		return -EINVAL;
	size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
	if (size == 0 || size > whole || size >= sizeof(peer->host))
		return -EINVAL;
	memcpy(peer->host, host, size);
	if (size == whole)
		return 0;
	return host[size] == ':' ? read_port(host + size + 1, whole - size - 1, &peer->port) : -EINVAL;
}

static int
add_address(struct peer *peer, const struct addrinfo *address, bool first)
{
	const char *bracket = address->ai_family == AF_INET6 ? "[" : "";
	char text[NI_MAXHOST];

	if (getnameinfo(address->ai_addr, address->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
		return 0; /* another kind of address: not for us */
	return buf_addf(&peer->resolve, "%s%s%s%s", first ? "" : ",", bracket, text, bracket[0] != '\0' ? "]" : "");
}

int
peer_resolve(struct peer *peer, int *ret_number)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int r;

	if (peer->host[0] == '[')
		return 0;
	*ret_number = getaddrinfo(peer->host, NULL, &hints, &found);
	if (*ret_number != 0)
		return -EHOSTUNREACH;
	r = buf_addf(&peer->resolve, "%s:%u:", peer->host, (unsigned int)peer->port);
	for (const struct addrinfo *at = found; at != NULL && r == 0; at = at->ai_next)
		r = add_address(peer, at, at == found);
	freeaddrinfo(found);
	return r;
}

void
peer_done(struct peer *peer)
{
	buf_done(&peer->resolve);
}
