/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One patron record: life, field names, and the plain parts of a write. */

#include "patron.h"

#include <stdlib.h>
#include <string.h>

static const char *const field_names[FIELD_MAX] = {
	[FIELD_NAMES] = "names",
	[FIELD_BARCODES] = "barcodes",
	[FIELD_EXPIRATION_DATE] = "expirationDate",
	[FIELD_BIRTH_DATE] = "birthDate",
	[FIELD_EMAILS] = "emails",
	[FIELD_PATRON_TYPE] = "patronType",
	[FIELD_PATRON_CODES] = "patronCodes",
	[FIELD_HOME_LIBRARY_CODE] = "homeLibraryCode",
	[FIELD_MESSAGE] = "message",
	[FIELD_BLOCK_INFO] = "blockInfo",
	[FIELD_AUTO_BLOCK_INFO] = "autoBlockInfo",
	[FIELD_ADDRESSES] = "addresses",
	[FIELD_PHONES] = "phones",
	[FIELD_UNIQUE_IDS] = "uniqueIds",
	[FIELD_MONEY_OWED] = "moneyOwed",
	[FIELD_P_MESSAGE] = "pMessage",
	[FIELD_LANG_PREF] = "langPref",
	[FIELD_PIN] = "pin",
	[FIELD_FIXED_FIELDS] = "fixedFields",
	[FIELD_VAR_FIELDS] = "varFields",
	[FIELD_ID] = "id",
	[FIELD_CREATED_DATE] = "createdDate",
	[FIELD_UPDATED_DATE] = "updatedDate",
	[FIELD_DELETED_DATE] = "deletedDate",
	[FIELD_DELETED] = "deleted",
	[FIELD_SUPPRESSED] = "suppressed",
	[FIELD_HOME_LIBRARY] = "homeLibrary",
};

struct patron *
patron_new(uint64_t id)
{
	struct patron *p = xcalloc(1, sizeof(*p));

	p->id = id;
	return p;
}

struct patron *
patron_copy(const struct patron *p)
{
	struct patron *copy = xcalloc(1, sizeof(*copy));

	*copy = *p;
	for (int f = 0; f < FIELD_STORED_MAX; f++)
		copy->text[f] = p->text[f] ? xstrdup(p->text[f]) : NULL;
	return copy;
}

struct patron *
patron_free(struct patron *p)
{
	if (!p)
		return NULL;
	for (int f = 0; f < FIELD_STORED_MAX; f++)
		free(p->text[f]);
	free(p);
	return NULL;
}

bool
patron_set(struct patron *p, enum field field, char *text)
{
	char *old = p->text[field];
	bool differs = (old != NULL) != (text != NULL) || (old && strcmp(old, text) != 0);

	free(old);
	p->text[field] = text;
	return differs;
}

int
field_by_name(const char *name, size_t len)
{
	for (int f = 0; f < FIELD_MAX; f++)
		if (f != FIELD_PIN && strlen(field_names[f]) == len && !memcmp(field_names[f], name, len))
			return f;
	return -1;
}

const char *
field_name(enum field field)
{
	return field_names[field];
}

bool
patron_string(const struct patron *p, enum field field, struct text *ret)
{
	const char *at = p->text[field];

	return at && json_array_next(&at, ret);
}

/* An address line with a literal $ is two lines: the record stores the lines with $ between them. */
static char *
addresses_text(const cJSON *list)
{
	struct text t = { 0 };
	const cJSON *address, *line;

	TEXT_LIT(&t, "[");
	cJSON_ArrayForEach (address, list) {
		bool first = true;

		text_adds(&t, t.len > 1 ? ",{\"lines\":[" : "{\"lines\":[");
		cJSON_ArrayForEach (line, cJSON_GetObjectItemCaseSensitive(address, "lines")) {
			char *copy = xstrdup(line->valuestring), *rest = copy, *part;

			for (part = strsep(&rest, "$"); part; part = strsep(&rest, "$")) {
				text_adds(&t, first ? "" : ",");
				text_add_json(&t, part);
				first = false;
			}
			free(copy);
		}
		TEXT_LIT(&t, "],\"type\":");
		text_add_json(&t, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(address, "type")));
		TEXT_LIT(&t, "}");
	}
	TEXT_LIT(&t, "]");
	return t.data;
}

/* An empty list clears a field, as an absent one is never shown as []. */
static char *
value_text(enum field field, const cJSON *value)
{
	if (cJSON_IsNull(value) || (cJSON_IsArray(value) && !value->child))
		return NULL;
	if (field == FIELD_ADDRESSES)
		return addresses_text(value);
	return cJSON_PrintUnformatted(value);
}

static char *
phones_appended(const char *old, const cJSON *more)
{
	cJSON *list = old ? cJSON_Parse(old) : cJSON_CreateArray();
	const cJSON *phone;
	char *text;

	cJSON_ArrayForEach (phone, more)
		cJSON_AddItemToArray(list, cJSON_Duplicate(phone, 1));
	text = list->child ? cJSON_PrintUnformatted(list) : NULL;
	cJSON_Delete(list);
	return text;
}

/* Members that are sent replace those that are there; the others stay. */
static char *
codes_merged(const char *old, const cJSON *more)
{
	cJSON *codes = old ? cJSON_Parse(old) : cJSON_CreateObject();
	const cJSON *code;
	char *text;

	cJSON_ArrayForEach (code, more) {
		if (cJSON_GetObjectItemCaseSensitive(codes, code->string))
			cJSON_ReplaceItemInObjectCaseSensitive(codes, code->string, cJSON_Duplicate(code, 1));
		else
			cJSON_AddItemToObject(codes, code->string, cJSON_Duplicate(code, 1));
	}
	text = cJSON_PrintUnformatted(codes);
	cJSON_Delete(codes);
	return text;
}

static bool
apply_one(struct patron *p, enum field field, const cJSON *value, const struct apply_rules *rules)
{
	switch (field) {
	case FIELD_VAR_FIELDS:
		return patron_apply_var_fields(p, value, rules->var_fields_add_only);
	case FIELD_FIXED_FIELDS:
		return patron_apply_fixed_fields(p, value);
	case FIELD_PATRON_CODES:
		return patron_set(p, field, codes_merged(p->text[field], value));
	case FIELD_PHONES:
		if (rules->append_phones)
			return patron_set(p, field, phones_appended(p->text[field], value));
		break;
	default:
		break;
	}
	return patron_set(p, field, value_text(field, value));
}

/* The stored text is JSON: a quoted string. */
static bool
is_quoted_date(const char *text)
{
	char date[sizeof("YYYY-MM-DD")];

	if (strlen(text) != sizeof(date) + 1)
		return false;
	memcpy(date, text + 1, sizeof(date) - 1);
	date[sizeof(date) - 1] = '\0';
	return date_is_valid(date);
}

struct change
patron_apply(struct patron *p, const cJSON *body, const struct apply_rules *rules)
{
	struct change ret = { 0 };
	const char *date = p->text[FIELD_EXPIRATION_DATE];
	char *before = date ? xstrdup(date) : NULL;
	const cJSON *item;

	cJSON_ArrayForEach (item, body) {
		for (int f = 0; f < FIELD_STORED_MAX; f++)
			if (!strcmp(field_names[f], item->string) && apply_one(p, (enum field)f, item, rules))
				ret.changed = true;
	}
	date = p->text[FIELD_EXPIRATION_DATE];
	/* Quoted ISO dates sort as text; a date that was taken away has moved back too. What was no date cannot move. */
	ret.date_moved_back = before && is_quoted_date(before) && (!date || strcmp(date, before) < 0);
	free(before);
	return ret;
}
