/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libcurl, tied down. */

#include "load/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load/clock.h"
#include "patrond/limits.h"

#define OTHERS_MAX 4U

struct slot {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct buf answer;
	size_t answer_max;
	void *user;
	usec_t started;
	unsigned int sends; /* times that libcurl was about to send the request */
	bool busy;
	bool too_large;
};

struct http {
	CURLM *multi;
	struct curl_slist *resolve;
	unsigned int slot_count;
	unsigned int busy;
	struct slot slots[LIMIT_CONNECTIONS];
	struct slot *given; /* whose answer http_next gave out last */
};

/* Headers carry the token: wiped before they are freed. */
static void
headers_free(struct curl_slist **headers)
{
	for (struct curl_slist *at = *headers; at != NULL; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(*headers);
	*headers = NULL;
}

static size_t
on_body(char *bytes, size_t one, size_t size, void *user)
{
	struct slot *slot = user;

	(void)one; /* always 1 */
	if (slot->answer.size + size > slot->answer_max || buf_add(&slot->answer, bytes, size) < 0) {
		slot->too_large = true;
		return 0;
	}
	return size;
}

/*
 * Called when a connection stands and the request is about to leave. libcurl sends a request again by itself, a POST
 * too, where a kept connection is closed before an answer: a second patron, perhaps. So the second time is refused.
 */
static int
on_send(void *user, char *peer_address, char *own_address, int peer_port, int own_port)
{
	struct slot *slot = user;

	(void)peer_address;
	(void)own_address;
	(void)peer_port;
	(void)own_port;
	slot->sends++;
	return slot->sends > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* The options that never change. What is not asked for is switched off: proxies, .netrc, redirects, other protocols. */
static CURLcode
set_options(struct slot *slot, const struct http_options *options)
{
	struct curl_blob ca = { .data = (void *)(uintptr_t)options->ca, .len = options->ca_size, .flags = CURL_BLOB_COPY };
	CURL *easy = slot->easy;
	CURLcode r = CURLE_OK;

#define SET(option, value) \
	do { \
		if (r == CURLE_OK) \
			r = curl_easy_setopt(easy, CURLOPT_##option, value); \
	} while (0)
	SET(PROTOCOLS_STR, "https");
	SET(REDIR_PROTOCOLS_STR, "https");
	SET(FOLLOWLOCATION, 0L);
	SET(PROXY, "");
	SET(NETRC, (long)CURL_NETRC_IGNORED);
	SET(NOSIGNAL, 1L);
	SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(HTTP09_ALLOWED, 0L);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(CAINFO, NULL);
	SET(CAPATH, NULL);
	SET(CAINFO_BLOB, &ca);
	SET(RESOLVE, slot->http->resolve);
	SET(USERAGENT, options->user_agent);
	SET(CONNECTTIMEOUT_MS, (long)(options->connect_timeout / USEC_PER_MSEC));
	SET(TCP_NODELAY, 1L);
	SET(TCP_KEEPALIVE, 1L);
	SET(WRITEFUNCTION, on_body);
	SET(WRITEDATA, slot);
	SET(PREREQFUNCTION, on_send);
	SET(PREREQDATA, slot);
	SET(PRIVATE, slot);
	SET(BUFFERSIZE, 256L * 1024L);
#undef SET
	return r;
}

static int
slots_open(struct http *http, const struct http_options *options)
{
	for (unsigned int i = 0; i < http->slot_count; i++) {
		struct slot *slot = &http->slots[i];

		slot->http = http;
		slot->answer = BUF_INIT(LIMIT_PAGE_SIZE);
		slot->easy = curl_easy_init();
		if (slot->easy == NULL)
			return -ENOMEM;
		if (set_options(slot, options) != CURLE_OK)
			return -EIO;
	}
	return 0;
}

int
http_new(struct http **ret, const struct http_options *options)
{
	struct http *http;
	int r;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -EIO;
	http = calloc(1, sizeof(*http));
	if (http == NULL)
		return -ENOMEM;
	http->slot_count = options->slots < LIMIT_CONNECTIONS ? options->slots : LIMIT_CONNECTIONS;
	http->multi = curl_multi_init();
	if (options->resolve != NULL)
		http->resolve = curl_slist_append(NULL, options->resolve);
	r = http->multi == NULL || (options->resolve != NULL && http->resolve == NULL) ? -ENOMEM : 0;
	if (r == 0 && curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)http->slot_count) != CURLM_OK)
		r = -EIO;
	if (r == 0 && curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) != CURLM_OK)
		r = -EIO;
	if (r == 0)
		r = slots_open(http, options);
	if (r < 0) {
		http_free(http);
		return r;
	}
	*ret = http;
	return 0;
}

