/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conversation with Sierra. */

#include "load/sierra.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "load/call_queue.h"
#include "load/clock.h"
#include "load/http.h"
#include "load/pacer.h"
#include "load/token.h"
#include "patrond/limits.h"

/* How long the loop sleeps at most: the phases look after their deadlines and their signs of life in between. */
#define TURN (100 * USEC_PER_MSEC)

/* How often one call is told to slow down before it is given up, whatever the pauses were. */
#define PAUSES_MAX 10U

/* 401s of one call that end the load: two that found a token refused, or as many as these that did not. */
#define REFUSALS_MAX 8U

struct sierra {
	const struct config *config;
	struct http *http;
	struct pacer pacer;
	struct token token;
	char *basic; /* the header that asks for a token */
	struct sierra_call token_call;
	struct buf url;
	struct call_queue queue;
	unsigned int active; /* calls without a result, the token's not counted */
	struct sierra_call *in_flight[LIMIT_CONNECTIONS];
	struct failure failure;
	bool broken_off;
	usec_t turned_at; /* when the phase had its last turn */
	int error;        /* of the machinery */
};

static const struct call_form {
	const char *method;
	bool written; /* it may leave something behind: waited for when the load breaks off */
} forms[CALL_KIND_MAX] = {
	[CALL_TOKEN] = { "POST", false },
	[CALL_LIST] = { "GET", false },
	[CALL_FIND] = { "GET", false },
	[CALL_READ] = { "GET", false },
	[CALL_RENEW] = { "PUT", true },
	[CALL_CREATE] = { "POST", true },
};

static void on_token(struct sierra_call *call, void *user);

/* --- life --- */

int
sierra_new(struct sierra **ret, const struct config *config, const char *credential, size_t size, const char *ca,
    size_t ca_size, const char *resolve)
{
	const struct http_options options = {
		.ca = ca,
		.ca_size = ca_size,
		.resolve = resolve,
		.user_agent = config->sierra.user_agent,
		.connect_timeout = config->sierra.connect_timeout,
		.slots = config->sierra.connections,
	};
	_cleanup_sierra_ struct sierra *sierra = calloc(1, sizeof(*sierra));
	uint64_t seed = 0;
	int r;

	if (sierra == NULL)
		return -ENOMEM;
	sierra->config = config;
	call_queue_init(&sierra->queue);
	sierra->url = BUF_INIT(CONFIG_TEXT + 4096);
	sierra->token_call = SIERRA_CALL_INIT;
	sierra->token_call.kind = CALL_TOKEN;
	sierra->token_call.ended = on_token;
	sierra->token_call.user = sierra;
	(void)!getrandom(&seed, sizeof(seed), 0);
	pacer_init(&sierra->pacer, config, seed);
	r = token_basic(credential, size, &sierra->basic);
	if (r == 0)
		r = buf_add_text(&sierra->token_call.path, "/token");
	if (r == 0)
		r = buf_add_text(&sierra->token_call.body, "grant_type=client_credentials");
	if (r == 0)
		r = http_new(&sierra->http, &options);
	if (r == 0)
		*ret = TAKE_PTR(sierra);
	return r;
}

struct sierra *
sierra_free(struct sierra *sierra)
{
	if (sierra == NULL)
		return NULL;
	sierra->http = http_free(sierra->http);
	token_done(&sierra->token);
	token_wipe(&sierra->basic);
	sierra_call_done(&sierra->token_call);
	buf_done(&sierra->url);
	free(sierra);
	return NULL;
}

void
sierra_freep(struct sierra **sierra)
{
	*sierra = sierra_free(*sierra);
}

void
sierra_call_done(struct sierra_call *call)
{
	buf_done(&call->path);
	buf_done(&call->body);
	call->page = page_free(call->page);
}

const struct failure *
sierra_failure(const struct sierra *sierra)
{
	return sierra->broken_off ? &sierra->failure : NULL;
}

