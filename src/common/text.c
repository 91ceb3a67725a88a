/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8 and the rules of the cells. Pure: bytes in, bytes out. */

#include "common/text.h"

#include <errno.h>
#include <string.h>

#define HIGH_BITS 0x8080808080808080ULL
#define CHUNK 512U /* bytes collected before they go to the buffer */
#define CHAR_MAX_SIZE 4U

/*
 * The bytes 80–9F of Windows-1252; those that it leaves open (81 8D 8F 90 9D) become a blank, as every control
 * character.
 */
/* clang-format off */
static const uint16_t windows_1252[32] = {
	0x20AC, ' ', 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, ' ', 0x017D, ' ',
	' ', 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
	0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, ' ', 0x017E, 0x0178,
};
/* clang-format on */

/* How long the run of ASCII at the front is; eight bytes at a time, since nearly every cell is nothing else. */
static size_t
ascii_run(const uint8_t *bytes, size_t size)
{
	size_t at = 0;

	while (size - at >= sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, bytes + at, sizeof(word));
		if ((word & HIGH_BITS) != 0)
			break;
		at += sizeof(word);
	}
	while (at < size && bytes[at] < 0x80)
		at++;
	return at;
}

static bool
is_continuation(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

/*
 * The length of the sequence at the front (2–4), 0 where it is none. The bounds of the second byte are those of the
 * Unicode standard, table 3-7: they shut out longer forms than needed, surrogates and what lies past U+10FFFF.
 */
static size_t
sequence(const uint8_t *bytes, size_t size)
{
	uint8_t lead = bytes[0];
	uint8_t low = 0x80, high = 0xBF;
	size_t length;

	if (lead >= 0xC2 && lead <= 0xDF)
		length = 2;
	else if (lead >= 0xE0 && lead <= 0xEF)
		length = 3;
	else if (lead >= 0xF0 && lead <= 0xF4)
		length = 4;
	else
		return 0;
	if (lead == 0xE0)
		low = 0xA0;
	else if (lead == 0xED)
		high = 0x9F;
	else if (lead == 0xF0)
		low = 0x90;
	else if (lead == 0xF4)
		high = 0x8F;
	if (size < length || bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (!is_continuation(bytes[i]))
			return 0;
	return length;
}

bool
text_is_utf8(const char *bytes, size_t size)
{
	const uint8_t *at = (const uint8_t *)bytes;

	while (size > 0) {
		size_t length = ascii_run(at, size);

		if (length == 0)
			length = sequence(at, size);
		if (length == 0)
			return false;
		at += length;
		size -= length;
	}
	return true;
}

/* Decodes the character at the front of valid UTF-8. */
static uint32_t
decode(const uint8_t *bytes, size_t length)
{
	switch (length) {
	case 1:
		return bytes[0];
	case 2:
		return (uint32_t)(bytes[0] & 0x1F) << 6 | (bytes[1] & 0x3F);
	case 3:
		return (uint32_t)(bytes[0] & 0x0F) << 12 | (uint32_t)(bytes[1] & 0x3F) << 6 | (bytes[2] & 0x3F);
	default:
		return (uint32_t)(bytes[0] & 0x07) << 18 | (uint32_t)(bytes[1] & 0x3F) << 12 |
		       (uint32_t)(bytes[2] & 0x3F) << 6 | (bytes[3] & 0x3F);
	}
}

/* Control characters (Cc) and what Unicode calls white space: by the rules of the cells all of it is a blank. */
static bool
is_blank(uint32_t c)
{
	if (c <= 0x20 || (c >= 0x7F && c <= 0xA0))
		return true;
	if (c < 0x1680)
		return false;
	return c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
	       c == 0x205F || c == 0x3000;
}

/* The front character of UTF-8 that is valid, or of Windows-1252. Returns how many bytes it took. */
static size_t
take(const uint8_t *bytes, size_t size, bool utf8, uint32_t *ret)
{
	size_t length = 1;

	if (bytes[0] < 0x80)
		*ret = bytes[0];
	else if (utf8) {
		length = sequence(bytes, size);
		*ret = decode(bytes, length);
	} else
		*ret = bytes[0] < 0xA0 ? windows_1252[bytes[0] - 0x80] : bytes[0];
	return length;
}

/* True for ASCII that the rules leave as it is. */
static bool
is_plain(const uint8_t *bytes, size_t size)
{
	uint8_t before = ' '; /* a blank in front is one too many */

	for (size_t i = 0; i < size; i++) {
		uint8_t byte = bytes[i];

		if (byte < ' ' || byte >= 0x7F || (byte == ' ' && before == ' '))
			return false;
		before = byte;
	}
	return size == 0 || before != ' ';
}

static size_t
encode(uint32_t c, char ret[static CHAR_MAX_SIZE])
{
	if (c < 0x80) {
		ret[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = (char)(0xC0 | c >> 6);
		ret[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		ret[0] = (char)(0xE0 | c >> 12);
		ret[1] = (char)(0x80 | (c >> 6 & 0x3F));
		ret[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	ret[0] = (char)(0xF0 | c >> 18);
	ret[1] = (char)(0x80 | (c >> 12 & 0x3F));
	ret[2] = (char)(0x80 | (c >> 6 & 0x3F));
	ret[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* Adds a cell character by character. On an error what was added is taken back by the caller. */
static int
add_slowly(struct buf *out, const uint8_t *at, size_t size, bool utf8)
{
	bool began = false, gap = false;
	char chunk[CHUNK];
	size_t used = 0;
	int r = 0;

	while (size > 0 && r == 0) {
		uint32_t c;
		size_t length = take(at, size, utf8, &c);

		at += length;
		size -= length;
		if (is_blank(c)) {
			gap = began; /* written only once something follows it: both ends are trimmed so */
			continue;
		}
		if (gap)
			chunk[used++] = ' ';
		gap = false;
		began = true;
		used += encode(c, chunk + used);
		if (used + 1 + CHAR_MAX_SIZE > CHUNK) {
			r = buf_add(out, chunk, used);
			used = 0;
		}
	}
	if (r == 0)
		r = buf_add(out, chunk, used);
	explicit_bzero(chunk, sizeof(chunk));
	return r;
}

static int
add_cell(struct buf *out, const char *bytes, size_t size, bool utf8)
{
	size_t before = out->size;
	int r = add_slowly(out, (const uint8_t *)bytes, size, utf8);

	if (r < 0 && out->bytes != NULL) {
		explicit_bzero(out->bytes + before, out->size - before);
		out->size = before;
	}
	return r;
}

int
text_add_cell(struct buf *out, const char *bytes, size_t size)
{
	if (is_plain((const uint8_t *)bytes, size))
		return buf_add(out, bytes, size);
	return add_cell(out, bytes, size, text_is_utf8(bytes, size));
}

int
text_add_cell_1252(struct buf *out, const char *bytes, size_t size)
{
	return add_cell(out, bytes, size, false);
}

bool
text_is_cell(const char *bytes, size_t size)
{
	const uint8_t *at = (const uint8_t *)bytes;
	uint32_t c = ' ';
	bool gap = true;

	if (is_plain(at, size))
		return true;
	if (!text_is_utf8(bytes, size))
		return false;
	while (size > 0) {
		size_t length = take(at, size, true, &c);

		at += length;
		size -= length;
		if (is_blank(c) && (c != ' ' || gap))
			return false;
		gap = c == ' ';
	}
	return c != ' ';
}

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
text_same_name(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a_size && a[i] == ' ')
			i++;
		while (j < b_size && b[j] == ' ')
			j++;
		if (i == a_size || j == b_size)
			return i == a_size && j == b_size;
		if (fold(a[i++]) != fold(b[j++]))
			return false;
	}
}