struct http *
http_free(struct http *http)
{
	if (http == NULL)
		return NULL;
	for (unsigned int i = 0; i < http->slot_count; i++) {
		struct slot *slot = &http->slots[i];

		if (slot->busy)
			curl_multi_remove_handle(http->multi, slot->easy);
		curl_easy_cleanup(slot->easy);
		headers_free(&slot->headers);
		buf_done(&slot->answer);
	}
	curl_multi_cleanup(http->multi);
	curl_slist_free_all(http->resolve);
	free(http);
	curl_global_cleanup();
	return NULL;
}

void
http_freep(struct http **http)
{
	*http = http_free(*http);
}

unsigned int
http_busy(const struct http *http)
{
	return http->busy;
}

static int
add_header(struct curl_slist **headers, const char *line)
{
	struct curl_slist *more = curl_slist_append(*headers, line);

	if (more == NULL)
		return -ENOMEM;
	*headers = more;
	return 0;
}

static int
make_headers(struct slot *slot, const struct http_request *request)
{
	int r;

	headers_free(&slot->headers);
	r = add_header(&slot->headers, "Accept: application/json");
	/* Without this libcurl may wait a second for a 100 (Continue). */
	if (r == 0)
		r = add_header(&slot->headers, "Expect:");
	if (r == 0)
		r = add_header(&slot->headers, request->authorization);
	if (r == 0 && request->content_type != NULL)
		r = add_header(&slot->headers, request->content_type);
	if (r == 0 && request->close)
		r = add_header(&slot->headers, "Connection: close");
	return r;
}

