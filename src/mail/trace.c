/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SMTP as seen from the side: RFC 5321's commands and codes, and what each refusal means to an administrator. */

#include "mail/trace.h"

#include <ctype.h>
#include <string.h>

#define CODE_TOO_LARGE 552 /* RFC 1870 6.1 */
#define CODE_LOGIN_FIRST 530 /* RFC 4954 6 */
#define CODE_GO_ON 354
#define CODE_CHALLENGE 334 /* RFC 4954 4: what is sent next is base64, whatever it looks like */
#define QUIT "QUIT\r\n"

static const struct {
	const char *word;
	enum trace_step step;
} commands[] = {
	{ "EHLO ", TRACE_HELLO },
	{ "HELO ", TRACE_HELLO },
	{ "STARTTLS\r\n", TRACE_STARTTLS },
	{ "AUTH ", TRACE_AUTH },
	{ "MAIL FROM:<", TRACE_SENDER },
	{ "RCPT TO:<", TRACE_RECIPIENT },
	{ "DATA\r\n", TRACE_DATA },
};

void
trace_command(struct trace *trace, const char *bytes, size_t size)
{
	if (trace->step == TRACE_AUTH && trace->code == CODE_CHALLENGE) {
		trace->code = 0;
		return;
	}
	if (size == strlen(QUIT) && memcmp(bytes, QUIT, size) == 0)
		trace->leaving = true;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		size_t length = strlen(commands[i].word);

		if (size < length || memcmp(bytes, commands[i].word, length) != 0)
			continue;
		if (commands[i].step == TRACE_RECIPIENT && trace->recipients < LIMIT_RECIPIENTS)
			trace->recipient_codes[trace->recipients++] = 0;
		trace->step = commands[i].step;
		trace->code = 0;
		return;
	}
}

/* A code and no text is an answer's last line; libcurl takes any line of five bytes, its end among them, for that. */
static bool
is_final(const char *bytes, size_t size)
{
	return size == 3 || bytes[3] == ' ' || bytes[3] == '\r' || bytes[3] == '\n' || (size == 5 && bytes[4] == '\n');
}

/* The code of the last line of an answer ("250 ok"), 0 of any other line. */
static int
final_code(const char *bytes, size_t size)
{
	int code = 0;

	if (size < 3 || !is_final(bytes, size))
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)bytes[i]))
			return 0;
		code = code * 10 + (bytes[i] - '0');
	}
	return code;
}

void
trace_answer(struct trace *trace, const char *bytes, size_t size)
{
	int code = final_code(bytes, size);

	trace->answer_bytes += size;
	if (code == 0 || trace->leaving || trace->step == TRACE_OVER)
		return;
	trace->code = code;
	if (trace->step == TRACE_RECIPIENT && trace->recipients > 0)
		trace->recipient_codes[trace->recipients - 1] = code;
	else if (trace->step == TRACE_DATA && code == CODE_GO_ON) {
		trace->step = TRACE_BODY;
		trace->code = 0;
	} else if (trace->step == TRACE_END)
		trace->step = TRACE_OVER;
}

void
trace_last_bytes(struct trace *trace)
{
	if (trace->step != TRACE_BODY)
		return;
	trace->step = TRACE_END;
	trace->code = 0;
}

static bool
is_yes(int code)
{
	return code >= 200 && code < 300;
}

static uint32_t
recipients_that(const struct trace *trace, bool accepted)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < trace->recipients; i++)
		if (trace->recipient_codes[i] != 0 && is_yes(trace->recipient_codes[i]) == accepted)
			bits |= 1U << i;
	return bits;
}

uint32_t
trace_accepted(const struct trace *trace)
{
	return recipients_that(trace, true);
}

uint32_t
trace_refused(const struct trace *trace)
{
	return recipients_that(trace, false);
}

