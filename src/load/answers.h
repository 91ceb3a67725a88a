/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_ANSWERS_H
#define LOAD_ANSWERS_H

/* What each way that a call can end means, and what is done then: one table, class of answer by kind of call. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fd.h"
#include "patrond/failure.h"
#include "patrond/outcome.h"

enum call_kind {
	CALL_TOKEN,
	CALL_LIST,   /* a page of the index */
	CALL_FIND,   /* a look-up by barcode */
	CALL_READ,   /* GET of one patron: reading back, a renewal of an old index, and one whose answer was lost */
	CALL_RENEW,  /* PUT: marks the patron as active each time, never repeated blindly */
	CALL_CREATE, /* POST: not idempotent, never repeated blindly */
	CALL_KIND_MAX,
};

/* How the exchange itself ended, before anything is known of what the answer says. */
enum exchange {
	EXCHANGE_ANSWERED,  /* a whole answer with a status */
	EXCHANGE_NOT_SENT,  /* no connection: nothing of the request has left */
	EXCHANGE_TLS,       /* the handshake broke: nothing has left either */
	EXCHANGE_LOST,      /* dropped or timed out after the request, or a part of it, was sent */
	EXCHANGE_CLOSED,    /* a kept connection was closed before any byte of the answer: may have been sent */
	EXCHANGE_TOO_LARGE, /* an answer over its limit: cut off */
	EXCHANGE_TLS_NAME,
	EXCHANGE_TLS_CA,
	EXCHANGE_MAX,
};

enum answer {
	ANSWER_OK,          /* 2xx; what is due in it is read by the caller */
	ANSWER_UNREADABLE,  /* 2xx with an empty or unreadable body where one is due */
	ANSWER_NOT_SENT,
	ANSWER_TLS,
	ANSWER_LOST,
	ANSWER_UNAUTHORIZED, /* 401 */
	ANSWER_REFUSED,      /* 400, and 409 and 422 where they are not about several patrons */
	ANSWER_PIN_REFUSED,  /* 400 with code 136 */
	ANSWER_FORBIDDEN,    /* 403 */
	ANSWER_DISABLED,     /* 503 with code 117 */
	ANSWER_ABSENT,       /* 404 in Sierra's own words */
	ANSWER_NO_RESOURCE,  /* 404 in anyone else's */
	ANSWER_SEVERAL,      /* 409 */
	ANSWER_SLOW_DOWN,    /* "Rate exceeded…" at any status, 429, every other 503 of Sierra's own */
	ANSWER_UNAVAILABLE,  /* 503 in anyone else's words: a proxy's, perhaps after Sierra had begun */
	ANSWER_BROKEN,       /* every other 5xx */
	ANSWER_STRANGE,      /* any other status */
	ANSWER_TLS_NAME,
	ANSWER_TLS_CA,
	ANSWER_MAX,
};

enum action {
	ACTION_INVALID,
	ACTION_TAKE,        /* it is done */
	ACTION_ABSENT,      /* there is no such patron (a list: its end) */
	ACTION_SEVERAL,     /* there is more than one */
	ACTION_RETRY,       /* again after a pause, [sierra] retries times; then as the cell says */
	ACTION_PAUSE,       /* everything slows down; then again */
	ACTION_RENEW_TOKEN, /* a new token, then once more; a second time is the end of the load */
	ACTION_LOOK_UP,     /* it may have been done: find out before anything else */
	ACTION_FAIL,        /* this row fails */
	ACTION_FATAL,       /* the load ends */
};

/*
 * A cell of the table. reason: of the row that fails. failure: of the load that ends; FAILURE_NONE with RETRY or PAUSE:
 * when the tries are used up the row fails with the reason, or where that is NONE too, the caller is told that it is
 * not known.
 */
struct verdict {
	enum action action;
	enum reason reason;
	enum failure_code failure;
	bool slow; /* with LOOK_UP: slow down too */
};

/*
 * Classifies an exchange. status and the bytes of the body count with EXCHANGE_ANSWERED alone; the body is read as far
 * as Sierra's error envelope, which it need not be. A NUL must follow the bytes.
 */
enum answer answer_classify(enum call_kind kind, enum exchange exchange, int status, const char *bytes, size_t size);

/* The table. */
struct verdict answer_verdict(enum answer answer, enum call_kind kind);

/*
 * Reads the id out of a create's answer, {"link":"https://…/patrons/NUMBER"}: the digits after the last slash.
 * Returns 0 or -EBADMSG.
 */
int answer_link_id(const char *bytes, size_t size, uint64_t *ret) WARN_UNUSED;

#endif
