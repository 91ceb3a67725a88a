/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_CONNECT_H
#define COMMON_CONNECT_H

/* The one TCP connection of fetch and of mail, made before the walls; after them there is no socket() any more. */

#include "common/config.h"
#include "patrond/failure.h"

/*
 * Resolves the host and tries each of its addresses, timeout for each. ret_fd: the connection, non-blocking, NODELAY,
 * the caller's. Returns 0, or a negative errno with ret_failure RESOLVE (number: EAI code) or CONNECT (the last
 * address's errno).
 */
int connect_tcp(const char *host, unsigned int port, usec_t timeout, int *ret_fd, struct failure *ret_failure)
    WARN_UNUSED;

#endif
