/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes, authorisation, tokens, and the faults around an operation. */

#include "api.h"

#include <string.h>
#include <strings.h>

static const char json_type[] = "application/json;charset=UTF-8";
static const char html_type[] = "text/html;charset=UTF-8";

void
reply_error(struct reply *r, int status, int code, int specific, const char *name, const char *description)
{
	r->status = status;
	r->content_type = json_type;
	r->body.len = 0;
	text_addf(&r->body, "{\"code\":%d,\"specificCode\":%d,\"httpStatus\":%d,\"name\":", code, specific, status);
	text_add_json(&r->body, name);
	if (description) {
		TEXT_LIT(&r->body, ",\"description\":");
		text_add_json(&r->body, description);
	}
	TEXT_LIT(&r->body, "}");
}

static void
reply_html(struct reply *r, int status, const char *title)
{
	r->status = status;
	r->content_type = html_type;
	r->body.len = 0;
	text_addf(&r->body, "<!DOCTYPE html>\n<html><head><title>%s</title></head><body><h1>%s</h1></body></html>\n",
	    title, title);
}

const char *
request_param(const struct request *q, const char *name)
{
	const char *ret = NULL;

	for (unsigned i = 0; i < q->n_params; i++)
		if (!strcmp(q->params[i].name, name))
			ret = q->params[i].value;
	return ret;
}

/* The credentials after the scheme, or NULL with the refusal in r. */
static const char *
authorization(const struct request *q, const char *scheme, struct reply *r)
{
	const char *h = q->authorization;
	size_t n = strlen(scheme);
	size_t word = h ? strcspn(h, " ") : 0;

	if (!h || !h[word] || !h[word + 1] || strchr(h + word + 1, ' ')) {
		reply_error(r, 401, 113, 0, "Unauthorized", "Invalid or missing authorization header");
		return NULL;
	}
	if (word != n || strncasecmp(h, scheme, n) != 0) {
		reply_error(r, 400, 121, 0, "Bad Request", "Bad Request : Invalid authorization scheme");
		return NULL;
	}
	return h + word + 1;
}

static int64_t
check_bearer(struct standin *s, const struct request *q, struct reply *r)
{
	const char *token = authorization(q, "Bearer", r);
	int64_t left = token ? tokens_left(&s->tokens, token) : -1;

	if (token && left < 0)
		reply_error(r, 401, 123, 0, "Unauthorized", "invalid_grant");
	return left;
}

/* The body is not looked at: real clients send all sorts of it, and the real server looks at the header alone. */
static void
api_token(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	const char *credentials = authorization(q, "Basic", r);

	(void)c;
	if (!credentials)
		return;
	if (s->credentials[0] && strcmp(s->credentials, credentials) != 0) {
		reply_error(r, 401, 127, 0, "Unauthorized", "invalid_client");
		if (s->switches.token_refusal_oauth) {
			r->body.len = 0;
			TEXT_LIT(&r->body,
			    "{\"error\":\"invalid_client\",\"error_description\":\"Bad client credentials\"}");
		}
		return;
	}
	s->counters.tokens_issued++;
	text_addf(&r->body, "{\"access_token\":\"%s\",\"token_type\":\"bearer\",\"expires_in\":%u}",
	    tokens_issue(&s->tokens, s->switches.token_lifetime, s->switches.token_single), s->switches.token_lifetime);
}

static void
api_info(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	(void)c;
	text_addf(&r->body,
	    "{\"keyId\":\"standin\",\"grantType\":\"client_credentials\",\"authorizationScheme\":\"Bearer\","
	    "\"expiresIn\":%lld,"
	    "\"roles\":[{\"name\":\"PATRON_LOAD\",\"tokenLifetime\":%u,\"permissions\":[\"Patrons_Read\",\"Patrons_"
	    "Write\","
	    "\"Info_Token_Read\"]}]}",
	    (long long)check_bearer(s, q, r), s->switches.token_lifetime);
}

