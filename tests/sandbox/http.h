/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_HTTP_H
#define STANDIN_HTTP_H

/* Owns the HTTP server: connections, requests, delays, and the ways a connection breaks. */

#include <netinet/in.h>
#include <stdint.h>

#include "standin.h"

struct http;

struct http_config {
	struct sockaddr_in address;
	const char *cert; /* PEM text; NULL: plain HTTP */
	const char *key;
	unsigned threads;
};

/* Starts to listen; NULL when that fails, and then it was said on standard error. */
struct http *http_start(struct standin *s, const struct http_config *config);
uint16_t http_port(const struct http *h);
/* Stops; waiting requests are answered at once. */
struct http *http_stop(struct http *h);

#endif
