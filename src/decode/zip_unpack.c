/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One entry of a zip, from its raw bytes to verified text. */

#include "decode/zip_unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "common/winzip_aes.h"
#include "decode/zipcrypto.h"

#define IN_SIZE (128U << 10)
#define OUT_SIZE (256U << 10)

struct zip_unpack {
	struct zip_archive *archive;
	const struct zip_entry *entry;
	size_t index;
	zip_tick_fn *tick;
	void *tick_data;

	/* the key, once unlocked */
	struct winzip_aes *aes;
	const char *password; /* of traditional encryption; a line of the secret */
	size_t password_size;

	/* the pass that is under way */
	struct zip_raw *raw;
	struct zipcrypto zipcrypto;
	uint64_t left;     /* bytes of encrypted text still to be read */
	uint64_t unpacked; /* bytes given out */
	uint32_t crc;
	bool inflating; /* stream is initialised */
	bool ended;     /* the deflated stream has said so itself */
	z_stream stream;
	zip_text_fn *fn;
	void *data;
	bool stopped;

	uint8_t in[IN_SIZE];
	uint8_t out[OUT_SIZE];
};

/* Bytes of the entry's data before and after the encrypted text. */
static size_t
lead_size(const struct zip_entry *entry)
{
	if (entry->cipher == ZIP_CIPHER_TRADITIONAL)
		return ZIPCRYPTO_HEADER_SIZE;
	return winzip_salt_size((enum winzip_strength)entry->aes_strength) + WINZIP_CHECK_SIZE;
}

static size_t
trail_size(const struct zip_entry *entry)
{
	return entry->cipher == ZIP_CIPHER_WINZIP_AES ? WINZIP_MAC_SIZE : 0;
}

/* AE-2 has no CRC: it would tell of the text, and the MAC says more. */
static bool
has_crc(const struct zip_entry *entry)
{
	return entry->cipher == ZIP_CIPHER_TRADITIONAL || entry->aes_version == 1;
}

/* What the entry says of itself: enough to refuse a bomb that does not lie. One that lies ends at its claim (emit). */
static int
check_claims(const struct zip_entry *entry)
{
	size_t overhead;

	if (entry->cipher == ZIP_CIPHER_NONE)
		return FAILURE_ZIP_PLAIN;
	if (entry->cipher == ZIP_CIPHER_UNKNOWN)
		return FAILURE_ZIP_ENCRYPTION;
	if (entry->method != ZIP_METHOD_STORED && entry->method != ZIP_METHOD_DEFLATED)
		return FAILURE_ZIP_METHOD;
	if (entry->size > LIMIT_ENTRY_SIZE)
		return FAILURE_ZIP_SIZE;
	overhead = lead_size(entry) + trail_size(entry);
	if (entry->packed < overhead)
		return FAILURE_ZIP_CORRUPT;
	if (entry->method == ZIP_METHOD_STORED && entry->size != entry->packed - overhead)
		return FAILURE_ZIP_CORRUPT;
	if (entry->size >= LIMIT_ZIP_RATIO_FROM && entry->size / LIMIT_ZIP_RATIO > entry->packed)
		return FAILURE_ZIP_RATIO;
	return 0;
}

int
zip_unpack_new(struct zip_unpack **ret, struct zip_archive *archive, size_t index, zip_tick_fn *tick, void *data)
{
	const struct zip_entry *entry = zip_archive_entry(archive, index);
	struct zip_unpack *unpack;
	int r = check_claims(entry);

	if (r != 0)
		return r;
	unpack = calloc(1, sizeof(*unpack));
	if (unpack == NULL)
		return -ENOMEM;
	unpack->archive = archive;
	unpack->entry = entry;
	unpack->index = index;
	unpack->tick = tick;
	unpack->tick_data = data;
	*ret = unpack;
	return 0;
}

/* --- inflating --- */

/* zlib's window holds text: its memory is wiped on the way out. The size stands before each block. */
static voidpf
wiped_alloc(voidpf opaque, uInt items, uInt size)
{
	size_t bytes = (size_t)items * size + sizeof(max_align_t);
	size_t *block = calloc(1, bytes);

	(void)opaque;
	if (block == NULL)
		return Z_NULL;
	*block = bytes;
	return (char *)block + sizeof(max_align_t);
}

