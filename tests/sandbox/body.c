/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of a patron body's keys, and their checks. */

#include "body.h"

#include <string.h>

typedef enum body_error check_fn(const cJSON *value);

static const char *
member(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static bool
is_integer(const cJSON *v)
{
	return cJSON_IsNumber(v) && v->valuedouble == (double)(int)v->valuedouble;
}

/* Is every member's key among the names (ended by NULL)? */
static bool
only_keys(const cJSON *object, const char *const *names)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, object) {
		const char *const *name = names;

		while (*name && strcmp(*name, item->string) != 0)
			name++;
		if (!*name)
			return false;
	}
	return true;
}

static enum body_error
shape_string(const cJSON *v)
{
	return cJSON_IsString(v) ? BODY_OK : BODY_SYNTAX;
}

static enum body_error
shape_integer(const cJSON *v)
{
	return is_integer(v) ? BODY_OK : BODY_SYNTAX;
}

static enum body_error
shape_number(const cJSON *v)
{
	return cJSON_IsNumber(v) ? BODY_OK : BODY_SYNTAX;
}

static enum body_error
shape_object(const cJSON *v)
{
	return cJSON_IsObject(v) ? BODY_OK : BODY_SYNTAX;
}

static enum body_error
shape_strings(const cJSON *v)
{
	const cJSON *item;

	if (!cJSON_IsArray(v))
		return BODY_SYNTAX;
	cJSON_ArrayForEach (item, v)
		if (!cJSON_IsString(item))
			return BODY_SYNTAX;
	return BODY_OK;
}

/* Checks each element to be an object with no other keys, through one(). */
static enum body_error
shape_objects(const cJSON *v, const char *const *names, check_fn *one)
{
	const cJSON *item;

	if (!cJSON_IsArray(v))
		return BODY_SYNTAX;
	cJSON_ArrayForEach (item, v) {
		enum body_error e;

		if (!cJSON_IsObject(item))
			return BODY_SYNTAX;
		if (!only_keys(item, names))
			return BODY_FIELDS;
		e = one(item);
		if (e != BODY_OK)
			return e;
	}
	return BODY_OK;
}

static enum body_error
one_of_types(const cJSON *object, const char *types)
{
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(object, "type");

	if (type && !cJSON_IsString(type))
		return BODY_SYNTAX;
	return type && strlen(type->valuestring) == 1 && strchr(types, type->valuestring[0]) ? BODY_OK : BODY_FIELDS;
}

static enum body_error
one_address(const cJSON *v)
{
	const cJSON *lines = cJSON_GetObjectItemCaseSensitive(v, "lines");
	enum body_error e = lines ? shape_strings(lines) : BODY_FIELDS;

	return e != BODY_OK ? e : one_of_types(v, "ah");
}

static enum body_error
one_phone(const cJSON *v)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(v, "number");
	enum body_error e = number ? shape_string(number) : BODY_FIELDS;

	return e != BODY_OK ? e : one_of_types(v, "tpo");
}

static enum body_error
shape_addresses(const cJSON *v)
{
	static const char *const names[] = { "lines", "type", NULL };

	return shape_objects(v, names, one_address);
}

static enum body_error
shape_phones(const cJSON *v)
{
	static const char *const names[] = { "number", "type", NULL };

	return shape_objects(v, names, one_phone);
}

static enum body_error
one_subfield(const cJSON *v)
{
	return member(v, "tag") && member(v, "content") ? BODY_OK : BODY_FIELDS;
}

/* content and subfields are alternatives; content null is refused, as the real server does. */
static enum body_error
one_var_field(const cJSON *v)
{
	static const char *const names[] = { "tag", "content", NULL };
	const cJSON *content = cJSON_GetObjectItemCaseSensitive(v, "content");
	const cJSON *subfields = cJSON_GetObjectItemCaseSensitive(v, "subfields");
	const char *tag = member(v, "fieldTag");

	if (!tag || strlen(tag) != 1 || (content != NULL) == (subfields != NULL) || cJSON_IsNull(content))
		return BODY_FIELDS;
	return content ? shape_string(content) : shape_objects(subfields, names, one_subfield);
}

static enum body_error
shape_var_fields(const cJSON *v)
{
	static const char *const names[] = { "fieldTag", "content", "marcTag", "ind1", "ind2", "subfields", NULL };

	return shape_objects(v, names, one_var_field);
}

