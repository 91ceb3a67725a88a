/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_JOURNAL_H
#define SUPERVISOR_JOURNAL_H

/*
 * Every word that leaves patrond: entries of fields, to the volatile journal namespace, as JSON lines, or for a person.
 * Rows never reach a persistent journal.
 */

#include <stdbool.h>

#include "common/fd.h"
#include "patrond/failure.h"
#include "patrond/outcome.h"

enum log_form { LOG_CONSOLE, LOG_JSON, LOG_JOURNAL };

/* Stable ids of messages, for the catalog and for those who alert on them. */
#define MESSAGE_ROW "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e01"
#define MESSAGE_DIFFERS "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e02"
#define MESSAGE_SUMMARY "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e03"
#define MESSAGE_LOAD_STARTED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e04"
#define MESSAGE_LOAD_FAILED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e05"
#define MESSAGE_LOAD_HELD "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e06"
#define MESSAGE_SUPERSEDED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e07"
#define MESSAGE_SOURCE_FAILED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e08"
#define MESSAGE_REPORT_DELIVERED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e09"
#define MESSAGE_REPORT_FAILED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e0a"
#define MESSAGE_WALLS "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e0b"
#define MESSAGE_MEMORY "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e0c"
#define MESSAGE_STARTED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e0d"
#define MESSAGE_STOPPED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e0e"
#define MESSAGE_RELOADED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e0f"
#define MESSAGE_SETTLING "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e10"
#define MESSAGE_PROTOCOL "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e11"
#define MESSAGE_LATE_COMMIT "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e13"
#define MESSAGE_NOTHING_NEW "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e12"
#define MESSAGE_JOURNAL_KEPT "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e30"
#define MESSAGE_CONTROL "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e20"
#define MESSAGE_ASKED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e21"
#define MESSAGE_WATCH "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e22"
#define MESSAGE_PLAINTEXT "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e23"
#define MESSAGE_PLAINTEXT_GONE "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e24"
#define MESSAGE_FEED_PUT_AWAY "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e25"
#define MESSAGE_MAILED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e26"
#define MESSAGE_MAIL_FAILED "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e27"
#define MESSAGE_FEED_GONE "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e28"
#define MESSAGE_FEED_WAITS "3b0a5d0b7c6f4c7fa0b43a7a3b1c0e29"

#define ENTRY_FIELDS 64
#define ENTRY_TEXT 8192

/* An entry under construction: fields "KEY=value" in one block. */
struct entry {
	char text[ENTRY_TEXT];
	size_t used;
	size_t starts[ENTRY_FIELDS];
	size_t count;
	bool debug; /* priority 7 */
};

/* Opens the log in a form. LOG_JOURNAL: -EXDEV where the journal socket is not a namespace's own. */
int journal_open(enum log_form form) WARN_UNUSED;

/*
 * Looks (again) at $RUNTIME_DIRECTORY/journal, where it was written down at start whether the namespace's journal forgets
 * (systemd/journal-check). Where it does not, or nobody has looked, one entry says so and no other is sent from then on.
 */
void journal_look(void);

/* The same whatever the form of the log, at a folder or NULL. */
void journal_look_at(const char *runtime);

/* For STATUS=: why no entry is written, with a blank before it; empty where they are. */
const char *journal_kept(void);

/* True where the journal socket of this process is that of a journal namespace. */
bool journal_is_namespace(void);

/* True where standard error is a stream to the journal, as systemd says by $JOURNAL_STREAM. */
bool journal_is_standard_error(void);

/*
 * Begins an entry: priority as of syslog, one of MESSAGE_*, feed FEED_KIND_INVALID for what is not about one feed
 * (SYSLOG_IDENTIFIER patrond, else chccs-log-student or chccs-log-staff), load id or NULL. The message takes no text
 * from a stage but the escaped name of a file.
 */
void entry_begin(struct entry *entry, int priority, const char *message_id, enum feed_kind feed, const char *load_id,
    const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Adds a field; key is in capitals. What does not fit is left out. */
void entry_field(struct entry *entry, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Sends the entry. What a log cannot take is dropped: logging never fails a load. */
void entry_send(const struct entry *entry);

/* Escapes a foreign file name for a message: printable ASCII as it is, the rest \xNN. Cut to fit. */
void journal_escape(const char *name, size_t size, char *ret, size_t ret_size);

#endif
