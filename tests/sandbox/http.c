/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP server, by libmicrohttpd. */

#include "http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "admin.h"
#include "api.h"
#include "timer.h"

enum {
	BODY_MAX = 256 << 20, /* records loaded at run time are the largest bodies */
	CONNECTIONS_MAX = 4000,
	CONNECTION_MEMORY = 64 << 10, /* id lists make long URLs */
	LISTEN_BACKLOG = 1024,
	PARTIAL_BLOCK = 16 << 10,
};

struct http {
	struct standin *standin;
	struct MHD_Daemon *daemon;
	struct timers *timers;
	pthread_mutex_t lock;
	bool stopping;
};

/* One connection, from accept to close. */
struct link {
	uint64_t answers;
};

/* One request and its reply. */
struct exchange {
	enum { STAGE_READ, STAGE_RUN, STAGE_SEND } stage;
	struct request request;
	struct reply reply;
	struct call call;
	struct text body;
	bool too_large;
};

static enum method
method_of(const char *name)
{
	static const char *const names[] = { "GET", "POST", "PUT", "DELETE", NULL };
	int i = 0;

	while (names[i] && strcmp(names[i], name) != 0)
		i++;
	return (enum method)i;
}

static enum MHD_Result
add_param(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct request *q = cls;

	(void)kind;
	if (q->n_params == PARAMS_MAX)
		return MHD_NO;
	q->params[q->n_params++] = (struct param){ name, value ? value : "" };
	return MHD_YES;
}

static struct exchange *
begin(struct http *h, struct MHD_Connection *connection, const char *url, const char *method)
{
	struct exchange *x = xcalloc(1, sizeof(*x));
	struct standin *s = h->standin;

	x->request.method = method_of(method);
	x->request.path = url;
	x->request.authorization = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_param, &x->request);
	pthread_mutex_lock(&h->lock);
	s->open_requests++;
	if (s->open_requests > s->counters.max_requests)
		s->counters.max_requests = s->open_requests;
	pthread_mutex_unlock(&h->lock);
	return x;
}

static void
take_body(struct exchange *x, const char *data, size_t n)
{
	if (x->body.len + n > BODY_MAX)
		x->too_large = true;
	else
		text_add(&x->body, data, n);
}

/* Decides and, unless its delay comes first, runs the request. */
static void
execute(struct http *h, struct exchange *x)
{
	struct standin *s = h->standin;
	struct request *q = &x->request;

	q->body = x->body.data;
	q->body_len = x->body.len;
	pthread_mutex_lock(&h->lock);
	x->stage = STAGE_SEND;
	if (x->too_large) {
		x->reply.status = 413;
		x->reply.content_type = "text/plain";
	} else if (admin_has(q->path)) {
		admin_handle(s, q, &x->reply);
	} else {
		api_decide(s, q, &x->call, &x->reply);
		if (x->reply.delay_ms && s->switches.slow_commit_after)
			x->stage = STAGE_RUN;
		else
			api_run(s, q, &x->call, &x->reply);
	}
	pthread_mutex_unlock(&h->lock);
}

static void
run_late(struct http *h, struct exchange *x)
{
	pthread_mutex_lock(&h->lock);
	api_run(h->standin, &x->request, &x->call, &x->reply);
	x->stage = STAGE_SEND;
	pthread_mutex_unlock(&h->lock);
}

static ssize_t
read_half(void *cls, uint64_t at, char *buf, size_t max)
{
	const struct text *t = cls;
	size_t half = t->len / 2, n;

	if (at >= half)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = half - at < max ? half - at : max;
	memcpy(buf, t->data + at, n);
	return (ssize_t)n;
}

static void
free_text(void *cls)
{
	struct text *t = cls;

	text_done(t);
	free(t);
}