/* Both label and value, or the whole request fails naming fixedFields. */
static enum body_error
shape_fixed_fields(const cJSON *v)
{
	static const char *const names[] = { "label", "value", "display", NULL };
	const cJSON *item;

	if (!cJSON_IsObject(v))
		return BODY_SYNTAX;
	cJSON_ArrayForEach (item, v) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "value");

		if (!cJSON_IsObject(item))
			return BODY_SYNTAX;
		if (item->string[strspn(item->string, "0123456789")] || !only_keys(item, names) ||
		    !member(item, "label") || !value)
			return BODY_FIELDS;
		if (!cJSON_IsString(value) && !cJSON_IsNumber(value))
			return BODY_SYNTAX;
	}
	return BODY_OK;
}

static enum body_error
shape_codes(const cJSON *v)
{
	static const char *const names[] = { "pcode1", "pcode2", "pcode3", "pcode4", NULL };
	const cJSON *item;

	if (!cJSON_IsObject(v))
		return BODY_SYNTAX;
	if (!only_keys(v, names))
		return BODY_FIELDS;
	cJSON_ArrayForEach (item, v)
		if (item->string[5] < '3' ? !cJSON_IsString(item) : !is_integer(item))
			return BODY_SYNTAX;
	return BODY_OK;
}

static enum body_error
shape_block(const cJSON *v)
{
	static const char *const names[] = { "code", "until", NULL };
	const cJSON *item;

	if (!cJSON_IsObject(v))
		return BODY_SYNTAX;
	cJSON_ArrayForEach (item, v)
		if (!cJSON_IsString(item))
			return BODY_SYNTAX;
	return only_keys(v, names) ? BODY_OK : BODY_FIELDS;
}

static enum body_error
value_date(const cJSON *v)
{
	return date_is_valid(v->valuestring) ? BODY_OK : BODY_VALUE;
}

static enum body_error
value_patron_type(const cJSON *v)
{
	return v->valuedouble >= 0 && v->valuedouble <= 255 ? BODY_OK : BODY_VALUE;
}

static enum body_error
value_code(const cJSON *v)
{
	size_t n = strlen(v->valuestring);

	return n >= 1 && n <= 5 ? BODY_OK : BODY_VALUE;
}

static enum body_error
value_char(const cJSON *v)
{
	return strlen(v->valuestring) == 1 ? BODY_OK : BODY_VALUE;
}

static enum body_error
value_codes(const cJSON *v)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, v)
		if (cJSON_IsString(item) ? strlen(item->valuestring) != 1
					 : item->valuedouble < 0 || item->valuedouble > 255)
			return BODY_VALUE;
	return BODY_OK;
}

static enum body_error
value_block(const cJSON *v)
{
	const char *until = member(v, "until");

	return until && !date_is_valid(until) ? BODY_VALUE : BODY_OK;
}

/* The plain fields' rules hold for their fixed numbers too. */
static enum body_error
value_fixed_fields(const cJSON *v)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, v) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "value");
		const char *s = cJSON_GetStringValue(value);
		bool date = !strcmp(item->string, "43") || !strcmp(item->string, "51");
		uint64_t n;

		if (date && (!s || !(date_is_valid(s) || instant_is_valid(s))))
			return BODY_VALUE;
		if (!strcmp(item->string, "47") && (s ? !parse_u64(s, 255, &n) : value_patron_type(value) != BODY_OK))
			return BODY_VALUE;
	}
	return BODY_OK;
}

enum access { WRITABLE, READ_ONLY, PRIVATE };

