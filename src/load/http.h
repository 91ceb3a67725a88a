/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_HTTP_H
#define LOAD_HTTP_H

/*
 * The one user of libcurl: a fixed number of slots, each one request over a kept HTTP/1.1 connection. HTTPS alone, no
 * redirects, no proxies, certificates always verified, and never a request that libcurl repeats by itself.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/config.h"
#include "load/answers.h"

struct http;

struct http_options {
	const char *ca; /* PEM, the only roots that count */
	size_t ca_size;
	const char *resolve; /* "HOST:PORT:ADDRESS[,ADDRESS…]", NULL where HOST is an address: nothing is resolved later */
	const char *user_agent;
	usec_t connect_timeout;
	unsigned int slots;
};

struct http_request {
	const char *method;        /* GET, POST, PUT */
	const char *url;
	const char *authorization; /* the whole header line */
	const char *content_type;  /* the whole header line, NULL without a body */
	const char *body;          /* NULL without one; must live until the end of the request */
	size_t body_size;
	size_t answer_max;         /* bytes */
	usec_t timeout;
	bool fresh;                /* not over a connection that was kept */
	bool close;                /* nor keep this one */
	void *user;
};

struct http_answer {
	void *user;
	enum exchange exchange;
	bool timed_out;
	int status;      /* with EXCHANGE_ANSWERED */
	int number;      /* otherwise: libcurl's or OpenSSL's code, for FAILURE */
	usec_t retry_after;
	usec_t started;  /* when http_start was called */
	const char *bytes; /* the body, a NUL after it; until the next http_start or http_next */
	size_t size;
};

/* Before the walls: libcurl and OpenSSL open files when they begin. Returns 0 or -ENOMEM, -EIO. */
int http_new(struct http **ret, const struct http_options *options) WARN_UNUSED;
struct http *http_free(struct http *http); /* wipes; accepts NULL, returns NULL */
void http_freep(struct http **http);

unsigned int http_busy(const struct http *http);

/* Starts a request in a free slot (there must be one). Returns 0, -ENOMEM or -EIO. */
int http_start(struct http *http, const struct http_request *request) WARN_UNUSED;

/* Gives up the request of that user, as if it had never been started. */
void http_abandon(struct http *http, const void *user);

/* Lets libcurl do what it can without waiting. Returns 0 or -EIO. */
int http_perform(struct http *http) WARN_UNUSED;

/* The next request that has ended: 1 with it, its slot free again; 0 none. */
int http_next(struct http *http, struct http_answer *ret);

/*
 * Waits until libcurl, or one of the other descriptors (events POLLIN), has something to do, at most that long. Their
 * revents are set. Returns 0 or -EIO.
 */
int http_wait(struct http *http, struct pollfd *others, unsigned int other_count, usec_t timeout) WARN_UNUSED;

#endif
