/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PATROND_FAILURE_H
#define PATROND_FAILURE_H

/*
 * Why a job did not end well: a code and four integers, never a text, since a library's error text may quote what it
 * read. The sentence is made by the supervisor from a table (src/supervisor/sentence.c).
 */

#include <stdint.h>

#include "patrond/outcome.h"

/* X(code, word): the word is the REASON of the journal entry and never changes. */
#define FAILURES(X) \
	/* any stage */ \
	X(INTERNAL, "internal") \
	X(PROTOCOL, "protocol") \
	X(STAGE_DIED, "stage-died") \
	X(STAGE_SILENT, "stage-silent") \
	X(STAGE_MISSING, "stage-missing") \
	X(NO_WALLS, "no-walls") \
	X(UID_ZERO, "uid-zero") \
	X(CONFIG, "config") \
	X(CREDENTIAL, "credential") \
	X(WORKSPACE_FULL, "workspace-full") \
	X(MEMORY, "memory") \
	X(CANCELLED, "cancelled") \
	X(DEADLINE, "deadline") \
	/* fetch */ \
	X(RESOLVE, "resolve") \
	X(CONNECT, "connect") \
	X(KNOWN_HOSTS, "known-hosts") \
	X(HOST_KEY_UNKNOWN, "host-key-unknown") \
	X(HOST_KEY_CHANGED, "host-key-changed") \
	X(HOST_KEY_REVOKED, "host-key-revoked") \
	X(SSH, "ssh") \
	X(SSH_KEY_UNUSABLE, "ssh-key-unusable") \
	X(AUTH_REFUSED, "auth-refused") \
	X(REMOTE_FOLDER, "remote-folder") \
	X(REMOTE_FILE, "remote-file") \
	X(TRANSFER_BROKEN, "transfer-broken") \
	X(TRANSFER_STALLED, "transfer-stalled") \
	X(FEED_CHANGED, "feed-changed") \
	X(FEED_TOO_LARGE, "feed-too-large") \
	X(LISTING_TOO_LONG, "listing-too-long") \
	/* decode */ \
	X(NOT_A_ZIP, "not-a-zip") \
	X(ZIP_CORRUPT, "zip-corrupt") \
	X(ZIP_PASSWORD, "zip-password") \
	X(ZIP_PLAIN, "zip-plain") \
	X(ZIP_ENCRYPTION, "zip-encryption") \
	X(ZIP_METHOD, "zip-method") \
	X(ZIP_ENTRIES, "zip-entries") \
	X(ZIP_SIZE, "zip-size") \
	X(ZIP_RATIO, "zip-ratio") \
	X(ZIP_NAME, "zip-name") \
	X(NO_FEED, "no-feed") \
	X(TWO_OF_A_KIND, "two-of-a-kind") \
	X(FEED_EMPTY, "feed-empty") \
	X(HEADER, "header") \
	X(COLUMN_MISSING, "column-missing") \
	X(JOIN_MISSING, "join-missing") \
	X(JOIN_SIZE, "join-size") \
	X(QUOTE_OPEN, "quote-open") \
	X(QUOTE_TEXT, "quote-text") \
	X(QUOTE_ROWS, "quote-rows") \
	X(LINE_END, "line-end") \
	X(ROW_TOO_LONG, "row-too-long") \
	X(CELL_TOO_LONG, "cell-too-long") \
	X(TOO_MANY_CELLS, "too-many-cells") \
	X(TOO_MANY_ROWS, "too-many-rows") \
	X(NUL_BYTE, "nul-byte") \
	/* load */ \
	X(RECORDS, "records") \
	X(RECORDS_CUT, "records-cut") \
	X(TLS_NAME, "tls-name") \
	X(TLS_CA, "tls-ca") \
	X(TLS, "tls") \
	X(TOKEN_REFUSED, "token-refused") \
	X(FORBIDDEN, "forbidden") \
	X(API_DISABLED, "api-disabled") \
	X(UNAUTHORIZED, "unauthorized") \
	X(SIERRA_URL, "sierra-url") \
	X(SIERRA_REQUEST, "sierra-request") \
	X(SIERRA_UNREACHABLE, "sierra-unreachable") \
	X(INDEX_ANSWER, "index-answer") \
	X(INDEX_ORDER, "index-order") \
	X(INDEX_EMPTY, "index-empty") \
	X(INDEX_NO_BARCODES, "index-no-barcodes") \
	X(TOO_MANY_FAILURES, "too-many-failures") \
	/* report */ \
	X(REPORT_SIZE, "report-size") \
	X(REPORT_READ_BACK, "report-read-back") \
	/* share */ \
	X(SHARE_GONE, "share-gone") \
	X(SHARE_UNREADABLE, "share-unreadable") \
	X(SHARE_READ_ONLY, "share-read-only") \
	X(SHARE_FULL, "share-full") \
	X(SHARE_FILE, "share-file") \
	/* mail */ \
	X(MAIL_UNREACHABLE, "mail-unreachable") \
	X(MAIL_NO_TLS, "mail-no-tls") \
	X(MAIL_TLS, "mail-tls") \
	X(MAIL_CERTIFICATE, "mail-certificate") \
	X(MAIL_AUTH, "mail-auth") \
	X(MAIL_SENDER, "mail-sender") \
	X(MAIL_RECIPIENT, "mail-recipient") \
	X(MAIL_TOO_LARGE, "mail-too-large") \
	X(MAIL_REFUSED, "mail-refused") \
	X(MAIL_ANSWER, "mail-answer") \
	X(MAIL_REPORT, "mail-report") \
	X(MAIL_UNCLEAR, "mail-unclear")

enum failure_code {
	FAILURE_NONE,
#define FAILURE_ENUM(code, word) FAILURE_##code,
	FAILURES(FAILURE_ENUM)
#undef FAILURE_ENUM
	FAILURE_MAX,
	FAILURE_INVALID = -22,
};

/*
 * feed: FEED_KIND_INVALID where it is not about one feed. row: 0 where it is not about one row; in decode a row counts
 * as in the domain, but a header is row 0 and `line` (in column) tells the line of the file. column: from 1, 0 none.
 * number: the library's or the kernel's own numeric code (errno, HTTP status, CURLcode, signal), 0 none.
 */
struct failure {
	enum failure_code code;
	enum feed_kind feed;
	uint32_t row;
	uint32_t column;
	int32_t number;
};

/* Returns the word of a code, or NULL for a value out of range. */
const char *failure_word(enum failure_code code);

/* Returns a failure of that code with nothing beside it. */
static inline struct failure
failure_of(enum failure_code code, int number)
{
	return (struct failure){ .code = code, .feed = FEED_KIND_INVALID, .number = number };
}

/* Fills in such a failure. Returns -1, for those who answer so. */
static inline int
failure_set(struct failure *ret, enum failure_code code, int number)
{
	*ret = failure_of(code, number);
	return -1;
}

#endif