void
sierra_break_off(struct sierra *sierra, const struct failure *failure)
{
	if (sierra->broken_off)
		return;
	sierra->broken_off = true;
	sierra->failure = *failure;
}

usec_t
sierra_pause(struct sierra *sierra, usec_t first, unsigned int n)
{
	usec_t max = sierra->config->sierra.retry_pause_max;

	return pacer_pause(&sierra->pacer, first, first > max ? first : max, n);
}

/* --- queueing --- */

static void
enqueue(struct sierra *sierra, struct sierra_call *call, usec_t delay)
{
	call_queue_add(&sierra->queue, call, delay > 0 ? clock_now() + delay : 0);
}

void
sierra_start(struct sierra *sierra, struct sierra_call *call, usec_t delay)
{
	call->result = SIERRA_BROKEN_OFF;
	call->reason = REASON_NONE;
	call->page = page_free(call->page);
	call->id = 0;
	call->maybe_done = false;
	call->timed_out = false;
	call->slowed = false;
	call->tries = 0;
	call->pauses = 0;
	call->refusals = 0;
	call->closed_once = false;
	if (call != &sierra->token_call)
		sierra->active++;
	enqueue(sierra, call, delay);
}

static void
end_call(struct sierra *sierra, struct sierra_call *call, enum sierra_result result)
{
	call->result = result;
	if (call != &sierra->token_call)
		sierra->active--;
	call->ended(call, call->user);
}

/* --- sending --- */

static usec_t
timeout_of(const struct sierra *sierra, enum call_kind kind)
{
	return kind == CALL_LIST ? sierra->config->sierra.page_timeout : sierra->config->sierra.request_timeout;
}

static const char *
content_type_of(const struct sierra_call *call)
{
	if (call->body.size == 0)
		return NULL;
	return call->kind == CALL_TOKEN ? "Content-Type: application/x-www-form-urlencoded"
	                                : "Content-Type: application/json";
}

static int
send_call(struct sierra *sierra, struct sierra_call *call)
{
	struct http_request request = {
		.method = forms[call->kind].method,
		.authorization = call->kind == CALL_TOKEN ? sierra->basic : sierra->token.header,
		.content_type = content_type_of(call),
		.body = call->body.size > 0 ? call->body.bytes : NULL,
		.body_size = call->body.size,
		.answer_max = call->kind == CALL_LIST ? LIMIT_PAGE_SIZE : LIMIT_ANSWER_SIZE,
		.timeout = timeout_of(sierra, call->kind),
		.fresh = call->fresh || call->closed_once,
		.close = !pacer_keeps(&sierra->pacer),
		.user = call,
	};
	int r;

	buf_clear(&sierra->url);
	r = buf_add_text(&sierra->url, sierra->config->sierra.url);
	if (r == 0)
		r = buf_add(&sierra->url, call->path.bytes, call->path.size);
	if (r < 0)
		return r;
	request.url = sierra->url.bytes;
	call->generation = sierra->token.generation;
	r = http_start(sierra->http, &request);
	if (r < 0)
		return r;
	for (size_t i = 0; i < LIMIT_CONNECTIONS; i++)
		if (sierra->in_flight[i] == NULL) {
			sierra->in_flight[i] = call;
			break;
		}
	return 0;
}

/* One token for all: asked for by one call while the others wait, or early while they go on with the old one. */
static void
look_after_token(struct sierra *sierra, usec_t now)
{
	if (sierra->token_call.waiting || !token_due(&sierra->token, now))
		return;
	sierra->token_call.waiting = true;
	sierra_start(sierra, &sierra->token_call, 0);
}

/* The first call that may leave now: the token's, or with a token any. */
static struct sierra_call *
next_to_send(struct sierra *sierra, usec_t now)
{
	if (token_usable(&sierra->token, now))
		return call_queue_take(&sierra->queue);
	return call_queue_take_call(&sierra->queue, &sierra->token_call);
}

