/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

/* Credentials: read once from the credentials directory into guarded, locked memory, wiped when done. */

#include <stddef.h>

#include "common/fd.h"
#include "common/program.h"

struct secret {
	char *bytes; /* sodium_malloc memory, a NUL after them */
	size_t size;
};

#define _cleanup_secret_ __attribute__((cleanup(secret_done)))

/* The name of the credential of a program ("zip-password"), or NULL where it has none. */
const char *secret_name(enum program program);

/*
 * Reads $CREDENTIALS_DIRECTORY/name; one trailing newline is taken off. Returns 0, -ENOKEY where the directory or the
 * file is absent or the file is empty, -EFBIG over LIMIT_SECRET_SIZE, or another negative errno.
 */
int secret_read(const char *name, struct secret *ret) WARN_UNUSED;

/*
 * The n-th line (from 0) of a secret with several; blank lines do not count. Returns the line and its size, CR taken
 * off, as long-lived as the secret; NULL past the last.
 */
const char *secret_line(const struct secret *secret, size_t n, size_t *ret_size);

/* Wipes and frees. */
void secret_done(struct secret *secret);

#endif