struct failure
trace_recipient_failure(const struct trace *trace)
{
	struct failure failure = failure_of(FAILURE_MAIL_RECIPIENT, 0);

	for (size_t i = 0; i < trace->recipients && failure.column == 0; i++)
		if (!is_yes(trace->recipient_codes[i]) && trace->recipient_codes[i] != 0) {
			failure.column = (uint32_t)i + 1;
			failure.number = trace->recipient_codes[i];
		}
	if (failure.number == CODE_LOGIN_FIRST)
		failure.code = FAILURE_MAIL_AUTH;
	return failure;
}

/* A step that the relay has answered with a no. */
static struct failure
refusal(const struct trace *trace)
{
	static const enum failure_code refusals[TRACE_STEP_MAX] = {
		[TRACE_GREETING] = FAILURE_MAIL_REFUSED,
		[TRACE_HELLO] = FAILURE_MAIL_REFUSED,
		[TRACE_STARTTLS] = FAILURE_MAIL_NO_TLS,
		[TRACE_AUTH] = FAILURE_MAIL_AUTH,
		[TRACE_SENDER] = FAILURE_MAIL_SENDER,
		[TRACE_RECIPIENT] = FAILURE_MAIL_RECIPIENT,
		[TRACE_DATA] = FAILURE_MAIL_REFUSED,
		[TRACE_BODY] = FAILURE_MAIL_REFUSED,
		[TRACE_END] = FAILURE_MAIL_REFUSED,
		[TRACE_OVER] = FAILURE_MAIL_REFUSED,
	};

	if (trace->code == CODE_TOO_LARGE && trace->step >= TRACE_SENDER && trace->step != TRACE_RECIPIENT)
		return failure_of(FAILURE_MAIL_TOO_LARGE, trace->code);
	if (trace->code == CODE_LOGIN_FIRST && trace->step >= TRACE_SENDER)
		return failure_of(FAILURE_MAIL_AUTH, trace->code);
	if (trace->step == TRACE_RECIPIENT || (trace->step == TRACE_DATA && trace_accepted(trace) == 0))
		return trace_recipient_failure(trace);
	return failure_of(refusals[trace->step], trace->code);
}

/* What was asked and never well answered, by the way that it ended. */
static struct failure
ended(enum trace_end end, int number)
{
	static const enum failure_code codes[] = {
		[TRACE_END_WELL] = FAILURE_MAIL_ANSWER,
		[TRACE_END_BROKEN] = FAILURE_MAIL_UNREACHABLE,
		[TRACE_END_NO_TLS] = FAILURE_MAIL_NO_TLS,
		[TRACE_END_TLS] = FAILURE_MAIL_TLS,
		[TRACE_END_CERTIFICATE] = FAILURE_MAIL_CERTIFICATE,
		[TRACE_END_LOGIN] = FAILURE_MAIL_AUTH,
		[TRACE_END_ANSWER] = FAILURE_MAIL_ANSWER,
		[TRACE_END_REPORT] = FAILURE_MAIL_REPORT,
		[TRACE_END_CANCELLED] = FAILURE_CANCELLED,
		[TRACE_END_MEMORY] = FAILURE_MEMORY,
	};

	return failure_of(codes[end], number);
}

struct failure
trace_verdict(const struct trace *trace, enum trace_end end, int number)
{
	/* The relay's own word on the whole message counts, whatever became of the connection afterwards. */
	if (trace->step == TRACE_OVER && is_yes(trace->code))
		return failure_of(FAILURE_NONE, 0);
	if (trace->step == TRACE_OVER && trace->code >= 400)
		return refusal(trace);
	if (trace->step >= TRACE_END)
		return failure_of(FAILURE_MAIL_UNCLEAR, number);
	if (end == TRACE_END_NO_TLS || end == TRACE_END_TLS || end == TRACE_END_CERTIFICATE || end == TRACE_END_REPORT ||
	    end == TRACE_END_CANCELLED || end == TRACE_END_MEMORY)
		return ended(end, number);
	if (trace->code >= 400)
		return refusal(trace);
	if (trace->step == TRACE_RECIPIENT && trace_accepted(trace) == 0 && trace_refused(trace) != 0)
		return trace_recipient_failure(trace);
	return ended(end, number);
}
