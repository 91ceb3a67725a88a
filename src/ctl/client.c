/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Varlink client: non-blocking, each wait with an end. */

#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "common/text.h"

static volatile sig_atomic_t caught;
static sigset_t outside; /* the mask while waiting */
static bool catching;

static usec_t
now_usec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

static void
on_signal(int number)
{
	(void)number;
	caught = 1;
}

void
client_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t inside;

	/* Blocked but in ppoll: a signal between two waits is seen by the next one. */
	(void)sigemptyset(&inside);
	(void)sigaddset(&inside, SIGINT);
	(void)sigaddset(&inside, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &inside, &outside);
	(void)sigdelset(&outside, SIGINT);
	(void)sigdelset(&outside, SIGTERM);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	catching = true;
}

/* Waits for events until a deadline (CLIENT_FOREVER: none). Returns 0, -ETIMEDOUT, -EINTR, another negative errno. */
static int
wait_for(int fd, short events, usec_t deadline)
{
	for (;;) {
		struct pollfd poll = { .fd = fd, .events = events };
		usec_t now = now_usec(), left = deadline > now ? deadline - now : 0;
		struct timespec time = { (time_t)(left / USEC_PER_SEC), (long)(left % USEC_PER_SEC * 1000) };
		int r = ppoll(&poll, 1, deadline == CLIENT_FOREVER ? NULL : &time, catching ? &outside : NULL);

		if (caught)
			return -EINTR;
		if (r > 0)
			return 0;
		if (r == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* Where the queue of connections is full, a socket of this kind cannot be polled for room. */
static int
connect_until(int fd, const struct sockaddr_un *address, usec_t deadline)
{
	const struct timespec pause = { 0, 20000000 };

	while (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (now_usec() >= deadline)
			return -ETIMEDOUT;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

int
client_open(struct client *client, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd < 0)
		return -errno;
	return connect_until(client->fd, &address, now_usec() + client->timeout);
}

static int
send_until(int fd, const char *bytes, size_t size, usec_t deadline)
{
	while (size > 0) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
		int r = 0;

		if (n >= 0) {
			bytes += n;
			size -= (size_t)n;
		} else if (errno == EAGAIN)
			r = wait_for(fd, POLLOUT, deadline);
		else if (errno != EINTR)
			r = -errno;
		if (r < 0)
			return r;
	}
	return 0;
}

int
client_send(struct client *client, const char *method, cJSON *parameters, bool more)
{
	_cleanup_free_ char *text = NULL;
	char name[128];
	cJSON *call = cJSON_CreateObject();
	bool made;

	(void)snprintf(name, sizeof(name), "%s.%s", CLIENT_INTERFACE, method);
	made = call != NULL && cJSON_AddStringToObject(call, "method", name) != NULL &&
	       (!more || cJSON_AddTrueToObject(call, "more") != NULL);
	if (parameters != NULL && !(made && cJSON_AddItemToObject(call, "parameters", parameters))) {
		cJSON_Delete(parameters);
		made = false;
	}
	text = made ? cJSON_PrintUnformatted(call) : NULL;
	cJSON_Delete(call);
	if (text == NULL)
		return -ENOMEM;
	/* the NUL is the message's end */
	return send_until(client->fd, text, strlen(text) + 1, now_usec() + client->timeout);
}

/* What is an object with the members of a reply, each of its type, is one. */
static int
read_reply(const char *bytes, size_t size, struct answer *ret)
{
	static const cJSON nothing = { .type = cJSON_Object };
	struct answer answer = { 0 };
	const cJSON *error, *parameters, *continues;

	if (!text_is_utf8(bytes, size))
		return -EBADMSG;
	/* with the NUL counted in, cJSON checks that nothing stands between the value and it */
	answer.document = cJSON_ParseWithLengthOpts(bytes, size + 1, NULL, 1);
	if (!cJSON_IsObject(answer.document))
		goto refuse;
	error = cJSON_GetObjectItemCaseSensitive(answer.document, "error");
	parameters = cJSON_GetObjectItemCaseSensitive(answer.document, "parameters");
	continues = cJSON_GetObjectItemCaseSensitive(answer.document, "continues");
	if ((error != NULL && (!cJSON_IsString(error) || error->valuestring[0] == '\0')) ||
	    (parameters != NULL && !cJSON_IsObject(parameters)) || (continues != NULL && !cJSON_IsBool(continues)))
		goto refuse;
	answer.error = error != NULL ? error->valuestring : NULL;
	answer.parameters = parameters != NULL ? parameters : &nothing;
	answer.continues = cJSON_IsTrue(continues);
	*ret = answer;
	return 0;

refuse:
	answer_done(&answer);
	return -EBADMSG;
}

/* Takes the bytes that are there. Returns 0, -ECONNRESET at hang-up, or another negative errno. */
static int
take_bytes(struct client *client)
{
	char bytes[16384];
	ssize_t n = recv(client->fd, bytes, sizeof(bytes), 0);
	int r;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	r = buf_add(&client->in, bytes, (size_t)n);
	return r == -ENOBUFS ? -EMSGSIZE : r;
}

int
client_receive(struct client *client, usec_t silence, struct answer *ret)
{
	usec_t begun = client->in.size > 0 ? now_usec() : 0;
	usec_t until = silence != CLIENT_FOREVER ? now_usec() + silence : CLIENT_FOREVER;
	size_t looked = 0;

	for (;;) {
		const char *end =
		    client->in.size > looked ? memchr(client->in.bytes + looked, '\0', client->in.size - looked) : NULL;
		int r;

		if (end != NULL) {
			size_t size = (size_t)(end - client->in.bytes);

			r = read_reply(client->in.bytes, size, ret);
			buf_drop(&client->in, size + 1);
			return r;
		}
		looked = client->in.size;
		if (looked > 0 && begun == 0)
			begun = now_usec();
		r = wait_for(client->fd, POLLIN, begun != 0 ? begun + client->timeout : until);
		if (r == 0)
			r = take_bytes(client);
		if (r < 0)
			return r;
	}
}

int
client_call(const char *path, const char *method, cJSON *parameters, struct answer *ret)
{
	_cleanup_client_ struct client client = CLIENT_INIT;
	int r = client_open(&client, path);

	if (r < 0) {
		cJSON_Delete(parameters);
		return r;
	}
	r = client_send(&client, method, parameters, false);
	if (r == 0)
		r = client_receive(&client, client.timeout, ret);
	/* Without "more" there is exactly one reply. */
	if (r == 0 && ret->continues) {
		answer_done(ret);
		r = -EBADMSG;
	}
	return r;
}

void
client_done(struct client *client)
{
	client->fd = fd_close(client->fd);
	buf_done(&client->in);
}

void
answer_done(struct answer *answer)
{
	cJSON_Delete(answer->document);
	*answer = (struct answer){ 0 };
}
