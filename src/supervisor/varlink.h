/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_VARLINK_H
#define SUPERVISOR_VARLINK_H

/*
 * Varlink's messages: a JSON object and a NUL, both ways. Calls are taken apart and checked, replies put together. Pure: no
 * I/O, no log; every byte that comes in is a stranger's.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "common/buf.h"

#define VARLINK_SERVICE "org.varlink.service"

/* A call. What it points to lives until varlink_call_done. */
struct varlink_call {
	const char *method;      /* "interface.Method", whole */
	const cJSON *parameters; /* an object, or NULL where there are none */
	bool more, oneway, upgrade;
	cJSON *root;
};

#define VARLINK_CALL_INIT ((struct varlink_call){ 0 })

/*
 * Takes one message apart, without its NUL. Returns 0, or -EBADMSG for what is no call: no JSON object, deeper than
 * LIMIT_CONTROL_DEPTH, not UTF-8, a wrong type, an unknown member, more and oneway at once. There is no answer to that but hanging up.
 */
int varlink_parse(struct varlink_call *call, const char *bytes, size_t size) WARN_UNUSED;
void varlink_call_done(struct varlink_call *call);

#define _cleanup_call_ __attribute__((cleanup(varlink_call_done)))

/* A parameter of a method: where it is given its value goes to where `value` points (bool *, const char **). */
struct varlink_parameter {
	const char *name;
	enum { VARLINK_BOOL, VARLINK_STRING } type;
	bool nullable; /* may be absent or null */
	void *value;
};

/*
 * Reads a call's parameters by a table. Returns NULL, or the name of the offending one: of a wrong type, missing, given
 * twice, or unknown. It lives as long as the call.
 */
const char *varlink_parameters(const struct varlink_call *call, const struct varlink_parameter *table, size_t count);

/*
 * Adds a reply, or an error, with its NUL to out. Takes parameters, which are NULL where there are none. Returns 0, -ENOBUFS
 * or -ENOMEM; nothing was added then.
 */
int varlink_add_reply(struct buf *out, cJSON *parameters, bool continues) WARN_UNUSED;
int varlink_add_error(struct buf *out, const char *error, cJSON *parameters) WARN_UNUSED;

/* The method's name behind its interface, or NULL where it is not of that interface. */
const char *varlink_method_of(const char *method, const char *interface);

#endif
