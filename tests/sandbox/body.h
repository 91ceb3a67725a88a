/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_BODY_H
#define STANDIN_BODY_H

/* Owns the strict reading of a patron body: which keys there are, their types, their values. */

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "switches.h"
#include "text.h"

enum body_error {
	BODY_OK,
	BODY_SYNTAX,	  /* 130: no JSON object, or a wrong JSON type */
	BODY_FIELDS,	  /* 115: unknown or read-only keys, or a known key in a bad form; named in fields */
	BODY_VALUE,	  /* 108: right type, impossible value; named in fields */
	BODY_PIN_SHORT,	  /* 136/2 */
	BODY_PIN_LONG,	  /* 136/3 */
	BODY_PIN_TRIVIAL, /* 136/6 */
};

/* Parses strictly; NULL when it is no JSON object. The caller deletes it. */
cJSON *body_parse(const char *s, size_t n);

/*
 * Checks a create or an update in the server's order: unknown keys, types, values, PIN.
 * @fields: receives the offending keys, parted by ", ".
 */
enum body_error body_check(const cJSON *body, const struct switches *rules, struct text *fields);

/*
 * The looser check of a record to be loaded: dirty values and read-only keys are welcome, wrong types are not. Returns
 * the offending key, or NULL when all is well.
 */
const char *body_check_record(const cJSON *record);

#endif
