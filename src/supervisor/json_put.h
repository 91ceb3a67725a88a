/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_JSON_PUT_H
#define SUPERVISOR_JSON_PUT_H

/*
 * Building and reading JSON without a check after every line: memory that ran out anywhere is seen once, at the end, and
 * half an object is never taken for a whole one.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True from the first failure on. */
struct put {
	bool failed;
};

/* The largest number that cJSON prints as a whole one (15 digits); larger ones are cut to it. */
#define PUT_NUMBER_MAX 999999999999999ULL

/* A new object, the caller's, or NULL. */
cJSON *put_new(struct put *put);

/*
 * Each adds a member; object may be NULL after a failure. Text that is not UTF-8 is made so; a NULL text adds nothing. A
 * signed number beyond GET_EXACT is cut to it, so that it can be read back.
 */
void put_text(struct put *put, cJSON *object, const char *key, const char *text);
void put_number(struct put *put, cJSON *object, const char *key, uint64_t number);
void put_signed(struct put *put, cJSON *object, const char *key, int64_t number);
void put_bool(struct put *put, cJSON *object, const char *key, bool value);

/* Each adds an empty object or array and returns it, the parent's; NULL after a failure. */
cJSON *put_object(struct put *put, cJSON *object, const char *key);
cJSON *put_array(struct put *put, cJSON *object, const char *key);
cJSON *put_item(struct put *put, cJSON *array);

/* Adds a time (microseconds since 1970) as 2026-03-02T06:15:00Z; 0 adds nothing. */
void put_time(struct put *put, cJSON *object, const char *key, int64_t time);

/* Ends: the object, or NULL (and it is freed) where anything failed. */
cJSON *put_end(struct put *put, cJSON *object);

/* 2^53: up to there a double is a whole number. */
#define GET_EXACT 9007199254740992.0

/* Each reads a member of our own files, and still checks it: true where it is there, of its type and in its range. */
bool get_number(const cJSON *object, const char *key, double low, double high, double *ret);
bool get_hex(const cJSON *object, const char *key, uint8_t *bytes, size_t size);
bool get_text(const cJSON *object, const char *key, char *text, size_t size);

static inline void
json_freep(cJSON **json)
{
	cJSON_Delete(*json);
}

#define _cleanup_json_ __attribute__((cleanup(json_freep)))

#endif
