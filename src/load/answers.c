/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of answers. */

#include "load/answers.h"

#include <errno.h>
#include <string.h>

#include "load/json.h"

/* Codes of Sierra's error envelope. */
#define CODE_NOT_FOUND 107
#define CODE_DISABLED 117
#define CODE_PIN 136

#define TAKE { .action = ACTION_TAKE }
#define NONE { .action = ACTION_ABSENT }
#define MANY { .action = ACTION_SEVERAL }
#define RENEW { .action = ACTION_RENEW_TOKEN, .failure = FAILURE_UNAUTHORIZED }
#define LOOK { .action = ACTION_LOOK_UP, .reason = REASON_UNCLEAR }
#define SLOW_LOOK { .action = ACTION_LOOK_UP, .reason = REASON_UNREACHABLE, .slow = true }
#define FAIL(why) { .action = ACTION_FAIL, .reason = REASON_##why }
#define FATAL(code) { .action = ACTION_FATAL, .failure = FAILURE_##code }
/*
 * Tried again; and when the tries are used up: RETRY_OR ends the load, RETRY_ROW fails the row, and with RETRY it is not
 * known, which is never a no. PAUSE: the same, but everything slows down first.
 */
#define RETRY { .action = ACTION_RETRY }
#define RETRY_OR(code) { .action = ACTION_RETRY, .failure = FAILURE_##code }
#define RETRY_ROW(why) { .action = ACTION_RETRY, .reason = REASON_##why }
#define PAUSE { .action = ACTION_PAUSE }
#define PAUSE_OR(code) { .action = ACTION_PAUSE, .failure = FAILURE_##code }
#define PAUSE_ROW(why) { .action = ACTION_PAUSE, .reason = REASON_##why }
/* Shorter names for what stands often. */
#define FAILURE_AWAY FAILURE_SIERRA_UNREACHABLE
#define FAILURE_BUG FAILURE_SIERRA_REQUEST
/* The same from list to create. */
#define ALL(cell) cell, cell, cell, cell, cell
/* The same for find and read. */
#define BOTH(cell) cell, cell

/*
 * A write is repeated only where nothing of it can have been done: a second create is a duplicate, and a second renewal
 * marks the patron as active once more. Whatever may have been done is looked up first. A 503 of Sierra's own is
 * taken to be refused before execution, but that is an assumption: for a create, where it matters more, it is looked up.
 * Of what is asked, a 400 is a mistake of ours: it ends the load, since every other question would be as wrong.
 */
