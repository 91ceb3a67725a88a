/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_WINZIP_AES_H
#define COMMON_WINZIP_AES_H

/*
 * WinZip's AES encryption of a zip entry, the reading side: what libzip 1.7 does not verify, this does.
 *
 *   entry's data := salt[strength's] check[2] ciphertext[...] mac[10]
 *
 * The MAC is HMAC-SHA1 over the ciphertext, cut to ten bytes. Verify it over the whole ciphertext before anything is
 * decrypted, and again over the very bytes that are decrypted where they are read a second time:
 *
 *   new ─▶ (restart ─▶ authenticate… ─▶ verify) ─▶ (restart ─▶ decrypt… ─▶ verify) ─▶ free
 *
 * AE-1 and AE-2 differ only in the CRC field, which is for the caller. Linked with libcrypto; decode and report alone.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/fd.h"

#define WINZIP_SALT_MAX 16U   /* bytes; 8, 12, 16 by strength */
#define WINZIP_CHECK_SIZE 2U  /* bytes of the password's check value */
#define WINZIP_MAC_SIZE 10U

/* As in the extra field 0x9901. */
enum winzip_strength {
	WINZIP_AES_128 = 1,
	WINZIP_AES_192 = 2,
	WINZIP_AES_256 = 3,
};

enum winzip_result {
	WINZIP_E_PASSWORD = 1, /* the check value differs: 65,535 in 65,536 wrong passwords end here, the rest at the MAC */
	WINZIP_E_MAC,          /* the ciphertext is not what the password's owner wrote */
};

struct winzip_aes;

/*
 * Touches what libcrypto opens and loads lazily (configuration, random source, ciphers, digests), so that nothing is left
 * to open behind the walls. Returns 0 or -ENOSYS where an algorithm cannot be had.
 */
int winzip_aes_warm(void) WARN_UNUSED;

/* Bytes of the salt of a strength, or 0 for a strength that there is not. */
size_t winzip_salt_size(enum winzip_strength strength);

/*
 * Derives the keys from a password (bytes as they stand) and the entry's salt (winzip_salt_size bytes), and compares the
 * check value. Returns 0, WINZIP_E_PASSWORD, -EINVAL for a strength that there is not, -ENOMEM or -EIO (libcrypto).
 * Begins as after winzip_aes_restart.
 */
int winzip_aes_new(struct winzip_aes **ret, enum winzip_strength strength, const char *password, size_t password_size,
    const uint8_t *salt, const uint8_t check[static WINZIP_CHECK_SIZE]) WARN_UNUSED;

/* Back to the first byte of the ciphertext. Returns 0 or -EIO. */
int winzip_aes_restart(struct winzip_aes *aes) WARN_UNUSED;

/* Takes the next piece of the ciphertext, of any size, into the MAC alone. Returns 0 or -EIO. */
int winzip_aes_authenticate(struct winzip_aes *aes, const uint8_t *bytes, size_t size) WARN_UNUSED;

/* Takes the next piece into the MAC and decrypts it in place. Returns 0 or -EIO. */
int winzip_aes_decrypt(struct winzip_aes *aes, uint8_t *bytes, size_t size) WARN_UNUSED;

/*
 * Compares the MAC of all pieces since the (re)start with the entry's, in constant time. Returns 0, WINZIP_E_MAC, or
 * -EIO. Only restart or free may follow.
 */
int winzip_aes_verify(struct winzip_aes *aes, const uint8_t mac[static WINZIP_MAC_SIZE]) WARN_UNUSED;

/* Wipes the keys. Accepts NULL, returns NULL. */
struct winzip_aes *winzip_aes_free(struct winzip_aes *aes);

static inline void
winzip_aes_freep(struct winzip_aes **aes)
{
	*aes = winzip_aes_free(*aes);
}

#define _cleanup_winzip_aes_ __attribute__((cleanup(winzip_aes_freep)))

#endif
