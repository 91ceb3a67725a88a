/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a patron record is written out; list pages come from here, so nothing passes through a tree but the rare field
 * views. */

#include <stdlib.h>
#include <string.h>

#include "patron.h"
#include "varfield.h"

/* Shown although nobody set them. */
static const char *const defaults[FIELD_STORED_MAX] = {
	[FIELD_MESSAGE] = "{\"code\":\"-\",\"accountMessages\":[]}",
	[FIELD_BLOCK_INFO] = "{\"code\":\"-\"}",
	[FIELD_AUTO_BLOCK_INFO] = "{\"code\":\"-\"}",
	[FIELD_MONEY_OWED] = "0.00",
};

static void
add_key(struct text *t, enum field field)
{
	TEXT_LIT(t, ",\"");
	text_adds(t, field_name(field));
	TEXT_LIT(t, "\":");
}

static void
add_instant(struct text *t, int64_t seconds)
{
	char instant[21];

	instant_from_seconds(seconds, instant);
	text_add_json(t, instant);
}

static void
add_own_counter(struct text *t, const char *number, const char *label, int64_t seconds)
{
	text_addf(t, ",\"%s\":{\"label\":\"%s\",\"value\":", number, label);
	add_instant(t, seconds);
	TEXT_LIT(t, "}");
}

/* Codes are blank-padded to five in the fixed view; dates are instants at about four in the morning of the site. */
static void
add_fixed_value(struct text *t, const struct fixed_field *f, const cJSON *value, const struct render_rules *rules)
{
	struct text s = { 0 };

	if (cJSON_IsNumber(value))
		text_addf(&s, "%.0f", value->valuedouble);
	else
		text_adds(&s, cJSON_GetStringValue(value) ? cJSON_GetStringValue(value) : "");
	if (f->field == FIELD_EXPIRATION_DATE && s.len)
		TEXT_LIT(&s, "T08:00:00Z");
	while (rules->pad_codes && f->field == FIELD_HOME_LIBRARY_CODE && s.len < 5)
		TEXT_LIT(&s, " ");
	text_add_json(t, s.data);
	text_done(&s);
}

static void
add_fixed_fields(struct text *t, const struct patron *p, const struct render_rules *rules)
{
	const char *extra = p->text[FIELD_FIXED_FIELDS];
	size_t start;

	TEXT_LIT(t, "{");
	start = t->len;
	for (const struct fixed_field *f = fixed_fields; f->number; f++) {
		cJSON *field = p->text[f->field] ? cJSON_Parse(p->text[f->field]) : NULL;
		const cJSON *value = f->member ? cJSON_GetObjectItemCaseSensitive(field, f->member) : field;

		if (value) {
			text_addf(
			    t, "%s\"%s\":{\"label\":\"%s\",\"value\":", t->len > start ? "," : "", f->number, f->label);
			add_fixed_value(t, f, value, rules);
			TEXT_LIT(t, "}");
		}
		cJSON_Delete(field);
	}
	text_addf(t, "%s\"85\":{\"label\":\"REVISIONS\",\"value\":%u}", t->len > start ? "," : "", p->revisions);
	add_own_counter(t, "84", "UPDATED", p->updated);
	add_own_counter(t, "98", "PDATE", p->activity);
	add_own_counter(t, "163", "CIRCACTIVE", p->activity);
	if (extra && strlen(extra) > 2) {
		TEXT_LIT(t, ",");
		text_add(t, extra + 1, strlen(extra) - 2);
	}
	TEXT_LIT(t, "}");
}

static void
add_content(struct text *t, const cJSON *element, const char *member)
{
	const cJSON *value = member ? cJSON_GetObjectItemCaseSensitive(element, member) : element, *line;
	struct text joined = { 0 };

	text_adds(&joined, "");
	if (cJSON_IsString(value))
		text_adds(&joined, value->valuestring);
	cJSON_ArrayForEach (line, value) {
		text_adds(&joined, line == value->child ? "" : "$");
		text_adds(&joined, line->valuestring);
	}
	text_add_json(t, joined.data);
	text_done(&joined);
}