static void
wiped_free(voidpf opaque, voidpf address)
{
	char *block = (char *)address - sizeof(max_align_t);

	(void)opaque;
	explicit_bzero(block, *(size_t *)(void *)block);
	free(block);
}

static int
begin_inflating(struct zip_unpack *unpack)
{
	if (unpack->inflating)
		return inflateReset(&unpack->stream) == Z_OK ? 0 : -EIO;
	unpack->stream = (z_stream){ .zalloc = wiped_alloc, .zfree = wiped_free };
	if (inflateInit2(&unpack->stream, -MAX_WBITS) != Z_OK)
		return -ENOMEM;
	unpack->inflating = true;
	return 0;
}

/* Takes text on its way out. More than the entry claims is refused at once, and memory never grows with it. */
static int
emit(struct zip_unpack *unpack, const uint8_t *bytes, size_t size)
{
	if (size > unpack->entry->size - unpack->unpacked)
		return FAILURE_ZIP_CORRUPT;
	unpack->unpacked += size;
	if (has_crc(unpack->entry))
		unpack->crc = (uint32_t)crc32_z(unpack->crc, bytes, size);
	if (unpack->fn == NULL || size == 0 || unpack->stopped)
		return 0;
	if (unpack->fn(unpack->data, (const char *)bytes, size) == 0)
		return 0;
	unpack->stopped = true;
	/* AES was verified before; of the other it is not yet known whether what the caller saw was the text at all. */
	return unpack->entry->cipher == ZIP_CIPHER_WINZIP_AES ? ZIP_UNPACK_STOPPED : 0;
}

static int
inflate_piece(struct zip_unpack *unpack, const uint8_t *bytes, size_t size)
{
	z_stream *stream = &unpack->stream;

	stream->next_in = (z_const Bytef *)(uintptr_t)bytes;
	stream->avail_in = (uInt)size;
	while (!unpack->ended) {
		int r, z;

		stream->next_out = unpack->out;
		stream->avail_out = OUT_SIZE;
		z = inflate(stream, Z_NO_FLUSH);
		if (z == Z_MEM_ERROR)
			return -ENOMEM;
		if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
			return FAILURE_ZIP_CORRUPT;
		r = emit(unpack, unpack->out, OUT_SIZE - stream->avail_out);
		if (r != 0)
			return r;
		unpack->ended = z == Z_STREAM_END;
		if (stream->avail_in == 0 && stream->avail_out > 0)
			break;
	}
	/* Bytes behind the stream's end are nobody's. */
	return stream->avail_in == 0 ? 0 : FAILURE_ZIP_CORRUPT;
}

/* --- passes over the raw bytes --- */

/* Begins a pass; lead: the salt and check, or the traditional header, as it stands. */
static int
begin_pass(struct zip_unpack *unpack, uint8_t *lead)
{
	int r;

	unpack->raw = zip_raw_close(unpack->raw);
	r = zip_raw_open(&unpack->raw, unpack->archive, unpack->index);
	if (r != 0)
		return r;
	unpack->left = unpack->entry->packed - lead_size(unpack->entry) - trail_size(unpack->entry);
	return zip_raw_read(unpack->raw, lead, lead_size(unpack->entry));
}

/* The next piece of the encrypted text, in unpack->in. */
static int
next_piece(struct zip_unpack *unpack, size_t *ret_size)
{
	size_t size = unpack->left < IN_SIZE ? (size_t)unpack->left : IN_SIZE;
	int r;

	if (unpack->tick != NULL && unpack->tick(unpack->tick_data, size) != 0)
		return -ECANCELED;
	r = zip_raw_read(unpack->raw, unpack->in, size);
	if (r != 0)
		return r;
	unpack->left -= size;
	*ret_size = size;
	return 0;
}

/* Reads the MAC behind the text and compares it with that of the pass. */
static int
end_aes_pass(struct zip_unpack *unpack)
{
	uint8_t mac[WINZIP_MAC_SIZE];
	int r = zip_raw_read(unpack->raw, mac, sizeof(mac));

	if (r == 0)
		r = winzip_aes_verify(unpack->aes, mac);
	return r == WINZIP_E_MAC ? FAILURE_ZIP_CORRUPT : r;
}

