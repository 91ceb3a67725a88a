/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "load/token.h"
#include "testkit.h"

#define S USEC_PER_SEC

static const char *const refused[] = {
	"",
	"{}",
	"[]",
	"\"abc\"",
	"<html></html>",
	"{\"access_token\":null}",
	"{\"access_token\":\"\"}",
	"{\"access_token\":5}",
	"{\"access_token\":\"a b\"}",
	"{\"access_token\":\"a\\r\\nX-Injected: 1\"}",
	"{\"access_token\":\"a\\u0000b\"}",
	"{\"access_token\":\"\xc3\xa9\"}",
	"{\"access_token\":\"abc\",\"access_token\":\"def\"}",
	"{\"access_token\":\"abc\",\"token_type\":\"mac\"}",
	"{\"access_token\":\"abc\",\"token_type\":5}",
	"{\"access_token\":\"abc\"",
	"{\"error\":\"invalid_client\"}",
};

static void
refuses(void **state)
{
	struct token token = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		if (token_take(&token, refused[i], strlen(refused[i]), 0) != -EBADMSG || token.header != NULL)
			fail_msg("taken: %s", refused[i]);
	assert_false(token_usable(&token, 0));
	assert_true(token_due(&token, 0));
}

static void
take(struct token *token, const char *answer, usec_t asked)
{
	assert_int_equal(token_take(token, answer, strlen(answer), asked), 0);
}

static void
lives_and_is_renewed_early(void **state)
{
	static const struct {
		const char *answer;
		usec_t lifetime, margin;
	} cases[] = {
		{ "{\"access_token\":\"v0Qv-d_3\",\"token_type\":\"bearer\",\"expires_in\":3600}", 3600 * S, 60 * S },
		{ "{\"access_token\":\"x\",\"token_type\":\"Bearer\",\"expires_in\":\"3600\"}", 3600 * S, 60 * S },
		{ "{\"access_token\":\"x\",\"expires_in\":4}", 4 * S, S },
		{ "{\"access_token\":\"x\",\"expires_in\":0}", S, S / 4 },
		{ "{\"access_token\":\"x\",\"expires_in\":-5}", 360 * S, 60 * S },
		{ "{\"access_token\":\"x\"}", 360 * S, 60 * S },
		{ "{\"access_token\":\"x\",\"expires_in\":9007199254740991}", 86400 * S, 60 * S },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct token token = { 0 };

		take(&token, cases[i].answer, 100 * S);
		assert_int_equal(token.expires_at, 100 * S + cases[i].lifetime);
		assert_int_equal(token.renew_at, 100 * S + cases[i].lifetime - cases[i].margin);
		assert_true(token_usable(&token, token.expires_at - 1));
		assert_false(token_usable(&token, token.expires_at));
		assert_false(token_due(&token, token.renew_at - 1));
		assert_true(token_due(&token, token.renew_at));
		token_done(&token);
	}
}

static void
is_refused_once_for_all(void **state)
{
	struct token token = { 0 };
	uint64_t old;

	(void)state;
	take(&token, "{\"access_token\":\"one\"}", 0);
	assert_string_equal(token.header, "Authorization: Bearer one");
	old = token.generation;
	take(&token, "{\"access_token\":\"two\"}", 0);
	/* the answer to a call with the old one comes late: the new one stands */
	assert_false(token_refuse(&token, old));
	assert_true(token_usable(&token, 0));
	assert_true(token_refuse(&token, token.generation));
	assert_false(token_refuse(&token, token.generation));
	assert_false(token_usable(&token, 0));
	assert_true(token_due(&token, 0));
	token_done(&token);
}

static void
keeps_the_old_one_where_the_new_is_none(void **state)
{
	struct token token = { 0 };

	(void)state;
	take(&token, "{\"access_token\":\"one\"}", 0);
	assert_int_equal(token_take(&token, "{}", 2, 0), -EBADMSG);
	assert_string_equal(token.header, "Authorization: Bearer one");
	token_done(&token);
}

static void
encodes_the_credential(void **state)
{
	static const struct {
		const char *credential;
		const char *header; /* NULL: refused */
	} cases[] = {
		{ "", NULL },
		{ "nocolon", NULL },
		{ ":secret", NULL },
		{ "key:", NULL },
		{ ":", NULL },
		{ "key:sec\nret", NULL },
		{ "key:sec\tret", NULL },
		{ "a:b", "Authorization: Basic YTpi" },
		{ "Aladdin:open sesame", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
		{ "key:a:b", "Authorization: Basic a2V5OmE6Yg==" },
		{ "k:\xc3\xbf\xc3\xbe", "Authorization: Basic azrDv8O+" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *header = NULL;
		int r = token_basic(cases[i].credential, strlen(cases[i].credential), &header);

		assert_int_equal(r, cases[i].header != NULL ? 0 : -EINVAL);
		if (cases[i].header != NULL)
			assert_string_equal(header, cases[i].header);
		token_wipe(&header);
		assert_null(header);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(lives_and_is_renewed_early),
		cmocka_unit_test(is_refused_once_for_all),
		cmocka_unit_test(keeps_the_old_one_where_the_new_is_none),
		cmocka_unit_test(encodes_the_credential),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
