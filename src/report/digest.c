/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The digest of the tables. */

#include "report/digest.h"

#include <sodium.h>
#include <string.h>

void
tables_digest(const struct tables *tables, const char *password, uint8_t ret[static DIGEST_SIZE])
{
	crypto_generichash_state state;
	uint8_t key[crypto_generichash_KEYBYTES];

	/* A password may be longer than a key. None of these can fail: the sizes are constants. */
	(void)crypto_generichash(key, sizeof(key), (const uint8_t *)password, strlen(password), NULL, 0);
	(void)crypto_generichash_init(&state, key, sizeof(key), DIGEST_SIZE);
	for (size_t i = 0; i < TABLE_MAX; i++) {
		const struct buf *csv = &tables->csv[i];
		uint64_t size = csv->size;
		uint8_t length[8];

		/* the length before the bytes: no two sets of tables are the same bytes in a row */
		for (size_t k = 0; k < sizeof(length); k++)
			length[k] = (uint8_t)(size >> 8 * k);
		(void)crypto_generichash_update(&state, length, sizeof(length));
		if (size > 0)
			(void)crypto_generichash_update(&state, (const uint8_t *)csv->bytes, size);
	}
	(void)crypto_generichash_final(&state, ret, DIGEST_SIZE);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(&state, sizeof(state));
}