/* A write that waited so long, for a pause or its turn, that what it was made of may have changed. */
static bool
is_stale(const struct sierra_call *call, usec_t now)
{
	return call->not_after != 0 && now > call->not_after && !call->maybe_done;
}

static void
send_ready(struct sierra *sierra)
{
	while (sierra->error == 0 && !sierra->broken_off) {
		usec_t now = clock_now();
		struct sierra_call *call;

		if (pacer_wait(&sierra->pacer, now, http_busy(sierra->http)) > 0)
			return;
		call = next_to_send(sierra, now);
		if (call == NULL)
			return;
		if (is_stale(call, now)) {
			end_call(sierra, call, SIERRA_STALE);
			continue;
		}
		sierra->error = send_call(sierra, call);
		if (sierra->error < 0)
			end_call(sierra, call, SIERRA_BROKEN_OFF);
	}
}

/* --- answers --- */

/* What is due in a 2xx is read. Returns the class: one that cannot be read is not taken. */
static enum answer
read_body(struct sierra *sierra, struct sierra_call *call, const struct http_answer *answer)
{
	int r = 0;

	switch (call->kind) {
	case CALL_TOKEN:
		r = token_take(&sierra->token, answer->bytes, answer->size, answer->started);
		break;
	case CALL_LIST:
		r = page_parse_list(answer->bytes, answer->size, &call->page);
		break;
	case CALL_FIND:
	case CALL_READ:
		r = page_parse_patron(answer->bytes, answer->size, &call->page);
		break;
	case CALL_CREATE:
		r = answer_link_id(answer->bytes, answer->size, &call->id);
		break;
	default:
		break;
	}
	if (r == -ENOMEM)
		sierra->error = r;
	return r < 0 ? ANSWER_UNREADABLE : ANSWER_OK;
}

/* What the answer says of the pace. */
static void
keep_pace(struct sierra *sierra, const struct http_answer *answer, enum answer class)
{
	usec_t now = clock_now();

	switch (class) {
	case ANSWER_SLOW_DOWN:
	case ANSWER_UNAVAILABLE:
		pacer_slow_down(&sierra->pacer, PACER_RATE, now, answer->started, answer->retry_after);
		break;
	case ANSWER_NOT_SENT:
	case ANSWER_TLS:
	case ANSWER_LOST:
		if (answer->exchange == EXCHANGE_CLOSED)
			pacer_early_close(&sierra->pacer);
		pacer_slow_down(&sierra->pacer, PACER_CLOSED, now, answer->started, 0);
		break;
	case ANSWER_BROKEN:
		pacer_slow_down(&sierra->pacer, PACER_CLOSED, now, answer->started, answer->retry_after);
		break;
	default:
		pacer_success(&sierra->pacer, answer->started);
	}
}

static void
fail_load(struct sierra *sierra, enum failure_code code, int number)
{
	struct failure failure = failure_of(code, number);

	sierra_break_off(sierra, &failure);
}

/* The tries are used up: the cell of the table says whose end that is. */
static void
give_up(struct sierra *sierra, struct sierra_call *call, const struct verdict *verdict, const struct http_answer *answer)
{
	if (verdict->failure != FAILURE_NONE) {
		fail_load(sierra, verdict->failure, answer->number);
		end_call(sierra, call, SIERRA_BROKEN_OFF);
		return;
	}
	/* It may have been done at an earlier try, whatever became of the last. */
	call->reason = verdict->reason == REASON_UNREACHABLE && call->maybe_done ? REASON_UNCLEAR : verdict->reason;
	end_call(sierra, call, call->reason == REASON_NONE ? SIERRA_UNKNOWN : SIERRA_FAILED);
}

