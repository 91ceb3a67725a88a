/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <string.h>

#include "common/winzip_aes.h"

/* Entries' data as 7-Zip 16.02 stored them (`7z a -tzip -mem=AES… -mx0`). */
#define PASSWORD "pass wort"
#define CONTENT "patron_id,field,expiration_date,class\n1002,12345678 / PREV ID,2025-01-01,note\n"
#define CONTENT_SIZE (sizeof(CONTENT) - 1)
#define ENTRY_MAX 128U

static const struct {
	enum winzip_strength strength;
	size_t salt_size;
	const char *hex;
} entries[] = {
	{ WINZIP_AES_128, 8,
	  "8bbe19219af41c90bf8955bd4748340ade0143b63ffbcee477a76c302c72207436e8ffb781fd7ee70dabaede12fc19d057b9fe0cab06f2908505"
	  "e52e36c727c670c858dbae0a035357326dbcdb51a9c12eba4bcd6384fc3d9ad0b97593ebb19be1b0" },
	{ WINZIP_AES_192, 12,
	  "652ec4075738ce01eb5dd90e95f949d28238ee12e72a11731bec55ad1785bf9a8ca8fdfb490c23d357086ce5d9826f4cdd380afa2fe0f44df198"
	  "22287e3811e9f3759b34a6501d50aafa100e9ae433dcc8aabfb519c47dbf360139a1c325411b240bbce18b07" },
	{ WINZIP_AES_256, 16,
	  "978ce534c331dd7d291b8d429e759cce495c5f3f62cae1025e1e38e6b8ce9fe5b65c2d813bc8f1fa79769b252c87bbae52ebb73d73de6a5d7810"
	  "4f5c224cf9efdabb5d0afc117bf636ef71d4f18bfb9e05bcda6916be83a9a378cb00ddb448882aaaaf1050451aa2d67c" },
};

static uint8_t
hex_digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static size_t
entry_bytes(size_t entry, uint8_t bytes[ENTRY_MAX])
{
	size_t size = strlen(entries[entry].hex) / 2;

	assert_true(size <= ENTRY_MAX);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(hex_digit(entries[entry].hex[2 * i]) << 4 | hex_digit(entries[entry].hex[2 * i + 1]));
	assert_int_equal(size, entries[entry].salt_size + WINZIP_CHECK_SIZE + CONTENT_SIZE + WINZIP_MAC_SIZE);
	return size;
}

/* Reads an entry as its callers do, in pieces. Returns what the first refusing step answered, or 0. */
static int
read_entry(size_t entry, uint8_t *bytes, size_t size, const char *password, size_t piece)
{
	_cleanup_winzip_aes_ struct winzip_aes *aes = NULL;
	size_t head = entries[entry].salt_size + WINZIP_CHECK_SIZE, end = size - WINZIP_MAC_SIZE;
	int r = winzip_aes_new(&aes, entries[entry].strength, password, strlen(password), bytes,
	    bytes + entries[entry].salt_size);

	if (r != 0) {
		assert_null(aes);
		return r;
	}
	for (size_t at = head; at < end && r == 0; at += piece)
		r = winzip_aes_authenticate(aes, bytes + at, at + piece < end ? piece : end - at);
	if (r == 0)
		r = winzip_aes_verify(aes, bytes + end);
	if (r != 0)
		return r;
	assert_int_equal(winzip_aes_restart(aes), 0);
	for (size_t at = head; at < end; at += piece)
		assert_int_equal(winzip_aes_decrypt(aes, bytes + at, at + piece < end ? piece : end - at), 0);
	assert_int_equal(winzip_aes_verify(aes, bytes + end), 0);
	return memcmp(bytes + head, CONTENT, CONTENT_SIZE) == 0 ? 0 : -1;
}

static void
strengths_that_there_are_not(void **state)
{
	static const int strengths[] = { 0, 4, -1, 256 };
	uint8_t bytes[ENTRY_MAX] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(strengths); i++) {
		struct winzip_aes *aes = NULL;

		assert_int_equal(winzip_salt_size((enum winzip_strength)strengths[i]), 0);
		assert_int_equal(winzip_aes_new(&aes, (enum winzip_strength)strengths[i], "x", 1, bytes, bytes), -EINVAL);
		assert_null(aes);
	}
}

