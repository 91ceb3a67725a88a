/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folding of single characters: compatibility decomposition, marks dropped, lower case, the few letters without one. */

#include "load/fold.h"

#include <string.h>
#include <uniconv.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* Letters that Unicode does not take apart, as the domain names them. */
static const struct {
	ucs4_t from;
	const char *to;
} letters[] = {
	{ 0x00DF, "ss" }, /* ß */
	{ 0x00E6, "ae" }, /* æ */
	{ 0x00F8, "o" },  /* ø */
	{ 0x0111, "d" },  /* đ */
	{ 0x0142, "l" },  /* ł */
};

#define IOTA_BELOW 0x0345U /* a mark whose upper case is a letter */

size_t
fold_decode(const char *bytes, size_t size, uint32_t *ret_char)
{
	ucs4_t c;
	int taken;

	if (size > 0 && (bytes[0] & 0x80) == 0) {
		*ret_char = (uint8_t)bytes[0];
		return 1;
	}
	taken = u8_mbtoucr(&c, (const uint8_t *)bytes, size);
	if (taken <= 0) {
		*ret_char = 0xFFFD;
		return 1;
	}
	*ret_char = c;
	return (size_t)taken;
}

bool
fold_is_blank(uint32_t character)
{
	if (character < 0x80)
		return character <= ' ' || character == 0x7F;
	return uc_is_property_white_space(character) || uc_is_general_category(character, UC_CATEGORY_Cc);
}

/*
 * Which marks are more than an accent. Vowel signs (class 0) and nukta, kana voicing and virama (7–9) make other letters
 * of the ones they stand at, so names that differ in them are strangers; Hebrew and Arabic points (10–36) are written or
 * not, and from 200 on stand the accents.
 */
static bool
mark_counts(ucs4_t c)
{
	int class = uc_combining_class(c);

	if (uc_is_general_category(c, UC_CATEGORY_Me) || uc_is_property_default_ignorable_code_point(c))
		return false;
	return class < 10 || (class > 36 && class < 200);
}

/* Letters and digits; not the apostrophes that Unicode counts as letters (ʻokina and the like). */
static bool
counts(ucs4_t c)
{
	if (uc_is_general_category(c, UC_CATEGORY_M))
		return c == IOTA_BELOW || mark_counts(c);
	if (c >= 0x02B0 && c <= 0x02FF)
		return false;
	return uc_is_general_category(c, UC_CATEGORY_L) || uc_is_general_category(c, UC_CATEGORY_N);
}

static size_t
add_lower(ucs4_t c, char *out, size_t room)
{
	uint8_t bytes[8];
	int n;

	/* By way of the upper case: ı, ς and others have none of their own to come back from, and names are created so. */
	c = uc_tolower(uc_toupper(c));
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (letters[i].from == c) {
			size_t size = strlen(letters[i].to);

			if (size > room)
				return 0;
			memcpy(out, letters[i].to, size);
			return size;
		}
	n = u8_uctomb(bytes, c, sizeof(bytes));
	if (n <= 0 || (size_t)n > room)
		return 0;
	memcpy(out, bytes, (size_t)n);
	return (size_t)n;
}

/* Takes a character apart until nothing comes apart, depth first; the deepest of Unicode has four levels. */
static size_t
add_folded(ucs4_t c, unsigned int depth, char *out, size_t room)
{
	ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
	int tag;
	int n = depth < 8 ? uc_decomposition(c, &tag, parts) : -1;
	size_t used = 0;

	if (n < 0)
		return counts(c) ? add_lower(c, out, room) : 0;
	for (int i = 0; i < n; i++)
		used += add_folded(parts[i], depth + 1, out + used, room - used);
	return used;
}

static enum fold_kind
fold_ascii(char c, char *out, size_t *ret_size)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
		out[0] = c;
		*ret_size = 1;
		return FOLD_LETTER;
	}
	if (c == '-')
		return FOLD_HYPHEN;
	if (c == ',')
		return FOLD_COMMA;
	/* `$` is Sierra's own line break, and a blank in every field that goes there */
	return fold_is_blank((uint8_t)c) || c == '$' ? FOLD_BLANK : FOLD_NOTHING;
}

enum fold_kind
fold_char(const char *bytes, size_t size, size_t *ret_taken, char out[static FOLD_MAX], size_t *ret_size)
{
	uint32_t c;

	*ret_size = 0;
	if ((bytes[0] & 0x80) == 0) {
		*ret_taken = 1;
		return fold_ascii(bytes[0], out, ret_size);
	}
	*ret_taken = fold_decode(bytes, size, &c);
	if (fold_is_blank(c))
		return FOLD_BLANK;
	if (uc_is_general_category(c, UC_CATEGORY_Pd) || c == 0x2212) /* a minus sign is typed for a hyphen */
		return FOLD_HYPHEN;
	*ret_size = add_folded(c, 0, out, FOLD_MAX);
	return *ret_size > 0 ? FOLD_LETTER : FOLD_NOTHING;
}
