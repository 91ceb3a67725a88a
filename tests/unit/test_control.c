/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Peers of the control socket: the silent, the slow, the flooding, the greedy, and memory that runs out. */

#include "testkit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "patrond/limits.h"
#include "supervisor/control.h"

struct fixture {
	sd_event *event;
	struct control *control;
	struct sockaddr_un address;
	unsigned int calls, presents;
	int answer; /* what on_call returns instead of answering, where it is not 0 */
};

static int
on_call(struct control_peer *peer, const struct varlink_call *call, void *userdata)
{
	struct fixture *f = userdata;
	cJSON *parameters;
	char *big;
	int r;

	f->calls++;
	if (f->answer != 0)
		return f->answer;
	if (strcmp(call->method, "Stream") == 0)
		return control_stream(peer);
	if (strcmp(call->method, "Refuse") == 0)
		return control_error(peer, "a.Refused", NULL);
	parameters = cJSON_CreateObject();
	big = strcmp(call->method, "Big") == 0 ? calloc(1, 300001) : strdup(call->method);
	if (parameters == NULL || big == NULL) {
		cJSON_Delete(parameters);
		free(big);
		return -ENOMEM;
	}
	if (strcmp(call->method, "Big") == 0)
		memset(big, 'x', 300000);
	r = cJSON_AddStringToObject(parameters, "method", big) != NULL ? 0 : -ENOMEM;
	free(big);
	if (r < 0) {
		cJSON_Delete(parameters);
		return r;
	}
	return control_reply(peer, parameters);
}

static cJSON *
present(void *userdata)
{
	struct fixture *f = userdata;
	cJSON *object = cJSON_CreateObject();

	if (object != NULL && cJSON_AddNumberToObject(object, "present", ++f->presents) == NULL) {
		cJSON_Delete(object);
		return NULL;
	}
	return object;
}

static const struct control_handler handler = { .on_call = on_call, .present = present };
static const struct control_times quick = { .idle = 400 * USEC_PER_MSEC, .partial = 100 * USEC_PER_MSEC,
	.unread = 200 * USEC_PER_MSEC, .throttle = 50 * USEC_PER_MSEC };

static void
begin(struct fixture *f, const struct control_times *times)
{
	static unsigned int n;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(f, 0, sizeof(*f));
	f->address.sun_family = AF_UNIX;
	/* abstract: nothing is left behind */
	(void)snprintf(f->address.sun_path + 1, sizeof(f->address.sun_path) - 1, "patrond-test-control-%d-%u", getpid(), n++);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&f->address, sizeof(f->address)), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_true(sd_event_new(&f->event) >= 0);
	assert_int_equal(control_new(&f->control, f->event, fd, times, &handler, f), 0);
}

static void
end(struct fixture *f)
{
	f->control = control_free(f->control);
	sd_event_unref(f->event);
}

static int
dial(const struct fixture *f)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&f->address, sizeof(f->address)), 0);
	return fd;
}

static usec_t
now_usec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

static void
pump(struct fixture *f, usec_t milliseconds)
{
	usec_t until = now_usec() + milliseconds * USEC_PER_MSEC;

	while (now_usec() < until)
		assert_true(sd_event_run(f->event, 5 * USEC_PER_MSEC) >= 0);
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text) + 1, MSG_NOSIGNAL), (ssize_t)strlen(text) + 1);
}

/* What has come, as messages: their number. -1 where the connection has ended and nothing is left. */
static int
messages(int fd, char *last, size_t size)
{
	static char bytes[1 << 20];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	int count = 0;
	const char *at = bytes;

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -1;
	for (ssize_t i = 0; i < n; i++)
		if (bytes[i] == '\0') {
			(void)snprintf(last, size, "%.*s", (int)size - 1, at);
			at = bytes + i + 1;
			count++;
		}
	return count;
}

static bool
ended(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

	return n == 0 || (n < 0 && errno != EAGAIN);
}

static void
answers_and_refusals(void **state)
{
	struct fixture f;
	char text[256];
	int fd;

	(void)state;
	begin(&f, &quick);
	fd = dial(&f);
	say(fd, "{\"method\":\"a.b\"}");
	pump(&f, 30);
	assert_int_equal(messages(fd, text, sizeof(text)), 1);
	assert_string_equal(text, "{\"parameters\":{\"method\":\"a.b\"}}");
	say(fd, "{\"method\":\"Refuse\"}");
	say(fd, "{\"method\":\"Refuse\",\"oneway\":true}");
	say(fd, "{\"method\":\"c\",\"oneway\":true}");
	pump(&f, 100);
	assert_int_equal(messages(fd, text, sizeof(text)), 1);
	assert_string_equal(text, "{\"error\":\"a.Refused\",\"parameters\":{}}");
	assert_int_equal(f.calls, 4);
	/* what is no call: the answer before it comes, then the end */
	say(fd, "{\"method\":\"d\"}");
	say(fd, "nonsense");
	pump(&f, 100);
	assert_int_equal(messages(fd, text, sizeof(text)), 1);
	assert_true(ended(fd));
	(void)close(fd);
	end(&f);
}

