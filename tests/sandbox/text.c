/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growing text, JSON escaping, dates and clocks. */

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
out_of_memory(void)
{
	fputs("sierra-standin: out of memory\n", stderr);
	abort();
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		out_of_memory();
	return p;
}

void *
xrealloc(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

char *
xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xrealloc(NULL, n), s, n);
}

void
text_done(struct text *t)
{
	free(t->data);
	*t = (struct text){ 0 };
}

static void
text_need(struct text *t, size_t more)
{
	size_t cap = t->cap ? t->cap : 256;

	if (t->len + more + 1 <= t->cap)
		return;
	while (cap < t->len + more + 1)
		cap *= 2;
	t->data = xrealloc(t->data, cap);
	t->cap = cap;
}

void
text_add(struct text *t, const char *s, size_t n)
{
	text_need(t, n);
	memcpy(t->data + t->len, s, n);
	t->len += n;
	t->data[t->len] = '\0';
}

void
text_adds(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void
text_addf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	text_need(t, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(t->data + t->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

void
text_add_u64(struct text *t, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	text_add(t, digits + at, sizeof(digits) - at);
}

/* Adds s as a JSON string; only what RFC 8259 requires is escaped, UTF-8 passes as it is. */
void
text_add_json(struct text *t, const char *s)
{
	const char *from = s;

	TEXT_LIT(t, "\"");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		text_add(t, from, (size_t)(s - from));
		from = s + 1;
		if (c < 0x20)
			text_addf(t, "\\u%04x", c);
		else
			text_add(t, (char[]){ '\\', (char)c }, 2);
	}
	text_add(t, from, (size_t)(s - from));
	TEXT_LIT(t, "\"");
}

static bool
digits_at(const char *s, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static int64_t
number_at(const char *s, size_t from, size_t n)
{
	int64_t r = 0;

	for (size_t i = from; i < from + n; i++)
		r = r * 10 + (s[i] - '0');
	return r;
}

/* Howard Hinnant's days_from_civil: no table, no time zone, right for every proleptic Gregorian date. */
static int64_t
days_from_civil(int64_t y, int64_t m, int64_t d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void
date_from_days(int64_t days, char ret[static 11])
{
	int64_t z = days + 719468, era, doe, yoe, doy, mp, y, m, d;
	const char sample[] = "0000-00-00";

	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	d = doy - (153 * mp + 2) / 5 + 1;
	m = mp < 10 ? mp + 3 : mp - 9;
	y = yoe + era * 400 + (m <= 2);
	memcpy(ret, sample, sizeof(sample));
	for (int i = 3; i >= 0; i--, y /= 10)
		ret[i] = (char)('0' + y % 10);
	ret[5] = (char)('0' + m / 10);
	ret[6] = (char)('0' + m % 10);
	ret[8] = (char)('0' + d / 10);
	ret[9] = (char)('0' + d % 10);
}

static bool
date_shape(const char *s)
{
	return strnlen(s, 10) == 10 && digits_at(s, 0, 4) && s[4] == '-' && digits_at(s, 5, 2) && s[7] == '-' &&
	       digits_at(s, 8, 2);
}

int64_t
date_to_days(const char *s)
{
	return days_from_civil(number_at(s, 0, 4), number_at(s, 5, 2), number_at(s, 8, 2));
}

/* A date is real when it survives the way to a day number and back. */
static bool
date_is_real(const char *s)
{
	char again[11];

	if (!date_shape(s) || number_at(s, 5, 2) < 1 || number_at(s, 5, 2) > 12 || number_at(s, 0, 4) < 1)
		return false;
	date_from_days(date_to_days(s), again);
	return !memcmp(again, s, 10);
}

bool
date_is_valid(const char *s)
{
	return strlen(s) == 10 && date_is_real(s);
}

bool
instant_is_valid(const char *s)
{
	return strlen(s) == 20 && date_is_real(s) && s[10] == 'T' && digits_at(s, 11, 2) && s[13] == ':' &&
	       digits_at(s, 14, 2) && s[16] == ':' && digits_at(s, 17, 2) && s[19] == 'Z' && number_at(s, 11, 2) < 24 &&
	       number_at(s, 14, 2) < 60 && number_at(s, 17, 2) < 60;
}

void
instant_from_seconds(int64_t seconds, char ret[static 21])
{
	int64_t of_day = ((seconds % 86400) + 86400) % 86400;
	int64_t part[3] = { of_day / 3600, of_day / 60 % 60, of_day % 60 };

	date_from_days((seconds - of_day) / 86400, ret);
	memcpy(ret + 10, "T00:00:00Z", 11);
	for (int i = 0; i < 3; i++) {
		ret[11 + 3 * i] = (char)('0' + part[i] / 10);
		ret[12 + 3 * i] = (char)('0' + part[i] % 10);
	}
}

int64_t
instant_to_seconds(const char *s)
{
	return date_to_days(s) * 86400 + number_at(s, 11, 2) * 3600 + number_at(s, 14, 2) * 60 + number_at(s, 17, 2);
}

uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
now_ms(void)
{
	return now_us() / 1000;
}

uint64_t
mix64(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

uint64_t
hash_bytes(uint64_t seed, const char *s, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u ^ seed;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return mix64(h);
}

bool
parse_u64(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || n > (max - (uint64_t)(*s - '0')) / 10)
			return false;
		n = n * 10 + (uint64_t)(*s - '0');
	}
	*ret = n;
	return true;
}