static void
api_about(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	(void)s;
	(void)q;
	(void)c;
	TEXT_LIT(&r->body, "{\"majorVersion\":6,\"minorVersion\":0,\"compatibleVersions\":\"6.0, "
			   "5.0\",\"sierraVersion\":\"stand-in\"}");
}

static void
api_metadata(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	(void)s;
	(void)q;
	(void)c;
	TEXT_LIT(&r->body,
	    "[{\"field\":\"patronType\",\"values\":[{\"code\":\"0\",\"desc\":\"Adult\"},{\"code\":\"10\",\"desc\":"
	    "\"Juvenile\"},{\"code\":\"15\",\"desc\":\"School district\"}]},{\"field\":\"homeLibraryCode\",\"values\":"
	    "[{\"code\":\"ch   \",\"desc\":\"Main\"}]}]");
}

enum path { PATH_EXACT, PATH_ID };

static const struct route {
	enum method method;
	const char *resource;
	enum path path;
	bool needs_version;
	bool needs_token;
	enum kind kind;
	api_fn *run;
} routes[] = {
	{ METHOD_GET, "patrons", PATH_EXACT, true, true, KIND_LIST, api_list },
	{ METHOD_GET, "patrons/find", PATH_EXACT, true, true, KIND_FIND, api_find },
	{ METHOD_GET, "patrons/", PATH_ID, true, true, KIND_GET, api_get },
	{ METHOD_PUT, "patrons/", PATH_ID, true, true, KIND_PUT, api_put },
	{ METHOD_POST, "patrons", PATH_EXACT, true, true, KIND_POST, api_post },
	{ METHOD_POST, "token", PATH_EXACT, false, false, KIND_TOKEN, api_token },
	{ METHOD_POST, "patrons/query", PATH_EXACT, true, true, KIND_QUERY, api_query },
	{ METHOD_POST, "patrons/validate", PATH_EXACT, true, true, KIND_OTHER, api_validate },
	{ METHOD_DELETE, "patrons/", PATH_ID, true, true, KIND_OTHER, api_delete },
	{ METHOD_GET, "patrons/metadata", PATH_EXACT, true, true, KIND_OTHER, api_metadata },
	{ METHOD_GET, "info/token", PATH_EXACT, true, true, KIND_OTHER, api_info },
	{ METHOD_GET, "about", PATH_EXACT, false, false, KIND_OTHER, api_about },
};

/* Does rest, which may end in a slash, name the route's resource? */
static bool
route_fits(const struct route *route, const char *rest, struct call *c)
{
	size_t n = strlen(rest), len = strlen(route->resource);
	char digits[21];

	if (n && rest[n - 1] == '/')
		n--;
	if (route->needs_version && !c->version)
		return false;
	if (route->path == PATH_EXACT)
		return n == len && !memcmp(rest, route->resource, n);
	if (n <= len || n - len >= sizeof(digits) || memcmp(rest, route->resource, len) != 0)
		return false;
	memcpy(digits, rest + len, n - len);
	digits[n - len] = '\0';
	return parse_u64(digits, UINT32_MAX, &c->id);
}

/* The route, or NULL with the refusal in r. */
static const struct route *
find_route(struct standin *s, const struct request *q, struct call *c, struct reply *r)
{
	size_t base = strlen(s->base);
	const char *rest = q->path + base + 1;
	bool known = false;

	if (strncmp(q->path, s->base, base) != 0 || q->path[base] != '/') {
		reply_html(r, 404, "Not Found");
		return NULL;
	}
	if (!strncmp(rest, "v5/", 3) || !strncmp(rest, "v6/", 3)) {
		c->version = rest[1] - '0';
		rest += 3;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!route_fits(&routes[i], rest, c))
			continue;
		if (routes[i].method == q->method)
			return &routes[i];
		known = true;
	}
	/* A wrong URL gets the servlet container's page, not the API's 404, which means "no such record". */
	reply_html(r, known ? 405 : 404, known ? "Method Not Allowed" : "Not Found");
	return NULL;
}

