/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_JSON_H
#define LOAD_JSON_H

/* The one door to cJSON: whole documents only, strict where cJSON is lax, in memory of their own that is wiped at the end. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/fd.h"

struct json;

/*
 * Parses a whole document. A NUL must follow the bytes (as buf keeps one). Returns 0, -EBADMSG for what is not one JSON
 * value in valid UTF-8 with nothing after it, or has a NUL in it, raw or as an escape (cJSON would cut the text there);
 * -ENOMEM. ret is the caller's: json_free.
 */
int json_parse(const char *bytes, size_t size, struct json **ret) WARN_UNUSED;

/* The value; as long-lived as the document, and not to be changed. */
const cJSON *json_root(const struct json *json);

struct json *json_free(struct json *json); /* wipes; accepts NULL, returns NULL */
void json_freep(struct json **json);

#define _cleanup_json_ __attribute__((cleanup(json_freep)))

/* A key's value, NULL where it is absent. ret_twice is set where the key stands there twice: cJSON takes the first. */
const cJSON *json_get(const cJSON *object, const char *key, bool *ret_twice);

/* A whole number from 0 to 2^53-1, or a text of such digits (Sierra sends ids as both). Returns 0 or -EBADMSG. */
int json_whole(const cJSON *item, uint64_t *ret) WARN_UNUSED;

#endif
