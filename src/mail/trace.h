/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_TRACE_H
#define MAIL_TRACE_H

/*
 * How far the conversation with the relay has come, by the commands that were sent and the codes that answered them. Pure;
 * of what a relay says, nothing is kept but three digits.
 *
 *   GREETING ─▶ HELLO ─▶ [STARTTLS ─▶ HELLO] ─▶ [AUTH] ─▶ SENDER ─▶ RECIPIENT* ─▶ DATA ─▶ BODY ─▶ END ─▶ OVER
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "patrond/failure.h"
#include "patrond/limits.h"

enum trace_step {
	TRACE_GREETING,
	TRACE_HELLO,
	TRACE_STARTTLS,
	TRACE_AUTH,
	TRACE_SENDER,
	TRACE_RECIPIENT,
	TRACE_DATA,
	TRACE_BODY, /* the relay takes the message */
	TRACE_END,  /* its last bytes may be there: the relay has it, or has not, until it says so */
	TRACE_OVER,
	TRACE_STEP_MAX,
};

struct trace {
	enum trace_step step;
	int code;                        /* of the last answer to this step; 0: none yet */
	size_t recipients;               /* that were named so far */
	int recipient_codes[LIMIT_RECIPIENTS];
	bool leaving;                    /* QUIT was said: what comes now answers that */
	size_t answer_bytes;             /* in all */
};

/* A command that was sent, a line of an answer that came, and that the message's last bytes were given out. */
void trace_command(struct trace *trace, const char *bytes, size_t size);
void trace_answer(struct trace *trace, const char *bytes, size_t size);
void trace_last_bytes(struct trace *trace);

/* What libcurl said, as far as it matters here. */
enum trace_end {
	TRACE_END_WELL,
	TRACE_END_BROKEN,      /* no answer in time, or the connection broke */
	TRACE_END_NO_TLS,      /* STARTTLS is not offered, or was refused */
	TRACE_END_TLS,         /* the handshake failed */
	TRACE_END_CERTIFICATE, /* number: OpenSSL's verify code */
	TRACE_END_LOGIN,       /* refused, or no way of logging in that both know */
	TRACE_END_ANSWER,      /* no SMTP, or too much of it */
	TRACE_END_REPORT,      /* the zip could not be read */
	TRACE_END_CANCELLED,
	TRACE_END_MEMORY,
};

/*
 * The verdict: failure code NONE where the relay has taken the message for somebody. number: what else is known of the
 * end. A failure's number is SMTP's code where there is one, its column the first refused recipient from 1.
 */
struct failure trace_verdict(const struct trace *trace, enum trace_end end, int number);

/* The first recipient who was refused, as a failure. */
struct failure trace_recipient_failure(const struct trace *trace);

/* The bits (in the order they were named) of those the relay has accepted, and of those it has refused, so far. */
uint32_t trace_accepted(const struct trace *trace);
uint32_t trace_refused(const struct trace *trace);

#endif
