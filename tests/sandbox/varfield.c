/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fixed and variable fields: the older view of a record, projected from the plain fields and written through to them.
 */

#include "varfield.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patron.h"

const struct fixed_field fixed_fields[] = {
	{ "43", "EXP DATE", FIELD_EXPIRATION_DATE, NULL },
	{ "44", "PCODE1", FIELD_PATRON_CODES, "pcode1" },
	{ "45", "PCODE2", FIELD_PATRON_CODES, "pcode2" },
	{ "46", "PCODE3", FIELD_PATRON_CODES, "pcode3" },
	{ "47", "P TYPE", FIELD_PATRON_TYPE, NULL },
	{ "51", "BIRTH DATE", FIELD_BIRTH_DATE, NULL },
	{ "53", "HOME LIBR", FIELD_HOME_LIBRARY_CODE, NULL },
	{ "54", "PMESSAGE", FIELD_P_MESSAGE, NULL },
	{ NULL, NULL, FIELD_MAX, NULL },
};

const struct var_field var_fields[] = {
	{ 'n', FIELD_NAMES, NULL },
	{ 'b', FIELD_BARCODES, NULL },
	{ 'z', FIELD_EMAILS, NULL },
	{ 'u', FIELD_UNIQUE_IDS, NULL },
	{ 'a', FIELD_ADDRESSES, "lines" },
	{ 'h', FIELD_ADDRESSES, "lines" },
	{ 't', FIELD_PHONES, "number" },
	{ 'p', FIELD_PHONES, "number" },
	{ 'o', FIELD_PHONES, "number" },
	{ '\0', FIELD_MAX, NULL },
};

static const struct var_field *
var_field_of(char tag)
{
	const struct var_field *v = var_fields;

	while (v->tag && v->tag != tag)
		v++;
	return v->tag ? v : NULL;
}

static const char *
member(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static bool
has_tag(const cJSON *entry, char tag)
{
	const char *s = member(entry, "fieldTag");

	return s && s[0] == tag && !s[1];
}

static cJSON *
address_of(const char *content, const char *type)
{
	cJSON *address = cJSON_CreateObject(), *lines = cJSON_AddArrayToObject(address, "lines");
	char *copy = xstrdup(content), *rest = copy, *part;

	for (part = strsep(&rest, "$"); part; part = strsep(&rest, "$"))
		cJSON_AddItemToArray(lines, cJSON_CreateString(part));
	cJSON_AddStringToObject(address, "type", type);
	free(copy);
	return address;
}

static cJSON *
element_of(const struct var_field *v, const char *content)
{
	const char type[2] = { v->tag };
	cJSON *phone;

	if (!v->member)
		return cJSON_CreateString(content);
	if (v->field == FIELD_ADDRESSES)
		return address_of(content, type);
	phone = cJSON_CreateObject();
	cJSON_AddStringToObject(phone, "number", content);
	cJSON_AddStringToObject(phone, "type", type);
	return phone;
}

/* Does this element of the field belong to the tag? Addresses and phones of other types stay when a tag is rewritten.
 */
static bool
is_of_tag(const struct var_field *v, const cJSON *element)
{
	const char *type = v->member ? member(element, "type") : NULL;

	return !v->member || (type && type[0] == v->tag);
}

/* Rewrites the group of one tag in the plain field that holds it. */
static bool
rewrite_plain(struct patron *p, const struct var_field *v, const cJSON *list)
{
	const char *old = p->text[v->field];
	cJSON *was = old ? cJSON_Parse(old) : cJSON_CreateArray(), *now = cJSON_CreateArray();
	const cJSON *item;
	char *text;

	cJSON_ArrayForEach (item, was)
		if (!is_of_tag(v, item))
			cJSON_AddItemToArray(now, cJSON_Duplicate(item, 1));
	cJSON_ArrayForEach (item, list) {
		const char *content = has_tag(item, v->tag) ? member(item, "content") : NULL;

		if (content && *content)
			cJSON_AddItemToArray(now, element_of(v, content));
	}
	text = now->child ? cJSON_PrintUnformatted(now) : NULL;
	cJSON_Delete(was);
	cJSON_Delete(now);
	return patron_set(p, v->field, text);
}

/* An entry is kept among the extras when no plain field can hold it: another tag, or MARC subfields. */
static bool
is_extra(const cJSON *entry)
{
	const char *tag = member(entry, "fieldTag"), *content = member(entry, "content");

	return !content || (*content && !has_tag(entry, '=') && !var_field_of(tag[0]));
}

static bool
add_only_tag(const cJSON *entry)
{
	return has_tag(entry, 'x') || has_tag(entry, 'm') || has_tag(entry, 'y');
}

static bool
tag_in_list(const cJSON *list, const cJSON *entry)
{
	const char *tag = member(entry, "fieldTag");
	const cJSON *item;

	cJSON_ArrayForEach (item, list)
		if (has_tag(item, tag[0]))
			return true;
	return false;
}

static bool
rewrite_extras(struct patron *p, const cJSON *list, bool add_only)
{
	const char *old = p->text[FIELD_VAR_FIELDS];
	cJSON *was = old ? cJSON_Parse(old) : cJSON_CreateArray(), *now = cJSON_CreateArray();
	const cJSON *item;
	char *text;

	cJSON_ArrayForEach (item, was)
		if (add_only || !tag_in_list(list, item))
			cJSON_AddItemToArray(now, cJSON_Duplicate(item, 1));
	cJSON_ArrayForEach (item, list)
		if (is_extra(item) && (!add_only || add_only_tag(item)))
			cJSON_AddItemToArray(now, cJSON_Duplicate(item, 1));
	text = now->child ? cJSON_PrintUnformatted(now) : NULL;
	cJSON_Delete(was);
	cJSON_Delete(now);
	return patron_set(p, FIELD_VAR_FIELDS, text);
}

bool
patron_apply_var_fields(struct patron *p, const cJSON *list, bool add_only)
{
	bool changed = rewrite_extras(p, list, add_only);
	const cJSON *item;

	if (add_only)
		return changed;
	for (const struct var_field *v = var_fields; v->tag; v++) {
		bool present = false;

		cJSON_ArrayForEach (item, list)
			if (has_tag(item, v->tag))
				present = true;
		if (present && rewrite_plain(p, v, list))
			changed = true;
	}
	cJSON_ArrayForEach (item, list)
		if (has_tag(item, '=') && member(item, "content") &&
		    patron_set(p, FIELD_PIN, cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(item, "content"))))
			changed = true;
	return changed;
}