static void
retry(struct sierra *sierra, struct sierra_call *call, const struct verdict *verdict, const struct http_answer *answer)
{
	/* A kept connection that was closed under the request says nothing of Sierra's health: once it is no try. */
	if (answer->exchange == EXCHANGE_CLOSED && !call->closed_once) {
		call->closed_once = true;
		enqueue(sierra, call, 0);
		return;
	}
	if (call->tries >= sierra->config->sierra.retries) {
		give_up(sierra, call, verdict, answer);
		return;
	}
	enqueue(sierra, call, sierra_pause(sierra, sierra->config->sierra.retry_pause, call->tries));
	call->tries++;
}

/*
 * A 401 was not executed: even a create may go again. 131 is a 401 that no token helps against, so the second token that
 * a call is refused with ends the load, whatever the code. One that another call has found refused meanwhile is no news.
 */
static void
renew_token(struct sierra *sierra, struct sierra_call *call, const struct verdict *verdict, const struct http_answer *answer)
{
	bool news = token_refuse(&sierra->token, call->generation);

	call->refusals += news ? REFUSALS_MAX / 2 : 1;
	if (call->refusals >= REFUSALS_MAX) {
		fail_load(sierra, verdict->failure, answer->number);
		end_call(sierra, call, SIERRA_BROKEN_OFF);
		return;
	}
	enqueue(sierra, call, 0);
}

static void
act(struct sierra *sierra, struct sierra_call *call, const struct verdict *verdict, const struct http_answer *answer)
{
	switch (verdict->action) {
	case ACTION_TAKE:
		end_call(sierra, call, SIERRA_DONE);
		return;
	case ACTION_ABSENT:
		end_call(sierra, call, SIERRA_ABSENT);
		return;
	case ACTION_SEVERAL:
		end_call(sierra, call, SIERRA_SEVERAL);
		return;
	case ACTION_FAIL:
		call->reason = verdict->reason;
		end_call(sierra, call, SIERRA_FAILED);
		return;
	case ACTION_LOOK_UP:
		call->reason = verdict->reason;
		call->slowed = verdict->slow;
		end_call(sierra, call, SIERRA_LOOK_UP);
		return;
	case ACTION_FATAL:
		fail_load(sierra, verdict->failure, answer->number);
		end_call(sierra, call, SIERRA_BROKEN_OFF);
		return;
	default:
		break;
	}
	/* All that is left would start it again. */
	if (sierra->broken_off || sierra->error < 0)
		end_call(sierra, call, SIERRA_BROKEN_OFF);
	else if (verdict->action == ACTION_RENEW_TOKEN)
		renew_token(sierra, call, verdict, answer);
	else if (verdict->action == ACTION_PAUSE && call->pauses++ < PAUSES_MAX)
		enqueue(sierra, call, 0); /* the pacer holds everything back */
	else if (verdict->action == ACTION_PAUSE)
		give_up(sierra, call, verdict, answer);
	else
		retry(sierra, call, verdict, answer);
}

/* Whether an attempt that ended so may have been carried out all the same. */
static bool
may_be_done(enum answer class)
{
	return class == ANSWER_UNREADABLE || class == ANSWER_LOST || class == ANSWER_BROKEN || class == ANSWER_STRANGE;
}

static void
on_answer(struct sierra *sierra, struct sierra_call *call, const struct http_answer *answer)
{
	enum answer class = answer_classify(call->kind, answer->exchange, answer->status, answer->bytes, answer->size);
	struct verdict verdict;

	if (class == ANSWER_OK)
		class = read_body(sierra, call, answer);
	keep_pace(sierra, answer, class);
	call->timed_out = answer->timed_out;
	call->maybe_done = call->maybe_done || (forms[call->kind].written && may_be_done(class));
	verdict = answer_verdict(class, call->kind);
	act(sierra, call, &verdict, answer);
}

static void
on_token(struct sierra_call *call, void *user)
{
	(void)user;
	call->waiting = false;
}

static void
forget_in_flight(struct sierra *sierra, struct sierra_call *call)
{
	for (size_t i = 0; i < LIMIT_CONNECTIONS; i++)
		if (sierra->in_flight[i] == call)
			sierra->in_flight[i] = NULL;
}

