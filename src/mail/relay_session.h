/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_RELAY_SESSION_H
#define MAIL_RELAY_SESSION_H

/*
 * The one user of libcurl: one mail over one connection that stands already. SMTP alone, TLS always (1.2 or later) and
 * before anything is said that matters, the certificate always verified, no proxy, no .netrc, no second connection.
 */

#include <stdbool.h>

#include "common/config.h"
#include "common/mailname.h"
#include "mail/message.h"
#include "mail/trace.h"
#include "patrond/failure.h"

struct relay_session;

struct relay_session_options {
	const struct config *config;
	const struct relay *relay;
	int fd;                  /* the connection, the session's from now on, also where it fails */
	const char *ca;          /* PEM, the only roots that count */
	size_t ca_size;
	const char *password;    /* NULL where there is no user */
	size_t password_size;
};

/* Before the walls: libcurl and OpenSSL open files when they begin. Returns 0 or -ENOMEM, -EIO, -EINVAL. */
int relay_session_new(struct relay_session **ret, const struct relay_session_options *options) WARN_UNUSED;
struct relay_session *relay_session_free(struct relay_session *session); /* accepts NULL, returns NULL */
void relay_session_freep(struct relay_session **session);
#define _cleanup_relay_session_ __attribute__((cleanup(relay_session_freep)))

struct relay_session_handler {
	/* The message's last bytes leave for these (bits of the configured list): until the relay answers nobody knows whether it has it. Returns 0, or a negative errno
	 * to keep them. */
	int (*leaving)(uint32_t accepted, void *userdata);
	/* Called about once a second. Returns false to stop, which after leaving waits a little all the same. */
	bool (*alive)(void *userdata);
	void *userdata;
};

/*
 * Sends the message to those of the configured recipients who are not skipped. Once a session. Returns the failure, code
 * NONE where the relay has taken it for all of them. ret_taken and ret_refused: bits of the configured list; the relay may
 * have taken it for some and refused others, which is MAIL_RECIPIENT.
 */
struct failure relay_session_send(struct relay_session *session, struct message *message, uint32_t skip,
    const struct relay_session_handler *handler, uint32_t *ret_taken, uint32_t *ret_refused);

#endif
