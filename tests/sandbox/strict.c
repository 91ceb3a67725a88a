/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON as strictly as the real server's parser reads it: cJSON alone lets too much pass. */

#include "text.h"

#include <string.h>

enum { DEPTH_MAX = 32 };

struct scan {
	const char *at;
	const char *end;
	int depth;
};

static bool scan_value(struct scan *s);

static void
scan_space(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool
scan_char(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool
scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n))
		return false;
	s->at += n;
	return true;
}

static bool
scan_digits(struct scan *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from;
}

static bool
scan_number(struct scan *s)
{
	scan_char(s, '-');
	if (!scan_char(s, '0') && !scan_digits(s))
		return false;
	if (scan_char(s, '.') && !scan_digits(s))
		return false;
	if (scan_char(s, 'e') || scan_char(s, 'E')) {
		if (!scan_char(s, '+'))
			scan_char(s, '-');
		return scan_digits(s);
	}
	return true;
}

static int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = memchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c, 16);

	return at ? (int)(at - digits) : -1;
}

/* One \u escape's unit, after the u; -1 when it is not four hex digits. */
static int
scan_unit(struct scan *s)
{
	int r = 0;

	if (s->end - s->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int v = hex_value(s->at[i]);

		if (v < 0)
			return -1;
		r = r * 16 + v;
	}
	s->at += 4;
	return r;
}

static bool
scan_escape(struct scan *s)
{
	int unit;

	if (s->at == s->end)
		return false;
	if (*s->at != 'u')
		return memchr("\"\\/bfnrt", *s->at++, 8) != NULL;
	s->at++;
	unit = scan_unit(s);
	/* A NUL would cut the string in cJSON, a lone surrogate is no character. */
	if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
		return false;
	if (unit < 0xd800 || unit > 0xdbff)
		return true;
	if (!scan_word(s, "\\u"))
		return false;
	unit = scan_unit(s);
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* One UTF-8 sequence of two to four bytes, shortest form, no surrogates (RFC 3629). */
static bool
scan_utf8(struct scan *s)
{
	unsigned char c = (unsigned char)*s->at++;
	int more = c >= 0xc2 && c <= 0xdf ? 1 : (c & 0xf0) == 0xe0 ? 2 : c >= 0xf0 && c <= 0xf4 ? 3 : 0;
	unsigned char second = s->at < s->end ? (unsigned char)*s->at : 0;

	if (!more || s->end - s->at < more)
		return false;
	if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) ||
	    (c == 0xf4 && second > 0x8f))
		return false;
	for (; more; more--)
		if (((unsigned char)*s->at++ & 0xc0) != 0x80)
			return false;
	return true;
}

static bool
scan_string(struct scan *s)
{
	if (!scan_char(s, '"'))
		return false;
	while (s->at < s->end && *s->at != '"') {
		unsigned char c = (unsigned char)*s->at;

		if (c < 0x20)
			return false;
		if (c >= 0x80) {
			if (!scan_utf8(s))
				return false;
			continue;
		}
		s->at++;
		if (c == '\\' && !scan_escape(s))
			return false;
	}
	return scan_char(s, '"');
}

static bool
scan_members(struct scan *s, char close, bool keyed)
{
	s->at++;
	scan_space(s);
	if (scan_char(s, close))
		return true;
	for (;;) {
		scan_space(s);
		if (keyed && !scan_string(s))
			return false;
		scan_space(s);
		if (keyed && !scan_char(s, ':'))
			return false;
		if (!scan_value(s))
			return false;
		scan_space(s);
		if (scan_char(s, close))
			return true;
		if (!scan_char(s, ','))
			return false;
	}
}

static bool
scan_nested(struct scan *s, char close, bool keyed)
{
	bool good;

	if (s->depth == DEPTH_MAX)
		return false;
	s->depth++;
	good = scan_members(s, close, keyed);
	s->depth--;
	return good;
}

static bool
scan_value(struct scan *s)
{
	scan_space(s);
	if (s->at == s->end)
		return false;
	switch (*s->at) {
	case '{':
		return scan_nested(s, '}', true);
	case '[':
		return scan_nested(s, ']', false);
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		return scan_number(s);
	}
}

bool
json_is_strict(const char *s, size_t n)
{
	struct scan scan = { .at = s, .end = s + n };

	if (!scan_value(&scan))
		return false;
	scan_space(&scan);
	return scan.at == scan.end;
}

static void
decode_escape(const char **at, struct text *ret)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *known = strchr(from, **at);

	if (**at == 'u') {
		/* cJSON prints only control characters so, hence always below 0x20. */
		int unit = hex_value((*at)[3]) * 16 + hex_value((*at)[4]);

		text_add(ret, (char[]){ (char)unit }, 1);
		*at += 5;
		return;
	}
	text_add(ret, known ? &to[known - from] : *at, 1);
	(*at)++;
}

bool
json_array_next(const char **at, struct text *ret)
{
	const char *p = *at;

	ret->len = 0;
	text_add(ret, "", 0);
	while (*p && *p != '"')
		p++;
	if (!*p)
		return false;
	for (p++; *p && *p != '"';) {
		if (*p == '\\') {
			p++;
			decode_escape(&p, ret);
		} else {
			text_add(ret, p++, 1);
		}
	}
	*at = *p ? p + 1 : p;
	return true;
}
