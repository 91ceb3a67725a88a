/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>

#include "load/answers.h"
#include "testkit.h"

#define NOT_FOUND "{\"code\":107,\"specificCode\":0,\"httpStatus\":404,\"name\":\"Record not found\"}"
#define PUT_NOT_FOUND "{\"code\":107,\"specificCode\":0,\"httpStatus\":404,\"name\":\"Patron record not found\"}"
#define NO_PATRON "{\"code\":104,\"specificCode\":0,\"httpStatus\":404,\"name\":\"Patron record not found\"}"
#define RATE "{\"code\":99,\"httpStatus\":500,\"name\":\"Rate exceeded for endpoint\",\"description\":\"wait 10 minutes\"}"
#define HTML "<html><body>Bad Gateway</body></html>"

static const struct {
	const char *what;
	enum call_kind kind;
	enum exchange exchange;
	int status;
	const char *body;
	enum answer answer;
} exchanges[] = {
	{ "no connection", CALL_LIST, EXCHANGE_NOT_SENT, 0, "", ANSWER_NOT_SENT },
	{ "broken handshake", CALL_LIST, EXCHANGE_TLS, 0, "", ANSWER_TLS },
	{ "dropped", CALL_CREATE, EXCHANGE_LOST, 0, "", ANSWER_LOST },
	{ "kept connection closed", CALL_CREATE, EXCHANGE_CLOSED, 0, "", ANSWER_LOST },
	{ "too large", CALL_LIST, EXCHANGE_TOO_LARGE, 0, "", ANSWER_UNREADABLE },
	{ "another's certificate", CALL_TOKEN, EXCHANGE_TLS_NAME, 0, "", ANSWER_TLS_NAME },
	{ "a stranger's certificate", CALL_TOKEN, EXCHANGE_TLS_CA, 0, "", ANSWER_TLS_CA },
	{ "created, nothing said", CALL_CREATE, EXCHANGE_ANSWERED, 200, "", ANSWER_UNREADABLE },
	{ "page, nothing said", CALL_LIST, EXCHANGE_ANSWERED, 200, "", ANSWER_UNREADABLE },
	{ "renewed", CALL_RENEW, EXCHANGE_ANSWERED, 204, "", ANSWER_OK },
	{ "renewed, says a proxy", CALL_RENEW, EXCHANGE_ANSWERED, 200, HTML, ANSWER_UNREADABLE },
	{ "renewed, with JSON", CALL_RENEW, EXCHANGE_ANSWERED, 200, "{}", ANSWER_OK },
	{ "created", CALL_CREATE, EXCHANGE_ANSWERED, 200, "{\"link\":\"x/1\"}", ANSWER_OK },
	{ "redirect", CALL_LIST, EXCHANGE_ANSWERED, 302, "", ANSWER_STRANGE },
	{ "no status", CALL_LIST, EXCHANGE_ANSWERED, 0, "", ANSWER_STRANGE },
	{ "bad request", CALL_CREATE, EXCHANGE_ANSWERED, 400, "{\"code\":115}", ANSWER_REFUSED },
	{ "bad request of a proxy", CALL_CREATE, EXCHANGE_ANSWERED, 400, HTML, ANSWER_REFUSED },
	{ "PIN", CALL_CREATE, EXCHANGE_ANSWERED, 400, "{\"code\":136,\"specificCode\":6}", ANSWER_PIN_REFUSED },
	{ "PIN as text", CALL_CREATE, EXCHANGE_ANSWERED, 400, "{\"code\":\"136\"}", ANSWER_PIN_REFUSED },
	{ "token expired", CALL_LIST, EXCHANGE_ANSWERED, 401, "{\"code\":123}", ANSWER_UNAUTHORIZED },
	{ "not allowed to write", CALL_RENEW, EXCHANGE_ANSWERED, 401, "{\"code\":131}", ANSWER_UNAUTHORIZED },
	{ "forbidden", CALL_LIST, EXCHANGE_ANSWERED, 403, HTML, ANSWER_FORBIDDEN },
	{ "the end", CALL_LIST, EXCHANGE_ANSWERED, 404, NOT_FOUND, ANSWER_ABSENT },
	{ "gone", CALL_RENEW, EXCHANGE_ANSWERED, 404, PUT_NOT_FOUND, ANSWER_ABSENT },
	{ "gone, of another code", CALL_RENEW, EXCHANGE_ANSWERED, 404, NO_PATRON, ANSWER_ABSENT },
	{ "gone, of another name", CALL_RENEW, EXCHANGE_ANSWERED, 404, "{\"code\":132,\"httpStatus\":404}", ANSWER_ABSENT },
	{ "gone, by its name alone", CALL_RENEW, EXCHANGE_ANSWERED, 404, "{\"name\":\"patron record not found\"}", ANSWER_ABSENT },
	{ "gone, code twice", CALL_RENEW, EXCHANGE_ANSWERED, 404, "{\"code\":107,\"code\":104}", ANSWER_NO_RESOURCE },
	{ "gone, name twice", CALL_RENEW, EXCHANGE_ANSWERED, 404, "{\"name\":\"\",\"name\":\"Patron record not found\"}", ANSWER_NO_RESOURCE },
	{ "a gateway's code", CALL_RENEW, EXCHANGE_ANSWERED, 404, "{\"code\":404,\"message\":\"no route\"}", ANSWER_NO_RESOURCE },
	{ "another's JSON", CALL_RENEW, EXCHANGE_ANSWERED, 404, "{\"message\":\"no route\",\"httpStatus\":404}", ANSWER_NO_RESOURCE },
	{ "another's name", CALL_RENEW, EXCHANGE_ANSWERED, 404, "{\"name\":\"Record not found\"}", ANSWER_NO_RESOURCE },
	{ "another's 404 to a renewal", CALL_RENEW, EXCHANGE_ANSWERED, 404, HTML, ANSWER_NO_RESOURCE },
	{ "404 to a renewal, no word", CALL_RENEW, EXCHANGE_ANSWERED, 404, "", ANSWER_NO_RESOURCE },
	{ "rate in a 404", CALL_RENEW, EXCHANGE_ANSWERED, 404, RATE, ANSWER_SLOW_DOWN },
	{ "find, of another code", CALL_FIND, EXCHANGE_ANSWERED, 404, NO_PATRON, ANSWER_NO_RESOURCE },
	{ "read, of another code", CALL_READ, EXCHANGE_ANSWERED, 404, NO_PATRON, ANSWER_NO_RESOURCE },
	{ "create, of another code", CALL_CREATE, EXCHANGE_ANSWERED, 404, NO_PATRON, ANSWER_NO_RESOURCE },
	{ "the end, of another code", CALL_LIST, EXCHANGE_ANSWERED, 404, NO_PATRON, ANSWER_NO_RESOURCE },
	{ "another's 404", CALL_LIST, EXCHANGE_ANSWERED, 404, HTML, ANSWER_NO_RESOURCE },
	{ "404 without a word", CALL_LIST, EXCHANGE_ANSWERED, 404, "", ANSWER_NO_RESOURCE },
	{ "404 of another code", CALL_LIST, EXCHANGE_ANSWERED, 404, "{\"code\":104}", ANSWER_NO_RESOURCE },
	{ "404, code twice", CALL_LIST, EXCHANGE_ANSWERED, 404, "{\"code\":107,\"code\":104}", ANSWER_NO_RESOURCE },
	{ "404, cut", CALL_LIST, EXCHANGE_ANSWERED, 404, "{\"code\":107", ANSWER_NO_RESOURCE },
	{ "several", CALL_FIND, EXCHANGE_ANSWERED, 409, "{\"code\":133}", ANSWER_SEVERAL },
	{ "rate in a 500", CALL_LIST, EXCHANGE_ANSWERED, 500, RATE, ANSWER_SLOW_DOWN },
	{ "rate in a 400", CALL_LIST, EXCHANGE_ANSWERED, 400, RATE, ANSWER_SLOW_DOWN },
	{ "429", CALL_LIST, EXCHANGE_ANSWERED, 429, "", ANSWER_SLOW_DOWN },
	{ "503 of a proxy", CALL_LIST, EXCHANGE_ANSWERED, 503, HTML, ANSWER_UNAVAILABLE },
	{ "503 without a word", CALL_CREATE, EXCHANGE_ANSWERED, 503, "", ANSWER_UNAVAILABLE },
	{ "503 of Sierra", CALL_LIST, EXCHANGE_ANSWERED, 503, "{\"code\":118}", ANSWER_SLOW_DOWN },
	{ "switched off", CALL_LIST, EXCHANGE_ANSWERED, 503, "{\"code\":117}", ANSWER_DISABLED },
	{ "500", CALL_CREATE, EXCHANGE_ANSWERED, 500, "{\"code\":111}", ANSWER_BROKEN },
	{ "502", CALL_CREATE, EXCHANGE_ANSWERED, 502, HTML, ANSWER_BROKEN },
	{ "504", CALL_CREATE, EXCHANGE_ANSWERED, 504, "", ANSWER_BROKEN },
};

