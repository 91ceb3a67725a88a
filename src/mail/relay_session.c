/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libcurl, tied down to one connection and one mail. */

#include "mail/relay_session.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define GRACE_MSEC 10000L /* for the last answer, once the supervisor wants an end */
#define WAIT_MSEC 1000
#define X509_NOT_VERIFIED 1
#define X509_NO_ISSUER 20
#define X509_NAME_MISMATCH 62
#define URL_MAX_SIZE (RELAY_HOST_MAX + ADDRESS_MAX + 32U)

struct relay_session {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *resolve, *to;
	const struct config *config;
	int fd;           /* -EBADF once libcurl has it, which closes it then */
	int socket;       /* libcurl's, only to be looked at */
	struct trace trace;
	struct message *message;
	const struct relay_session_handler *handler;
	unsigned int positions[LIMIT_RECIPIENTS]; /* in the configured list, of those who are addressed */
	size_t addressed;
	bool read_failed, kept, flooded, unseen;
	bool over; /* libcurl is done, and may have closed the socket */
};

/* From bits in the order of RCPT to bits of the configured list. */
static uint32_t
to_positions(const struct relay_session *session, uint32_t bits)
{
	uint32_t out = 0;

	for (size_t i = 0; i < session->addressed; i++)
		if ((bits & (1U << i)) != 0)
			out |= 1U << session->positions[i];
	return out;
}

/* --- what libcurl calls --- */

static curl_socket_t
on_open(void *userdata, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct relay_session *session = userdata;
	int fd = session->fd;

	(void)purpose;
	(void)address;
	if (fd < 0)
		return CURL_SOCKET_BAD; /* there is one, and no other */
	session->fd = -EBADF;
	session->socket = fd;
	return fd;
}

