/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_PEER_H
#define LOAD_PEER_H

/* The one peer of the load: host and port of the configured URL, and its addresses, found before the walls. */

#include <stdint.h>

#include "common/buf.h"

#define PEER_RESOLVE_MAX 8192U /* bytes of all addresses: a name with hundreds is none of a library's */

struct peer {
	char host[256]; /* as it stands in the URL, brackets of an IPv6 address included */
	uint16_t port;
	struct buf resolve; /* "HOST:PORT:ADDRESS[,ADDRESS…]", empty where the host is an IPv6 address */
};

/* Takes host and port out of an https URL. Returns 0 or -EINVAL. */
int peer_from_url(struct peer *peer, const char *url) WARN_UNUSED;

/* Asks for the addresses, all of them. Returns 0, or -EHOSTUNREACH with getaddrinfo's code; -ENOBUFS or -ENOMEM. */
int peer_resolve(struct peer *peer, int *ret_number) WARN_UNUSED;

void peer_done(struct peer *peer);

#endif
