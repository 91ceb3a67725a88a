/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traditional encryption against bytes that Info-ZIP wrote. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "decode/zipcrypto.h"

/* `printf 'a,b\n1,2\n' | zip -0 -P pw`: the header's 12 bytes and the text, encrypted; DOS time 0x6ca6. */
static const uint8_t written[] = {
	0xe5, 0x1e, 0x7c, 0x50, 0x9c, 0x0a, 0x49, 0xe6, 0x16, 0xb4, 0x32, 0xf7, 0xdc, 0xed, 0x68, 0xf8, 0x3c, 0xd3, 0x39, 0x4b,
};
static const char text[] = "a,b\n1,2\n";

static void
test_decrypts(void **state)
{
	(void)state;
	/* in pieces of every size: the keys go on where they were */
	for (size_t piece = 1; piece <= sizeof(written); piece++) {
		struct zipcrypto zipcrypto;
		uint8_t bytes[sizeof(written)];

		memcpy(bytes, written, sizeof(bytes));
		zipcrypto_init(&zipcrypto, "pw", 2);
		for (size_t at = 0; at < sizeof(bytes); at += piece)
			zipcrypto_decrypt(&zipcrypto, bytes + at, piece < sizeof(bytes) - at ? piece : sizeof(bytes) - at);
		assert_int_equal(bytes[ZIPCRYPTO_HEADER_SIZE - 1], 0x6c); /* the time's high byte */
		assert_memory_equal(bytes + ZIPCRYPTO_HEADER_SIZE, text, sizeof(text) - 1);
	}
}

static void
test_other_passwords(void **state)
{
	static const struct {
		const char *password;
		size_t size;
	} cases[] = { { "", 0 }, { "p", 1 }, { "pW", 2 }, { "pw\n", 3 }, { "\xff\x80", 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zipcrypto zipcrypto;
		uint8_t bytes[sizeof(written)];

		memcpy(bytes, written, sizeof(bytes));
		zipcrypto_init(&zipcrypto, cases[i].password, cases[i].size);
		zipcrypto_decrypt(&zipcrypto, bytes, sizeof(bytes));
		assert_memory_not_equal(bytes + ZIPCRYPTO_HEADER_SIZE, text, sizeof(text) - 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decrypts),
		cmocka_unit_test(test_other_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
