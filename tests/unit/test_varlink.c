/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Varlink's messages: what is no call, which parameter offends, and memory that runs out at every point. */

#include "testkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "patrond/limits.h"
#include "supervisor/varlink.h"

static int
parse(struct varlink_call *call, const char *text)
{
	return varlink_parse(call, text, strlen(text));
}

static void
what_is_no_call(void **state)
{
	static const char *const texts[] = {
		"", " ", "null", "true", "1", "\"a.b\"", "[]", "{}", "{", "}", "{\"method\"}", "{\"method\":}",
		"{\"method\":1}", "{\"method\":null}", "{\"method\":[\"a.b\"]}", "{\"parameters\":{}}",
		"{\"method\":\"a.b\",\"parameters\":[]}", "{\"method\":\"a.b\",\"parameters\":1}",
		"{\"method\":\"a.b\",\"parameters\":\"x\"}", "{\"method\":\"a.b\",\"more\":1}", "{\"method\":\"a.b\",\"more\":\"yes\"}",
		"{\"method\":\"a.b\",\"oneway\":{}}", "{\"method\":\"a.b\",\"upgrade\":0}",
		"{\"method\":\"a.b\",\"more\":true,\"oneway\":true}", "{\"method\":\"a.b\",\"method\":\"c.d\"}",
		"{\"method\":\"a.b\",\"parameters\":{},\"parameters\":{}}", "{\"method\":\"a.b\"}{\"method\":\"a.b\"}",
		"{\"method\":\"a.b\"} x", "{\"method\":\"a.b\"", "{\"method\":\"a.b}", "{'method':'a.b'}", "{method:\"a.b\"}",
		"{\"method\":\"a.b\\u0000c\"}", "{\"method\":\"a.b\",\"parameters\":{\"x\\u0000\":1}}", "{\"method\":\"\xff\"}",
		"{\"method\":\"\xed\xa0\x80\"}", "{\"method\":\"a.b\",\"p\":[[[[[[[[1]]]]]]]]}",
		"{\"method\":\"a.b\",\"paramters\":{\"dry_run\":true}}", "{\"method\":\"a.b\",\"\":0}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct varlink_call call;

		if (parse(&call, texts[i]) != -EBADMSG || call.root != NULL || call.method != NULL)
			fail_msg("taken: %s", texts[i]);
	}
}

static void
longer_than_any_call(void **state)
{
	char *text = malloc(LIMIT_CONTROL_MESSAGE + 2);
	struct varlink_call call;
	size_t size = LIMIT_CONTROL_MESSAGE + 1;
	static const char head[] = "{\"method\":\"";

	(void)state;
	assert_non_null(text);
	memset(text, 'a', size);
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + size - 2, "\"}", 3);
	assert_int_equal(varlink_parse(&call, text, size), -EBADMSG);
	memcpy(text + size - 3, "\"}", 3);
	assert_int_equal(varlink_parse(&call, text, size - 1), 0);
	varlink_call_done(&call);
	/* a NUL inside is the caller's mistake, and still no call */
	text[100] = '\0';
	assert_int_equal(varlink_parse(&call, text, size - 1), -EBADMSG);
	free(text);
}

