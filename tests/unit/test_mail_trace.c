/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <string.h>

#include "mail/trace.h"

/* A conversation: lines of ours begin with ">", "=" stands for the message's last bytes, all others are the relay's. */
static struct trace
played(const char *const *lines)
{
	struct trace trace = { 0 };

	for (; *lines != NULL; lines++) {
		if (**lines == '>')
			trace_command(&trace, *lines + 1, strlen(*lines + 1));
		else if (**lines == '=')
			trace_last_bytes(&trace);
		else
			trace_answer(&trace, *lines, strlen(*lines));
	}
	return trace;
}

#define HELLO "220 relay\r\n", ">EHLO library.example\r\n", "250-relay\r\n", "250 STARTTLS\r\n"
#define SENDER HELLO, ">MAIL FROM:<a@b>\r\n", "250 ok\r\n"
#define TWO SENDER, ">RCPT TO:<c@d>\r\n", "250 ok\r\n", ">RCPT TO:<e@f>\r\n"
#define BODY TWO, "250 ok\r\n", ">DATA\r\n", "354 go on\r\n"

static void
verdicts(void **state)
{
	static const struct {
		const char *what;
		const char *lines[24];
		enum trace_end end;
		int number;
		enum failure_code code;
		int failure_number;
		uint32_t column;
	} cases[] = {
		{ "no greeting", { NULL }, TRACE_END_BROKEN, 28, FAILURE_MAIL_UNREACHABLE, 28, 0 },
		{ "greeted with a no", { "554 go away\r\n" }, TRACE_END_ANSWER, 8, FAILURE_MAIL_REFUSED, 554, 0 },
		{ "greeted with a no of many lines", { "554-go\r\n", "554 away\r\n" }, TRACE_END_ANSWER, 8, FAILURE_MAIL_REFUSED, 554, 0 },
		{ "no SMTP", { "SSH-2.0-x\r\n" }, TRACE_END_ANSWER, 8, FAILURE_MAIL_ANSWER, 8, 0 },
		{ "no STARTTLS", { HELLO }, TRACE_END_NO_TLS, 64, FAILURE_MAIL_NO_TLS, 64, 0 },
		{ "STARTTLS refused", { HELLO, ">STARTTLS\r\n", "454 no\r\n" }, TRACE_END_NO_TLS, 64, FAILURE_MAIL_NO_TLS, 64, 0 },
		{ "STARTTLS refused, told otherwise", { HELLO, ">STARTTLS\r\n", "454 no\r\n" }, TRACE_END_ANSWER, 8, FAILURE_MAIL_NO_TLS,
		    454, 0 },
		{ "handshake", { HELLO, ">STARTTLS\r\n", "220 go\r\n" }, TRACE_END_TLS, 35, FAILURE_MAIL_TLS, 35, 0 },
		{ "certificate", { HELLO, ">STARTTLS\r\n", "220 go\r\n" }, TRACE_END_CERTIFICATE, 10, FAILURE_MAIL_CERTIFICATE, 10, 0 },
		{ "log-in refused", { HELLO, ">AUTH PLAIN\r\n", "334 \r\n", ">AGEAYg==\r\n", "535 no\r\n" }, TRACE_END_LOGIN, 67,
		    FAILURE_MAIL_AUTH, 535, 0 },
		{ "no way to log in", { HELLO }, TRACE_END_LOGIN, 67, FAILURE_MAIL_AUTH, 67, 0 },
		{ "log-in wanted", { HELLO, ">MAIL FROM:<a@b>\r\n", "530 log in\r\n" }, TRACE_END_BROKEN, 55, FAILURE_MAIL_AUTH, 530, 0 },
		{ "sender refused", { HELLO, ">MAIL FROM:<a@b>\r\n", "550 no\r\n" }, TRACE_END_BROKEN, 55, FAILURE_MAIL_SENDER, 550, 0 },
		{ "too large by its size", { HELLO, ">MAIL FROM:<a@b> SIZE=9\r\n", "552 no\r\n" }, TRACE_END_BROKEN, 55,
		    FAILURE_MAIL_TOO_LARGE, 552, 0 },
		{ "both recipients refused", { SENDER, ">RCPT TO:<c@d>\r\n", "450 later\r\n", ">RCPT TO:<e@f>\r\n", "550 no\r\n" },
		    TRACE_END_BROKEN, 55, FAILURE_MAIL_RECIPIENT, 450, 1 },
		{ "a mailbox that is full is no size", { SENDER, ">RCPT TO:<c@d>\r\n", "552 full\r\n" }, TRACE_END_BROKEN, 55,
		    FAILURE_MAIL_RECIPIENT, 552, 1 },
		{ "broken at a recipient", { TWO }, TRACE_END_BROKEN, 56, FAILURE_MAIL_UNREACHABLE, 56, 0 },
		{ "DATA refused", { TWO, "250 ok\r\n", ">DATA\r\n", "554 no\r\n" }, TRACE_END_BROKEN, 55, FAILURE_MAIL_REFUSED, 554, 0 },
		{ "broken in the message", { BODY }, TRACE_END_BROKEN, 55, FAILURE_MAIL_UNREACHABLE, 55, 0 },
		{ "the zip went", { BODY }, TRACE_END_REPORT, 42, FAILURE_MAIL_REPORT, 42, 0 },
		{ "cancelled in the message", { BODY }, TRACE_END_CANCELLED, 42, FAILURE_CANCELLED, 42, 0 },
		{ "broken after the last bytes", { BODY, "=" }, TRACE_END_BROKEN, 56, FAILURE_MAIL_UNCLEAR, 56, 0 },
		{ "cancelled after the last bytes", { BODY, "=" }, TRACE_END_CANCELLED, 42, FAILURE_MAIL_UNCLEAR, 42, 0 },
		{ "nonsense after the last bytes", { BODY, "=", "what?\r\n" }, TRACE_END_ANSWER, 8, FAILURE_MAIL_UNCLEAR, 8, 0 },
		{ "half an answer", { BODY, "=", "250-\r\n" }, TRACE_END_BROKEN, 56, FAILURE_MAIL_UNCLEAR, 56, 0 },
		{ "libcurl is content, the relay said nothing", { BODY, "=" }, TRACE_END_WELL, 0, FAILURE_MAIL_UNCLEAR, 0, 0 },
		{ "refused at last", { BODY, "=", "554 no\r\n" }, TRACE_END_BROKEN, 55, FAILURE_MAIL_REFUSED, 554, 0 },
		{ "too large at last", { BODY, "=", "552 no\r\n" }, TRACE_END_BROKEN, 55, FAILURE_MAIL_TOO_LARGE, 552, 0 },
		{ "a code that is neither", { BODY, "=", "354 more\r\n" }, TRACE_END_ANSWER, 8, FAILURE_MAIL_UNCLEAR, 8, 0 },
		{ "taken", { BODY, "=", "250 ok\r\n" }, TRACE_END_WELL, 0, FAILURE_NONE, 0, 0 },
		{ "taken, then broken", { BODY, "=", "250 ok\r\n", ">QUIT\r\n", "554 no\r\n" }, TRACE_END_BROKEN, 56, FAILURE_NONE, 0, 0 },
		{ "refused, then bade farewell", { HELLO, ">MAIL FROM:<a@b>\r\n", "550 no\r\n", ">QUIT\r\n", "221 bye\r\n" }, TRACE_END_BROKEN,
		    55, FAILURE_MAIL_SENDER, 550, 0 },
		{ "a code and a byte, which libcurl takes for a whole answer", { TWO, "250-\n", ">DATA\r\n", "354x\n", "=", "250-\n" },
		    TRACE_END_WELL, 0, FAILURE_NONE, 0, 0 },
		{ "a code and a byte of a longer line", { BODY, "=", "250x\r\n" }, TRACE_END_WELL, 0, FAILURE_MAIL_UNCLEAR, 0, 0 },
		{ "a code and nothing more", { BODY, "=", "250\r\n" }, TRACE_END_WELL, 0, FAILURE_NONE, 0, 0 },
		{ "not asked for anything, and content", { NULL }, TRACE_END_WELL, 0, FAILURE_MAIL_ANSWER, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct trace trace = played(cases[i].lines);
		struct failure failure = trace_verdict(&trace, cases[i].end, cases[i].number);

		if (failure.code != cases[i].code || failure.number != cases[i].failure_number || failure.column != cases[i].column)
			fail_msg("%s: code %d number %d column %u", cases[i].what, (int)failure.code, failure.number, failure.column);
	}
}

static void
what_looks_like_a_command_in_a_log_in(void **state)
{
	static const char *const lines[] = { HELLO, ">AUTH LOGIN\r\n", "334 VXNl\r\n", ">QUIT\r\n", "334 UGFz\r\n", ">DATA\r\n", "235 in\r\n",
		NULL };
	struct trace trace = played(lines);

	(void)state;
	assert_int_equal(trace.step, TRACE_AUTH);
	assert_int_equal(trace.code, 235);
	assert_false(trace.leaving);
}

static void
an_answer_before_its_question(void **state)
{
	/* 354 to anything but DATA begins no message, and the last bytes of none are no end */
	static const char *const early[] = { SENDER, ">RCPT TO:<c@d>\r\n", "354 go on\r\n", "=", "250 ok\r\n", NULL };
	struct trace trace = played(early);

	(void)state;
	assert_int_equal(trace.step, TRACE_RECIPIENT);
	assert_int_equal(trace_verdict(&trace, TRACE_END_BROKEN, 56).code, FAILURE_MAIL_UNREACHABLE);
}

static void
recipients(void **state)
{
	static const char *const lines[] = { SENDER, ">RCPT TO:<a@b>\r\n", "250-ok\r\n", "250 ok\r\n", ">RCPT TO:<c@d>\r\n", "550 no\r\n",
		">RCPT TO:<e@f>\r\n", "251 will forward\r\n", ">RCPT TO:<g@h>\r\n", NULL };
	struct trace trace = played(lines);

	(void)state;
	assert_int_equal(trace_accepted(&trace), 5);
	assert_int_equal(trace_refused(&trace), 2);
	assert_int_equal(trace_recipient_failure(&trace).column, 2);
}

static void
more_recipients_than_there_are(void **state)
{
	struct trace trace = { 0 };

	(void)state;
	for (size_t i = 0; i < 3 * LIMIT_RECIPIENTS; i++) {
		trace_command(&trace, "RCPT TO:<a@b>\r\n", 15);
		trace_answer(&trace, "250 ok\r\n", 8);
	}
	assert_int_equal(trace.recipients, LIMIT_RECIPIENTS);
	assert_int_equal(trace_accepted(&trace), (1U << LIMIT_RECIPIENTS) - 1);
}

static void
lines_of_any_size(void **state)
{
	static const char *const odd[] = { "", "2", "25", "25x ok", "25", "\xff\xff\xff ", "-50 x", "2500 x" };
	struct trace trace = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++)
		trace_answer(&trace, odd[i], strlen(odd[i]));
	assert_int_equal(trace.code, 0);
	for (size_t i = 0; i < COUNT(odd); i++)
		trace_command(&trace, odd[i], strlen(odd[i]));
	assert_int_equal(trace.step, TRACE_GREETING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(what_looks_like_a_command_in_a_log_in),
		cmocka_unit_test(an_answer_before_its_question),
		cmocka_unit_test(recipients),
		cmocka_unit_test(more_recipients_than_there_are),
		cmocka_unit_test(lines_of_any_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
