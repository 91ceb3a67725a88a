/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reading operations: list, find, get. */

#include <stdlib.h>
#include <string.h>

#include "api.h"

enum { LIMIT_DEFAULT = 50, RECORD_LIMIT = 2000, FOUND_MAX = 64 };

/* A closed range of texts that sort as what they mean; NULL bounds are open. */
struct range {
	char low[21];
	char high[21];
	bool set;
};

struct list_query {
	uint64_t limit;
	uint64_t offset;
	uint64_t id_low;
	uint64_t id_high;
	uint64_t *ids; /* sorted; NULL: the range counts */
	size_t n_ids;
	int deleted;	/* 0, 1, or -1 for both */
	int suppressed; /* the same */
	struct range created, updated, deleted_date;
	uint32_t mask;
	bool all_fields;
};

#define DEFAULT_MASK                                                                                                   \
	(FIELD_BIT(FIELD_EXPIRATION_DATE) | FIELD_BIT(FIELD_BIRTH_DATE) | FIELD_BIT(FIELD_PATRON_TYPE) |               \
	    FIELD_BIT(FIELD_PATRON_CODES) | FIELD_BIT(FIELD_HOME_LIBRARY_CODE) | FIELD_BIT(FIELD_HOME_LIBRARY) |       \
	    FIELD_BIT(FIELD_MESSAGE) | FIELD_BIT(FIELD_BLOCK_INFO) | FIELD_BIT(FIELD_MONEY_OWED))

bool
api_visible(const struct patron *p)
{
	return p->visible_at == 0 || p->visible_at <= now_ms();
}

static bool
bad_param(struct reply *r, const char *name, const char *detail)
{
	struct text t = { 0 };

	text_addf(&t, "Invalid parameter : %s%s", name, detail);
	reply_error(r, 400, 108, 0, "Invalid parameter", t.data);
	text_done(&t);
	return false;
}

static bool
add_fields(const char *list, uint32_t *mask, bool *all, struct reply *r)
{
	if (!strcmp(list, ",")) {
		/* Undocumented: one bare comma asks for everything. */
		*mask |= (FIELD_BIT(FIELD_MAX) - 1) & ~FIELD_BIT(FIELD_PIN) & ~FIELD_BIT(FIELD_DELETED_DATE);
		*all = true;
		return true;
	}
	while (*list) {
		size_t n = strcspn(list, ",");
		int field = field_by_name(list, n);
		char name[64] = { 0 };

		memcpy(name, list, n < sizeof(name) ? n : sizeof(name) - 1);
		if (field < 0 && strcmp(name, "default") != 0)
			return bad_param(r, name, " is not a valid field");
		*mask |= field < 0 ? DEFAULT_MASK : FIELD_BIT(field);
		list += n + (list[n] == ',');
	}
	return true;
}

bool
api_fields(const struct request *q, uint32_t *ret, bool *all, struct reply *r)
{
	bool asked = false;

	*ret = 0;
	*all = false;
	for (unsigned i = 0; i < q->n_params; i++) {
		if (strcmp(q->params[i].name, "fields") != 0 || !*q->params[i].value)
			continue;
		asked = true;
		if (!add_fields(q->params[i].value, ret, all, r))
			return false;
	}
	if (!asked)
		*ret = DEFAULT_MASK;
	return true;
}

static bool
parse_bool(const char *v, int *ret)
{
	*ret = !strcmp(v, "true");
	return *ret || !strcmp(v, "false");
}

/* "value", "[low,high]", "[low,]" or "[,high]", each bound valid. */
static bool
parse_range(const char *v, bool (*valid)(const char *), struct range *ret)
{
	char copy[64], *comma;
	size_t n = strlen(v);

	if (n >= sizeof(copy))
		return false;
	memcpy(copy, v, n + 1);
	ret->set = true;
	if (v[0] != '[') {
		if (!valid(v))
			return false;
		memcpy(ret->low, v, n + 1);
		memcpy(ret->high, v, n + 1);
		return true;
	}
	comma = strchr(copy, ',');
	if (!comma || copy[n - 1] != ']')
		return false;
	copy[n - 1] = '\0';
	*comma++ = '\0';
	if ((copy[1] && !valid(copy + 1)) || (*comma && !valid(comma)))
		return false;
	memcpy(ret->low, copy + 1, strlen(copy + 1) + 1);
	memcpy(ret->high, comma, strlen(comma) + 1);
	return true;
}