static void
wrong_passwords(void **state)
{
	static const char *const wrong[] = { "", "pass", "pass wort ", "Pass wort", "pass wor", "pass wort\n" };

	(void)state;
	for (size_t entry = 0; entry < COUNT(entries); entry++)
		for (size_t i = 0; i < COUNT(wrong); i++) {
			uint8_t bytes[ENTRY_MAX];
			size_t size = entry_bytes(entry, bytes);

			assert_int_equal(read_entry(entry, bytes, size, wrong[i], 16), WINZIP_E_PASSWORD);
		}
}

static void
every_flipped_bit(void **state)
{
	(void)state;
	for (size_t entry = 0; entry < COUNT(entries); entry++) {
		uint8_t bytes[ENTRY_MAX];
		size_t size = entry_bytes(entry, bytes);

		for (size_t bit = 0; bit < 8 * size; bit++) {
			int r;

			(void)entry_bytes(entry, bytes);
			bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
			r = read_entry(entry, bytes, size, PASSWORD, 1000);
			/* salt and check: the password; the rest: the MAC */
			assert_int_equal(r, bit / 8 < entries[entry].salt_size + WINZIP_CHECK_SIZE ? WINZIP_E_PASSWORD : WINZIP_E_MAC);
		}
	}
}

static void
cut_ciphertext(void **state)
{
	(void)state;
	for (size_t entry = 0; entry < COUNT(entries); entry++) {
		uint8_t bytes[ENTRY_MAX];
		size_t size = entry_bytes(entry, bytes);
		size_t head = entries[entry].salt_size + WINZIP_CHECK_SIZE;

		memmove(bytes + head, bytes + head + 1, size - head - 1);
		assert_int_equal(read_entry(entry, bytes, size - 1, PASSWORD, 7), WINZIP_E_MAC);
	}
}

static void
pieces_of_any_size(void **state)
{
	static const size_t pieces[] = { 1, 2, 15, 16, 17, 31, 33, 64, 1000 };

	(void)state;
	for (size_t entry = 0; entry < COUNT(entries); entry++)
		for (size_t i = 0; i < COUNT(pieces); i++) {
			uint8_t bytes[ENTRY_MAX];
			size_t size = entry_bytes(entry, bytes);

			assert_int_equal(winzip_salt_size(entries[entry].strength), entries[entry].salt_size);
			assert_int_equal(read_entry(entry, bytes, size, PASSWORD, pieces[i]), 0);
		}
}

/* The key stream is made in blocks of 4,096 bytes: it must not matter where a piece crosses one. */
static void
long_streams(void **state)
{
	static uint8_t whole[20000], pieces[20000];
	_cleanup_winzip_aes_ struct winzip_aes *aes = NULL;
	uint8_t entry[ENTRY_MAX];
	size_t at = 0;

	(void)state;
	(void)entry_bytes(2, entry);
	assert_int_equal(winzip_aes_new(&aes, WINZIP_AES_256, PASSWORD, strlen(PASSWORD), entry, entry + 16), 0);
	assert_int_equal(winzip_aes_decrypt(aes, whole, sizeof(whole)), 0);
	assert_int_equal(winzip_aes_restart(aes), 0);
	for (size_t n = 1; at < sizeof(pieces); n = n * 3 % 4099 + 1) {
		size_t piece = n < sizeof(pieces) - at ? n : sizeof(pieces) - at;

		assert_int_equal(winzip_aes_decrypt(aes, pieces + at, piece), 0);
		at += piece;
	}
	assert_memory_equal(whole, pieces, sizeof(whole));
	/* no two blocks of the stream are the same: the counter counts past one byte */
	for (size_t i = 16; i < sizeof(whole); i += 16)
		assert_memory_not_equal(whole, whole + i, 16);
}

static void
warming_and_nothing(void **state)
{
	(void)state;
	assert_int_equal(winzip_aes_warm(), 0);
	assert_null(winzip_aes_free(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strengths_that_there_are_not),
		cmocka_unit_test(wrong_passwords),
		cmocka_unit_test(every_flipped_bit),
		cmocka_unit_test(cut_ciphertext),
		cmocka_unit_test(pieces_of_any_size),
		cmocka_unit_test(long_streams),
		cmocka_unit_test(warming_and_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