static void
calls(void **state)
{
	static const struct {
		const char *text, *method;
		bool parameters, more, oneway, upgrade;
	} cases[] = {
		{ "{\"method\":\"a.b.C\"}", "a.b.C", false, false, false, false },
		{ " {\"method\":\"a.b.C\"}\r\n\t ", "a.b.C", false, false, false, false },
		{ "{\"method\":\"\",\"parameters\":null}", "", false, false, false, false },
		{ "{\"parameters\":{},\"method\":\"x\",\"more\":true}", "x", true, true, false, false },
		{ "{\"method\":\"x\",\"oneway\":true,\"more\":false}", "x", false, false, true, false },
		{ "{\"method\":\"x\",\"upgrade\":true,\"more\":null}", "x", false, false, false, true },
		{ "{\"method\":\"x\",\"parameters\":{\"y\":\"]}\\\"{[\"}}", "x", true, false, false, false },
		{ "{\"method\":\"\\u00e9\\\\u0000\"}", "\xc3\xa9\\u0000", false, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct varlink_call call;

		if (parse(&call, cases[i].text) != 0)
			fail_msg("refused: %s", cases[i].text);
		assert_string_equal(call.method, cases[i].method);
		assert_int_equal(call.parameters != NULL, cases[i].parameters);
		assert_int_equal(call.more, cases[i].more);
		assert_int_equal(call.oneway, cases[i].oneway);
		assert_int_equal(call.upgrade, cases[i].upgrade);
		varlink_call_done(&call);
	}
}

static void
parameters_that_offend(void **state)
{
	static const struct {
		const char *parameters, *wrong;
		bool flag;
		const char *text;
	} cases[] = {
		{ "{\"load\":\"x\",\"flag\":true}", NULL, true, "x" },
		{ "{\"load\":\"x\"}", NULL, false, "x" },
		{ "{\"load\":\"\",\"flag\":null}", NULL, false, "" },
		{ "{\"flag\":true}", "load", false, NULL },
		{ "{}", "load", false, NULL },
		{ "null", "load", false, NULL },
		{ "{\"load\":null}", "load", false, NULL },
		{ "{\"load\":1}", "load", false, NULL },
		{ "{\"load\":{}}", "load", false, NULL },
		{ "{\"load\":\"x\",\"flag\":1}", "flag", false, NULL },
		{ "{\"load\":\"x\",\"flag\":\"true\"}", "flag", false, NULL },
		{ "{\"load\":\"x\",\"load\":\"y\"}", "load", false, NULL },
		{ "{\"load\":\"x\",\"Load\":\"y\"}", "Load", false, NULL },
		{ "{\"load\":\"x\",\"\":1}", "", false, NULL },
		{ "{\"other\":1}", "other", false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool flag = false;
		const char *load = NULL, *wrong;
		const struct varlink_parameter table[] = {
			{ "load", VARLINK_STRING, false, &load },
			{ "flag", VARLINK_BOOL, true, &flag },
		};
		struct varlink_call call;
		char text[256];

		(void)snprintf(text, sizeof(text), "{\"method\":\"a.b\",\"parameters\":%s}", cases[i].parameters);
		assert_int_equal(parse(&call, text), 0);
		wrong = varlink_parameters(&call, table, COUNT(table));
		if ((wrong == NULL) != (cases[i].wrong == NULL) || (wrong != NULL && strcmp(wrong, cases[i].wrong) != 0))
			fail_msg("%s: %s", cases[i].parameters, wrong != NULL ? wrong : "taken");
		if (wrong == NULL) {
			assert_int_equal(flag, cases[i].flag);
			assert_string_equal(load, cases[i].text);
		}
		varlink_call_done(&call);
	}
}

static void
methods_and_interfaces(void **state)
{
	static const struct {
		const char *method, *interface, *name;
	} cases[] = {
		{ "a.b.C", "a.b", "C" }, { "a.b.", "a.b", "" }, { "a.b", "a.b", NULL }, { "a.bc.C", "a.b", NULL },
		{ "a.b.c.D", "a.b", NULL }, { "", "a.b", NULL }, { "x.b.C", "a.b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *name = varlink_method_of(cases[i].method, cases[i].interface);

		if (cases[i].name == NULL)
			assert_null(name);
		else
			assert_string_equal(name, cases[i].name);
	}
}

static void
replies(void **state)
{
	struct buf out = BUF_INIT(100);
	cJSON *parameters = cJSON_CreateObject();

	(void)state;
	assert_non_null(cJSON_AddStringToObject(parameters, "x", "\"\n"));
	assert_int_equal(varlink_add_reply(&out, parameters, false), 0);
	assert_int_equal(out.size, strlen("{\"parameters\":{\"x\":\"\\\"\\n\"}}") + 1);
	assert_string_equal(out.bytes, "{\"parameters\":{\"x\":\"\\\"\\n\"}}");
	buf_clear(&out);
	assert_int_equal(varlink_add_reply(&out, NULL, true), 0);
	assert_string_equal(out.bytes, "{\"parameters\":{},\"continues\":true}");
	buf_clear(&out);
	assert_int_equal(varlink_add_error(&out, "a.b.C", NULL), 0);
	assert_string_equal(out.bytes, "{\"error\":\"a.b.C\",\"parameters\":{}}");
	/* no half message where it does not fit */
	for (int i = 0; i < 3; i++)
		(void)!varlink_add_error(&out, "a.b.C", NULL);
	assert_int_equal(varlink_add_error(&out, "a.b.C", NULL), -ENOBUFS);
	assert_int_equal(out.bytes[out.size - 1], '\0');
	buf_done(&out);
}

static int allocations_left;

static void *
failing_malloc(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void
memory_runs_out_anywhere(void **state)
{
	cJSON_Hooks hooks = { .malloc_fn = failing_malloc, .free_fn = free };
	int r = -ENOMEM, tries = 0;

	(void)state;
	cJSON_InitHooks(&hooks);
	while (r != 0 && tries < 200) {
		struct buf out = BUF_INIT(4096);
		struct varlink_call call;
		const char *load = NULL;
		const struct varlink_parameter table[] = { { "load", VARLINK_STRING, false, &load } };

		allocations_left = tries++;
		r = parse(&call, "{\"method\":\"a.b\",\"parameters\":{\"load\":\"x\"},\"more\":true}");
		if (r == 0) {
			assert_null(varlink_parameters(&call, table, 1));
			r = varlink_add_reply(&out, cJSON_CreateObject(), true);
			if (r == 0)
				r = varlink_add_error(&out, "a.b.C", cJSON_CreateObject());
			varlink_call_done(&call);
		}
		/* whole messages or none */
		if (out.size > 0)
			assert_int_equal(out.bytes[out.size - 1], '\0');
		buf_done(&out);
	}
	cJSON_InitHooks(NULL);
	assert_int_equal(r, 0);
	assert_true(tries > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_call),
		cmocka_unit_test(longer_than_any_call),
		cmocka_unit_test(calls),
		cmocka_unit_test(parameters_that_offend),
		cmocka_unit_test(methods_and_interfaces),
		cmocka_unit_test(replies),
		cmocka_unit_test(memory_runs_out_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
