/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writing operations: create, update, delete; and the check of a PIN. */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "body.h"

enum { FOUND_MAX = 64, PIN_COMPARED = 8 };

static const struct {
	int code;
	int specific;
	const char *name;
	const char *detail; /* what follows the name; %s: the fields */
} refusals[] = {
	[BODY_PIN_SHORT] = { 136, 2, "PIN is not valid", "PIN is not valid : PIN too short" },
	[BODY_PIN_LONG] = { 136, 3, "PIN is not valid", "PIN is not valid : PIN too long" },
	[BODY_PIN_TRIVIAL] = { 136, 6, "PIN is not valid", "PIN is not valid : PIN is trivial" },
	[BODY_SYNTAX] = { 130, 0, "Bad JSON/XML Syntax",
	    "Please check that the JSON fields/values are of the expected JSON data types" },
};

static void
refuse(struct reply *r, enum body_error e, const char *fields)
{
	struct text t = { 0 };

	if (e == BODY_FIELDS) {
		text_addf(&t, "Invalid JSON : field(s) unknown : %s.", fields);
		reply_error(r, 400, 115, 0, "Invalid JSON", t.data);
	} else if (e == BODY_VALUE) {
		text_addf(&t, "Invalid parameter : %s", fields);
		reply_error(r, 400, 108, 0, "Invalid parameter", t.data);
	} else {
		reply_error(r, 400, refusals[e].code, refusals[e].specific, refusals[e].name, refusals[e].detail);
	}
	text_done(&t);
}

/* The body, parsed and checked, or NULL with the refusal in r: whatever is wrong is told before anything is written. */
static cJSON *
checked_body(struct standin *s, const struct request *q, struct reply *r)
{
	cJSON *body = body_parse(q->body ? q->body : "", q->body_len);
	struct text fields = { 0 };
	enum body_error e = body ? body_check(body, &s->switches, &fields) : BODY_SYNTAX;

	if (e != BODY_OK) {
		refuse(r, e, fields.data);
		cJSON_Delete(body);
		body = NULL;
	}
	text_done(&fields);
	return body;
}

static uint64_t
count_empty_strings(const cJSON *v)
{
	uint64_t n = cJSON_IsString(v) && !*v->valuestring;
	const cJSON *item;

	cJSON_ArrayForEach (item, v)
		n += count_empty_strings(item);
	return n;
}

/* Does any live record, seen yet or not, bear one of the body's barcodes? */
static bool
barcode_exists(struct standin *s, const cJSON *body)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(body, "barcodes")) {
		uint64_t ids[FOUND_MAX];
		size_t n = store_find(s->store, 'b', item->valuestring, true, ids, FOUND_MAX);

		for (size_t i = 0; i < n; i++)
			if (!store_get(s->store, ids[i])->deleted)
				return true;
	}
	return false;
}

static void
create(struct standin *s, const cJSON *body, const struct call *c, struct reply *r)
{
	const struct apply_rules rules = { 0 };
	struct patron *p = patron_new(0);

	patron_set(p, FIELD_PATRON_TYPE, xstrdup("0"));
	patron_set(p, FIELD_PATRON_CODES, xstrdup("{\"pcode1\":\"-\",\"pcode2\":\"-\",\"pcode3\":0,\"pcode4\":0}"));
	patron_apply(p, body, &rules);
	p->created = p->updated = p->activity = time(NULL);
	p->visible_at = s->switches.lag_ms ? now_ms() + s->switches.lag_ms : 0;
	p->posts = 1;
	s->counters.creates++;
	if (store_add(s->store, p) < 0)
		abort(); /* id 0 always finds a free one */
	text_addf(&r->body, "{\"link\":\"https://%s%s/v%d/patrons/%llu\"}", s->switches.link_host, s->base, c->version,
	    (unsigned long long)p->id);
}

void
api_post(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	cJSON *body = checked_body(s, q, r);

	if (!body)
		return;
	if (barcode_exists(s, body)) {
		if (s->switches.duplicate_reject) {
			refuse(r, BODY_VALUE, "barcodes");
			cJSON_Delete(body);
			return;
		}
		s->counters.creates_of_existing_barcode++;
	}
	s->counters.empty_strings_written += count_empty_strings(body);
	create(s, body, c, r);
	cJSON_Delete(body);
}

static bool
is_ghost(const struct standin *s, const struct patron *p)
{
	char list[SWITCH_TEXT_MAX], *rest = list, *part;
	uint64_t id;

	if (p->ghost)
		return true;
	memcpy(list, s->switches.ghost_ids, sizeof(list));
	for (part = strsep(&rest, ","); part; part = strsep(&rest, ","))
		if (parse_u64(part, UINT32_MAX, &id) && id == p->id)
			return true;
	return false;
}

static void
update(struct standin *s, uint64_t id, const cJSON *body)
{
	const struct apply_rules rules = {
		.append_phones = s->switches.phones_append,
		.var_fields_add_only = s->switches.var_fields_add_only,
	};
	struct patron *p = store_begin_write(s->store, id);
	struct change change = patron_apply(p, body, &rules);

	p->puts++;
	s->counters.updates++;
	s->counters.puts_that_changed_nothing += !change.changed;
	s->counters.puts_that_moved_date_backwards += change.date_moved_back;
	s->counters.empty_strings_written += count_empty_strings(body);
	/* Even one that changes nothing marks the patron as active: why patrond must not send it. */
	if (s->switches.put_side_effects) {
		p->updated = p->activity = time(NULL);
		p->revisions += 2;
	}
	store_end_write(s->store, p);
}

void
api_put(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	const struct patron *p = store_get(s->store, c->id);
	cJSON *body;

	if (!p || p->deleted || is_ghost(s, p)) {
		reply_error(r, 404, 107, 0, "Patron record not found", NULL);
		return;
	}
	body = checked_body(s, q, r);
	if (!body)
		return;
	update(s, c->id, body);
	cJSON_Delete(body);
	r->status = 204;
}

void
api_delete(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	struct patron *p = store_begin_write(s->store, c->id);

	(void)q;
	if (p && !p->deleted) {
		p->deleted = true;
		date_from_days(time(NULL) / 86400, p->deleted_date);
		r->status = 204;
	} else {
		reply_error(r, 404, 107, 0, "Record not found", NULL);
	}
	if (p)
		store_end_write(s->store, p);
}

void
api_validate(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	cJSON *body = body_parse(q->body ? q->body : "", q->body_len);
	const char *barcode = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "barcode"));
	const char *pin = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "pin"));
	struct text own = { 0 };
	uint64_t ids[FOUND_MAX];
	size_t n = barcode ? store_find(s->store, 'b', barcode, true, ids, FOUND_MAX) : 0;
	const struct patron *p = n == 1 ? store_get(s->store, ids[0]) : NULL;

	(void)c;
	/* Only the first eight characters count, as measured on the real server. */
	if (p && !p->deleted && pin && patron_string(p, FIELD_PIN, &own) && !strncmp(own.data, pin, PIN_COMPARED))
		r->status = 204;
	else
		reply_error(r, 400, 108, 0, "Invalid parameter", "Invalid parameter : Invalid barcode or PIN");
	text_done(&own);
	cJSON_Delete(body);
}