static void
a_negative_answer_ends_one_peer_alone(void **state)
{
	struct fixture f;
	char text[256];
	int bad, good;

	(void)state;
	begin(&f, &quick);
	bad = dial(&f);
	good = dial(&f);
	pump(&f, 10);
	f.answer = -ENOMEM;
	say(bad, "{\"method\":\"a\"}");
	pump(&f, 30);
	f.answer = 0;
	assert_true(ended(bad));
	say(good, "{\"method\":\"a\"}");
	pump(&f, 30);
	assert_int_equal(messages(good, text, sizeof(text)), 1);
	(void)close(bad);
	(void)close(good);
	end(&f);
}

static void
silence_half_messages_and_long_ones(void **state)
{
	struct fixture f;
	char *much = malloc(LIMIT_CONTROL_MESSAGE + 1);
	int silent, half, drip, longer, stream;

	(void)state;
	assert_non_null(much);
	memset(much, 'x', LIMIT_CONTROL_MESSAGE + 1);
	begin(&f, &quick);
	silent = dial(&f);
	half = dial(&f);
	drip = dial(&f);
	longer = dial(&f);
	stream = dial(&f);
	say(stream, "{\"method\":\"Stream\",\"more\":true}");
	assert_int_equal(send(half, "{\"meth", 6, 0), 6);
	assert_int_equal(send(longer, much, LIMIT_CONTROL_MESSAGE + 1, 0), LIMIT_CONTROL_MESSAGE + 1);
	for (int i = 0; i < 5; i++) {
		(void)!send(drip, " ", 1, MSG_NOSIGNAL);
		pump(&f, 40);
	}
	assert_true(ended(longer));
	assert_true(ended(half));
	assert_true(ended(drip)); /* a byte now and then does not help */
	assert_false(ended(silent));
	pump(&f, 600);
	assert_true(ended(silent));
	assert_int_equal(f.calls, 1);
	/* one that watches says nothing for good reason; and then it, too, may go */
	assert_int_equal(messages(stream, much, LIMIT_CONTROL_MESSAGE), 1);
	assert_false(ended(stream));
	(void)close(silent);
	(void)close(half);
	(void)close(drip);
	(void)close(longer);
	(void)close(stream);
	pump(&f, 20);
	end(&f);
	free(much);
}

static void
a_peer_that_never_reads(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	begin(&f, &quick);
	fd = dial(&f);
	for (int i = 0; i < 20; i++)
		say(fd, "{\"method\":\"Big\"}");
	pump(&f, 150);
	/* its calls wait while it does not read */
	assert_in_range(f.calls, 1, 2);
	assert_false(ended(fd));
	pump(&f, 400);
	assert_in_range(f.calls, 1, 2);
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1); /* hung up on */
	(void)close(fd);
	pump(&f, 20);
	end(&f);
}

static int
count(sd_event_source *source, void *userdata)
{
	(void)source;
	++*(unsigned int *)userdata;
	return 0;
}

static void
a_flood_is_slowed_down_and_others_come_first(void **state)
{
	struct fixture f;
	sd_event_source *other = NULL;
	unsigned int turns = 0, calls;
	int fd, fds[8];

	(void)state;
	begin(&f, &quick);
	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i] = dial(&f);
		for (int k = 0; k < 200; k++)
			say(fds[i], "{\"method\":\"Refuse\",\"oneway\":true}");
	}
	/* a source that is always ready, of everybody's own priority: not one call is handled before it rests */
	assert_true(sd_event_add_defer(f.event, &other, count, &turns) >= 0);
	assert_true(sd_event_source_set_enabled(other, SD_EVENT_ON) >= 0);
	pump(&f, 50);
	assert_int_equal(f.calls, 0);
	assert_true(turns > 100);
	assert_true(sd_event_source_set_enabled(other, SD_EVENT_OFF) >= 0);
	pump(&f, 300);
	calls = f.calls;
	/* 4 at once and 64 a second for each of the 8, with room for a slow machine */
	assert_in_range(calls, 32, 8 * (4 + 64));
	fd = dial(&f);
	say(fd, "{\"method\":\"Refuse\"}");
	pump(&f, 30);
	assert_false(ended(fd)); /* somebody new is heard at once */
	assert_int_equal(messages(fd, (char[256]){ 0 }, 256), 1);
	(void)close(fd);
	for (size_t i = 0; i < COUNT(fds); i++)
		(void)close(fds[i]);
	sd_event_source_unref(other);
	pump(&f, 20);
	end(&f);
}

