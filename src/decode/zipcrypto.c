/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The traditional encryption of a zip. */

#include "decode/zipcrypto.h"

#include <zlib.h>

static inline void
update(struct zipcrypto *zipcrypto, const z_crc_t *table, uint8_t byte)
{
	uint32_t *keys = zipcrypto->keys;

	keys[0] = table[(keys[0] ^ byte) & 0xff] ^ (keys[0] >> 8);
	keys[1] = (keys[1] + (keys[0] & 0xff)) * 134775813U + 1;
	keys[2] = table[(keys[2] ^ (keys[1] >> 24)) & 0xff] ^ (keys[2] >> 8);
}

void
zipcrypto_init(struct zipcrypto *zipcrypto, const char *password, size_t size)
{
	const z_crc_t *table = get_crc_table();

	*zipcrypto = (struct zipcrypto){ { 0x12345678, 0x23456789, 0x34567890 } };
	for (size_t i = 0; i < size; i++)
		update(zipcrypto, table, (uint8_t)password[i]);
}

void
zipcrypto_decrypt(struct zipcrypto *zipcrypto, uint8_t *bytes, size_t size)
{
	const z_crc_t *table = get_crc_table();
	struct zipcrypto local = *zipcrypto; /* in registers, which bytes[] cannot alias */

	for (size_t i = 0; i < size; i++) {
		uint32_t t = (local.keys[2] | 2) & 0xffff;

		bytes[i] ^= (uint8_t)((t * (t ^ 1)) >> 8);
		update(&local, table, bytes[i]);
	}
	*zipcrypto = local;
}