static const struct verdict table[ANSWER_MAX][CALL_KIND_MAX] = {
	/* clang-format off */
	/*                         token                 list                    find, read          renew                   create */
	[ANSWER_OK]           = { TAKE,                 ALL(TAKE) },
	[ANSWER_UNREADABLE]   = { RETRY_OR(AWAY),       RETRY_OR(INDEX_ANSWER), BOTH(RETRY),        LOOK,                   LOOK },
	[ANSWER_NOT_SENT]     = { RETRY_OR(AWAY),       RETRY_OR(AWAY),         BOTH(RETRY),        RETRY_ROW(UNREACHABLE), RETRY_ROW(UNREACHABLE) },
	[ANSWER_TLS]          = { RETRY_OR(TLS),        RETRY_OR(TLS),          BOTH(RETRY),        RETRY_ROW(UNREACHABLE), RETRY_ROW(UNREACHABLE) },
	[ANSWER_LOST]         = { RETRY_OR(AWAY),       RETRY_OR(AWAY),         BOTH(RETRY),        LOOK,                   LOOK },
	[ANSWER_UNAUTHORIZED] = { FATAL(TOKEN_REFUSED), ALL(RENEW) },
	[ANSWER_REFUSED]      = { FATAL(TOKEN_REFUSED), FATAL(BUG),             BOTH(FATAL(BUG)),   FAIL(REFUSED),          FAIL(REFUSED) },
	[ANSWER_PIN_REFUSED]  = { FATAL(TOKEN_REFUSED), FATAL(BUG),             BOTH(FATAL(BUG)),   FAIL(PIN_REFUSED),      FAIL(PIN_REFUSED) },
	[ANSWER_FORBIDDEN]    = { FATAL(TOKEN_REFUSED), ALL(FATAL(FORBIDDEN)) },
	[ANSWER_DISABLED]     = { FATAL(API_DISABLED),  ALL(FATAL(API_DISABLED)) },
	[ANSWER_ABSENT]       = { FATAL(SIERRA_URL),    NONE,                   BOTH(NONE),         FAIL(GONE),             FATAL(SIERRA_URL) },
	[ANSWER_NO_RESOURCE]  = { FATAL(SIERRA_URL),    RETRY_OR(SIERRA_URL),   BOTH(RETRY),        RETRY_ROW(UNREACHABLE), FATAL(SIERRA_URL) },
	[ANSWER_SEVERAL]      = { FATAL(TOKEN_REFUSED), RETRY_OR(INDEX_ANSWER), MANY, RETRY,        FAIL(REFUSED),          FAIL(REFUSED) },
	[ANSWER_SLOW_DOWN]    = { PAUSE_OR(AWAY),       PAUSE_OR(AWAY),         BOTH(PAUSE),        PAUSE_ROW(UNREACHABLE), SLOW_LOOK },
	[ANSWER_UNAVAILABLE]  = { PAUSE_OR(AWAY),       PAUSE_OR(AWAY),         BOTH(PAUSE),        LOOK,                   LOOK },
	[ANSWER_BROKEN]       = { RETRY_OR(AWAY),       RETRY_OR(AWAY),         BOTH(RETRY),        LOOK,                   LOOK },
	[ANSWER_STRANGE]      = { FATAL(TOKEN_REFUSED), RETRY_OR(INDEX_ANSWER), BOTH(RETRY),        LOOK,                   LOOK },
	[ANSWER_TLS_NAME]     = { FATAL(TLS_NAME),      ALL(FATAL(TLS_NAME)) },
	[ANSWER_TLS_CA]       = { FATAL(TLS_CA),        ALL(FATAL(TLS_CA)) },
	/* clang-format on */
};

/* What an error's body may say. */
struct envelope {
	uint64_t code;   /* 0 where there is none */
	uint64_t status; /* the httpStatus that it repeats; 0 where it does not */
	bool rate;       /* "Rate exceeded for endpoint" */
	bool no_patron;  /* "Patron record not found" */
	bool own;        /* it is Sierra's envelope */
};

/* By name, since that error's number was never recorded; a 500 can be it. */
static bool
is_rate(const cJSON *name)
{
	static const char words[] = "Rate exceeded";

	return cJSON_IsString(name) && strncasecmp(name->valuestring, words, sizeof(words) - 1) == 0;
}

static bool
is_no_patron(const cJSON *name)
{
	return cJSON_IsString(name) && strcasecmp(name->valuestring, "Patron record not found") == 0;
}

static struct envelope
read_envelope(const char *bytes, size_t size)
{
	_cleanup_json_ struct json *json = NULL;
	struct envelope envelope = { 0 };
	bool twice = false;
	const cJSON *name;

	if (json_parse(bytes, size, &json) < 0 || !cJSON_IsObject(json_root(json)))
		return envelope; /* a proxy's page, or nothing */
	envelope.own = json_whole(json_get(json_root(json), "code", &twice), &envelope.code) == 0;
	if (json_whole(json_get(json_root(json), "httpStatus", &twice), &envelope.status) != 0)
		envelope.status = 0;
	name = json_get(json_root(json), "name", &twice);
	envelope.rate = is_rate(name);
	envelope.no_patron = is_no_patron(name);
	if (twice)
		return (struct envelope){ 0 };
	return envelope;
}

static enum answer
classify_success(enum call_kind kind, const char *bytes, size_t size)
{
	_cleanup_json_ struct json *json = NULL;

	/* Nothing is due after a renewal; but a proxy's page with status 200 is no word of Sierra's. */
	if (kind == CALL_RENEW)
		return size == 0 || json_parse(bytes, size, &json) == 0 ? ANSWER_OK : ANSWER_UNREADABLE;
	return size > 0 ? ANSWER_OK : ANSWER_UNREADABLE;
}

