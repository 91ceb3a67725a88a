/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_ZIP_DIRECTORY_H
#define DECODE_ZIP_DIRECTORY_H

/*
 * Our own strict reading of a zip's end record, central directory and local headers, without unpacking anything.
 * libzip reads the directory alone and keeps local headers to itself; here both must say the same, so that no entry is
 * one thing to those who look at the directory and another to those who unpack. What may be wrong with a zip is
 * answered as a positive enum failure_code throughout decode; negative is an errno.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fd.h"
#include "patrond/failure.h"
#include "patrond/limits.h"

enum zip_cipher {
	ZIP_CIPHER_NONE,
	ZIP_CIPHER_TRADITIONAL, /* ZipCrypto */
	ZIP_CIPHER_WINZIP_AES,
	ZIP_CIPHER_UNKNOWN, /* strong encryption, a hidden directory, AES of a kind that there is not */
};

#define ZIP_METHOD_STORED 0U
#define ZIP_METHOD_DEFLATED 8U
#define ZIP_FLAG_ENCRYPTED 0x0001U
#define ZIP_FLAG_DESCRIPTOR 0x0008U /* CRC and sizes follow the data */

struct zip_entry {
	char name[LIMIT_ZIP_NAME + 1]; /* bytes as they stand, a NUL after them; never a path */
	size_t name_size;
	uint16_t flags;
	uint16_t raw_method; /* 99 with WinZip AES */
	uint16_t method;     /* the true one */
	uint16_t time;       /* DOS times: ZipCrypto checks the password by it */
	uint16_t date;
	uint32_t crc;
	uint64_t packed; /* bytes of the data, encryption's own included */
	uint64_t size;   /* bytes unpacked, as it claims */
	uint64_t local;  /* offset of the local header */
	uint64_t data;   /* offset of the data; set by zip_directory_check */
	enum zip_cipher cipher;
	uint16_t aes_version;  /* 1 or 2 */
	uint8_t aes_strength;  /* enum winzip_strength */
	bool directory;        /* a folder: no data, so nothing to encrypt */
	bool link;             /* a symbolic link, as far as its attributes say */
};

struct zip_directory {
	struct zip_entry *entries;
	size_t count;
	uint64_t start; /* offset of the central directory: no entry reaches past it */
};

/* Takes an entry, which lives until it returns. Returns 0 to go on, or what the walk shall return. */
typedef int zip_entry_fn(void *data, const struct zip_entry *entry);

/*
 * Walks the central directory of any length in constant memory. Returns 0, FAILURE_NOT_A_ZIP without a readable end
 * record, FAILURE_ZIP_SIZE, FAILURE_ZIP_NAME (a name over LIMIT_ZIP_NAME), FAILURE_ZIP_CORRUPT, a negative errno, or
 * what fn returned. ret_start: offset of the directory; may be NULL.
 */
int zip_directory_walk(int fd, zip_entry_fn *fn, void *data, uint64_t *ret_start) WARN_UNUSED;

/* Reads the directory whole: as the walk, and FAILURE_ZIP_ENTRIES over the limit. */
int zip_directory_read(int fd, struct zip_directory *ret) WARN_UNUSED;

/*
 * Compares each local header (and descriptor) with the directory, and sees that no two entries share bytes. Sets `data`.
 * Returns 0, FAILURE_ZIP_CORRUPT or a negative errno.
 */
int zip_directory_check(int fd, struct zip_directory *directory) WARN_UNUSED;

void zip_directory_done(struct zip_directory *directory);

/*
 * True for a name that could be a relative path: no `..`, no backslash, no drive, not absolute, no control characters.
 * Names are never used as paths here; one that is none shows a zip made to harm whoever unpacks it.
 */
bool zip_name_is_plain(const char *name, size_t size);

#define _cleanup_zip_directory_ __attribute__((cleanup(zip_directory_done)))

#endif