static void
add_var_field(struct text *t, const struct patron *p, const struct var_field *v, size_t start)
{
	cJSON *list = p->text[v->field] ? cJSON_Parse(p->text[v->field]) : NULL;
	const cJSON *element;

	cJSON_ArrayForEach (element, list) {
		const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(element, "type"));

		if (v->member && (!type || type[0] != v->tag))
			continue;
		text_addf(t, "%s{\"fieldTag\":\"%c\",\"content\":", t->len > start ? "," : "", v->tag);
		add_content(t, element, v->member);
		TEXT_LIT(t, "}");
	}
	cJSON_Delete(list);
}

static void
add_var_fields(struct text *t, const struct patron *p)
{
	const char *extra = p->text[FIELD_VAR_FIELDS], *pin = p->text[FIELD_PIN];
	size_t start;

	TEXT_LIT(t, "[");
	start = t->len;
	for (const struct var_field *v = var_fields; v->tag; v++)
		add_var_field(t, p, v, start);
	/* The real server shows the PIN as a hash. */
	if (pin)
		text_addf(t, "%s{\"fieldTag\":\"=\",\"content\":\"%016llx\"}", t->len > start ? "," : "",
		    (unsigned long long)hash_bytes(p->id, pin, strlen(pin)));
	if (extra && strlen(extra) > 2) {
		text_adds(t, t->len > start ? "," : "");
		text_add(t, extra + 1, strlen(extra) - 2);
	}
	TEXT_LIT(t, "]");
}

static void
add_home_library(struct text *t, const char *code)
{
	add_key(t, FIELD_HOME_LIBRARY);
	TEXT_LIT(t, "{\"code\":");
	text_adds(t, code);
	TEXT_LIT(t, ",\"name\":");
	text_adds(t, code);
	TEXT_LIT(t, "}");
}

static void
add_derived(struct text *t, const struct patron *p, uint32_t mask)
{
	if (mask & FIELD_BIT(FIELD_CREATED_DATE)) {
		add_key(t, FIELD_CREATED_DATE);
		add_instant(t, p->created);
	}
	if (mask & FIELD_BIT(FIELD_UPDATED_DATE)) {
		add_key(t, FIELD_UPDATED_DATE);
		add_instant(t, p->updated);
	}
	if (mask & FIELD_BIT(FIELD_DELETED))
		TEXT_LIT(t, ",\"deleted\":false");
	if (mask & FIELD_BIT(FIELD_SUPPRESSED))
		text_adds(t, p->suppressed ? ",\"suppressed\":true" : ",\"suppressed\":false");
	if ((mask & FIELD_BIT(FIELD_HOME_LIBRARY)) && p->text[FIELD_HOME_LIBRARY_CODE])
		add_home_library(t, p->text[FIELD_HOME_LIBRARY_CODE]);
}

/* A barcode-less record has no barcodes key: a field without a value is left out, never null. */
static void
add_stored(struct text *t, const struct patron *p, enum field field, const struct render_rules *rules)
{
	const char *value = p->text[field] ? p->text[field] : defaults[field];

	if (field == FIELD_AUTO_BLOCK_INFO && !rules->v6)
		return;
	if (field == FIELD_FIXED_FIELDS) {
		add_key(t, field);
		add_fixed_fields(t, p, rules);
	} else if (field == FIELD_VAR_FIELDS) {
		add_key(t, field);
		add_var_fields(t, p);
	} else if (value) {
		add_key(t, field);
		text_adds(t, value);
	}
}

void
patron_render(struct text *t, const struct patron *p, uint32_t mask, const struct render_rules *rules)
{
	text_adds(t, rules->id_as_string ? "{\"id\":\"" : "{\"id\":");
	text_add_u64(t, p->id);
	text_adds(t, rules->id_as_string ? "\"" : "");
	if (p->deleted) {
		/* A deleted record carries nothing else, whatever was asked for. */
		text_addf(t, ",\"deletedDate\":\"%s\",\"deleted\":true}", p->deleted_date);
		return;
	}
	add_derived(t, p, mask);
	for (int f = 0; f < FIELD_STORED_MAX; f++)
		if ((mask & FIELD_BIT(f)) && f != FIELD_PIN)
			add_stored(t, p, (enum field)f, rules);
	TEXT_LIT(t, "}");
}