/* The reply's body moves into the response. */
static struct MHD_Response *
response_of(struct reply *r)
{
	struct text body = r->body, *copy;

	r->body = (struct text){ 0 };
	if (r->form == REPLY_PARTIAL) {
		copy = xcalloc(1, sizeof(*copy));
		*copy = body;
		return MHD_create_response_from_callback(copy->len, PARTIAL_BLOCK, read_half, copy, free_text);
	}
	if (body.len)
		return MHD_create_response_from_buffer(body.len, body.data, MHD_RESPMEM_MUST_FREE);
	text_done(&body);
	return MHD_create_response_from_buffer(0, (char[]){ "" }, MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result
send_reply(struct http *h, struct MHD_Connection *connection, struct exchange *x)
{
	struct reply *r = &x->reply;
	struct MHD_Response *response;
	enum MHD_Result result;
	char seconds[16];

	pthread_mutex_lock(&h->lock);
	h->standin->counters.statuses[r->form == REPLY_DROP ? 0 : r->status / 100]++;
	pthread_mutex_unlock(&h->lock);
	/* A handler's refusal makes the library close the connection without a byte. */
	if (r->form == REPLY_DROP)
		return MHD_NO;
	response = response_of(r);
	if (!response)
		return MHD_NO;
	if (r->status != 204)
		MHD_add_response_header(response, "Content-Type", r->content_type);
	if (r->retry_after) {
		snprintf(seconds, sizeof(seconds), "%u", r->retry_after);
		MHD_add_response_header(response, "Retry-After", seconds);
	}
	result = MHD_queue_response(connection, (unsigned)r->status, response);
	MHD_destroy_response(response);
	return result;
}

/* Suspends the connection unless there is nothing to wait for; under the lock, so that none is added while stopping. */
static bool
delay(struct http *h, struct MHD_Connection *connection, uint32_t ms)
{
	bool wait;

	if (!ms)
		return false;
	pthread_mutex_lock(&h->lock);
	wait = !h->stopping;
	if (wait) {
		MHD_suspend_connection(connection);
		timers_add(h->timers, now_us() + (uint64_t)ms * 1000, connection);
	}
	pthread_mutex_unlock(&h->lock);
	return wait;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *data, size_t *data_len, void **state)
{
	struct http *h = cls;
	struct exchange *x = *state;

	(void)version;
	if (!x) {
		*state = begin(h, connection, url, method);
		return MHD_YES;
	}
	if (*data_len) {
		take_body(x, data, *data_len);
		*data_len = 0;
		return MHD_YES;
	}
	if (x->stage == STAGE_READ) {
		execute(h, x);
		if (delay(h, connection, x->reply.delay_ms))
			return MHD_YES;
	}
	if (x->stage == STAGE_RUN)
		run_late(h, x);
	return send_reply(h, connection, x);
}

/* Closing here, after the answer, is what a server does whose keep-alive has run out: no header announces it. */
static void
maybe_close(struct http *h, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *context =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	uint32_t limit = h->standin->switches.keepalive_close_after;
	struct link *link = context ? context->socket_context : NULL;

	if (link && ++link->answers >= limit && limit && fd)
		shutdown(fd->connect_fd, SHUT_RDWR);
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	struct http *h = cls;
	struct exchange *x = *state;

	if (!x)
		return;
	pthread_mutex_lock(&h->lock);
	/* The client has left in the meantime, and the library with it; a server works on. */
	if (x->stage == STAGE_RUN && !h->stopping)
		api_run(h->standin, &x->request, &x->call, &x->reply);
	h->standin->open_requests--;
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		maybe_close(h, connection);
	pthread_mutex_unlock(&h->lock);
	text_done(&x->body);
	text_done(&x->reply.body);
	free(x);
	*state = NULL;
}

static void
on_connection(void *cls, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = cls;
	struct standin *s = h->standin;

	(void)connection;
	pthread_mutex_lock(&h->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = xcalloc(1, sizeof(struct link));
		s->counters.connections_accepted++;
		s->open_connections++;
		if (s->open_connections > s->counters.max_connections)
			s->counters.max_connections = s->open_connections;
	} else {
		free(*context);
		*context = NULL;
		s->open_connections--;
	}
	pthread_mutex_unlock(&h->lock);
}

struct http *
http_start(struct standin *s, const struct http_config *config)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)config->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)config->key },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
	struct http *h = xcalloc(1, sizeof(*h));

	h->standin = s;
	h->timers = timers_new();
	pthread_mutex_init(&h->lock, NULL);
	h->daemon = MHD_start_daemon(flags | (config->cert ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, h,
	    MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&config->address, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
	    h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_LISTEN_BACKLOG_SIZE,
	    (unsigned)LISTEN_BACKLOG, MHD_OPTION_THREAD_POOL_SIZE, config->threads > 1 ? config->threads : 0u,
	    MHD_OPTION_ARRAY, config->cert ? tls : none, MHD_OPTION_END);
	if (!h->daemon) {
		fputs("sierra-standin: cannot listen, or the certificate and key are no good\n", stderr);
		return http_stop(h);
	}
	return h;
}

uint16_t
http_port(const struct http *h)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

struct http *
http_stop(struct http *h)
{
	/* The library aborts when it is stopped while connections are suspended: none may be, and none may follow. */
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	pthread_mutex_unlock(&h->lock);
	timers_free(h->timers);
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	pthread_mutex_destroy(&h->lock);
	free(h);
	return NULL;
}