static int
on_options(void *userdata, curl_socket_t fd, curlsocktype purpose)
{
	(void)userdata;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int
on_debug(CURL *easy, curl_infotype type, char *bytes, size_t size, void *userdata)
{
	struct relay_session *session = userdata;

	(void)easy;
	if (type == CURLINFO_HEADER_OUT) {
		trace_command(&session->trace, bytes, size);
		/* Libcurl would wait for the answer to QUIT, and not say meanwhile what became of the mail. */
		if (session->trace.leaving)
			(void)shutdown(session->socket, SHUT_RD);
	} else if (type == CURLINFO_HEADER_IN)
		trace_answer(&session->trace, bytes, size);
	return 0;
}

/* Each line of an answer: kept by nobody, and an end is put to those who never end. */
static size_t
on_answer(char *bytes, size_t one, size_t size, void *userdata)
{
	struct relay_session *session = userdata;

	(void)bytes;
	if (session->trace.answer_bytes <= LIMIT_MAIL_ANSWERS)
		return one * size;
	session->flooded = true;
	return 0;
}

/*
 * The message. Before its last bytes are given out the supervisor is told, since libcurl adds the final dot by itself:
 * whatever happens afterwards, this mail is never sent again by mistake.
 */
static size_t
on_read(char *bytes, size_t one, size_t size, void *userdata)
{
	struct relay_session *session = userdata;
	ssize_t n;

	/* Libcurl has understood an answer that was not understood here: the mail would leave without a word of it. */
	session->unseen = session->trace.step < TRACE_BODY || trace_accepted(&session->trace) == 0;
	if (session->unseen)
		return CURL_READFUNC_ABORT;
	n = message_read(session->message, bytes, one * size);
	if (n < 0) {
		session->read_failed = true;
		return CURL_READFUNC_ABORT;
	}
	if (session->message->at == message_size(session->message) && session->trace.step == TRACE_BODY) {
		if (session->handler->leaving(to_positions(session, trace_accepted(&session->trace)),
		        session->handler->userdata) < 0) {
			session->kept = true;
			return CURL_READFUNC_ABORT;
		}
		trace_last_bytes(&session->trace);
	}
	return (size_t)n;
}

/* --- before the walls --- */

/* "HOST:PORT:ADDRESS" of the connection that stands: libcurl shall not ask for the name again. */
static int
add_resolve(struct relay_session *session, const struct relay *relay)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(address);
	char text[NI_MAXHOST], line[RELAY_HOST_MAX + NI_MAXHOST + 16];
	bool six;

	if (strchr(relay->host, ':') != NULL)
		return 0; /* an address of IPv6, which no such line can name, and no need to */
	if (getpeername(session->fd, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	if (getnameinfo((const struct sockaddr *)&address, size, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
		return -EIO;
	text[strcspn(text, "%")] = '\0'; /* a link's scope is nothing that libcurl can read */
	six = address.ss_family == AF_INET6;
	(void)snprintf(line, sizeof(line), "%s:%u:%s%s%s", relay->host, (unsigned int)relay->port, six ? "[" : "", text,
	    six ? "]" : "");
	session->resolve = curl_slist_append(NULL, line);
	return session->resolve == NULL ? -ENOMEM : 0;
}

#define SET(option, value) \
	do { \
		if (r == CURLE_OK) \
			r = curl_easy_setopt(easy, CURLOPT_##option, value); \
	} while (0)

/* The URL's path is what libcurl says for EHLO; without one it would be this machine's name. */
static CURLcode
set_peer(struct relay_session *session, const struct relay *relay)
{
	const char *domain = strchr(session->config->mail.from, '@');
	bool six = strchr(relay->host, ':') != NULL;
	CURL *easy = session->easy;
	char url[URL_MAX_SIZE];
	CURLcode r = CURLE_OK;

	if (domain == NULL)
		return CURLE_URL_MALFORMAT;
	(void)snprintf(url, sizeof(url), "%s://%s%s%s:%u/%s", relay->tls_first ? "smtps" : "smtp", six ? "[" : "", relay->host,
	    six ? "]" : "", (unsigned int)relay->port, domain + 1);
	SET(URL, url);
	SET(PROTOCOLS_STR, "smtp,smtps");
	SET(REDIR_PROTOCOLS_STR, "smtps");
	SET(FOLLOWLOCATION, 0L);
	SET(PROXY, "");
	SET(NETRC, (long)CURL_NETRC_IGNORED);
	SET(NOSIGNAL, 1L);
	SET(RESOLVE, session->resolve);
	SET(OPENSOCKETFUNCTION, on_open);
	SET(OPENSOCKETDATA, session);
	SET(SOCKOPTFUNCTION, on_options);
	SET(FRESH_CONNECT, 1L);
	SET(FORBID_REUSE, 1L);
	return r;
}

static CURLcode
set_tls(struct relay_session *session, const struct relay_session_options *options)
{
	struct curl_blob ca = { .data = (void *)(uintptr_t)options->ca, .len = options->ca_size, .flags = CURL_BLOB_COPY };
	CURL *easy = session->easy;
	CURLcode r = CURLE_OK;

	/* ALL, not TRY: a relay that offers no STARTTLS, or somebody who takes the offer away, gets not a word. */
	SET(USE_SSL, (long)CURLUSESSL_ALL);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(CAINFO, NULL);
	SET(CAPATH, NULL);
	SET(CAINFO_BLOB, &ca);
	return r;
}

/* PLAIN and LOGIN, which need TLS and have it: no NTLM, no Kerberos, whose code would read what the relay says. */
static CURLcode
set_login(struct relay_session *session, const struct relay_session_options *options)
{
	CURL *easy = session->easy;
	CURLcode r = CURLE_OK;
	char *password;

	if (options->password == NULL)
		return CURLE_OK;
	password = strndup(options->password, options->password_size);
	if (password == NULL)
		return CURLE_OUT_OF_MEMORY;
	SET(USERNAME, session->config->mail.user);
	SET(PASSWORD, password);
	SET(LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
	explicit_bzero(password, strlen(password));
	free(password);
	return r;
}

static CURLcode
set_mail(struct relay_session *session)
{
	const struct config *config = session->config;
	CURL *easy = session->easy;
	CURLcode r = CURLE_OK;

	SET(MAIL_FROM, config->mail.from);
	SET(MAIL_RCPT_ALLLOWFAILS, 1L);
	SET(UPLOAD, 1L);
	SET(READFUNCTION, on_read);
	SET(READDATA, session);
	SET(HEADERFUNCTION, on_answer);
	SET(HEADERDATA, session);
	SET(WRITEFUNCTION, on_answer);
	SET(WRITEDATA, session);
	SET(VERBOSE, 1L); /* for on_debug: nothing is printed */
	SET(DEBUGFUNCTION, on_debug);
	SET(DEBUGDATA, session);
	/* Libcurl counts greeting, TLS and log-in as connecting; a busy relay may take its time for each of them. */
	SET(CONNECTTIMEOUT_MS, (long)(config->mail.timeout / USEC_PER_MSEC));
	SET(TIMEOUT_MS, (long)(config->mail.timeout / USEC_PER_MSEC));
	SET(SERVER_RESPONSE_TIMEOUT, (long)((config->mail.timeout + USEC_PER_SEC - 1) / USEC_PER_SEC));
	return r;
}
#undef SET

static int
errno_of(CURLcode r)
{
	return r == CURLE_OK ? 0 : r == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

static int
prepare(struct relay_session *session, const struct relay_session_options *options)
{
	CURLcode r;
	int e = add_resolve(session, options->relay);

	if (e < 0)
		return e;
	session->multi = curl_multi_init(); /* its wake-up pair is made here: behind the walls there is no socket() */
	session->easy = curl_easy_init();
	if (session->multi == NULL || session->easy == NULL)
		return -ENOMEM;
	r = set_peer(session, options->relay);
	if (r == CURLE_OK)
		r = set_tls(session, options);
	if (r == CURLE_OK)
		r = set_login(session, options);
	if (r == CURLE_OK)
		r = set_mail(session);
	return errno_of(r);
}

int
relay_session_new(struct relay_session **ret, const struct relay_session_options *options)
{
	struct relay_session *session = calloc(1, sizeof(*session));
	int r;

	if (session == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		(void)fd_close(options->fd);
		free(session);
		return session == NULL ? -ENOMEM : -EIO;
	}
	session->config = options->config;
	session->fd = session->socket = options->fd;
	r = prepare(session, options);
	if (r < 0) {
		relay_session_free(session);
		return r;
	}
	*ret = session;
	return 0;
}

struct relay_session *
relay_session_free(struct relay_session *session)
{
	if (session == NULL)
		return NULL;
	/* Libcurl ends a message that is broken off with a dot all the same: half of one would be mailed. */
	if (session->socket >= 0 && session->fd < 0 && !session->over)
		(void)shutdown(session->socket, SHUT_RDWR);
	if (session->multi != NULL && session->easy != NULL)
		(void)curl_multi_remove_handle(session->multi, session->easy);
	curl_easy_cleanup(session->easy);
	curl_multi_cleanup(session->multi);
	curl_slist_free_all(session->resolve);
	curl_slist_free_all(session->to);
	(void)fd_close(session->fd);
	free(session);
	curl_global_cleanup();
	return NULL;
}

void
relay_session_freep(struct relay_session **session)
{
	*session = relay_session_free(*session);
}

/* --- sending --- */

static int
add_recipients(struct relay_session *session, uint32_t skip)
{
	const char *list = session->config->report.recipients, *address;
	unsigned int position = 0;
	size_t size;

	while (address_next(&list, &address, &size)) {
		char text[ADDRESS_MAX + 1];
		struct curl_slist *more;

		if (position >= LIMIT_RECIPIENTS || !address_valid(address, size))
			return -EINVAL;
		if ((skip & (1U << position)) == 0) {
			memcpy(text, address, size);
			text[size] = '\0';
			more = curl_slist_append(session->to, text);
			if (more == NULL)
				return -ENOMEM;
			session->to = more;
			session->positions[session->addressed++] = position;
		}
		position++;
	}
	return session->addressed > 0 ? 0 : -EINVAL;
}

static long
now_msec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

/* Runs until libcurl is done. Returns its code. */
static CURLcode
run(struct relay_session *session)
{
	long stop_at = 0;
	int running = 1, left;
	CURLMsg *message;

	for (;;) {
		if (curl_multi_perform(session->multi, &running) != CURLM_OK)
			return CURLE_OUT_OF_MEMORY;
		message = curl_multi_info_read(session->multi, &left);
		session->over = message != NULL && message->msg == CURLMSG_DONE;
		if (session->over)
			return message->data.result;
		if (stop_at == 0 && !session->handler->alive(session->handler->userdata))
			/* What has left may be there already: a moment for the answer, so that it is not unclear. */
			stop_at = now_msec() + (session->trace.step >= TRACE_END ? GRACE_MSEC : 0);
		if (stop_at != 0 && now_msec() >= stop_at)
			return CURLE_ABORTED_BY_CALLBACK;
		if (curl_multi_poll(session->multi, NULL, 0, WAIT_MSEC, NULL) != CURLM_OK)
			return CURLE_OUT_OF_MEMORY;
	}
}

static enum trace_end
end_of(const struct relay_session *session, CURLcode r)
{
	static const struct {
		CURLcode code;
		enum trace_end end;
	} ends[] = {
		{ CURLE_OK, TRACE_END_WELL },
		{ CURLE_USE_SSL_FAILED, TRACE_END_NO_TLS },
		{ CURLE_SSL_CONNECT_ERROR, TRACE_END_TLS },
		{ CURLE_SSL_CIPHER, TRACE_END_TLS },
		{ CURLE_PEER_FAILED_VERIFICATION, TRACE_END_CERTIFICATE },
		{ CURLE_SSL_CACERT_BADFILE, TRACE_END_CERTIFICATE },
		{ CURLE_SSL_ISSUER_ERROR, TRACE_END_CERTIFICATE },
		{ CURLE_LOGIN_DENIED, TRACE_END_LOGIN },
		{ CURLE_WEIRD_SERVER_REPLY, TRACE_END_ANSWER },
		{ CURLE_OUT_OF_MEMORY, TRACE_END_MEMORY },
	};

	if (session->read_failed)
		return TRACE_END_REPORT;
	if (session->flooded || session->unseen)
		return TRACE_END_ANSWER;
	if (session->kept || r == CURLE_ABORTED_BY_CALLBACK)
		return TRACE_END_CANCELLED;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i].code == r)
			return ends[i].end;
	return TRACE_END_BROKEN;
}

static CURLcode
begin(struct relay_session *session, uint32_t skip)
{
	CURL *easy = session->easy;
	int e = add_recipients(session, skip);
	CURLcode r;

	if (e < 0)
		return e == -ENOMEM ? CURLE_OUT_OF_MEMORY : CURLE_BAD_FUNCTION_ARGUMENT;
	r = curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, session->to);
	if (r == CURLE_OK)
		r = curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)message_size(session->message));
	if (r == CURLE_OK && curl_multi_add_handle(session->multi, easy) != CURLM_OK)
		r = CURLE_OUT_OF_MEMORY;
	return r;
}

/* OpenSSL's verify code. A name that does not fit libcurl finds by itself, and leaves "not verified yet". */
static int
verify_code(const struct relay_session *session, CURLcode r)
{
	long code = 0;

	if (r == CURLE_SSL_CACERT_BADFILE)
		return X509_NO_ISSUER;
	if (curl_easy_getinfo(session->easy, CURLINFO_SSL_VERIFYRESULT, &code) != CURLE_OK || code <= X509_NOT_VERIFIED)
		return X509_NAME_MISMATCH;
	return (int)code;
}

struct failure
relay_session_send(struct relay_session *session, struct message *message, uint32_t skip,
    const struct relay_session_handler *handler, uint32_t *ret_taken, uint32_t *ret_refused)
{
	struct failure failure;
	enum trace_end end;
	CURLcode r;

	session->message = message;
	session->handler = handler;
	r = begin(session, skip);
	if (r == CURLE_BAD_FUNCTION_ARGUMENT)
		return failure_of(FAILURE_CONFIG, -EINVAL);
	if (r == CURLE_OK)
		r = run(session);
	end = end_of(session, r);
	failure = trace_verdict(&session->trace, end, end == TRACE_END_CERTIFICATE ? verify_code(session, r) : (int)r);
	*ret_taken = failure.code == FAILURE_NONE ? to_positions(session, trace_accepted(&session->trace)) : 0;
	*ret_refused = to_positions(session, trace_refused(&session->trace));
	if (*ret_taken != 0 && *ret_refused != 0)
		failure = trace_recipient_failure(&session->trace);
	if (failure.column > 0)
		failure.column = session->positions[failure.column - 1] + 1;
	return failure;
}
