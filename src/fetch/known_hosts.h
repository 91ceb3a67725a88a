/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FETCH_KNOWN_HOSTS_H
#define FETCH_KNOWN_HOSTS_H

/*
 * The known_hosts file, read from its bytes by our own code: libssh ignores @revoked and says that all is well. Pure:
 * bytes in, verdict out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fd.h"

#define KNOWN_HOSTS_NAME 1100U      /* bytes of "[host]:port" and NUL; a host of the configuration has up to 1,023 */
#define KNOWN_HOSTS_KEY 8192U       /* bytes of a key: RSA of 16,384 bits has 2,071 */
#define KNOWN_HOSTS_ALGORITHMS 256U /* bytes of the list of host key algorithms and its NUL */

enum known_hosts_verdict {
	KNOWN_HOSTS_UNKNOWN,  /* the host is not there, or not with a key of this type */
	KNOWN_HOSTS_CHANGED,  /* it is there with another key of this type */
	KNOWN_HOSTS_REVOKED,  /* an @revoked line names this very key */
	KNOWN_HOSTS_BAD_LINE, /* some line cannot be understood, so nothing that the file says can be relied on */
	KNOWN_HOSTS_EMPTY,    /* no line but comments */
	KNOWN_HOSTS_ACCEPTED,
};

/*
 * The name under which a server stands in the file: the host in lower case, as `[host]:port` where the port is not 22.
 * Returns 0, or -ENAMETOOLONG.
 */
int known_hosts_name(const char *host, unsigned int port, char ret_name[static KNOWN_HOSTS_NAME]) WARN_UNUSED;

/*
 * Judges a server's key, the blob of RFC 4253 6.6. name: of known_hosts_name. Plain and hashed names, lists, `*` and
 * `?`, `!`, comments, CRLF and @revoked are understood; @cert-authority and every other marker is a bad line, since
 * leaving it out could mean to accept what the administrator has excluded. ret_line: the line of a bad one, else 0.
 * Returns a verdict, or -EIO where libcrypto fails.
 */
int known_hosts_check(const char *bytes, size_t size, const char *name, const uint8_t *key, size_t key_size,
    unsigned int *ret_line) WARN_UNUSED;

/*
 * The host key algorithms to ask the server for, those first whose keys the file has for it, so that a server with
 * several keys shows the one that can be compared. Bad lines are passed over here: known_hosts_check refuses them.
 */
void known_hosts_algorithms(const char *bytes, size_t size, const char *name,
    char ret_list[static KNOWN_HOSTS_ALGORITHMS]);

/* Strict base64, padding included. Returns the bytes decoded, or -EINVAL; -ENOBUFS over max. */
ssize_t known_hosts_base64(const char *text, size_t size, uint8_t *ret, size_t max) WARN_UNUSED;

#endif