/* Over the whole encrypted text before any of it is decrypted: what an attacker changed reaches neither zlib nor CSV. */
static int
authenticate(struct zip_unpack *unpack)
{
	int r = winzip_aes_restart(unpack->aes);

	while (r == 0 && unpack->left > 0) {
		size_t size = 0;

		r = next_piece(unpack, &size);
		if (r == 0)
			r = winzip_aes_authenticate(unpack->aes, unpack->in, size);
	}
	return r == 0 ? end_aes_pass(unpack) : r;
}

static int
decrypt(struct zip_unpack *unpack, size_t size)
{
	if (unpack->entry->cipher == ZIP_CIPHER_WINZIP_AES)
		return winzip_aes_decrypt(unpack->aes, unpack->in, size);
	zipcrypto_decrypt(&unpack->zipcrypto, unpack->in, size);
	return 0;
}

static int
verify_text(const struct zip_unpack *unpack)
{
	const struct zip_entry *entry = unpack->entry;

	if (unpack->unpacked != entry->size || (entry->method == ZIP_METHOD_DEFLATED && !unpack->ended))
		return FAILURE_ZIP_CORRUPT;
	return has_crc(entry) && unpack->crc != entry->crc ? FAILURE_ZIP_CORRUPT : 0;
}

/* A whole pass: decrypts, inflates, gives out, verifies. */
static int
pass(struct zip_unpack *unpack, zip_text_fn *fn, void *data)
{
	const struct zip_entry *entry = unpack->entry;
	uint8_t lead[WINZIP_SALT_MAX + WINZIP_CHECK_SIZE];
	int r = begin_pass(unpack, lead);

	unpack->fn = fn;
	unpack->data = data;
	unpack->unpacked = 0;
	unpack->crc = 0;
	unpack->ended = unpack->stopped = false;
	if (r == 0 && entry->method == ZIP_METHOD_DEFLATED)
		r = begin_inflating(unpack);
	if (r == 0 && entry->cipher == ZIP_CIPHER_WINZIP_AES)
		r = winzip_aes_restart(unpack->aes);
	if (r == 0 && entry->cipher == ZIP_CIPHER_TRADITIONAL) {
		zipcrypto_init(&unpack->zipcrypto, unpack->password, unpack->password_size);
		zipcrypto_decrypt(&unpack->zipcrypto, lead, ZIPCRYPTO_HEADER_SIZE);
	}
	while (r == 0 && unpack->left > 0) {
		size_t size = 0;

		r = next_piece(unpack, &size);
		if (r == 0)
			r = decrypt(unpack, size);
		if (r == 0)
			r = entry->method == ZIP_METHOD_DEFLATED ? inflate_piece(unpack, unpack->in, size)
			                                         : emit(unpack, unpack->in, size);
	}
	/* Again over the very bytes that were decrypted: the feed may have changed between the two readings. */
	if (r == 0 && entry->cipher == ZIP_CIPHER_WINZIP_AES)
		r = end_aes_pass(unpack);
	if (r == 0)
		r = verify_text(unpack);
	return r == 0 && unpack->stopped ? ZIP_UNPACK_STOPPED : r;
}

/* --- passwords --- */

static int
unlock_aes(struct zip_unpack *unpack, const struct secret *passwords)
{
	size_t salt_size = winzip_salt_size((enum winzip_strength)unpack->entry->aes_strength);
	uint8_t lead[WINZIP_SALT_MAX + WINZIP_CHECK_SIZE];
	int verdict = FAILURE_ZIP_PASSWORD;

	for (size_t n = 0;; n++) {
		size_t size = 0;
		const char *password = secret_line(passwords, n, &size);
		int r;

		if (password == NULL)
			return verdict;
		r = begin_pass(unpack, lead);
		if (r != 0)
			return r;
		r = winzip_aes_new(&unpack->aes, (enum winzip_strength)unpack->entry->aes_strength, password, size, lead,
		    lead + salt_size);
		if (r == WINZIP_E_PASSWORD)
			continue;
		if (r == 0)
			r = authenticate(unpack);
		if (r <= 0)
			return r;
		/* One wrong password in 65,536 gets here; the next may still be the right one. */
		verdict = r;
		unpack->aes = winzip_aes_free(unpack->aes);
	}
}

