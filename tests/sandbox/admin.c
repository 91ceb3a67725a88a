/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tests' side of the server. */

#include "admin.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cjson/cJSON.h>

#include "body.h"
#include "dump.h"

static const char prefix[] = "/_standin/";
static const char json_type[] = "application/json;charset=UTF-8";

enum { FOUND_MAX = 64 };

bool
admin_has(const char *path)
{
	return !strncmp(path, prefix, sizeof(prefix) - 1);
}

bool
admin_switch(struct standin *s, const char *name, const char *value)
{
	return switches_set(&s->switches, name, value) || faults_set(&s->faults, name, value);
}

static void
bad_request(struct reply *r, const char *what)
{
	r->status = 400;
	r->body.len = 0;
	TEXT_LIT(&r->body, "{\"error\":");
	text_add_json(&r->body, what);
	TEXT_LIT(&r->body, "}\n");
}

static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
add_count(struct text *t, const char *name, uint64_t n)
{
	text_addf(t, ",\"%s\":%llu", name, (unsigned long long)n);
}

static void
show_counters(struct standin *s, const struct request *q, struct reply *r)
{
	static const char *const hundreds[6] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };
	const struct counters *c = &s->counters;
	struct text *t = &r->body;
	int n = 0;

	(void)q;
	TEXT_LIT(t, "{\"requests\":{");
	for (int k = 0; k < KIND_MAX; k++)
		text_addf(
		    t, "%s\"%s\":%llu", k ? "," : "", kind_name((enum kind)k), (unsigned long long)c->requests[k]);
	TEXT_LIT(t, "},\"statuses\":{");
	for (int i = 0; i < 6; i++)
		text_addf(t, "%s\"%s\":%llu", i ? "," : "", hundreds[i], (unsigned long long)c->statuses[i]);
	TEXT_LIT(t, "},\"faults\":{");
	for (int i = 0; i < FAULT_MAX; i++)
		if (s->faults.injected[i])
			text_addf(t, "%s\"%s\":%llu", n++ ? "," : "", fault_name((enum fault)i),
			    (unsigned long long)s->faults.injected[i]);
	TEXT_LIT(t, "}");
	add_count(t, "connections_accepted", c->connections_accepted);
	add_count(t, "max_connections", c->max_connections);
	add_count(t, "max_requests", c->max_requests);
	add_count(t, "open_connections", s->open_connections);
	add_count(t, "tokens_issued", c->tokens_issued);
	add_count(t, "creates", c->creates);
	add_count(t, "updates", c->updates);
	add_count(t, "creates_of_existing_barcode", c->creates_of_existing_barcode);
	add_count(t, "puts_that_changed_nothing", c->puts_that_changed_nothing);
	add_count(t, "puts_that_moved_date_backwards", c->puts_that_moved_date_backwards);
	add_count(t, "empty_strings_written", c->empty_strings_written);
	add_count(t, "patrons", store_count(s->store));
	text_addf(t, ",\"cpu_seconds\":%.3f}\n", cpu_seconds());
}

static void
reset_counters(struct standin *s, const struct request *q, struct reply *r)
{
	(void)q;
	s->counters = (struct counters){ .max_connections = s->open_connections };
	memset(s->faults.injected, 0, sizeof(s->faults.injected));
	TEXT_LIT(&r->body, "{}\n");
}

static void
show_switches(struct standin *s, const struct request *q, struct reply *r)
{
	(void)q;
	TEXT_LIT(&r->body, "{");
	switches_show(&r->body, &s->switches);
	TEXT_LIT(&r->body, "}\n");
}

/* All of them or none: a test that misspells one must not run with half its faults. */
static void
set_switches(struct standin *s, const struct request *q, struct reply *r)
{
	cJSON *body = body_parse(q->body ? q->body : "", q->body_len);
	static struct faults faults;
	struct switches switches = s->switches;
	const cJSON *item;

	faults = s->faults;
	if (!body)
		bad_request(r, "no JSON object");
	cJSON_ArrayForEach (item, body) {
		char number[32];
		const char *value = cJSON_GetStringValue(item);

		snprintf(number, sizeof(number), "%.0f", cJSON_IsNumber(item) ? item->valuedouble : -1);
		if (r->status == 200 && !admin_switch(s, item->string, value ? value : number))
			bad_request(r, item->string);
	}
	cJSON_Delete(body);
	if (r->status == 200) {
		TEXT_LIT(&r->body, "{}\n");
		return;
	}
	s->switches = switches;
	s->faults = faults;
}

static void
clear_faults(struct standin *s, const struct request *q, struct reply *r)
{
	(void)q;
	memset(s->faults.schedules, 0, sizeof(s->faults.schedules));
	s->faults.any = false;
	TEXT_LIT(&r->body, "{}\n");
}

static void
add_to_body(void *ctx, const char *data, size_t n)
{
	struct reply *r = ctx;

	text_add(&r->body, data, n);
}

static void
show_dump(struct standin *s, const struct request *q, struct reply *r)
{
	(void)q;
	r->content_type = "application/x-ndjson;charset=UTF-8";
	dump_all(s, add_to_body, r);
}

/* All live records that bear exactly this barcode, whatever faults and lags do to the other side. */
static void
show_patrons(struct standin *s, const struct request *q, struct reply *r)
{
	const char *barcode = request_param(q, "barcode");
	uint64_t ids[FOUND_MAX];
	size_t n, shown = 0;

	if (!barcode) {
		bad_request(r, "barcode is missing");
		return;
	}
	n = store_find(s->store, 'b', barcode, false, ids, FOUND_MAX);
	TEXT_LIT(&r->body, "[");
	for (size_t i = 0; i < n; i++) {
		const struct patron *p = store_get(s->store, ids[i]);

		if (p->deleted)
			continue;
		text_adds(&r->body, shown++ ? "," : "");
		dump_patron(&r->body, p);
	}
	TEXT_LIT(&r->body, "]\n");
}

/* What a member of staff does meanwhile: records appear, or replace those with their id. */
static void
load_lines(struct standin *s, const struct request *q, struct reply *r)
{
	const char *at = q->body ? q->body : "", *end = at + q->body_len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((newline ? newline : end) - at);
		const char *bad = n ? load_line(s, at, n, true) : NULL;

		if (bad) {
			bad_request(r, bad);
			return;
		}
		at += n + 1;
	}
	TEXT_LIT(&r->body, "{}\n");
}

static const struct {
	enum method method;
	const char *path;
	void (*run)(struct standin *, const struct request *, struct reply *);
} routes[] = {
	{ METHOD_GET, "counters", show_counters },
	{ METHOD_POST, "reset-counters", reset_counters },
	{ METHOD_GET, "switches", show_switches },
	{ METHOD_POST, "switch", set_switches },
	{ METHOD_POST, "clear-faults", clear_faults },
	{ METHOD_GET, "dump", show_dump },
	{ METHOD_GET, "patron", show_patrons },
	{ METHOD_POST, "load", load_lines },
};

void
admin_handle(struct standin *s, const struct request *q, struct reply *r)
{
	r->status = 200;
	r->content_type = json_type;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (routes[i].method == q->method && !strcmp(routes[i].path, q->path + sizeof(prefix) - 1)) {
			routes[i].run(s, q, r);
			return;
		}
	}
	r->status = 404;
	TEXT_LIT(&r->body, "{\"error\":\"not found\"}\n");
}
