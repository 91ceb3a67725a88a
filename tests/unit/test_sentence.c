/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every failure has a sentence, complete, with its place filled in. */

#include "testkit.h"

#include <string.h>

#include "supervisor/sentence.h"

static void
every_code_of_every_program(void **state)
{
	(void)state;
	for (int program = 0; program < PROGRAM_MAX; program++)
		for (int code = FAILURE_NONE + 1; code < FAILURE_MAX; code++) {
			struct failure failure = { (enum failure_code)code, FEED_STUDENT, 12, 3, 5 };
			char text[1024];

			sentence_failure((enum program)program, &failure, text, sizeof(text));
			if (strstr(text, "without a name") != NULL || strchr(text, '{') != NULL ||
			    strpbrk(text, ".?") == NULL)
				fail_msg("%s: %s", failure_word(failure.code), text);
		}
}

static void
cut_to_fit(void **state)
{
	struct failure failure = { FAILURE_QUOTE_OPEN, FEED_STAFF, 4711, 8, 0 };
	char text[32];

	(void)state;
	memset(text, 'x', sizeof(text));
	sentence_failure(PROGRAM_DECODE, &failure, text, sizeof(text));
	assert_int_equal(strlen(text), sizeof(text) - 1);
}

static void
places(void **state)
{
	static const struct {
		enum program program;
		struct failure failure;
		const char *says;
	} cases[] = {
		{ PROGRAM_DECODE, { FAILURE_QUOTE_OPEN, FEED_STAFF, 4711, 8, 0 }, "row 4711 of the staff feed, column 8" },
		{ PROGRAM_DECODE, { FAILURE_HEADER, FEED_STUDENT, 0, 9, 0 }, "student feed does not fit its profile at column 9" },
		{ PROGRAM_FETCH, { FAILURE_CREDENTIAL, FEED_KIND_INVALID, 0, 0, -2 }, "/etc/credstore/sftp-key" },
		{ PROGRAM_LOAD, { FAILURE_CREDENTIAL, FEED_KIND_INVALID, 0, 0, -126 }, "sierra-key" },
		{ PROGRAM_LOAD, { FAILURE_TOKEN_REFUSED, FEED_KIND_INVALID, 0, 0, 401 }, "HTTP 401" },
		{ PROGRAM_LOAD, { FAILURE_STAGE_DIED, FEED_KIND_INVALID, 0, 0, 9 }, "signal 9" },
		{ PROGRAM_SHARE, { FAILURE_SHARE_GONE, FEED_KIND_INVALID, 0, 0, -2 }, "No such file" },
		{ PROGRAM_FETCH, { FAILURE_CONNECT, FEED_KIND_INVALID, 0, 0, -111 }, "[sftp]" },
		{ PROGRAM_FETCH, { FAILURE_KNOWN_HOSTS, FEED_KIND_INVALID, 0, 0, 2 }, "cannot be used (No such file" },
		{ PROGRAM_FETCH, { FAILURE_KNOWN_HOSTS, FEED_KIND_INVALID, 0, 7, 74 }, "cannot be used (line 7, Bad message)" },
		{ PROGRAM_FETCH, { FAILURE_CONFIG, FEED_KIND_INVALID, 0, 0, -13 },
		    "may not read patrond.conf or patrond.conf.d/*.conf; patrond --check-config as root names the file" },
		{ PROGRAM_DECODE, { FAILURE_CONFIG, FEED_KIND_INVALID, 0, 0, 13 }, "*.conf or a profile; patrond --check-config" },
		{ PROGRAM_LOAD, { FAILURE_CONFIG, FEED_KIND_INVALID, 0, 0, -13 }, "[sierra] ca_file; patrond --check-config" },
		{ PROGRAM_MAIL, { FAILURE_CONFIG, FEED_KIND_INVALID, 0, 0, -13 }, "[mail] ca_file; patrond --check-config" },
		{ PROGRAM_SHARE, { FAILURE_CONFIG, FEED_KIND_INVALID, 0, 0, -2 }, "[share] path" },
		{ PROGRAM_LOAD, { FAILURE_CANCELLED, FEED_KIND_INVALID, 0, 0, 0 }, "The load was cancelled; what was done" },
		{ PROGRAM_LOAD, { FAILURE_CANCELLED, FEED_KIND_INVALID, 0, 0, CANCELLED_BY_STOP }, "The load was broken off, since patrond was stopped; what was done" },
		{ PROGRAM_FETCH, { FAILURE_CANCELLED, FEED_KIND_INVALID, 0, 0, CANCELLED_BY_STOP }, "The look at the SFTP drop was broken off" },
		{ PROGRAM_SHARE, { FAILURE_CANCELLED, FEED_KIND_INVALID, 0, 0, 0 }, "The work on the share was cancelled" },
		{ PROGRAM_MAIL, { FAILURE_CANCELLED, FEED_KIND_INVALID, 0, 0, CANCELLED_BY_STOP }, "The mail was broken off" },
		{ PROGRAM_LOAD, { FAILURE_SIERRA_UNREACHABLE, FEED_KIND_INVALID, 0, 0, 7 }, "(the connection was refused, or found no way, error 7)" },
		{ PROGRAM_LOAD, { FAILURE_SIERRA_UNREACHABLE, FEED_KIND_INVALID, 0, 0, 6 }, "(its host name was not found, error 6)" },
		{ PROGRAM_LOAD, { FAILURE_SIERRA_UNREACHABLE, FEED_KIND_INVALID, 0, 0, 28 }, "(it took too long, error 28)" },
		{ PROGRAM_LOAD, { FAILURE_SIERRA_UNREACHABLE, FEED_KIND_INVALID, 0, 0, 503 }, "(error 503)" },
		{ PROGRAM_LOAD, { FAILURE_TLS, FEED_KIND_INVALID, 0, 0, 35 }, "(the TLS handshake failed, error 35)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024];

		sentence_failure(cases[i].program, &cases[i].failure, text, sizeof(text));
		if (strstr(text, cases[i].says) == NULL)
			fail_msg("%s", text);
	}
}

static void
exit_statuses(void **state)
{
	struct failure failure = { FAILURE_CREDENTIAL, FEED_KIND_INVALID, 0, 0, 0 };

	(void)state;
	assert_int_equal(sentence_exit_status(&failure), 1);
	failure.code = FAILURE_ZIP_PASSWORD;
	assert_int_equal(sentence_exit_status(&failure), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_of_every_program),
		cmocka_unit_test(cut_to_fit),
		cmocka_unit_test(places),
		cmocka_unit_test(exit_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