static bool
take_answers(struct sierra *sierra)
{
	struct http_answer answer;
	bool any = false;

	while (http_next(sierra->http, &answer) > 0) {
		struct sierra_call *call = answer.user;

		any = true;
		forget_in_flight(sierra, call);
		on_answer(sierra, call, &answer);
	}
	return any;
}

/* --- the loop --- */

/* The load is broken off: what waits ends, reads in flight are given up, writes are not: their outcome is wanted. */
static void
drop_calls(struct sierra *sierra)
{
	struct sierra_call *call;

	call_queue_wake(&sierra->queue, UINT64_MAX);
	for (call = call_queue_take(&sierra->queue); call != NULL; call = call_queue_take(&sierra->queue))
		end_call(sierra, call, SIERRA_BROKEN_OFF);
	for (size_t i = 0; i < LIMIT_CONNECTIONS; i++) {
		call = sierra->in_flight[i];
		if (call == NULL || forms[call->kind].written)
			continue;
		http_abandon(sierra->http, call);
		forget_in_flight(sierra, call);
		end_call(sierra, call, SIERRA_BROKEN_OFF);
	}
}

static usec_t
time_to_wait(const struct sierra *sierra)
{
	usec_t now = clock_now(), wait = TURN, pause;

	if (sierra->queue.delayed != NULL) {
		usec_t until = sierra->queue.delayed->not_before > now ? sierra->queue.delayed->not_before - now : 0;

		wait = until < wait ? until : wait;
	}
	pause = pacer_wait(&sierra->pacer, now, http_busy(sierra->http));
	/* A pause of 0 with calls that are ready: they wait for the token. */
	if (pause > 0 && pause < wait && sierra->queue.ready != NULL)
		wait = pause;
	return wait;
}

/* Lets everything start that may. Returns false once the phase is complete. */
static bool
start_calls(struct sierra *sierra, const struct sierra_phase *phase)
{
	if (sierra->broken_off)
		return false;
	call_queue_wake(&sierra->queue, clock_now());
	for (;;) {
		unsigned int active;
		bool more;

		if (sierra->active > 0)
			look_after_token(sierra, clock_now());
		send_ready(sierra);
		/* New work only where nothing that was begun waits for its turn, and only as much as can leave. */
		if (sierra->active > 0 && (sierra->queue.ready != NULL ||
		    pacer_wait(&sierra->pacer, clock_now(), http_busy(sierra->http)) > 0))
			return true;
		active = sierra->active;
		more = phase->more(phase->user);
		if (sierra->active == active || sierra->broken_off || sierra->error < 0)
			return more;
	}
}

/* One turn. Returns false at the end. */
static bool
run_turn(struct sierra *sierra, const struct sierra_phase *phase)
{
	bool more = start_calls(sierra, phase), answered, was_broken_off;

	if (sierra->broken_off)
		drop_calls(sierra);
	if (sierra->active == 0 && (!more || sierra->broken_off))
		return false;
	sierra->error = sierra->error < 0 ? sierra->error : http_perform(sierra->http);
	if (sierra->error < 0)
		return true;
	/* With an answer a connection is free: it must not wait for the phase, but for once in a while. */
	answered = take_answers(sierra);
	if (answered && clock_now() < sierra->turned_at + TURN)
		return true;
	was_broken_off = sierra->broken_off;
	phase->turn(phase->user);
	sierra->turned_at = clock_now();
	if (!answered && sierra->broken_off == was_broken_off)
		sierra->error = http_wait(sierra->http, phase->fds, phase->fd_count, time_to_wait(sierra));
	return true;
}

int
sierra_run(struct sierra *sierra, const struct sierra_phase *phase)
{
	while (sierra->error == 0 && run_turn(sierra, phase))
		;
	if (sierra->error == 0)
		phase->turn(phase->user);
	return sierra->error;
}
