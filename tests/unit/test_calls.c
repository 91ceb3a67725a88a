/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load/call_queue.h"
#include "load/calls.h"
#include "load/peer.h"
#include "testkit.h"

#define FIELDS "fields=id,barcodes,expirationDate,names,birthDate"

static void
has_path(struct sierra_call *call, int r, enum call_kind kind, const char *path)
{
	assert_int_equal(r, 0);
	assert_int_equal(call->kind, kind);
	assert_string_equal(call->path.bytes, path);
	assert_int_equal(call->body.size, 0);
}

static void
makes_paths(void **state)
{
	struct sierra_call call = SIERRA_CALL_INIT;

	(void)state;
	assert_int_equal(buf_add_text(&call.body, "of the call before"), 0);
	has_path(&call, call_list(&call, 1000043, 2000), CALL_LIST, "/patrons?deleted=false&id=%5B1000043,%5D&limit=2000&" FIELDS);
	has_path(&call, call_read(&call, 9007199254740991), CALL_READ, "/patrons/9007199254740991?" FIELDS ",deleted");
	sierra_call_done(&call);
}

static void
writes_have_no_query(void **state)
{
	struct sierra_call call = SIERRA_CALL_INIT;

	(void)state;
	has_path(&call, call_renew(&call, 17), CALL_RENEW, "/patrons/17");
	/* with its slash, the documented form */
	has_path(&call, call_create(&call), CALL_CREATE, "/patrons/");
	sierra_call_done(&call);
}

static void
encodes_keys(void **state)
{
	static const struct {
		const char *key;
		const char *encoded;
	} keys[] = {
		{ "12345", "12345" },
		{ "aB-._~9", "aB-._~9" },
		{ "1&fields=pin", "1%26fields%3Dpin" },
		{ "1 2#/?%+", "1%202%23%2F%3F%25%2B" },
		{ "\xc3\xa9", "%C3%A9" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct sierra_call call = SIERRA_CALL_INIT;
		char path[512];

		(void)snprintf(path, sizeof(path), "/patrons/find?varFieldTag=b&varFieldContent=%s&" FIELDS ",deleted", keys[i].encoded);
		has_path(&call, call_find(&call, keys[i].key, strlen(keys[i].key)), CALL_FIND, path);
		sierra_call_done(&call);
	}
}

static const struct {
	const char *url;
	const char *host; /* NULL: refused */
	unsigned int port;
} urls[] = {
	{ "", NULL, 0 },
	{ "http://h/x", NULL, 0 },
	{ "https://", NULL, 0 },
	{ "https:///x", NULL, 0 },
	{ "https://user@h/x", NULL, 0 },
	{ "https://user:pass@h/x", NULL, 0 },
	{ "https://h:/x", NULL, 0 },
	{ "https://h:0/x", NULL, 0 },
	{ "https://h:65536/x", NULL, 0 },
	{ "https://h:44x/x", NULL, 0 },
	{ "https://h:-1/x", NULL, 0 },
	{ "https://[::1/x", NULL, 0 },
	{ "https://[::1]x/x", NULL, 0 },
	{ "https://sierra.example.org/iii/sierra-api/v6", "sierra.example.org", 443 },
	{ "https://sierra.example.org:8443/iii", "sierra.example.org", 8443 },
	{ "https://h", "h", 443 },
	{ "https://h:1", "h", 1 },
	{ "https://[::1]/x", "[::1]", 443 },
	{ "https://[::1]:65535/x", "[::1]", 65535 },
	{ "https://h/x@y:9", "h", 443 },
};

static void
reads_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		struct peer peer;
		int r = peer_from_url(&peer, urls[i].url);

		if ((r == 0) != (urls[i].host != NULL))
			fail_msg("%s", urls[i].url);
		if (r < 0)
			continue;
		assert_string_equal(peer.host, urls[i].host);
		assert_int_equal(peer.port, urls[i].port);
	}
}

static void
resolves(void **state)
{
	struct peer peer;
	int number = 0;

	(void)state;
	assert_int_equal(peer_from_url(&peer, "https://127.0.0.1:8443/x"), 0);
	assert_int_equal(peer_resolve(&peer, &number), 0);
	assert_string_equal(peer.resolve.bytes, "127.0.0.1:8443:127.0.0.1");
	peer_done(&peer);
	assert_int_equal(peer_from_url(&peer, "https://nothing.invalid/x"), 0);
	assert_int_equal(peer_resolve(&peer, &number), -EHOSTUNREACH);
	assert_int_not_equal(number, 0);
	peer_done(&peer);
	assert_int_equal(peer_from_url(&peer, "https://[::1]/x"), 0);
	assert_int_equal(peer_resolve(&peer, &number), 0);
	assert_int_equal(peer.resolve.size, 0);
	peer_done(&peer);
}

static void
keeps_the_order(void **state)
{
	struct sierra_call calls[5] = { 0 };
	struct call_queue queue;

	(void)state;
	call_queue_init(&queue);
	assert_null(call_queue_take(&queue));
	call_queue_add(&queue, &calls[0], 30);
	call_queue_add(&queue, &calls[1], 10);
	call_queue_add(&queue, &calls[2], 20);
	call_queue_add(&queue, &calls[3], 10);
	call_queue_add(&queue, &calls[4], 0);
	call_queue_wake(&queue, 9);
	assert_ptr_equal(call_queue_take(&queue), &calls[4]);
	assert_null(call_queue_take(&queue));
	call_queue_wake(&queue, 25);
	assert_ptr_equal(call_queue_take_call(&queue, &calls[2]), &calls[2]);
	assert_null(call_queue_take_call(&queue, &calls[2]));
	call_queue_add(&queue, &calls[4], 0);
	assert_ptr_equal(call_queue_take(&queue), &calls[1]);
	assert_ptr_equal(call_queue_take(&queue), &calls[3]);
	assert_ptr_equal(call_queue_take(&queue), &calls[4]);
	assert_null(call_queue_take(&queue));
	call_queue_wake(&queue, UINT64_MAX);
	assert_ptr_equal(call_queue_take(&queue), &calls[0]);
	assert_null(call_queue_take_call(&queue, &calls[0]));
	call_queue_add(&queue, &calls[0], 0);
	assert_ptr_equal(call_queue_take_call(&queue, &calls[0]), &calls[0]);
	call_queue_add(&queue, &calls[1], 0);
	assert_ptr_equal(call_queue_take(&queue), &calls[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_paths),
		cmocka_unit_test(writes_have_no_query),
		cmocka_unit_test(encodes_keys),
		cmocka_unit_test(reads_urls),
		cmocka_unit_test(resolves),
		cmocka_unit_test(keeps_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