static CURLcode
set_request(struct slot *slot, const struct http_request *request)
{
	CURL *easy = slot->easy;
	CURLcode r = CURLE_OK;

#define SET(option, value) \
	do { \
		if (r == CURLE_OK) \
			r = curl_easy_setopt(easy, CURLOPT_##option, value); \
	} while (0)
	if (request->body != NULL) {
		/* Not UPLOAD: small POSTFIELDS leave in one piece with the header. */
		SET(POST, 1L);
		SET(POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
		SET(POSTFIELDS, request->body);
	} else
		SET(HTTPGET, 1L);
	SET(CUSTOMREQUEST, request->method);
	SET(URL, request->url);
	SET(HTTPHEADER, slot->headers);
	SET(TIMEOUT_MS, (long)(request->timeout / USEC_PER_MSEC));
	SET(FORBID_REUSE, request->close ? 1L : 0L);
	SET(FRESH_CONNECT, request->fresh || request->close ? 1L : 0L);
#undef SET
	return r;
}

static struct slot *
free_slot(struct http *http)
{
	for (unsigned int i = 0; i < http->slot_count; i++)
		if (!http->slots[i].busy)
			return &http->slots[i];
	return NULL;
}

int
http_start(struct http *http, const struct http_request *request)
{
	struct slot *slot = free_slot(http);
	int r;

	if (slot == NULL)
		return -EIO;
	r = make_headers(slot, request);
	if (r < 0)
		return r;
	if (set_request(slot, request) != CURLE_OK)
		return -EIO;
	buf_clear(&slot->answer);
	slot->answer_max = request->answer_max;
	slot->user = request->user;
	slot->sends = 0;
	slot->too_large = false;
	slot->started = clock_now();
	if (curl_multi_add_handle(http->multi, slot->easy) != CURLM_OK)
		return -EIO;
	slot->busy = true;
	http->busy++;
	return 0;
}

static void
release(struct slot *slot)
{
	(void)curl_multi_remove_handle(slot->http->multi, slot->easy);
	headers_free(&slot->headers);
	(void)curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, NULL);
	slot->busy = false;
	slot->http->busy--;
}

void
http_abandon(struct http *http, const void *user)
{
	for (unsigned int i = 0; i < http->slot_count; i++)
		if (http->slots[i].busy && http->slots[i].user == user)
			release(&http->slots[i]);
}

int
http_perform(struct http *http)
{
	int running;

	return curl_multi_perform(http->multi, &running) == CURLM_OK ? 0 : -EIO;
}

/* A certificate that was refused: for its name, or for who signed it (or its dates)? */
static enum exchange
refused_certificate(const struct slot *slot, int *number)
{
	long verified = 0;

	(void)curl_easy_getinfo(slot->easy, CURLINFO_SSL_VERIFYRESULT, &verified);
	/* libcurl looks at the name before it notes the verdict, and had set 1 (unspecified) in its place. */
	if (verified == 0 || verified == 1)
		return EXCHANGE_TLS_NAME;
	*number = (int)verified;
	return EXCHANGE_TLS_CA;
}

static enum exchange
exchange_of(const struct slot *slot, CURLcode code, int *number)
{
	*number = (int)code;
	switch (code) {
	case CURLE_OK:
		return EXCHANGE_ANSWERED;
	case CURLE_PEER_FAILED_VERIFICATION:
		return refused_certificate(slot, number);
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return EXCHANGE_TLS_CA;
	case CURLE_ABORTED_BY_CALLBACK: /* on_send */
		return EXCHANGE_CLOSED;
	default:
		break;
	}
	if (slot->too_large)
		return EXCHANGE_TOO_LARGE;
	if (slot->sends > 0)
		return EXCHANGE_LOST;
	return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CIPHER ? EXCHANGE_TLS : EXCHANGE_NOT_SENT;
}

static void
fill_answer(const struct slot *slot, CURLcode code, struct http_answer *ret)
{
	long status = 0;
	curl_off_t retry_after = 0;

	*ret = (struct http_answer){ .user = slot->user, .started = slot->started, .bytes = "" };
	ret->exchange = exchange_of(slot, code, &ret->number);
	ret->timed_out = code == CURLE_OPERATION_TIMEDOUT;
	if (ret->exchange != EXCHANGE_ANSWERED)
		return;
	(void)curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(slot->easy, CURLINFO_RETRY_AFTER, &retry_after);
	ret->status = (int)status;
	ret->number = (int)status;
	if (retry_after > 0) /* it may be a date in a far year */
		ret->retry_after = retry_after < 86400 ? (usec_t)retry_after * USEC_PER_SEC : 86400 * USEC_PER_SEC;
	if (slot->answer.size > 0) {
		ret->bytes = slot->answer.bytes;
		ret->size = slot->answer.size;
	}
}

int
http_next(struct http *http, struct http_answer *ret)
{
	CURLMsg *message;
	int left;

	if (http->given != NULL)
		buf_clear(&http->given->answer);
	http->given = NULL;
	do
		message = curl_multi_info_read(http->multi, &left);
	while (message != NULL && message->msg != CURLMSG_DONE);
	if (message != NULL) {
		CURLcode code = message->data.result;
		char *private = NULL;
		struct slot *slot;

		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		slot = (struct slot *)(void *)private;
		fill_answer(slot, code, ret);
		release(slot);
		http->given = slot;
		return 1;
	}
	return 0;
}

int
http_wait(struct http *http, struct pollfd *others, unsigned int other_count, usec_t timeout)
{
	struct curl_waitfd extra[OTHERS_MAX] = { 0 };
	unsigned int count = other_count < OTHERS_MAX ? other_count : OTHERS_MAX;
	int ready = 0, ms = (int)((timeout + USEC_PER_MSEC - 1) / USEC_PER_MSEC);

	for (unsigned int i = 0; i < count; i++) {
		extra[i].fd = others[i].fd;
		extra[i].events = CURL_WAIT_POLLIN;
		others[i].revents = 0;
	}
	if (curl_multi_poll(http->multi, extra, count, ms, &ready) != CURLM_OK)
		return -EIO;
	/* libcurl has no bit for a hang-up, which would wake us without end if it were not seen here. */
	if (ready > 0 && count > 0 && poll(others, count, 0) < 0 && errno != EINTR)
		return -EIO;
	return 0;
}