static const struct key_row {
	const char *name;
	enum access access; /* private: only in a record to be loaded */
	check_fn *shape;
	check_fn *value;
} keys[] = {
	{ "names", WRITABLE, shape_strings, NULL },
	{ "barcodes", WRITABLE, shape_strings, NULL },
	{ "expirationDate", WRITABLE, shape_string, value_date },
	{ "birthDate", WRITABLE, shape_string, value_date },
	{ "emails", WRITABLE, shape_strings, NULL },
	{ "patronType", WRITABLE, shape_integer, value_patron_type },
	{ "patronCodes", WRITABLE, shape_codes, value_codes },
	{ "homeLibraryCode", WRITABLE, shape_string, value_code },
	{ "blockInfo", WRITABLE, shape_block, value_block },
	{ "addresses", WRITABLE, shape_addresses, NULL },
	{ "phones", WRITABLE, shape_phones, NULL },
	{ "uniqueIds", WRITABLE, shape_strings, NULL },
	{ "pMessage", WRITABLE, shape_string, value_char },
	{ "langPref", WRITABLE, shape_string, NULL },
	{ "pin", WRITABLE, shape_string, NULL },
	{ "fixedFields", WRITABLE, shape_fixed_fields, value_fixed_fields },
	{ "varFields", WRITABLE, shape_var_fields, NULL },
	{ "id", READ_ONLY, shape_integer, NULL },
	{ "message", READ_ONLY, shape_object, NULL },
	{ "autoBlockInfo", READ_ONLY, shape_block, NULL },
	{ "moneyOwed", READ_ONLY, shape_number, NULL },
	{ "homeLibrary", READ_ONLY, shape_object, NULL },
	{ "createdDate", READ_ONLY, shape_string, NULL },
	{ "updatedDate", READ_ONLY, shape_string, NULL },
	{ "deletedDate", READ_ONLY, shape_string, NULL },
	{ "deleted", READ_ONLY, NULL, NULL },
	{ "suppressed", READ_ONLY, NULL, NULL },
	{ "_ghost", PRIVATE, NULL, NULL },
	{ "_activityDate", PRIVATE, shape_string, NULL },
	{ "_revisions", PRIVATE, shape_integer, NULL },
	{ "_puts", PRIVATE, shape_integer, NULL },
	{ "_posts", PRIVATE, shape_integer, NULL },
};

static const struct key_row *
key_of(const char *name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static void
name_field(struct text *fields, const char *name)
{
	text_adds(fields, fields->len ? ", " : "");
	text_adds(fields, name);
}

/* The same key twice: which one counts differs between parsers, so it is never what a client means. */
static bool
has_twice(const cJSON *object)
{
	const cJSON *a, *b;

	cJSON_ArrayForEach (a, object)
		for (b = a->next; b; b = b->next)
			if (!strcmp(a->string, b->string))
				return true;
	return false;
}

cJSON *
body_parse(const char *s, size_t n)
{
	cJSON *body = json_is_strict(s, n) ? cJSON_ParseWithLength(s, n) : NULL;

	if (body && (!cJSON_IsObject(body) || has_twice(body))) {
		cJSON_Delete(body);
		return NULL;
	}
	return body;
}

/* A block of two to four characters that is repeated at once, or a character thrice in a row. */
static bool
pin_is_trivial(const char *pin)
{
	size_t n = strlen(pin);

	for (size_t i = 0; i + 2 < n; i++)
		if (pin[i] == pin[i + 1] && pin[i] == pin[i + 2])
			return true;
	for (size_t block = 2; block <= 4; block++)
		for (size_t i = 0; i + 2 * block <= n; i++)
			if (!memcmp(pin + i, pin + i + block, block))
				return true;
	return false;
}

static enum body_error
check_pin(const cJSON *pin, const struct switches *rules)
{
	size_t n;

	if (!pin)
		return BODY_OK;
	n = strlen(pin->valuestring);
	if (n > rules->pin_max)
		return BODY_PIN_LONG;
	if (n < rules->pin_min)
		return BODY_PIN_SHORT;
	return rules->pin_no_trivial && pin_is_trivial(pin->valuestring) ? BODY_PIN_TRIVIAL : BODY_OK;
}

static enum body_error
check_shapes(const cJSON *body, struct text *fields)
{
	bool syntax = false;
	const cJSON *item;

	cJSON_ArrayForEach (item, body) {
		const struct key_row *key = key_of(item->string);
		enum body_error e = key && key->access == WRITABLE ? key->shape(item) : BODY_FIELDS;

		if (e == BODY_FIELDS)
			name_field(fields, item->string);
		syntax = syntax || e == BODY_SYNTAX;
	}
	if (fields->len)
		return BODY_FIELDS;
	return syntax ? BODY_SYNTAX : BODY_OK;
}

enum body_error
body_check(const cJSON *body, const struct switches *rules, struct text *fields)
{
	enum body_error e = check_shapes(body, fields);
	const cJSON *item;

	if (e != BODY_OK)
		return e;
	cJSON_ArrayForEach (item, body) {
		const struct key_row *key = key_of(item->string);

		if (key->value && key->value(item) != BODY_OK)
			name_field(fields, item->string);
	}
	if (fields->len)
		return BODY_VALUE;
	return check_pin(cJSON_GetObjectItemCaseSensitive(body, "pin"), rules);
}

const char *
body_check_record(const cJSON *record)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, record) {
		const struct key_row *key = key_of(item->string);

		if (!key || (key->shape ? key->shape(item) != BODY_OK : !cJSON_IsBool(item)))
			return item->string;
	}
	return NULL;
}
