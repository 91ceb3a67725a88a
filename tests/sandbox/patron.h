/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_PATRON_H
#define STANDIN_PATRON_H

/* Owns one patron record: its fields, how a request body changes them, and how they are written out. */

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "text.h"

/* Fields below FIELD_STORED_MAX are kept as canonical JSON text, so that a list page is copied together and never
 * built. */
enum field {
	FIELD_NAMES,
	FIELD_BARCODES,
	FIELD_EXPIRATION_DATE,
	FIELD_BIRTH_DATE,
	FIELD_EMAILS,
	FIELD_PATRON_TYPE,
	FIELD_PATRON_CODES,
	FIELD_HOME_LIBRARY_CODE,
	FIELD_MESSAGE,
	FIELD_BLOCK_INFO,
	FIELD_AUTO_BLOCK_INFO,
	FIELD_ADDRESSES,
	FIELD_PHONES,
	FIELD_UNIQUE_IDS,
	FIELD_MONEY_OWED,
	FIELD_P_MESSAGE,
	FIELD_LANG_PREF,
	FIELD_PIN,
	FIELD_FIXED_FIELDS, /* only those numbers that no other field holds */
	FIELD_VAR_FIELDS,   /* only those tags that no other field holds */
	FIELD_STORED_MAX,
	FIELD_ID = FIELD_STORED_MAX,
	FIELD_CREATED_DATE,
	FIELD_UPDATED_DATE,
	FIELD_DELETED_DATE,
	FIELD_DELETED,
	FIELD_SUPPRESSED,
	FIELD_HOME_LIBRARY,
	FIELD_MAX,
};

#define FIELD_BIT(f) (UINT32_C(1) << (f))

struct patron {
	uint64_t id;
	int64_t created;     /* seconds since 1970 */
	int64_t updated;     /* fixed field 84 */
	int64_t activity;    /* fixed fields 98 and 163 */
	uint64_t visible_at; /* monotonic ms; before that GET, find and list do not see the record */
	uint32_t revisions;  /* fixed field 85 */
	uint32_t puts;
	uint32_t posts;
	bool ghost; /* GET answers, PUT does not */
	bool deleted;
	bool suppressed;
	char deleted_date[11];
	char *text[FIELD_STORED_MAX];
};

/* What a write did to a record; the counters of the admin interface are made of it. */
struct change {
	bool changed;
	bool date_moved_back;
};

struct apply_rules {
	bool append_phones;
	bool var_fields_add_only; /* tags x, m, y are added, all others ignored */
};

struct render_rules {
	bool pad_codes;
	bool id_as_string;
	bool v6;
};

struct patron *patron_new(uint64_t id);
/* A deep copy, of a generated record for instance. */
struct patron *patron_copy(const struct patron *p);
struct patron *patron_free(struct patron *p);

/* Replaces one stored field; takes ownership of text (NULL clears). Returns whether it differed. */
bool patron_set(struct patron *p, enum field field, char *text);

/* The field with this JSON key, or -1. The pin is no field that can be asked for. */
int field_by_name(const char *name, size_t len);
const char *field_name(enum field field);

/* Applies a checked body to p. @now: seconds, for the records' own dates. */
struct change patron_apply(struct patron *p, const cJSON *body, const struct apply_rules *rules);

/* Applies varFields or fixedFields alone; used by patron_apply. */
bool patron_apply_var_fields(struct patron *p, const cJSON *list, bool add_only);
bool patron_apply_fixed_fields(struct patron *p, const cJSON *object);

/* Writes the object with the fields whose bits are set in mask; what is unset is left out, id is always there. */
void patron_render(struct text *t, const struct patron *p, uint32_t mask, const struct render_rules *rules);

/* Decodes a field that is one JSON string into ret; false when unset. */
bool patron_string(const struct patron *p, enum field field, struct text *ret);

#endif