static void
too_many_connections(void **state)
{
	struct fixture f;
	int fds[60];
	int living = 0;
	/* this very process is the peer: as root it may have them all */
	int most = geteuid() == 0 ? LIMIT_CONTROL_PEERS : LIMIT_CONTROL_PEERS - LIMIT_CONTROL_RESERVED;

	(void)state;
	begin(&f, &quick);
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = dial(&f);
	pump(&f, 100);
	for (size_t i = 0; i < COUNT(fds); i++)
		living += !ended(fds[i]);
	assert_int_equal(living, most);
	for (size_t i = 0; i < COUNT(fds); i++)
		(void)close(fds[i]);
	pump(&f, 50);
	fds[0] = dial(&f);
	pump(&f, 50);
	assert_false(ended(fds[0])); /* there is room again */
	(void)close(fds[0]);
	end(&f);
}

static void
streams(void **state)
{
	struct fixture f;
	cJSON *event = cJSON_CreateObject();
	char text[256] = "";
	int fd, other, n;
	usec_t begun;

	(void)state;
	begin(&f, &quick);
	fd = dial(&f);
	say(fd, "{\"method\":\"Stream\",\"more\":true}");
	say(fd, "{\"method\":\"never heard\"}");
	pump(&f, 30);
	assert_int_equal(messages(fd, text, sizeof(text)), 1);
	assert_string_equal(text, "{\"parameters\":{\"present\":1},\"continues\":true}");
	begun = now_usec();
	for (int i = 0; i < 200; i++) {
		control_changed(f.control);
		pump(&f, 1);
	}
	pump(&f, 60);
	n = messages(fd, text, sizeof(text));
	/* of 200 changes no more than one in 50 ms is told */
	assert_in_range(n, 2, 1 + (now_usec() - begun) / (50 * USEC_PER_MSEC));
	assert_int_equal(f.presents, 1 + n);
	other = dial(&f);
	pump(&f, 20);
	assert_non_null(cJSON_AddStringToObject(event, "kind", "summary"));
	control_publish(f.control, event);
	assert_int_equal(messages(fd, text, sizeof(text)), 1); /* at once */
	assert_string_equal(text, "{\"parameters\":{\"kind\":\"summary\"},\"continues\":true}");
	assert_int_equal(messages(other, text, sizeof(text)), 0);
	control_publish(NULL, event);
	control_publish(f.control, NULL);
	control_changed(NULL);
	cJSON_Delete(event);
	assert_int_equal(f.calls, 1);
	end(&f);
	/* the last one says that it is the last */
	assert_int_equal(messages(fd, text, sizeof(text)), 1);
	assert_null(strstr(text, "continues"));
	assert_true(ended(fd));
	(void)close(fd);
	(void)close(other);
}

static int allocations_left;

static void *
failing_malloc(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void
memory_runs_out(void **state)
{
	cJSON_Hooks hooks = { .malloc_fn = failing_malloc, .free_fn = free };
	struct fixture f;
	unsigned int dropped = 0, answered = 0;

	(void)state;
	begin(&f, &quick);
	cJSON_InitHooks(&hooks);
	for (int i = 0; i < 40; i++) {
		char text[256];
		int fd = dial(&f);

		say(fd, i % 2 == 0 ? "{\"method\":\"a\"}" : "{\"method\":\"Stream\",\"more\":true}");
		allocations_left = i / 2;
		pump(&f, 10);
		if (messages(fd, text, sizeof(text)) == 1)
			answered++;
		else if (ended(fd))
			dropped++;
		(void)close(fd);
		pump(&f, 5);
	}
	cJSON_InitHooks(NULL);
	assert_int_equal(answered + dropped, 40);
	assert_true(dropped > 10 && answered > 5);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_and_refusals),
		cmocka_unit_test(a_negative_answer_ends_one_peer_alone),
		cmocka_unit_test(silence_half_messages_and_long_ones),
		cmocka_unit_test(a_peer_that_never_reads),
		cmocka_unit_test(a_flood_is_slowed_down_and_others_come_first),
		cmocka_unit_test(too_many_connections),
		cmocka_unit_test(streams),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