static void
classifies(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(exchanges); i++) {
		enum answer answer = answer_classify(exchanges[i].kind, exchanges[i].exchange, exchanges[i].status, exchanges[i].body,
		    strlen(exchanges[i].body));

		if (answer != exchanges[i].answer)
			fail_msg("%s: %d, not %d", exchanges[i].what, answer, exchanges[i].answer);
	}
}

/* No cell of the table is empty, and no failure is without its code. */
static void
table_is_whole(void **state)
{
	(void)state;
	for (int answer = 0; answer < ANSWER_MAX; answer++)
		for (int kind = 0; kind < CALL_KIND_MAX; kind++) {
			struct verdict verdict = answer_verdict((enum answer)answer, (enum call_kind)kind);

			assert_int_not_equal(verdict.action, ACTION_INVALID);
			if (verdict.action == ACTION_FATAL || verdict.action == ACTION_RENEW_TOKEN)
				assert_int_not_equal(verdict.failure, FAILURE_NONE);
			if (verdict.action == ACTION_FAIL)
				assert_true(outcome_reason_fits(OUTCOME_FAILED, verdict.reason));
			if (verdict.reason != REASON_NONE)
				assert_true(outcome_reason_fits(OUTCOME_FAILED, verdict.reason));
		}
}

static bool
is_among(enum answer answer, const enum answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (answers[i] == answer)
			return true;
	return false;
}

