/* SPDX-License-Identifier: GPL-3.0-or-later */
/* POST patrons/query: a Create-Lists query of one condition; only links come back. */

#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "body.h"
#include "varfield.h"

enum { OPERANDS_MAX = 2 };

struct condition {
	char tag; /* NUL: the fixed field counts */
	const struct fixed_field *fixed;
	const char *op;
	const char *operands[OPERANDS_MAX];
};

static const cJSON *
at(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const struct fixed_field *
fixed_by_number(const cJSON *id)
{
	for (const struct fixed_field *f = fixed_fields; f->number; f++)
		if (cJSON_IsNumber(id) && !f->member && (double)strtol(f->number, NULL, 10) == id->valuedouble)
			return f;
	return NULL;
}

/* Reads the query; false when it is none, or one that the stand-in does not know. */
static bool
read_condition(const cJSON *body, struct condition *ret)
{
	static const char *const ops[] = { "equals", "not_equal", "greater_than", "greater_than_or_equal", "less_than",
		"less_than_or_equal", "between", NULL };
	const cJSON *target = at(body, "target"), *expr = at(body, "expr"), *operands = at(expr, "operands");
	const char *type = cJSON_GetStringValue(at(at(target, "record"), "type"));
	const char *tag = cJSON_GetStringValue(at(at(target, "field"), "tag"));
	int op = 0;

	ret->op = cJSON_GetStringValue(at(expr, "op"));
	ret->fixed = fixed_by_number(at(target, "id"));
	ret->tag = tag && strlen(tag) == 1 ? tag[0] : '\0';
	for (int i = 0; i < OPERANDS_MAX; i++)
		ret->operands[i] = cJSON_GetStringValue(cJSON_GetArrayItem(operands, i));
	while (ret->op && ops[op] && strcmp(ops[op], ret->op) != 0)
		op++;
	if (!type || strcmp(type, "patron") != 0 || !ret->op || !ops[op] || !ret->operands[0])
		return false;
	/* A condition on a tag other than equality would have to scan; nobody in sight sends one. */
	return ret->tag ? !strcmp(ret->op, "equals") && strchr("bu", ret->tag) : ret->fixed != NULL;
}

static int
compare(const char *a, const char *b, bool number)
{
	long x, y;

	if (!number)
		return strcmp(a, b);
	x = strtol(a, NULL, 10);
	y = strtol(b, NULL, 10);
	return (x > y) - (x < y);
}

static bool
holds(const struct condition *q, const struct patron *p, struct text *value)
{
	const char *text = p->text[q->fixed->field];
	bool number = q->fixed->field == FIELD_PATRON_TYPE;
	int low, high;

	if (!text || (!number && !patron_string(p, q->fixed->field, value)))
		return false;
	low = compare(number ? text : value->data, q->operands[0], number);
	high = q->operands[1] ? compare(number ? text : value->data, q->operands[1], number) : 0;
	if (!strcmp(q->op, "between"))
		return low >= 0 && high <= 0;
	if (q->op[0] == 'e' || q->op[0] == 'n')
		return (low == 0) == (q->op[0] == 'e');
	return (strstr(q->op, "_equal") && low == 0) || (q->op[0] == 'g' ? low > 0 : low < 0);
}

struct window {
	uint64_t offset, limit, seen, rows;
	struct text entries;
};

static void
add_link(struct standin *s, const struct call *c, struct window *w, uint64_t id)
{
	if (w->seen++ < w->offset || w->rows == w->limit)
		return;
	text_addf(&w->entries, "%s{\"link\":\"https://%s%s/v%d/patrons/%llu\"}", w->rows++ ? "," : "",
	    s->switches.link_host, s->base, c->version, (unsigned long long)id);
}

static void
run(struct standin *s, const struct call *c, const struct condition *q, struct window *w)
{
	uint64_t ids[64];
	struct text value = { 0 };
	size_t n;

	if (q->tag) {
		n = store_find(s->store, q->tag, q->operands[0], true, ids, sizeof(ids) / sizeof(ids[0]));
		for (size_t i = 0; i < n; i++) {
			const struct patron *p = store_get(s->store, ids[i]);

			if (!p->deleted && api_visible(p))
				add_link(s, c, w, ids[i]);
		}
		return;
	}
	for (const struct patron *p = store_next(s->store, 0); p; p = store_next(s->store, p->id + 1))
		if (!p->deleted && api_visible(p) && holds(q, p, &value))
			add_link(s, c, w, p->id);
	text_done(&value);
}

void
api_query(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	const char *offset = request_param(q, "offset"), *limit = request_param(q, "limit");
	cJSON *body = body_parse(q->body ? q->body : "", q->body_len);
	struct condition condition = { 0 };
	struct window w = { 0 };

	if (!offset || !limit) {
		reply_error(r, 400, 105, 0, "Required parameter missing", NULL);
	} else if (!parse_u64(offset, UINT32_MAX, &w.offset) || !parse_u64(limit, UINT32_MAX, &w.limit)) {
		reply_error(r, 400, 108, 0, "Invalid parameter", NULL);
	} else if (!body || !read_condition(body, &condition)) {
		reply_error(r, 400, 130, 0, "Bad JSON/XML Syntax",
		    "Please check that the JSON fields/values are of the expected JSON data types");
	} else {
		text_adds(&w.entries, "");
		run(s, c, &condition, &w);
		text_addf(&r->body, "{\"total\":%llu,\"start\":%llu,\"entries\":[%s]}", (unsigned long long)w.rows,
		    (unsigned long long)w.offset, w.entries.data);
	}
	text_done(&w.entries);
	cJSON_Delete(body);
}