static bool
is_id(const char *s)
{
	uint64_t n;

	return parse_u64(s, UINT32_MAX, &n);
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool
parse_id_list(const char *v, struct list_query *lq)
{
	char *copy = xstrdup(v), *rest = copy, *part;
	bool good = true;

	lq->ids = xcalloc(RECORD_LIMIT, sizeof(*lq->ids));
	for (part = strsep(&rest, ","); part && good; part = strsep(&rest, ",")) {
		good = lq->n_ids < RECORD_LIMIT && parse_u64(part, UINT32_MAX, &lq->ids[lq->n_ids]);
		lq->n_ids += good;
	}
	free(copy);
	qsort(lq->ids, lq->n_ids, sizeof(*lq->ids), by_number);
	return good;
}

static bool
parse_ids(const char *v, struct list_query *lq)
{
	struct range range = { 0 };

	if (v[0] != '[')
		return parse_id_list(v, lq);
	if (!parse_range(v, is_id, &range))
		return false;
	return (!range.low[0] || parse_u64(range.low, UINT32_MAX, &lq->id_low)) &&
	       (!range.high[0] || parse_u64(range.high, UINT32_MAX, &lq->id_high));
}

/* One parameter; false when its value is bad. An unknown name is told by *known. */
static bool
parse_list_param(const struct param *p, struct list_query *lq, bool *known)
{
	*known = true;
	if (!strcmp(p->name, "limit"))
		return parse_u64(p->value, UINT32_MAX, &lq->limit) && lq->limit > 0;
	if (!strcmp(p->name, "offset"))
		return parse_u64(p->value, UINT32_MAX, &lq->offset);
	if (!strcmp(p->name, "id"))
		return parse_ids(p->value, lq);
	if (!strcmp(p->name, "deleted"))
		return parse_bool(p->value, &lq->deleted);
	if (!strcmp(p->name, "suppressed"))
		return parse_bool(p->value, &lq->suppressed);
	if (!strcmp(p->name, "createdDate"))
		return parse_range(p->value, instant_is_valid, &lq->created);
	if (!strcmp(p->name, "updatedDate"))
		return parse_range(p->value, instant_is_valid, &lq->updated);
	if (!strcmp(p->name, "deletedDate"))
		return parse_range(p->value, date_is_valid, &lq->deleted_date);
	*known = !strcmp(p->name, "fields") || !strcmp(p->name, "agencyCodes");
	return *known;
}

static bool
parse_list(struct standin *s, const struct request *q, struct list_query *lq, struct reply *r)
{
	struct text t = { 0 };
	bool known;

	*lq = (struct list_query){ .limit = LIMIT_DEFAULT, .id_high = UINT64_MAX, .deleted = -1, .suppressed = -1 };
	for (unsigned i = 0; i < q->n_params; i++) {
		if (parse_list_param(&q->params[i], lq, &known))
			continue;
		if (known)
			return bad_param(r, q->params[i].name, "");
		text_addf(&t, "Parameter not recognized : %s", q->params[i].name);
		reply_error(r, 400, 106, 0, "Parameter not recognized", t.data);
		text_done(&t);
		return false;
	}
	if (!api_fields(q, &lq->mask, &lq->all_fields, r))
		return false;
	if (lq->limit > (s->switches.over_limit ? s->switches.over_limit : RECORD_LIMIT)) {
		if (!s->switches.over_limit)
			return bad_param(r, "limit", "");
		lq->limit = s->switches.over_limit;
	}
	if (lq->all_fields && lq->deleted == 1) {
		reply_error(r, 500, 103, 0, "Internal server error", "Null pointer");
		return false;
	}
	return true;
}

static bool
in_range(const struct range *range, int64_t seconds)
{
	char instant[21];

	if (!range->set)
		return true;
	instant_from_seconds(seconds, instant);
	return (!range->low[0] || strcmp(instant, range->low) >= 0) &&
	       (!range->high[0] || strcmp(instant, range->high) <= 0);
}

static bool
date_in_range(const struct range *range, const char *date)
{
	return !range->set || (date[0] && (!range->low[0] || strcmp(date, range->low) >= 0) &&
				  (!range->high[0] || strcmp(date, range->high) <= 0));
}

static bool
list_takes(const struct list_query *lq, const struct patron *p)
{
	return (lq->deleted < 0 || p->deleted == (lq->deleted == 1)) &&
	       (lq->suppressed < 0 || p->suppressed == (lq->suppressed == 1)) && in_range(&lq->created, p->created) &&
	       in_range(&lq->updated, p->updated) &&
	       date_in_range(&lq->deleted_date, p->deleted ? p->deleted_date : "") && api_visible(p);
}

/* The next record of the query with an id of at least from. */
static const struct patron *
list_next(struct standin *s, const struct list_query *lq, uint64_t from, size_t *at)
{
	const struct patron *p = NULL;

	if (!lq->ids) {
		p = store_next(s->store, from);
		return p && p->id <= lq->id_high ? p : NULL;
	}
	while (!p && *at < lq->n_ids) {
		uint64_t id = lq->ids[(*at)++];

		p = id >= from ? store_get(s->store, id) : NULL;
	}
	return p;
}

struct page {
	struct text entries;
	uint64_t rows;
	uint64_t matched; /* skipped and cut-off rows too, when counted */
};

/* The error that a careless client takes for the end of the data. */
static void
break_off(struct page *page)
{
	TEXT_LIT(
	    &page->entries, ",{\"code\":111,\"specificCode\":0,\"httpStatus\":500,\"name\":\"Internal server error\"}");
}

static void
fill_page(struct standin *s, const struct list_query *lq, const struct call *c, struct page *page)
{
	const struct render_rules rules = {
		.pad_codes = s->switches.pad_codes,
		.v6 = c->version == 6,
		.id_as_string = c->strike.fault == FAULT_ID_AS_STRING,
	};
	bool counting = s->switches.total == TOTAL_TRUE;
	uint64_t from = c->strike.fault == FAULT_LIST_REPEAT ? 0 : lq->id_low;
	size_t at = 0;

	for (const struct patron *p = list_next(s, lq, from, &at); p; p = list_next(s, lq, from, &at)) {
		from = p->id + 1;
		if (!list_takes(lq, p) || page->matched++ < lq->offset)
			continue;
		if (page->rows == lq->limit) {
			if (!counting)
				return;
			continue;
		}
		text_adds(&page->entries, page->rows++ ? "," : "");
		patron_render(&page->entries, p, lq->mask, &rules);
		if (c->strike.fault == FAULT_LIST_ERROR_MID && page->rows == (lq->limit + 1) / 2) {
			break_off(page);
			return;
		}
	}
}

static void
write_page(struct standin *s, const struct list_query *lq, const struct page *page, struct reply *r)
{
	bool total = s->switches.total != TOTAL_ABSENT;

	if (!page->rows && s->switches.empty_list == EMPTY_404) {
		reply_error(r, 404, 107, 0, "Record not found", NULL);
		return;
	}
	if (!page->rows && s->switches.empty_list == EMPTY_200_NO_TOTAL)
		total = false;
	TEXT_LIT(&r->body, "{");
	if (total)
		text_addf(&r->body, "\"total\":%llu,",
		    (unsigned long long)(s->switches.total == TOTAL_TRUE ? page->matched : page->rows));
	text_addf(&r->body, "\"start\":%llu,\"entries\":[", (unsigned long long)lq->offset);
	if (page->rows)
		text_add(&r->body, page->entries.data, page->entries.len);
	TEXT_LIT(&r->body, "]}");
}

void
api_list(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	struct list_query lq;
	struct page page = { 0 };

	if (parse_list(s, q, &lq, r)) {
		if (c->strike.fault == FAULT_LIST_ERROR_MID && !s->switches.list_error_entry) {
			reply_error(
			    r, 500, 111, 0, "Internal server error", "Internal server error : dataservice error");
			r->status = 200;
		} else {
			fill_page(s, &lq, c, &page);
			write_page(s, &lq, &page, r);
		}
	}
	text_done(&page.entries);
	free(lq.ids);
}

static void
write_one(struct standin *s, const struct request *q, const struct call *c, const struct patron *p, struct reply *r)
{
	const struct render_rules rules = {
		.pad_codes = s->switches.pad_codes,
		.v6 = c->version == 6,
		.id_as_string = c->strike.fault == FAULT_ID_AS_STRING,
	};
	uint32_t mask;
	bool all;

	if (api_fields(q, &mask, &all, r))
		patron_render(&r->body, p, mask, &rules);
}

void
api_get(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	const struct patron *p = store_get(s->store, c->id);

	if (!p || !api_visible(p))
		reply_error(r, 404, 107, 0, "Record not found", NULL);
	else
		write_one(s, q, c, p, r);
}

/* Leaves the ids of the visible ones that are live, or deleted; returns how many. */
static size_t
keep(struct standin *s, uint64_t *ids, size_t n, bool deleted)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct patron *p = store_get(s->store, ids[i]);

		if (p->deleted == deleted && api_visible(p))
			ids[kept++] = ids[i];
	}
	return kept;
}

