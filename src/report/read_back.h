/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_READ_BACK_H
#define REPORT_READ_BACK_H

/* Reads the report's zip back as its readers will, and compares: a report that nobody can open is found here, not there. */

#include <stdint.h>

#include "report/tables.h"

/*
 * Compares the zip of size bytes in fd with the tables: the same files in order, each AES-256 under the password, MAC
 * intact, and byte by byte the table. Returns 0, 1 where anything differs or cannot be read, -ENOMEM, or another negative
 * errno of reading fd.
 */
int read_back(int fd, uint64_t size, const struct tables *tables, const char *password) WARN_UNUSED;

#endif
