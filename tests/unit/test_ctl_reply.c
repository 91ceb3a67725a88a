/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <string.h>

#include "ctl/reply.h"

#define NOTHING "\"last\":[],\"held\":[],\"due\":[],\"sources\":[]"
#define STATE "\"state\":\"idle\",\"status\":\"Idle.\",\"version\":\"0.1.0\","
#define COUNTS                                                                                                         \
	"\"rows\":3,\"outcomes\":{\"created\":1,\"renewed\":2},\"reasons\":{\"shape\":1},\"verified\":1,"              \
	"\"different\":0"
#define LOAD "\"id\":\"a\",\"end\":\"held\",\"dry_run\":false,\"time\":\"\",\"counts\":[],"
#define GUARD "{\"guard\":\"creates\",\"feed\":\"student\",\"value\":4560,\"basis\":12000,\"limit_percent\":30}"

static int
read_status(const char *text, struct ctl_status *status, cJSON **ret_document)
{
	*ret_document = cJSON_Parse(text);
	assert_non_null(*ret_document);
	*status = (struct ctl_status){ 0 };
	return reply_read_status(*ret_document, status);
}

static void
refused(void **state)
{
	static const char *const cases[] = {
		"{}",
		"{" NOTHING "}",
		"{" STATE "\"last\":[],\"held\":[],\"due\":[]}",
		"{" STATE "\"last\":null,\"held\":[],\"due\":[],\"sources\":[]}",
		"{" STATE NOTHING ",\"progress\":{}}",
		"{" STATE NOTHING
		",\"progress\":{\"phase\":\"writing\",\"done\":-1,\"total\":2,\"rate\":0,\"dry_run\":false}}",
		"{" STATE NOTHING
		",\"progress\":{\"phase\":\"writing\",\"done\":1e300,\"total\":2,\"rate\":0,\"dry_run\":false}}",
		"{" STATE NOTHING
		",\"progress\":{\"phase\":\"writing\",\"done\":1,\"total\":2,\"rate\":0.5,\"dry_run\":false}}",
		"{" STATE NOTHING
		",\"progress\":{\"phase\":\"writing\",\"done\":1,\"total\":2,\"rate\":0,\"dry_run\":0}}",
		/* a feed twice, one that is none, a count that is none, more guards than there are */
		"{" STATE "\"last\":[],\"due\":[],\"sources\":[],\"held\":[{" LOAD
		"\"plan\":[{\"feed\":\"staff\"," COUNTS "},{\"feed\":\"staff\"," COUNTS "}],\"guards\":[]}]}",
		"{" STATE "\"last\":[],\"due\":[],\"sources\":[],\"held\":[{" LOAD
		"\"plan\":[{\"feed\":\"pupil\"," COUNTS "}],\"guards\":[]}]}",
		"{" STATE "\"last\":[],\"due\":[],\"sources\":[],\"held\":[{" LOAD
		"\"plan\":[{\"feed\":\"staff\",\"rows\":4294967296,\"outcomes\":{},\"reasons\":{},\"verified\":0,"
		"\"different\":0}],\"guards\":[]}]}",
		"{" STATE "\"last\":[],\"due\":[],\"sources\":[],\"held\":[{" LOAD
		"\"plan\":[{\"feed\":\"staff\",\"rows\":1,\"outcomes\":{\"novel\":\"x\"},\"reasons\":{},\"verified\":0,"
		"\"different\":0}],\"guards\":[]}]}",
		"{" STATE "\"last\":[],\"due\":[],\"sources\":[],\"held\":[{" LOAD
		"\"plan\":[],\"guards\":[{\"guard\":\"creates\"}]}]}",
		"{" STATE "\"last\":[],\"due\":[],\"sources\":[],\"held\":[7]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_cleanup_ctl_status_ struct ctl_status status = { 0 };
		cJSON *document;

		if (read_status(cases[i], &status, &document) != -EBADMSG)
			fail_msg("%s", cases[i]);
		cJSON_Delete(document);
	}
}

