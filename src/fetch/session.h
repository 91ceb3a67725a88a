/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FETCH_SESSION_H
#define FETCH_SESSION_H

/*
 * The SSH session with the one SFTP server: its options and key before the walls; handshake, verdict on the host key and
 * log-in after them. libssh's sentences may quote the server and never leave this file.
 */

#include <errno.h>
#include <libssh/libssh.h>
#include <libssh/sftp.h>
#include <stddef.h>

#include "common/config.h"
#include "common/secret.h"
#include "fetch/known_hosts.h"
#include "patrond/failure.h"

struct session {
	ssh_session ssh;
	sftp_session sftp;
	ssh_key key;
	int fd;     /* the connection, ours: what the stall timer shuts down */
	int ssh_fd; /* a duplicate for libssh, which closes its descriptor on some errors and not on others */
	char *known_hosts;
	size_t known_hosts_size;
	char name[KNOWN_HOSTS_NAME];
};

/* Fills in a failure. Returns -EREMOTEIO: what is told is the failure. */
static inline int
session_fail(struct failure *ret_failure, enum failure_code code, int number)
{
	*ret_failure = failure_of(code, number);
	return -EREMOTEIO;
}

#define SESSION_INIT ((struct session){ .fd = -EBADF, .ssh_fd = -EBADF })
#define _cleanup_session_ __attribute__((cleanup(session_done)))

/*
 * Before the walls: reads known_hosts, makes the key of the secret (which is wiped whatever comes of it), sets the
 * options. Returns 0, or a negative errno with ret_failure KNOWN_HOSTS, SSH_KEY_UNUSABLE or MEMORY.
 */
int session_prepare(struct session *session, const struct config *config, struct secret *secret,
    struct failure *ret_failure) WARN_UNUSED;

/* Takes a connected socket, which is the session's from then on even on failure. Returns 0 or a negative errno. */
int session_take(struct session *session, int fd) WARN_UNUSED;

/*
 * After the walls: handshake, host key, log-in, SFTP. Nothing of ours is shown to a server whose key is not accepted.
 * Returns 0, or a negative errno with ret_failure SSH, KNOWN_HOSTS (column: the line), HOST_KEY_*, AUTH_REFUSED,
 * TRANSFER_STALLED or TRANSFER_BROKEN.
 */
int session_open(struct session *session, struct failure *ret_failure) WARN_UNUSED;

/*
 * Says why an SFTP call failed: TRANSFER_STALLED where the timer has struck, TRANSFER_BROKEN where the connection is
 * gone, else code with the status of SFTP as its number. Returns a negative errno.
 */
int session_failure(const struct session *session, enum failure_code code, struct failure *ret_failure) WARN_UNUSED;

/* Logs off, closes, frees; accepts a session at any point of its life. */
void session_done(struct session *session);

#endif