/* Some other live record, the next one where there is one. */
static uint64_t
stranger(struct standin *s, const uint64_t *ids, size_t n)
{
	uint64_t from = n ? ids[n - 1] + 1 : 0;

	for (const struct patron *p = store_next(s->store, from); p; p = store_next(s->store, p->id + 1))
		if (!p->deleted)
			return p->id;
	for (const struct patron *p = store_next(s->store, 0); p && n && p->id < ids[0];
	     p = store_next(s->store, p->id + 1))
		if (!p->deleted)
			return p->id;
	return 0;
}

static size_t
look_up(struct standin *s, char tag, const char *content, uint64_t ids[static FOUND_MAX])
{
	uint64_t found[FOUND_MAX];
	size_t n = store_find(s->store, tag, content, !s->switches.find_exact, found, FOUND_MAX), kept;

	memcpy(ids, found, sizeof(found));
	kept = keep(s, ids, n, false);
	if (!kept && s->switches.find_deleted) {
		memcpy(ids, found, sizeof(found));
		kept = keep(s, ids, n, true);
	}
	return kept;
}

static bool
check_find_params(const struct request *q, const char **tag, const char **content, struct reply *r)
{
	static const char *const known[] = { "varFieldTag", "varFieldContent", "fields" };

	for (unsigned i = 0; i < q->n_params; i++) {
		if (strcmp(q->params[i].name, known[0]) != 0 && strcmp(q->params[i].name, known[1]) != 0 &&
		    strcmp(q->params[i].name, known[2]) != 0) {
			reply_error(r, 400, 106, 0, "Parameter not recognized", NULL);
			return false;
		}
	}
	*tag = request_param(q, "varFieldTag");
	*content = request_param(q, "varFieldContent");
	if (!*tag || !**tag || !*content || !**content) {
		reply_error(r, 400, 105, 0, "Required parameter missing", NULL);
		return false;
	}
	if (strlen(*tag) != 1 || !strchr("bu", **tag))
		return bad_param(r, "varFieldTag", " is not an indexed field");
	return true;
}

void
api_find(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	uint64_t ids[FOUND_MAX] = { 0 };
	const char *tag, *content;
	size_t n;
	char text[] = "Duplicate patrons found for the specified varFieldTag[b].";

	if (!check_find_params(q, &tag, &content, r))
		return;
	n = look_up(s, *tag, content, ids);
	if (c->strike.fault == FAULT_WRONG_RECORD) {
		ids[0] = stranger(s, ids, n);
		n = ids[0] ? 1 : 0;
	}
	if (n > 1 || c->strike.fault == FAULT_CONFLICT_409) {
		text[sizeof(text) - 4] = *tag;
		reply_error(r, 409, 133, 0, "Internal server error", text);
	} else if (n == 0) {
		reply_error(r, 404, 107, 0, "Record not found", NULL);
	} else {
		write_one(s, q, c, store_get(s->store, ids[0]), r);
	}
}