/*
 * A list's end and a look-up's no must be in the very words that are known. What a PUT says of a patron that it does not
 * find is less sure: the name differs from that of a GET, and the code was never recorded. A gateway's 404 has other forms.
 */
static bool
is_absent(enum call_kind kind, const struct envelope *envelope)
{
	if (kind == CALL_RENEW && (envelope->no_patron || (envelope->own && envelope->status == 404)))
		return true;
	return envelope->own && envelope->code == CODE_NOT_FOUND;
}

static enum answer
classify_status(enum call_kind kind, int status, const struct envelope *envelope)
{
	if (envelope->rate)
		return ANSWER_SLOW_DOWN;
	switch (status) {
	case 400:
		return envelope->code == CODE_PIN ? ANSWER_PIN_REFUSED : ANSWER_REFUSED;
	case 401:
		return ANSWER_UNAUTHORIZED;
	case 403:
		return ANSWER_FORBIDDEN;
	case 404:
		return is_absent(kind, envelope) ? ANSWER_ABSENT : ANSWER_NO_RESOURCE;
	case 409:
		return ANSWER_SEVERAL;
	case 422:
		return ANSWER_REFUSED;
	case 429:
		return ANSWER_SLOW_DOWN;
	case 503:
		if (!envelope->own)
			return ANSWER_UNAVAILABLE;
		return envelope->code == CODE_DISABLED ? ANSWER_DISABLED : ANSWER_SLOW_DOWN;
	default:
		return status >= 500 && status <= 599 ? ANSWER_BROKEN : ANSWER_STRANGE;
	}
}

enum answer
answer_classify(enum call_kind kind, enum exchange exchange, int status, const char *bytes, size_t size)
{
	static const enum answer others[EXCHANGE_MAX] = {
		[EXCHANGE_NOT_SENT] = ANSWER_NOT_SENT,
		[EXCHANGE_TLS] = ANSWER_TLS,
		[EXCHANGE_LOST] = ANSWER_LOST,
		[EXCHANGE_CLOSED] = ANSWER_LOST,
		[EXCHANGE_TOO_LARGE] = ANSWER_UNREADABLE,
		[EXCHANGE_TLS_NAME] = ANSWER_TLS_NAME,
		[EXCHANGE_TLS_CA] = ANSWER_TLS_CA,
	};
	struct envelope envelope = { 0 };

	if (exchange != EXCHANGE_ANSWERED)
		return others[exchange];
	if (status >= 200 && status <= 299)
		return classify_success(kind, bytes, size);
	if (size > 0)
		envelope = read_envelope(bytes, size);
	return classify_status(kind, status, &envelope);
}

struct verdict
answer_verdict(enum answer answer, enum call_kind kind)
{
	return table[answer][kind];
}

int
answer_link_id(const char *bytes, size_t size, uint64_t *ret)
{
	_cleanup_json_ struct json *json = NULL;
	bool twice = false;
	const cJSON *link;
	const char *slash;
	uint64_t id;
	size_t digits;
	int r;

	r = json_parse(bytes, size, &json);
	if (r < 0)
		return r;
	link = cJSON_IsObject(json_root(json)) ? json_get(json_root(json), "link", &twice) : NULL;
	if (link == NULL || !cJSON_IsString(link) || twice)
		return -EBADMSG;
	slash = strrchr(link->valuestring, '/');
	if (slash == NULL)
		return -EBADMSG;
	/* No length is assumed: record numbers are shorter at some sites. */
	digits = strspn(slash + 1, "0123456789");
	if (digits == 0 || digits > 15 || slash[1 + digits] != '\0')
		return -EBADMSG;
	id = 0;
	for (size_t i = 1; i <= digits; i++)
		id = id * 10 + (uint64_t)(slash[i] - '0');
	if (id == 0)
		return -EBADMSG;
	*ret = id;
	return 0;
}
