/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ZIP_CHECK_H
#define MAIL_ZIP_CHECK_H

/*
 * What leaves by mail is looked at once more: a zip of the report's own files and no others, each of them encrypted with
 * AES-256, and not a byte between, before or behind them. It is not opened: mail has no password.
 */

#include <stdint.h>

#include "common/fd.h"

/* Returns 0 with the size, -EBADMSG for anything else than such a zip, or another negative errno. */
int zip_check(int fd, uint64_t *ret_size) WARN_UNUSED;

#endif
