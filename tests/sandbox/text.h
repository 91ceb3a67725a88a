/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_TEXT_H
#define STANDIN_TEXT_H

/* Owns growing text, JSON escaping, strict JSON checking, dates and clocks: what every other file of the stand-in
 * builds on. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing text; always NUL-terminated once something was added. Zero-initialise, end with text_done(). */
struct text {
	char *data;
	size_t len;
	size_t cap;
};

void text_done(struct text *t);
void text_add(struct text *t, const char *s, size_t n);
void text_adds(struct text *t, const char *s);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_add_u64(struct text *t, uint64_t n);
void text_add_json(struct text *t, const char *s);

#define TEXT_LIT(t, s) text_add((t), "" s, sizeof(s) - 1)

/* Allocation that ends the program when memory runs out: a test tool that limps on would falsify the test. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);

/*
 * Checks n bytes against RFC 8259 more strictly than cJSON does: no raw control characters, no leading zeros, valid
 * UTF-8, no NUL in a string (written as an escape), no more than 32 levels.
 */
bool json_is_strict(const char *s, size_t n);

/*
 * Reads the next string of an array of strings as cJSON prints it.
 * @at: start with *at = the array's text; advanced past the string.
 * Returns true and the decoded string in @ret, which is emptied first; false at the end.
 */
bool json_array_next(const char **at, struct text *ret);

/* Is s a real date yyyy-MM-dd? */
bool date_is_valid(const char *s);
/* Is s a real instant yyyy-MM-ddTHH:mm:ssZ? */
bool instant_is_valid(const char *s);
/* Writes the date @days after 1970-01-01 as yyyy-MM-dd into 11 bytes. */
void date_from_days(int64_t days, char ret[static 11]);
/* Days since 1970-01-01 of a valid date. */
int64_t date_to_days(const char *s);
/* Writes seconds since 1970 as yyyy-MM-ddTHH:mm:ssZ into 21 bytes. */
void instant_from_seconds(int64_t seconds, char ret[static 21]);
int64_t instant_to_seconds(const char *s);

/* Milliseconds and microseconds of the monotonic clock. */
uint64_t now_ms(void);
uint64_t now_us(void);

/* A good 64-bit mix (splitmix64), and FNV-1a over bytes. */
uint64_t mix64(uint64_t x);
uint64_t hash_bytes(uint64_t seed, const char *s, size_t n);

/* Reads an unsigned decimal that is the whole of s, at most @max. */
bool parse_u64(const char *s, uint64_t max, uint64_t *ret);

#endif
