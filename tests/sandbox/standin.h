/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_STANDIN_H
#define STANDIN_STANDIN_H

/* Owns what one running stand-in is made of, and the shapes of a request and its reply. */

#include <stdbool.h>
#include <stdint.h>

#include "faults.h"
#include "store.h"
#include "switches.h"
#include "text.h"
#include "token.h"

struct counters {
	uint64_t requests[KIND_MAX];
	uint64_t statuses[6]; /* by hundreds; 0: no reply */
	uint64_t connections_accepted;
	uint64_t max_connections;
	uint64_t max_requests; /* at the same time */
	uint64_t tokens_issued;
	uint64_t creates;
	uint64_t updates;
	uint64_t creates_of_existing_barcode;
	uint64_t puts_that_changed_nothing;
	uint64_t puts_that_moved_date_backwards;
	uint64_t empty_strings_written; /* in names, barcodes, emails, … of a POST or PUT */
};

struct standin {
	struct switches switches;
	struct faults faults;
	struct tokens tokens;
	struct store *store;
	struct counters counters;
	uint64_t open_connections;
	uint64_t open_requests;
	const char *base;      /* "/iii/sierra-api" */
	char credentials[512]; /* base64 of KEY:SECRET; empty: any are taken */
};

struct param {
	const char *name;
	const char *value; /* never NULL */
};

enum { PARAMS_MAX = 32 };

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_OTHER };

/* Texts live as long as the request is handled. */
struct request {
	enum method method;
	const char *path;	   /* decoded, with the base */
	const char *authorization; /* or NULL */
	struct param params[PARAMS_MAX];
	unsigned n_params;
	const char *body;
	size_t body_len;
};

enum reply_form {
	REPLY_WHOLE,
	REPLY_DROP,    /* close without a byte */
	REPLY_PARTIAL, /* announce the whole length, send half, close */
};

struct reply {
	int status;
	enum reply_form form;
	const char *content_type;
	uint32_t retry_after; /* seconds, 0: no header */
	uint32_t delay_ms;    /* before it is sent */
	struct text body;
};

/* The envelope of an error; detail may be NULL, then there is no description. */
void reply_error(struct reply *r, int status, int code, int specific, const char *name, const char *description);

/* The parameter's last value, or NULL. */
const char *request_param(const struct request *q, const char *name);

#endif
