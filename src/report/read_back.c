/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zip's directory by libzip, its encryption by our own AES: libzip does not verify what it decrypts. */

#include "report/read_back.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zip.h>
#include <zlib.h>

#include "common/fd.h"
#include "common/winzip_aes.h"
#include "patrond/limits.h"

#define DIFFERS 1
#define INFLATE_BLOCK 65536U
#define RAW_DEFLATE (-15) /* window bits: no zlib header */

static void
zip_discardp(zip_t **zip)
{
	if (*zip != NULL)
		zip_discard(*zip);
	*zip = NULL;
}

static void
zip_fclosep(zip_file_t **file)
{
	if (*file != NULL)
		(void)zip_fclose(*file);
	*file = NULL;
}

static void
inflate_endp(z_stream **stream)
{
	if (*stream != NULL)
		(void)inflateEnd(*stream);
	*stream = NULL;
}

/* An entry's bytes as they are stored: salt, check, ciphertext, MAC. */
static int
read_raw(zip_t *zip, zip_uint64_t index, struct buf *raw, size_t size)
{
	__attribute__((cleanup(zip_fclosep))) zip_file_t *file = NULL;
	char block[16384];
	int r;

	file = zip_fopen_index(zip, index, ZIP_FL_ENCRYPTED | ZIP_FL_COMPRESSED);
	if (file == NULL)
		return DIFFERS;
	for (;;) {
		zip_int64_t n = zip_fread(file, block, sizeof(block));

		if (n < 0)
			return DIFFERS;
		if (n == 0)
			return raw->size == size ? 0 : DIFFERS;
		r = buf_add(raw, block, (size_t)n);
		if (r < 0)
			return r == -ENOBUFS ? DIFFERS : r;
	}
}

/* Decrypts in place. ret_packed points into raw. */
static int
decrypt(struct buf *raw, const char *password, uint8_t **ret_packed, size_t *ret_size)
{
	_cleanup_winzip_aes_ struct winzip_aes *aes = NULL;
	uint8_t *bytes = (uint8_t *)raw->bytes;
	size_t head = winzip_salt_size(WINZIP_AES_256) + WINZIP_CHECK_SIZE;
	size_t packed;
	int r;

	if (raw->size < head + WINZIP_MAC_SIZE)
		return DIFFERS;
	packed = raw->size - head - WINZIP_MAC_SIZE;
	r = winzip_aes_new(&aes, WINZIP_AES_256, password, strlen(password), bytes, bytes + head - WINZIP_CHECK_SIZE);
	if (r != 0)
		return r < 0 ? r : DIFFERS;
	r = winzip_aes_decrypt(aes, bytes + head, packed);
	if (r == 0)
		r = winzip_aes_verify(aes, bytes + head + packed);
	if (r != 0)
		return r < 0 ? r : DIFFERS;
	*ret_packed = bytes + head;
	*ret_size = packed;
	return 0;
}

static int
compare_stored(const uint8_t *packed, size_t size, const struct buf *csv)
{
	return size == csv->size && memcmp(packed, csv->bytes, size) == 0 ? 0 : DIFFERS;
}

static int
compare_deflated(uint8_t *packed, size_t size, const struct buf *csv)
{
	z_stream stream = { .next_in = packed, .avail_in = (uInt)size };
	__attribute__((cleanup(inflate_endp))) z_stream *open = NULL;
	uint8_t block[INFLATE_BLOCK] = { 0 };
	size_t at = 0;
	int z;

	if (size > UINT32_MAX || inflateInit2(&stream, RAW_DEFLATE) != Z_OK)
		return -ENOMEM;
	open = &stream;
	do {
		size_t n;

		stream.next_out = block;
		stream.avail_out = sizeof(block);
		z = inflate(&stream, Z_NO_FLUSH);
		n = sizeof(block) - stream.avail_out;
		if ((z != Z_OK && z != Z_STREAM_END) || n > csv->size - at || memcmp(block, csv->bytes + at, n) != 0)
			break;
		at += n;
	} while (z == Z_OK);
	explicit_bzero(block, sizeof(block));
	return z == Z_STREAM_END && stream.avail_in == 0 && at == csv->size ? 0 : DIFFERS;
}

static int
compare_entry(zip_t *zip, zip_uint64_t index, const char *name, const struct buf *csv, const char *password)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(2ULL * LIMIT_REPORT_SIZE);
	uint8_t *packed;
	zip_stat_t st;
	size_t size;
	int r;

	if (zip_stat_index(zip, index, 0, &st) < 0 || strcmp(st.name, name) != 0 || st.size != csv->size ||
	    st.encryption_method != ZIP_EM_AES_256)
		return DIFFERS;
	r = read_raw(zip, index, &raw, st.comp_size);
	if (r == 0)
		r = decrypt(&raw, password, &packed, &size);
	if (r != 0)
		return r;
	if (st.comp_method == ZIP_CM_STORE)
		return compare_stored(packed, size, csv);
	return st.comp_method == ZIP_CM_DEFLATE ? compare_deflated(packed, size, csv) : DIFFERS;
}

static int
compare_all(zip_t *zip, const struct tables *tables, const char *password)
{
	zip_uint64_t index = 0;

	for (size_t i = 0; i < TABLE_MAX; i++) {
		int r;

		if (tables->rows[i] == 0)
			continue;
		r = compare_entry(zip, index++, table_file_name((enum table)i), &tables->csv[i], password);
		if (r != 0)
			return r;
	}
	return zip_get_num_entries(zip, 0) == (zip_int64_t)index ? 0 : DIFFERS;
}

int
read_back(int fd, uint64_t size, const struct tables *tables, const char *password)
{
	__attribute__((cleanup(zip_discardp))) zip_t *zip = NULL;
	_cleanup_free_ char *bytes = NULL;
	zip_source_t *source;
	zip_error_t error;
	ssize_t n;

	if (size == 0 || size > 2ULL * LIMIT_REPORT_SIZE)
		return DIFFERS;
	bytes = malloc(size);
	if (bytes == NULL)
		return -ENOMEM;
	n = fd_pread_all(fd, bytes, size, 0);
	if (n < 0)
		return (int)n;
	if ((uint64_t)n != size)
		return DIFFERS;
	zip_error_init(&error);
	source = zip_source_buffer_create(bytes, size, 0, &error);
	if (source != NULL)
		zip = zip_open_from_source(source, ZIP_RDONLY, &error);
	if (zip == NULL && source != NULL)
		zip_source_free(source);
	zip_error_fini(&error);
	return zip == NULL ? DIFFERS : compare_all(zip, tables, password);
}
