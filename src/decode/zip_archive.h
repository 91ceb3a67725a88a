/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_ZIP_ARCHIVE_H
#define DECODE_ZIP_ARCHIVE_H

/*
 * A feed's zip as libzip reads it, from a descriptor by pread alone: its entries, and the raw (still encrypted) bytes of
 * each. The one file that calls libzip.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/fd.h"
#include "decode/zip_directory.h"

struct zip_archive;
struct zip_raw;

/*
 * Opens the zip in a descriptor, which stays the caller's and must outlive it. By then the headers were read and checked
 * (zip_directory_check), every entry but a folder is encrypted in a known way and has a harmless name, and libzip says
 * the same of every entry. Nothing is unpacked. Returns 0, a positive enum failure_code, or a negative errno.
 */
int zip_archive_open(struct zip_archive **ret, int fd) WARN_UNUSED;

/* Accepts NULL, returns NULL. Every zip_raw is closed before. */
struct zip_archive *zip_archive_close(struct zip_archive *archive);
void zip_archive_closep(struct zip_archive **archive);

/* The entries; they live as long as the archive. */
size_t zip_archive_count(const struct zip_archive *archive);
const struct zip_entry *zip_archive_entry(const struct zip_archive *archive, size_t index);

/* Opens the raw bytes of an entry at their beginning. Returns 0, FAILURE_ZIP_CORRUPT or a negative errno. */
int zip_raw_open(struct zip_raw **ret, struct zip_archive *archive, size_t index) WARN_UNUSED;

/* Reads exactly size bytes on. Returns 0, FAILURE_ZIP_CORRUPT where they are not there, or a negative errno. */
int zip_raw_read(struct zip_raw *raw, void *bytes, size_t size) WARN_UNUSED;

/* Accepts NULL, returns NULL. */
struct zip_raw *zip_raw_close(struct zip_raw *raw);
void zip_raw_closep(struct zip_raw **raw);

#define _cleanup_zip_archive_ __attribute__((cleanup(zip_archive_closep)))
#define _cleanup_zip_raw_ __attribute__((cleanup(zip_raw_closep)))

#endif
