/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

/*
 * One connection to the control socket: calls go out, whole replies come in, within bounds and within time.
 *
 *   patronctl ── {"method": …, "parameters": {…}, "more": true} NUL ──▶ patrond
 *   patronctl ◀── {"parameters": {…}, "continues": true} NUL ─────────── patrond, or {"error": …, "parameters": {…}}
 */

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "common/buf.h"
#include "common/config.h"

#define CLIENT_INTERFACE "org.chapelhillpubliclibrary.patrond"
#define CLIENT_REPLY_MAX LIMIT_CONTROL_OUTPUT
#define CLIENT_TIMEOUT (10 * USEC_PER_SEC) /* for connecting, for sending, for a reply once it is due */
#define CLIENT_FOREVER 0

struct client {
	int fd;
	struct buf in;
	usec_t timeout;
};

#define CLIENT_INIT ((struct client){ .fd = -EBADF, .in = BUF_INIT(CLIENT_REPLY_MAX), .timeout = CLIENT_TIMEOUT })

/* A reply. error: the qualified name, NULL for success. parameters: never NULL. Both live as long as the answer. */
struct answer {
	cJSON *document;
	const char *error;
	const cJSON *parameters;
	bool continues;
};

/* Connects. Returns 0, -ETIMEDOUT where patrond takes no connection in time, or the errno of connect(2). */
int client_open(struct client *client, const char *path) WARN_UNUSED;

/*
 * Sends a call of a method of our interface. parameters is the client's from then on, and may be NULL. Returns 0,
 * -ETIMEDOUT, -EPIPE and the like where patrond has hung up, -ENOMEM.
 */
int client_send(struct client *client, const char *method, cJSON *parameters, bool more) WARN_UNUSED;

/*
 * Waits for one reply. silence: how long patrond may say nothing, or CLIENT_FOREVER; a reply that has begun must be
 * whole within the client's timeout either way. Returns 0, -ETIMEDOUT, -ECONNRESET at hang-up, -EMSGSIZE over
 * CLIENT_REPLY_MAX, -EBADMSG for what is no Varlink reply, -EINTR after a signal that client_catch_signals catches.
 */
int client_receive(struct client *client, usec_t silence, struct answer *ret) WARN_UNUSED;

/* client_open, client_send and client_receive of the one reply. Errors as theirs. */
int client_call(const char *path, const char *method, cJSON *parameters, struct answer *ret) WARN_UNUSED;

/* From now on SIGINT and SIGTERM end client_receive with -EINTR, and nothing else. */
void client_catch_signals(void);

void client_done(struct client *client);
void answer_done(struct answer *answer);

#define _cleanup_client_ __attribute__((cleanup(client_done)))
#define _cleanup_answer_ __attribute__((cleanup(answer_done)))

#endif
