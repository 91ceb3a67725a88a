/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_ZIPCRYPTO_H
#define DECODE_ZIPCRYPTO_H

/*
 * The traditional encryption of a zip (APPNOTE.TXT 6.1), the reading side. It is weak, and it verifies nothing: one
 * byte in 256 wrong passwords pass its check, and only the CRC at the entry's end tells whether the text is the text.
 */

#include <stddef.h>
#include <stdint.h>

#define ZIPCRYPTO_HEADER_SIZE 12U /* bytes before the data; the last of them is the check */

struct zipcrypto {
	uint32_t keys[3];
};

/* Sets the keys from a password, bytes as they stand. */
void zipcrypto_init(struct zipcrypto *zipcrypto, const char *password, size_t size);

/* Decrypts the next bytes in place. */
void zipcrypto_decrypt(struct zipcrypto *zipcrypto, uint8_t *bytes, size_t size);

#endif
