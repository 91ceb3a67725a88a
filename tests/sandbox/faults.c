/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The faults' table, their schedules and decisions. */

#include "faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BIT(k) (1u << (k))
#define ALL (BIT(KIND_OTHER) - 1)
#define DATA (ALL & ~BIT(KIND_TOKEN))
#define WRITES (BIT(KIND_PUT) | BIT(KIND_POST))
#define READS (BIT(KIND_LIST) | BIT(KIND_FIND) | BIT(KIND_GET))

static const struct fault_row {
	const char *name;
	unsigned kinds; /* those it can strike */
	const char *help;
} rows[FAULT_MAX] = {
	[FAULT_DROP_BEFORE] = { "drop-before-response", ALL, "not executed, connection closed without a byte" },
	[FAULT_DROP_AFTER] = { "drop-after-commit", ALL, "executed, connection closed without a byte" },
	[FAULT_EMPTY_200] = { "empty-200", ALL, "executed, 200 with an empty body" },
	[FAULT_TRUNCATED_JSON] = { "truncated-json", ALL, "executed, body cut in the middle, length agrees" },
	[FAULT_PARTIAL_BODY] = { "partial-body", ALL, "executed, connection closed in the middle of the body" },
	[FAULT_HTML_502] = { "html-502", ALL, "not executed, a proxy's page" },
	[FAULT_HTML_502_AFTER] = { "html-502-after-commit", ALL, "executed, a proxy's page" },
	[FAULT_HTML_200] = { "html-200", ALL, "not executed, an HTML error page with 200" },
	[FAULT_HTML_200_AFTER] = { "html-200-after-commit", ALL, "executed, an HTML error page with 200" },
	[FAULT_ERROR_500] = { "error-500-111", ALL, "not executed, internal error" },
	[FAULT_ERROR_500_AFTER] = { "error-500-111-after-commit", ALL, "executed, internal error" },
	[FAULT_RATE_EXCEEDED] = { "rate-exceeded-500", ALL, "not executed, 500 named Rate exceeded for endpoint" },
	[FAULT_STATUS_429] = { "status-429", ALL, "not executed, switch retry-after" },
	[FAULT_STATUS_503] = { "status-503", ALL, "not executed, HTML, switch retry-after" },
	[FAULT_STATUS_504_AFTER] = { "status-504-after-commit", ALL, "executed, a gateway's time-out page" },
	[FAULT_API_DISABLED] = { "api-disabled-117", ALL, "not executed, 503/117" },
	[FAULT_TOKEN_REVOKED] = { "token-revoked", DATA, "all tokens become invalid, so this request gets 401/123" },
	[FAULT_UNAUTHORIZED_131] = { "unauthorized-131", WRITES, "not executed, 401/131" },
	[FAULT_FORBIDDEN_116] = { "forbidden-116", DATA, "not executed, 403/116" },
	[FAULT_WRONG_RECORD] = { "wrong-record", BIT(KIND_FIND), "a record that does not bear the barcode" },
	[FAULT_CONFLICT_409] = { "conflict-409", BIT(KIND_FIND), "409/133" },
	[FAULT_ID_AS_STRING] = { "id-as-string", READS, "ids as JSON strings" },
	[FAULT_LIST_ERROR_MID] = { "list-error-mid", BIT(KIND_LIST), "200 with an error, switch list-error-form" },
	[FAULT_LIST_REPEAT] = { "list-repeat", BIT(KIND_LIST),
	    "the page ignores the id range and begins at the first record" },
	[FAULT_LIST_TRUNCATED] = { "list-truncated", BIT(KIND_LIST), "the page's JSON is cut, length agrees" },
	[FAULT_SLOW] = { "slow", ALL, "switch slow-ms, beside any other fault" },
};

static const char *const kind_names[KIND_MAX] = { "token", "list", "find", "query", "get", "put", "post", "other" };

const char *
kind_name(enum kind kind)
{
	return kind_names[kind];
}

const char *
fault_name(enum fault fault)
{
	return rows[fault].name;
}

static bool
parse_rate(const char *s, struct schedule *ret)
{
	char *end;

	errno = 0;
	ret->rate = strtod(s, &end);
	return end != s && !*end && !errno && ret->rate >= 0 && ret->rate <= 1;
}

static bool
parse_numbers(const char *s, struct schedule *ret)
{
	char *copy = xstrdup(s), *rest = copy, *part;
	bool good = true;

	for (part = strsep(&rest, ","); part && good; part = strsep(&rest, ",")) {
		good = ret->n_len < FAULT_NTH_MAX && parse_u64(part, UINT32_MAX, &ret->n[ret->n_len]) &&
		       ret->n[ret->n_len] > 0;
		ret->n_len++;
	}
	free(copy);
	return good;
}