/* The value of a fixed field as the plain field spells it: numbers are sent as strings, dates as instants. */
static cJSON *
plain_value(const struct fixed_field *f, const cJSON *value)
{
	bool number = f->field == FIELD_PATRON_TYPE || (f->member && !strcmp(f->member, "pcode3"));
	const char *s = cJSON_GetStringValue(value);
	char date[11];

	if (f->field == FIELD_EXPIRATION_DATE || f->field == FIELD_BIRTH_DATE) {
		snprintf(date, sizeof(date), "%.10s", s ? s : "");
		return cJSON_CreateString(date);
	}
	if (number)
		return cJSON_CreateNumber(s ? strtod(s, NULL) : value->valuedouble);
	return s ? cJSON_CreateString(s) : cJSON_Duplicate(value, 1);
}

static bool
write_through(struct patron *p, const struct fixed_field *f, const cJSON *value)
{
	cJSON *body = cJSON_CreateObject(), *holder = body;
	const struct apply_rules rules = { 0 };
	bool changed;

	if (f->member)
		holder = cJSON_AddObjectToObject(body, field_name(f->field));
	cJSON_AddItemToObject(holder, f->member ? f->member : field_name(f->field), plain_value(f, value));
	changed = patron_apply(p, body, &rules).changed;
	cJSON_Delete(body);
	return changed;
}

/* The record's own counters cannot be written: what is sent for them is passed over, as the real server does. */
static bool
is_own_counter(const char *number)
{
	static const char *const own[] = { "84", "85", "98", "163" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strcmp(own[i], number))
			return true;
	return false;
}

static bool
write_extra(struct patron *p, const cJSON *entry)
{
	const char *old = p->text[FIELD_FIXED_FIELDS];
	cJSON *all = old ? cJSON_Parse(old) : cJSON_CreateObject();
	bool changed;

	cJSON_DeleteItemFromObjectCaseSensitive(all, entry->string);
	cJSON_AddItemToObject(all, entry->string, cJSON_Duplicate(entry, 1));
	changed = patron_set(p, FIELD_FIXED_FIELDS, cJSON_PrintUnformatted(all));
	cJSON_Delete(all);
	return changed;
}

bool
patron_apply_fixed_fields(struct patron *p, const cJSON *object)
{
	bool changed = false;
	const cJSON *entry;

	cJSON_ArrayForEach (entry, object) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(entry, "value");
		const struct fixed_field *f = fixed_fields;

		while (f->number && strcmp(f->number, entry->string) != 0)
			f++;
		if (f->number ? write_through(p, f, value) : !is_own_counter(entry->string) && write_extra(p, entry))
			changed = true;
	}
	return changed;
}
