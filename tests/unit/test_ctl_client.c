/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/client.h"

#define LITERAL(text) text, sizeof(text) - 1

/* A client whose peer is this test. */
static struct client
beside(int *ret_peer)
{
	struct client client = CLIENT_INIT;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	client.fd = pair[0];
	client.timeout = 50 * USEC_PER_MSEC;
	*ret_peer = pair[1];
	return client;
}

static void
replies(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		bool hang_up;
		int r;
	} cases[] = {
		{ LITERAL(""), false, -ETIMEDOUT },
		{ LITERAL("{\"parameters\":{}}"), false, -ETIMEDOUT },
		{ LITERAL("{\"parameters\":{}}"), true, -ECONNRESET },
		{ LITERAL("\0"), false, -EBADMSG },
		{ LITERAL("{}{}\0"), false, -EBADMSG },
		{ LITERAL("[]\0"), false, -EBADMSG },
		{ LITERAL("{\"parameters\":7}\0"), false, -EBADMSG },
		{ LITERAL("{\"error\":\"\"}\0"), false, -EBADMSG },
		{ LITERAL("{\"continues\":1}\0"), false, -EBADMSG },
		{ LITERAL("{\"a\":\"\xff\"}\0"), false, -EBADMSG },
		{ LITERAL("{}\0"), false, 0 },
		{ LITERAL(" {\"parameters\":{\"x\":1},\"continues\":true} \0{"), true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_cleanup_answer_ struct answer answer = { 0 };
		_cleanup_fd_ int peer = -EBADF;
		_cleanup_client_ struct client client = beside(&peer);

		assert_int_equal(write(peer, cases[i].bytes, cases[i].size), cases[i].size);
		if (cases[i].hang_up)
			peer = fd_close(peer);
		if (client_receive(&client, client.timeout, &answer) != cases[i].r)
			fail_msg("case %zu", i);
		assert_true(cases[i].r < 0 || cJSON_IsObject(answer.parameters));
	}
}

/* Several in one read, and one over several reads. */
static void
pieces(void **state)
{
	_cleanup_fd_ int peer = -EBADF;
	_cleanup_client_ struct client client = beside(&peer);
	_cleanup_answer_ struct answer first = { 0 }, second = { 0 }, third = { 0 };

	(void)state;
	assert_int_equal(write(peer, LITERAL("{\"error\":\"a.B\"}\0{\"continues\":true}\0{\"par")), 40);
	assert_int_equal(client_receive(&client, client.timeout, &first), 0);
	assert_string_equal(first.error, "a.B");
	assert_int_equal(client_receive(&client, client.timeout, &second), 0);
	assert_true(second.continues);
	assert_int_equal(write(peer, LITERAL("ameters\":{}}\0")), 13);
	/* what has begun is waited for no longer than the timeout, also where silence may last */
	assert_int_equal(client_receive(&client, CLIENT_FOREVER, &third), 0);
	assert_int_equal(write(peer, LITERAL("{")), 1);
	assert_int_equal(client_receive(&client, CLIENT_FOREVER, &third), -ETIMEDOUT);
}

static void
calls(void **state)
{
	_cleanup_fd_ int peer = -EBADF;
	_cleanup_client_ struct client client = beside(&peer);
	cJSON *parameters = cJSON_CreateObject();
	char bytes[256] = "";

	(void)state;
	assert_non_null(cJSON_AddStringToObject(parameters, "load", "\"\n"));
	assert_int_equal(client_send(&client, "Release", parameters, true), 0);
	assert_true(read(peer, bytes, sizeof(bytes)) > 0);
	assert_string_equal(bytes, "{\"method\":\"org.chapelhillpubliclibrary.patrond.Release\",\"more\":true,"
				   "\"parameters\":{\"load\":\"\\\"\\n\"}}");
	/* a peer that does not read, and one that is gone */
	for (int i = 0, r = 0; i < 100000 && r == 0; i++) {
		r = client_send(&client, "Status", NULL, false);
		assert_true(r == 0 || r == -ETIMEDOUT);
		if (r == -ETIMEDOUT)
			break;
		assert_int_not_equal(i, 99999);
	}
	peer = fd_close(peer);
	assert_int_equal(client_send(&client, "Status", NULL, false), -EPIPE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies),
		cmocka_unit_test(pieces),
		cmocka_unit_test(calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
