/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_PACK_H
#define REPORT_PACK_H

/*
 * Packs the tables into an AES-256 zip, in memory alone, and writes it to a descriptor. libzip would write a file's zip
 * through a temporary file beside it; a buffer knows no file system.
 */

#include <stdint.h>

#include "report/tables.h"

/*
 * Packs every table that has rows. password: NUL-terminated, not empty. today: days since 1970, the date of the entries.
 * fd: a regular file, empty, written from its start by pwrite. Returns 0, -ENOMEM, -ENOSPC (the workspace is full), -EIO
 * where libzip fails (ret_number: its own code, 0 otherwise), or another negative errno of writing.
 */
int pack_tables(const struct tables *tables, const char *password, int32_t today, int fd, uint64_t *ret_size,
    int *ret_number) WARN_UNUSED;

/* Goes the whole way once in memory, so that libzip and libcrypto have nothing left to open behind the walls. */
int pack_warm(void) WARN_UNUSED;

#endif