/* Answers in place of the operation; false when the fault lets it run. */
static bool
strike_before(struct standin *s, enum fault fault, struct reply *r)
{
	switch (fault) {
	case FAULT_DROP_BEFORE:
		r->form = REPLY_DROP;
		return true;
	case FAULT_HTML_502:
		reply_html(r, 502, "Bad Gateway");
		return true;
	case FAULT_HTML_200:
		reply_html(r, 200, "Something went wrong");
		return true;
	case FAULT_ERROR_500:
		reply_error(r, 500, 111, 0, "Internal server error", "Internal server error : dataservice error");
		return true;
	case FAULT_RATE_EXCEEDED:
		reply_error(
		    r, 500, 135, 0, "Rate exceeded for endpoint", "Rate exceeded for endpoint : wait 1 minutes");
		return true;
	case FAULT_STATUS_429:
		reply_html(r, 429, "Too Many Requests");
		r->retry_after = s->switches.retry_after;
		return true;
	case FAULT_STATUS_503:
		reply_html(r, 503, "Service Unavailable");
		r->retry_after = s->switches.retry_after;
		return true;
	case FAULT_API_DISABLED:
		reply_error(r, 503, 117, 0, "API disabled", NULL);
		return true;
	case FAULT_UNAUTHORIZED_131:
		reply_error(
		    r, 401, 131, 0, "Patron Update Error", "Patron Update Error : not authorized to update patron");
		return true;
	case FAULT_FORBIDDEN_116:
		reply_error(r, 403, 116, 0, "Forbidden", NULL);
		return true;
	default:
		return false;
	}
}

/* Spoils the answer of an operation that has run. */
static void
strike_after(enum fault fault, struct reply *r)
{
	switch (fault) {
	case FAULT_DROP_AFTER:
		r->form = REPLY_DROP;
		break;
	case FAULT_EMPTY_200:
		r->status = 200;
		r->body.len = 0;
		break;
	case FAULT_TRUNCATED_JSON:
	case FAULT_LIST_TRUNCATED:
		r->body.len /= 2;
		break;
	case FAULT_PARTIAL_BODY:
		/* An answer without a body cannot break off in it; closing is the nearest thing. */
		r->form = r->body.len > 1 ? REPLY_PARTIAL : REPLY_DROP;
		break;
	case FAULT_HTML_502_AFTER:
		reply_html(r, 502, "Bad Gateway");
		break;
	case FAULT_STATUS_504_AFTER:
		reply_html(r, 504, "Gateway Time-out");
		break;
	case FAULT_HTML_200_AFTER:
		reply_html(r, 200, "Something went wrong");
		break;
	case FAULT_ERROR_500_AFTER:
		reply_error(r, 500, 111, 0, "Internal server error", "Internal server error : dataservice error");
		break;
	default:
		break;
	}
}

void
api_decide(struct standin *s, const struct request *q, struct call *c, struct reply *r)
{
	*c = (struct call){ .kind = KIND_OTHER, .strike = { .fault = FAULT_NONE } };
	r->status = 200;
	r->content_type = json_type;
	r->delay_ms = s->switches.latency_ms;
	c->route = find_route(s, q, c, r);
	if (c->route) {
		c->kind = c->route->kind;
		c->strike = faults_decide(&s->faults, c->kind);
	}
	if (c->strike.slow)
		r->delay_ms += s->switches.slow_ms;
	s->counters.requests[c->kind]++;
}

void
api_run(struct standin *s, const struct request *q, const struct call *c, struct reply *r)
{
	if (!c->route || strike_before(s, c->strike.fault, r))
		return;
	if (c->strike.fault == FAULT_TOKEN_REVOKED)
		tokens_revoke_all(&s->tokens);
	if (!c->route->needs_token || check_bearer(s, q, r) >= 0)
		c->route->run(s, q, c, r);
	strike_after(c->strike.fault, r);
}
