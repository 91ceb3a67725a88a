/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WinZip AES over libcrypto: PBKDF2, HMAC-SHA1, AES in counter mode with a little-endian counter. */

#include "common/winzip_aes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#define ROUNDS 1000 /* fixed by the format */
#define KEY_MAX 32U
#define BLOCK 16U
#define STREAM_BLOCKS 256U /* blocks of key stream made at a time */
#define SHA1_SIZE 20U

struct winzip_aes {
	size_t key_size;
	uint8_t keys[2U * KEY_MAX + WINZIP_CHECK_SIZE]; /* cipher key, MAC key, check value */
	EVP_CIPHER_CTX *cipher;
	EVP_MAC *mac;
	EVP_MAC_CTX *mac_ctx;
	uint64_t counter; /* of the last block made; the first is 1 */
	uint8_t stream[STREAM_BLOCKS * BLOCK];
	size_t stream_at; /* of stream: used up to here */
};

static size_t
key_size_of(enum winzip_strength strength)
{
	switch (strength) {
	case WINZIP_AES_128:
		return 16;
	case WINZIP_AES_192:
		return 24;
	case WINZIP_AES_256:
		return 32;
	}
	return 0;
}

size_t
winzip_salt_size(enum winzip_strength strength)
{
	return key_size_of(strength) / 2;
}

static const EVP_CIPHER *
cipher_of(size_t key_size)
{
	/* Counter mode is made by hand on ECB: libcrypto's counts big-endian, WinZip's little-endian. */
	return key_size == 16 ? EVP_aes_128_ecb() : key_size == 24 ? EVP_aes_192_ecb() : EVP_aes_256_ecb();
}

int
winzip_aes_restart(struct winzip_aes *aes)
{
	char digest[] = "SHA1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string("digest", digest, 0),
		OSSL_PARAM_construct_end(),
	};

	if (EVP_MAC_init(aes->mac_ctx, aes->keys + aes->key_size, aes->key_size, params) != 1)
		return -EIO;
	aes->counter = 0;
	aes->stream_at = sizeof(aes->stream);
	return 0;
}

static int
derive(struct winzip_aes *aes, const char *password, size_t password_size, const uint8_t *salt)
{
	int size = (int)(2 * aes->key_size + WINZIP_CHECK_SIZE);

	if (password_size > INT32_MAX)
		return -EINVAL;
	if (PKCS5_PBKDF2_HMAC_SHA1(password, (int)password_size, salt, (int)(aes->key_size / 2), ROUNDS, size, aes->keys) != 1)
		return -EIO;
	return 0;
}

static int
prepare(struct winzip_aes *aes)
{
	aes->cipher = EVP_CIPHER_CTX_new();
	aes->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (aes->cipher == NULL || aes->mac == NULL)
		return -ENOMEM;
	aes->mac_ctx = EVP_MAC_CTX_new(aes->mac);
	if (aes->mac_ctx == NULL)
		return -ENOMEM;
	if (EVP_EncryptInit_ex(aes->cipher, cipher_of(aes->key_size), NULL, aes->keys, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(aes->cipher, 0) != 1)
		return -EIO;
	return winzip_aes_restart(aes);
}

int
winzip_aes_new(struct winzip_aes **ret, enum winzip_strength strength, const char *password, size_t password_size,
    const uint8_t *salt, const uint8_t check[static WINZIP_CHECK_SIZE])
{
	_cleanup_winzip_aes_ struct winzip_aes *aes = NULL;
	int r;

	if (key_size_of(strength) == 0)
		return -EINVAL;
	aes = calloc(1, sizeof(*aes));
	if (aes == NULL)
		return -ENOMEM;
	aes->key_size = key_size_of(strength);
	r = derive(aes, password, password_size, salt);
	if (r < 0)
		return r;
	if (CRYPTO_memcmp(aes->keys + 2 * aes->key_size, check, WINZIP_CHECK_SIZE) != 0)
		return WINZIP_E_PASSWORD;
	r = prepare(aes);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(aes);
	return 0;
}

int
winzip_aes_authenticate(struct winzip_aes *aes, const uint8_t *bytes, size_t size)
{
	return EVP_MAC_update(aes->mac_ctx, bytes, size) == 1 ? 0 : -EIO;
}

static int
next_stream(struct winzip_aes *aes)
{
	int size = 0;

	memset(aes->stream, 0, sizeof(aes->stream));
	for (size_t block = 0; block < STREAM_BLOCKS; block++) {
		uint64_t counter = ++aes->counter;

		for (size_t i = 0; i < sizeof(counter); i++)
			aes->stream[block * BLOCK + i] = (uint8_t)(counter >> (8 * i));
	}
	if (EVP_EncryptUpdate(aes->cipher, aes->stream, &size, aes->stream, (int)sizeof(aes->stream)) != 1 ||
	    size != (int)sizeof(aes->stream))
		return -EIO;
	aes->stream_at = 0;
	return 0;
}

int
winzip_aes_decrypt(struct winzip_aes *aes, uint8_t *bytes, size_t size)
{
	int r = winzip_aes_authenticate(aes, bytes, size);

	if (r < 0)
		return r;
	while (size > 0) {
		size_t n = sizeof(aes->stream) - aes->stream_at;

		if (n == 0) {
			r = next_stream(aes);
			if (r < 0)
				return r;
			continue;
		}
		n = n < size ? n : size;
		for (size_t i = 0; i < n; i++)
			bytes[i] ^= aes->stream[aes->stream_at + i];
		aes->stream_at += n;
		bytes += n;
		size -= n;
	}
	return 0;
}

int
winzip_aes_verify(struct winzip_aes *aes, const uint8_t mac[static WINZIP_MAC_SIZE])
{
	uint8_t ours[SHA1_SIZE];
	size_t size = 0;

	if (EVP_MAC_final(aes->mac_ctx, ours, &size, sizeof(ours)) != 1 || size != sizeof(ours))
		return -EIO;
	return CRYPTO_memcmp(ours, mac, WINZIP_MAC_SIZE) == 0 ? 0 : WINZIP_E_MAC;
}

struct winzip_aes *
winzip_aes_free(struct winzip_aes *aes)
{
	if (aes == NULL)
		return NULL;
	EVP_CIPHER_CTX_free(aes->cipher);
	EVP_MAC_CTX_free(aes->mac_ctx);
	EVP_MAC_free(aes->mac);
	OPENSSL_cleanse(aes, sizeof(*aes));
	free(aes);
	return NULL;
}

/* The whole way of one strength, but for the password's check. */
static int
warm_strength(enum winzip_strength strength)
{
	static const uint8_t salt[WINZIP_SALT_MAX], mac[WINZIP_MAC_SIZE];
	_cleanup_winzip_aes_ struct winzip_aes *aes = calloc(1, sizeof(*aes));
	uint8_t bytes[BLOCK] = { 0 };

	if (aes == NULL)
		return -ENOMEM;
	aes->key_size = key_size_of(strength);
	if (derive(aes, "warm", 4, salt) < 0 || prepare(aes) < 0 ||
	    winzip_aes_decrypt(aes, bytes, sizeof(bytes)) < 0 || winzip_aes_verify(aes, mac) < 0)
		return -ENOSYS;
	return 0;
}

int
winzip_aes_warm(void)
{
	uint8_t random[BLOCK];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return -ENOSYS;
	for (int strength = WINZIP_AES_128; strength <= WINZIP_AES_256; strength++) {
		int r = warm_strength((enum winzip_strength)strength);

		if (r < 0)
			return r;
	}
	return 0;
}