/*
 * True where a password passes the check of an entry's header. Writers that know the CRC beforehand check by it, those
 * that stream by the time; with a descriptor it may be either.
 */
static bool
traditional_fits(const struct zip_entry *entry, const uint8_t *header, const char *password, size_t size)
{
	struct zipcrypto zipcrypto;
	uint8_t bytes[ZIPCRYPTO_HEADER_SIZE], check;

	memcpy(bytes, header, sizeof(bytes));
	zipcrypto_init(&zipcrypto, password, size);
	zipcrypto_decrypt(&zipcrypto, bytes, sizeof(bytes));
	explicit_bzero(&zipcrypto, sizeof(zipcrypto));
	check = bytes[ZIPCRYPTO_HEADER_SIZE - 1];
	return check == entry->crc >> 24 || ((entry->flags & ZIP_FLAG_DESCRIPTOR) != 0 && check == entry->time >> 8);
}

/*
 * The CRC is the only proof, at the entry's end. One password that passes the check is taken at its word, so that the
 * text is read once; with several, each is tried on the whole entry.
 */
static int
unlock_traditional(struct zip_unpack *unpack, const struct secret *passwords)
{
	uint8_t lead[WINZIP_SALT_MAX + WINZIP_CHECK_SIZE];
	size_t candidates = 0, size = 0;
	const char *password;
	int r = begin_pass(unpack, lead);

	if (r != 0)
		return r;
	for (size_t n = 0; (password = secret_line(passwords, n, &size)) != NULL; n++) {
		if (!traditional_fits(unpack->entry, lead, password, size))
			continue;
		unpack->password = password;
		unpack->password_size = size;
		candidates++;
	}
	if (candidates < 2)
		return candidates == 1 ? 0 : FAILURE_ZIP_PASSWORD;
	for (size_t n = 0; (password = secret_line(passwords, n, &size)) != NULL; n++) {
		if (!traditional_fits(unpack->entry, lead, password, size))
			continue;
		unpack->password = password;
		unpack->password_size = size;
		r = pass(unpack, NULL, NULL);
		if (r <= 0)
			return r;
	}
	return FAILURE_ZIP_CORRUPT;
}

int
zip_unpack_unlock(struct zip_unpack *unpack, const struct secret *passwords)
{
	return unpack->entry->cipher == ZIP_CIPHER_WINZIP_AES ? unlock_aes(unpack, passwords)
	                                                      : unlock_traditional(unpack, passwords);
}

/*
 * A wrong password passes one traditional entry's check by chance, but hardly those of all the others: where another
 * entry's check says no, the text that made no sense was not corrupt.
 */
static bool
fits_elsewhere(struct zip_unpack *unpack)
{
	for (size_t i = 0; i < zip_archive_count(unpack->archive); i++) {
		const struct zip_entry *entry = zip_archive_entry(unpack->archive, i);
		_cleanup_zip_raw_ struct zip_raw *raw = NULL;
		uint8_t header[ZIPCRYPTO_HEADER_SIZE];

		if (i == unpack->index || entry->cipher != ZIP_CIPHER_TRADITIONAL)
			continue;
		if (zip_raw_open(&raw, unpack->archive, i) != 0 || zip_raw_read(raw, header, sizeof(header)) != 0)
			continue;
		if (!traditional_fits(entry, header, unpack->password, unpack->password_size))
			return false;
	}
	return true;
}

int
zip_unpack_run(struct zip_unpack *unpack, zip_text_fn *fn, void *data)
{
	int r = pass(unpack, fn, data);

	if (r == FAILURE_ZIP_CORRUPT && unpack->entry->cipher == ZIP_CIPHER_TRADITIONAL && !fits_elsewhere(unpack))
		return FAILURE_ZIP_PASSWORD;
	return r;
}

struct zip_unpack *
zip_unpack_free(struct zip_unpack *unpack)
{
	if (unpack == NULL)
		return NULL;
	unpack->raw = zip_raw_close(unpack->raw);
	unpack->aes = winzip_aes_free(unpack->aes);
	if (unpack->inflating)
		(void)inflateEnd(&unpack->stream);
	explicit_bzero(unpack, sizeof(*unpack));
	free(unpack);
	return NULL;
}

void
zip_unpack_freep(struct zip_unpack **unpack)
{
	*unpack = zip_unpack_free(*unpack);
}
