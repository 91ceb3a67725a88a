/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_FAULTS_H
#define STANDIN_FAULTS_H

/*
 * Owns the faults: which there are, when each strikes. Whether the n-th request of a kind is struck depends on nothing
 * but the seed, the fault, the kind and n, where n counts from the moment the fault was switched on.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "text.h"

enum kind {
	KIND_TOKEN,
	KIND_LIST,
	KIND_FIND,
	KIND_QUERY,
	KIND_GET,
	KIND_PUT,
	KIND_POST,
	KIND_OTHER, /* about, info, metadata, validate, delete, unknown paths: no faults */
	KIND_MAX,
};

enum fault {
	FAULT_NONE = -1,
	FAULT_DROP_BEFORE,
	FAULT_DROP_AFTER,
	FAULT_EMPTY_200,
	FAULT_TRUNCATED_JSON,
	FAULT_PARTIAL_BODY,
	FAULT_HTML_502,
	FAULT_HTML_502_AFTER,
	FAULT_HTML_200,
	FAULT_HTML_200_AFTER,
	FAULT_ERROR_500,
	FAULT_ERROR_500_AFTER,
	FAULT_RATE_EXCEEDED,
	FAULT_STATUS_429,
	FAULT_STATUS_503,
	FAULT_STATUS_504_AFTER,
	FAULT_API_DISABLED,
	FAULT_TOKEN_REVOKED,
	FAULT_UNAUTHORIZED_131,
	FAULT_FORBIDDEN_116,
	FAULT_WRONG_RECORD,
	FAULT_CONFLICT_409,
	FAULT_ID_AS_STRING,
	FAULT_LIST_ERROR_MID,
	FAULT_LIST_REPEAT,
	FAULT_LIST_TRUNCATED,
	FAULT_SLOW,
	FAULT_MAX,
};

enum { FAULT_NTH_MAX = 32 };

/* When one fault strikes one kind. */
struct schedule {
	enum { WHEN_NEVER, WHEN_RATE, WHEN_NTH, WHEN_EVERY, WHEN_FIRST, WHEN_FROM } when;
	double rate;
	uint64_t n[FAULT_NTH_MAX]; /* nth: the numbers; every, first, from: n[0] */
	unsigned n_len;
	uint64_t seen; /* requests since it was switched on */
};

struct faults {
	uint64_t seed;
	bool any;
	struct schedule schedules[FAULT_MAX][KIND_MAX];
	uint64_t injected[FAULT_MAX];
};

/* What strikes this request: at most one fault, and slow beside it. */
struct strike {
	enum fault fault;
	bool slow;
};

const char *kind_name(enum kind kind);
const char *fault_name(enum fault fault);

/* Sets "fault.NAME" or "fault.NAME@KIND"; false when anything in it is unknown or does not fit, and then nothing has
 * changed. */
bool faults_set(struct faults *f, const char *name, const char *value);

/* Counts a request and decides. */
struct strike faults_decide(struct faults *f, enum kind kind);

void faults_help(FILE *f);

#endif