static void
too_many(void **state)
{
	_cleanup_ctl_status_ struct ctl_status status = { 0 };
	char text[4096] = "{" STATE "\"last\":[],\"due\":[],\"sources\":[],\"held\":[{" LOAD "\"plan\":[],\"guards\":[";
	cJSON *document;

	(void)state;
	for (unsigned int i = 0; i <= REPLY_GUARDS; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? "," : "", GUARD);
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "]}]}");
	assert_int_equal(read_status(text, &status, &document), -EBADMSG);
	cJSON_Delete(document);
}

static void
read_whole(void **state)
{
	_cleanup_ctl_status_ struct ctl_status status = { 0 };
	cJSON *document;
	const struct ctl_load *load;

	(void)state;
	assert_int_equal(
	    read_status("{" STATE "\"last\":[],\"due\":[],\"sources\":[{\"source\":\"sftp\",\"last_error\":null}],"
			"\"novel\":1,\"held\":[{" LOAD "\"reason\":null,\"plan\":[{\"feed\":\"staff\"," COUNTS
			"}],\"guards\":[" GUARD ",{\"guard\":\"moon\",\"value\":1,\"basis\":0,\"limit_percent\":0}]}]}",
		&status, &document),
	    0);
	assert_string_equal(status.state, "idle");
	assert_false(status.has_progress);
	assert_int_equal(status.n_sources, 1);
	assert_null(status.sources[0].last_error);
	assert_int_equal(status.held.n, 1);
	load = &status.held.items[0];
	assert_null(load->reason);
	assert_int_equal(load->plan.kinds, FEED_BIT(FEED_STAFF));
	assert_int_equal(load->plan.of[FEED_STAFF].by_outcome[OUTCOME_RENEWED], 2);
	assert_int_equal(load->plan.of[FEED_STAFF].by_reason[REASON_SHAPE], 1);
	assert_int_equal(load->n_guards, 2);
	assert_int_equal(load->guards[0].guard, GUARD_CREATES);
	assert_int_equal(load->guards[0].value, 4560);
	assert_int_equal(load->guards[1].guard, GUARD_INVALID);
	assert_int_equal(load->guards[1].feed, FEED_KIND_INVALID);
	cJSON_Delete(document);
}

static void
events(void **state)
{
	static const struct {
		const char *text;
		int r;
		enum event_kind kind;
		int exit_status;
	} cases[] = {
		{ "{}", -EBADMSG, EVENT_UNKNOWN, -1 },
		{ "{\"kind\":\"idle\"}", -EBADMSG, EVENT_UNKNOWN, -1 },
		{ "{\"kind\":\"idle\",\"status\":\"\",\"exit_status\":256}", -EBADMSG, EVENT_UNKNOWN, -1 },
		{ "{\"kind\":\"idle\",\"status\":\"\",\"exit_status\":-1}", -EBADMSG, EVENT_UNKNOWN, -1 },
		{ "{\"kind\":\"idle\",\"status\":\"\",\"look\":7}", -EBADMSG, EVENT_UNKNOWN, -1 },
		{ "{\"kind\":\"summary\",\"status\":\"\",\"finished\":{}}", -EBADMSG, EVENT_UNKNOWN, -1 },
		{ "{\"kind\":\"progress\",\"status\":\"\",\"outcomes\":{\"created\":-1}}", -EBADMSG, EVENT_UNKNOWN,
		    -1 },
		{ "{\"kind\":\"idle\",\"status\":\"\"}", 0, EVENT_IDLE, -1 },
		{ "{\"kind\":\"idle\",\"status\":\"\",\"look\":\"x\",\"exit_status\":4}", 0, EVENT_IDLE, 4 },
		{ "{\"kind\":\"progress\",\"status\":\"\",\"progress\":null,\"outcomes\":{\"novel\":1}}", 0,
		    EVENT_PROGRESS, -1 },
		{ "{\"kind\":\"dusk\",\"status\":\"\"}", 0, EVENT_UNKNOWN, -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		cJSON *document = cJSON_Parse(cases[i].text);
		struct ctl_event event;

		assert_non_null(document);
		if (reply_read_event(document, &event) != cases[i].r)
			fail_msg("%s", cases[i].text);
		if (cases[i].r == 0) {
			assert_int_equal(event.kind, cases[i].kind);
			assert_int_equal(event.exit_status, cases[i].exit_status);
		}
		cJSON_Delete(document);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(too_many),
		cmocka_unit_test(read_whole),
		cmocka_unit_test(events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