static void
write_is_never_repeated_blindly(enum call_kind kind, const enum answer *not_done, size_t count)
{
	static const enum answer unclear[] = { ANSWER_UNREADABLE, ANSWER_LOST, ANSWER_BROKEN, ANSWER_STRANGE, ANSWER_UNAVAILABLE };

	for (size_t i = 0; i < COUNT(unclear); i++)
		assert_int_equal(answer_verdict(unclear[i], kind).action, ACTION_LOOK_UP);
	for (int answer = 0; answer < ANSWER_MAX; answer++) {
		enum action action = answer_verdict((enum answer)answer, kind).action;

		if (action == ACTION_RETRY || action == ACTION_PAUSE || action == ACTION_RENEW_TOKEN)
			assert_true(is_among((enum answer)answer, not_done, count));
	}
}

/* What may have been done is never repeated blindly: the heart of the matter. */
static void
create_is_never_repeated_blindly(void **state)
{
	static const enum answer not_done[] = { ANSWER_NOT_SENT, ANSWER_TLS, ANSWER_UNAUTHORIZED };

	(void)state;
	write_is_never_repeated_blindly(CALL_CREATE, not_done, COUNT(not_done));
	assert_int_equal(answer_verdict(ANSWER_SLOW_DOWN, CALL_CREATE).action, ACTION_LOOK_UP);
}

/* Each PUT marks the patron as active: one more that changes nothing would keep the library from purging it. */
static void
renewal_is_never_repeated_blindly(void **state)
{
	static const enum answer not_done[] = { ANSWER_NOT_SENT, ANSWER_TLS, ANSWER_UNAUTHORIZED, ANSWER_SLOW_DOWN,
		ANSWER_NO_RESOURCE };

	(void)state;
	write_is_never_repeated_blindly(CALL_RENEW, not_done, COUNT(not_done));
}

/* An error is never the end of the list, nor a no of find. */
static void
only_two_answers_say_no(void **state)
{
	(void)state;
	for (int answer = 0; answer < ANSWER_MAX; answer++)
		for (int kind = 0; kind < CALL_KIND_MAX; kind++)
			if (answer_verdict((enum answer)answer, (enum call_kind)kind).action == ACTION_ABSENT)
				assert_int_equal(answer, ANSWER_ABSENT);
}

static const struct {
	const char *body;
	uint64_t id; /* 0: refused */
} links[] = {
	{ "", 0 },
	{ "{}", 0 },
	{ "[]", 0 },
	{ "{\"link\":5}", 0 },
	{ "{\"link\":\"\"}", 0 },
	{ "{\"link\":\"1000001\"}", 0 },
	{ "{\"link\":\"https://h/patrons/\"}", 0 },
	{ "{\"link\":\"https://h/patrons/0\"}", 0 },
	{ "{\"link\":\"https://h/patrons/12x\"}", 0 },
	{ "{\"link\":\"https://h/patrons/12\"", 0 },
	{ "{\"link\":\"https://h/patrons/12\"} x", 0 },
	{ "{\"link\":\"https://h/patrons/12\",\"link\":\"https://h/patrons/13\"}", 0 },
	{ "{\"link\":\"https://h/patrons/1234567890123456\"}", 0 },
	{ "{\"link\":\"https://h/patrons/12\\u0000\"}", 0 },
	{ "{\"link\":\"https://another.example/iii/sierra-api/v6/patrons/2745326\"}", 2745326 },
	{ "{\"link\":\"/7\"}", 7 },
};

static void
reads_links(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(links); i++) {
		uint64_t id = 0;
		int r = answer_link_id(links[i].body, strlen(links[i].body), &id);

		if ((r == 0) != (links[i].id != 0) || id != links[i].id)
			fail_msg("%s", links[i].body);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_is_never_repeated_blindly),
		cmocka_unit_test(renewal_is_never_repeated_blindly),
		cmocka_unit_test(only_two_answers_say_no),
		cmocka_unit_test(classifies),
		cmocka_unit_test(table_is_whole),
		cmocka_unit_test(reads_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