static bool
parse_schedule(const char *s, struct schedule *ret)
{
	static const struct {
		const char *prefix;
		int when;
	} forms[] = { { "nth:", WHEN_NTH }, { "every:", WHEN_EVERY }, { "first:", WHEN_FIRST },
		{ "from:", WHEN_FROM } };

	if (!strcmp(s, "off"))
		return true;
	if (!strcmp(s, "always"))
		s = "rate:1";
	if (!strncmp(s, "rate:", 5)) {
		ret->when = WHEN_RATE;
		return parse_rate(s + 5, ret);
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t n = strlen(forms[i].prefix);

		if (strncmp(s, forms[i].prefix, n) != 0)
			continue;
		ret->when = forms[i].when;
		return parse_numbers(s + n, ret) && (ret->when == WHEN_NTH || ret->n_len == 1);
	}
	return false;
}

static int
kind_by_name(const char *name)
{
	for (int k = 0; k < KIND_MAX; k++)
		if (!strcmp(kind_names[k], name))
			return k;
	return -1;
}

static int
fault_by_name(const char *name, size_t len)
{
	for (int i = 0; i < FAULT_MAX; i++)
		if (strlen(rows[i].name) == len && !memcmp(rows[i].name, name, len))
			return i;
	return FAULT_NONE;
}

static void
refresh_any(struct faults *f)
{
	f->any = false;
	for (int i = 0; i < FAULT_MAX; i++)
		for (int k = 0; k < KIND_MAX; k++)
			if (f->schedules[i][k].when != WHEN_NEVER)
				f->any = true;
}

bool
faults_set(struct faults *f, const char *name, const char *value)
{
	struct schedule schedule = { 0 };
	const char *at;
	unsigned kinds;
	int fault, only;

	if (strncmp(name, "fault.", 6) != 0 || !parse_schedule(value, &schedule))
		return false;
	name += 6;
	at = strchrnul(name, '@');
	fault = fault_by_name(name, (size_t)(at - name));
	only = *at ? kind_by_name(at + 1) : -1;
	if (fault < 0 || (*at && only < 0))
		return false;
	kinds = rows[fault].kinds;
	if (*at && !(kinds & BIT(only)))
		return false;
	for (int k = 0; k < KIND_MAX; k++)
		if ((kinds & BIT(k)) && (!*at || k == only))
			f->schedules[fault][k] = schedule;
	refresh_any(f);
	return true;
}

static bool
strikes(const struct faults *f, enum fault fault, enum kind kind)
{
	const struct schedule *s = &f->schedules[fault][kind];
	uint64_t h;

	switch (s->when) {
	case WHEN_RATE:
		h = hash_bytes(
		    mix64(f->seed) ^ mix64(s->seen * KIND_MAX + kind), rows[fault].name, strlen(rows[fault].name));
		return (double)(h >> 11) / 9007199254740992.0 < s->rate;
	case WHEN_NTH:
		for (unsigned i = 0; i < s->n_len; i++)
			if (s->n[i] == s->seen)
				return true;
		return false;
	case WHEN_EVERY:
		return s->seen % s->n[0] == 0;
	case WHEN_FIRST:
		return s->seen <= s->n[0];
	case WHEN_FROM:
		return s->seen >= s->n[0];
	default:
		return false;
	}
}

struct strike
faults_decide(struct faults *f, enum kind kind)
{
	struct strike ret = { .fault = FAULT_NONE };

	if (!f->any)
		return ret;
	for (int i = 0; i < FAULT_MAX; i++) {
		f->schedules[i][kind].seen++;
		if (!strikes(f, (enum fault)i, kind))
			continue;
		if (i == FAULT_SLOW)
			ret.slow = true;
		else if (ret.fault == FAULT_NONE)
			ret.fault = (enum fault)i;
		else
			continue;
		f->injected[i]++;
	}
	return ret;
}

void
faults_help(FILE *f)
{
	for (int i = 0; i < FAULT_MAX; i++) {
		fprintf(f, "  fault.%s (", rows[i].name);
		for (int k = 0, n = 0; k < KIND_MAX; k++)
			if (rows[i].kinds & BIT(k))
				fprintf(f, "%s%s", n++ ? " " : "", kind_names[k]);
		fprintf(f, ")\n      %s\n", rows[i].help);
	}
}
