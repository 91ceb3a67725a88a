/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Peers of the control socket. */

#include "supervisor/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "patrond/limits.h"

/* After everything else of the loop: a stage's answer, a signal and a deadline never wait for a peer. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

#define CALLS_A_TURN 4

/*
 * A peer lives on credit: microseconds that pass while it says nothing, up to a second. A call costs 1/64 s, and that again
 * for every 512 bytes, so that all peers together cannot make more work than some per cent of a processor.
 */
#define CREDIT_MAX USEC_PER_SEC
#define CREDIT_FIRST (4 * CALL_COST) /* of a new connection: hanging up must not pay */
#define CALL_COST (USEC_PER_SEC / 64)
#define CALL_COST_BYTES 512U

/* Connections, likewise: 64 at once, then 250 a second. */
#define ACCEPT_COST (4 * USEC_PER_MSEC)
#define ACCEPT_CREDIT_MAX (64 * ACCEPT_COST)

#define BACKLOG_OF_OUTPUT (64U << 10) /* bytes unread from which a peer's calls wait */

struct credit {
	usec_t left, max, since;
};

struct control_peer {
	struct control *control;
	int fd;
	bool dead, ended, streams, changed;
	bool oneway;              /* the call that is being handled */
	char in[LIMIT_CONTROL_MESSAGE + 1];
	size_t in_size;
	usec_t in_since;          /* the first byte of a message that is not whole yet */
	usec_t last_call, last_read;
	struct buf out;
	struct credit credit;
	sd_event_source *io, *resume, *deadline;
};

struct control {
	sd_event *event;
	int fd;
	struct control_times times;
	const struct control_handler *handler;
	void *userdata;
	struct control_peer *peers[LIMIT_CONTROL_PEERS];
	size_t count;
	struct credit credit;     /* for connections */
	sd_event_source *io, *resume, *reaper, *throttle;
};

static usec_t
now_of(const struct control *control)
{
	uint64_t now = 0;

	(void)sd_event_now(control->event, CLOCK_MONOTONIC, &now);
	return now;
}

/* Pays a cost. Returns 0, or how long to wait until it can be paid. */
static usec_t
pay(struct credit *credit, usec_t now, usec_t cost)
{
	credit->left += now > credit->since ? now - credit->since : 0;
	credit->since = now;
	if (credit->left > credit->max)
		credit->left = credit->max;
	if (credit->left < cost)
		return cost - credit->left;
	credit->left -= cost;
	return 0;
}

/* Arms a timer, made where there is none yet. */
static int
arm(struct control *control, sd_event_source **timer, usec_t in, sd_event_time_handler_t handler, void *userdata)
{
	int r;

	if (*timer == NULL) {
		r = sd_event_add_time_relative(control->event, timer, CLOCK_MONOTONIC, in, 1, handler, userdata);
		return r < 0 ? r : sd_event_source_set_priority(*timer, PRIORITY);
	}
	r = sd_event_source_set_time_relative(*timer, in);
	return r < 0 ? r : sd_event_source_set_enabled(*timer, SD_EVENT_ONESHOT);
}

/* --- the end of a peer --- */

static struct control_peer *
peer_free(struct control_peer *peer)
{
	sd_event_source_disable_unref(peer->io);
	sd_event_source_disable_unref(peer->resume);
	sd_event_source_disable_unref(peer->deadline);
	(void)fd_close(peer->fd);
	buf_done(&peer->out);
	free(peer);
	return NULL;
}

static int
on_reap(sd_event_source *source, void *userdata)
{
	struct control *control = userdata;
	size_t kept = 0;

	(void)source;
	for (size_t i = 0; i < control->count; i++)
		if (control->peers[i]->dead)
			peer_free(control->peers[i]);
		else
			control->peers[kept++] = control->peers[i];
	control->count = kept;
	return 0;
}

/* A peer may end while its own call is being handled, or another's: it is freed in a turn of its own. */
static void
drop(struct control_peer *peer)
{
	if (peer->dead)
		return;
	peer->dead = true;
	(void)sd_event_source_set_enabled(peer->io, SD_EVENT_OFF);
	if (peer->resume != NULL)
		(void)sd_event_source_set_enabled(peer->resume, SD_EVENT_OFF);
	if (peer->deadline != NULL)
		(void)sd_event_source_set_enabled(peer->deadline, SD_EVENT_OFF);
	(void)shutdown(peer->fd, SHUT_RDWR);
	(void)sd_event_source_set_enabled(peer->control->reaper, SD_EVENT_ONESHOT);
}

/* --- what a peer waits for --- */

static bool
has_call(const struct control_peer *peer)
{
	return memchr(peer->in, '\0', peer->in_size) != NULL;
}

static int
on_deadline(sd_event_source *source, uint64_t at, void *userdata)
{
	(void)source;
	(void)at;
	drop(userdata);
	return 0;
}

static void
set_deadline(struct control_peer *peer)
{
	const struct control_times *times = &peer->control->times;
	usec_t now = now_of(peer->control), until = peer->last_call + times->idle;

	if (peer->out.size > 0)
		until = peer->last_read + times->unread;
	else if (peer->in_size > 0 && !has_call(peer))
		until = peer->in_since + times->partial;
	else if (peer->streams) {
		(void)sd_event_source_set_enabled(peer->deadline, SD_EVENT_OFF);
		return;
	}
	if (arm(peer->control, &peer->deadline, until > now ? until - now : 1, on_deadline, peer) < 0)
		drop(peer);
}

/* Sets what is polled for. A peer with a whole call in its buffer, or much output, is not read from. */
static void
watch(struct control_peer *peer)
{
	/* it has said its last, and has been answered */
	bool over = peer->ended && !peer->streams && !has_call(peer) && peer->out.size == 0;
	uint32_t events = 0;

	if (peer->dead)
		return;
	if (!peer->ended && !peer->streams && !has_call(peer) && peer->out.size < BACKLOG_OF_OUTPUT)
		events |= EPOLLIN;
	if (peer->out.size > 0)
		events |= EPOLLOUT;
	if (over || sd_event_source_set_io_events(peer->io, events) < 0)
		drop(peer);
	else
		set_deadline(peer);
}

/* --- output --- */

static void
flush(struct control_peer *peer)
{
	while (!peer->dead && peer->out.size > 0) {
		ssize_t n = send(peer->fd, peer->out.bytes, peer->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			drop(peer);
		if (n < 0)
			return;
		peer->last_read = now_of(peer->control);
		buf_drop(&peer->out, (size_t)n);
	}
}

/* One message into the output. A peer that lets it fill up is gone: half a message would be a lie. */
static int
say(struct control_peer *peer, const char *error, cJSON *parameters, bool continues)
{
	int r;

	if (peer->out.size == 0)
		peer->last_read = now_of(peer->control);
	r = error != NULL ? varlink_add_error(&peer->out, error, parameters)
	                  : varlink_add_reply(&peer->out, parameters, continues);
	return r;
}

int
control_reply(struct control_peer *peer, cJSON *parameters)
{
	if (peer->oneway) {
		cJSON_Delete(parameters);
		return 0;
	}
	return say(peer, NULL, parameters, false);
}

int
control_error(struct control_peer *peer, const char *error, cJSON *parameters)
{
	if (peer->oneway) {
		cJSON_Delete(parameters);
		return 0;
	}
	return say(peer, error, parameters, false);
}

/* --- streams --- */

static void
tell_present(struct control_peer *peer, bool continues)
{
	cJSON *present = peer->control->handler->present(peer->control->userdata);

	peer->changed = false;
	if (present == NULL || say(peer, NULL, present, continues) < 0)
		drop(peer);
	flush(peer);
	watch(peer);
}

static int
on_throttle(sd_event_source *source, uint64_t at, void *userdata)
{
	struct control *control = userdata;

	(void)source;
	(void)at;
	for (size_t i = 0; i < control->count; i++) {
		struct control_peer *peer = control->peers[i];

		/* one that has not read the last is told when it has: then the latest, not all between */
		if (!peer->dead && peer->streams && peer->changed && peer->out.size == 0)
			tell_present(peer, true);
	}
	return 0;
}

static void
arm_throttle(struct control *control)
{
	int enabled = SD_EVENT_OFF;

	if (control->throttle != NULL)
		(void)sd_event_source_get_enabled(control->throttle, &enabled);
	if (enabled == SD_EVENT_OFF)
		(void)!arm(control, &control->throttle, control->times.throttle, on_throttle, control);
}

void
control_changed(struct control *control)
{
	bool any = false;

	for (size_t i = 0; control != NULL && i < control->count; i++) {
		control->peers[i]->changed = control->peers[i]->streams;
		any = any || control->peers[i]->changed;
	}
	if (any)
		arm_throttle(control);
}

int
control_stream(struct control_peer *peer)
{
	cJSON *present = peer->control->handler->present(peer->control->userdata);

	if (present == NULL)
		return -ENOMEM;
	peer->streams = true;
	return say(peer, NULL, present, true);
}

void
control_publish(struct control *control, const cJSON *parameters)
{
	for (size_t i = 0; control != NULL && parameters != NULL && i < control->count; i++) {
		struct control_peer *peer = control->peers[i];
		cJSON *copy;

		if (peer->dead || !peer->streams)
			continue;
		copy = cJSON_Duplicate(parameters, true);
		if (copy == NULL || say(peer, NULL, copy, true) < 0)
			drop(peer);
		flush(peer);
		watch(peer);
	}
}

/* --- input --- */

static int
handle(struct control_peer *peer, const char *bytes, size_t size)
{
	_cleanup_call_ struct varlink_call call = VARLINK_CALL_INIT;
	int r = varlink_parse(&call, bytes, size);

	if (r < 0)
		return r;
	peer->oneway = call.oneway;
	return peer->control->handler->on_call(peer, &call, peer->control->userdata);
}

static void process(struct control_peer *peer);

static int
on_resume(sd_event_source *source, uint64_t at, void *userdata)
{
	(void)source;
	(void)at;
	process(userdata);
	return 0;
}

/* Goes on in another turn of the loop, when others have had theirs. */
static void
resume_in(struct control_peer *peer, usec_t wait)
{
	if (arm(peer->control, &peer->resume, wait, on_resume, peer) < 0)
		drop(peer);
}

static void
process(struct control_peer *peer)
{
	usec_t now = now_of(peer->control), wait = 0;

	for (int turn = 0; turn < CALLS_A_TURN && !peer->dead && !peer->streams; turn++) {
		const char *end = memchr(peer->in, '\0', peer->in_size);
		size_t size;

		if (end == NULL || peer->out.size >= BACKLOG_OF_OUTPUT)
			break;
		size = (size_t)(end - peer->in);
		wait = pay(&peer->credit, now, CALL_COST * (1 + size / CALL_COST_BYTES));
		if (wait > 0)
			break;
		peer->last_call = now;
		if (handle(peer, peer->in, size) < 0) {
			flush(peer); /* what it was answered before is its own */
			drop(peer);
		}
		peer->in_size -= size + 1;
		memmove(peer->in, peer->in + size + 1, peer->in_size);
		peer->in_since = now;
	}
	flush(peer);
	if (!peer->dead && !peer->streams && has_call(peer) && peer->out.size < BACKLOG_OF_OUTPUT)
		resume_in(peer, wait);
	watch(peer);
}

static void
take_input(struct control_peer *peer)
{
	ssize_t n = recv(peer->fd, peer->in + peer->in_size, sizeof(peer->in) - peer->in_size, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		drop(peer);
		return;
	}
	if (peer->in_size == 0)
		peer->in_since = now_of(peer->control);
	peer->in_size += (size_t)n;
	peer->ended = n == 0;
	if (peer->in_size == sizeof(peer->in) && !has_call(peer))
		drop(peer); /* longer than any call */
	else
		process(peer);
}

static int
on_peer(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct control_peer *peer = userdata;

	(void)source;
	(void)fd;
	if ((events & EPOLLOUT) != 0) {
		flush(peer);
		if (peer->out.size == 0 && peer->streams && peer->changed)
			arm_throttle(peer->control);
		if ((events & EPOLLIN) == 0)
			process(peer);
	}
	if ((events & EPOLLIN) != 0 && !peer->dead)
		take_input(peer);
	else if ((events & (EPOLLHUP | EPOLLERR)) != 0)
		drop(peer);
	return 0;
}

/* --- connections --- */

static bool
is_root(int fd)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	/* where the unit has users of its own, everybody but root is the overflow user */
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 && credentials.uid == 0;
}

static size_t
living(const struct control *control)
{
	size_t n = 0;

	for (size_t i = 0; i < control->count; i++)
		n += !control->peers[i]->dead;
	return n;
}

/* Takes fd. */
static int
add_peer(struct control *control, int taken)
{
	_cleanup_fd_ int fd = taken;
	bool root = is_root(fd);
	struct control_peer *peer;
	int r;

	if (control->count == LIMIT_CONTROL_PEERS ||
	    (!root && living(control) >= LIMIT_CONTROL_PEERS - LIMIT_CONTROL_RESERVED))
		return -EBUSY;
	peer = calloc(1, sizeof(*peer));
	if (peer == NULL)
		return -ENOMEM;
	peer->control = control;
	peer->fd = TAKE_FD(fd);
	peer->out = BUF_INIT(LIMIT_CONTROL_OUTPUT);
	peer->last_call = now_of(control);
	peer->credit = (struct credit){ CREDIT_FIRST, CREDIT_MAX, peer->last_call };
	r = sd_event_add_io(control->event, &peer->io, peer->fd, EPOLLIN, on_peer, peer);
	if (r >= 0)
		r = sd_event_source_set_priority(peer->io, PRIORITY);
	if (r >= 0)
		r = arm(control, &peer->deadline, control->times.idle, on_deadline, peer);
	if (r < 0) {
		peer_free(peer);
		return r;
	}
	control->peers[control->count++] = peer;
	return 0;
}

static int
on_listen_again(sd_event_source *source, uint64_t at, void *userdata)
{
	struct control *control = userdata;

	(void)source;
	(void)at;
	return sd_event_source_set_enabled(control->io, SD_EVENT_ON);
}

static void
pause_listening(struct control *control, usec_t wait)
{
	if (arm(control, &control->resume, wait, on_listen_again, control) >= 0)
		(void)sd_event_source_set_enabled(control->io, SD_EVENT_OFF);
}

static int
on_listen(sd_event_source *source, int listener, uint32_t events, void *userdata)
{
	struct control *control = userdata;
	usec_t wait = pay(&control->credit, now_of(control), ACCEPT_COST);
	int fd;

	(void)source;
	(void)events;
	if (wait > 0) {
		pause_listening(control, wait);
		return 0;
	}
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		(void)!add_peer(control, fd); /* one too many is hung up on */
	else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
		pause_listening(control, USEC_PER_SEC); /* what is missing is not got by asking again at once */
	return 0;
}

/* --- life --- */

static int
setup(struct control *control)
{
	int r = fd_nonblock(control->fd);

	if (r >= 0)
		r = sd_event_add_io(control->event, &control->io, control->fd, EPOLLIN, on_listen, control);
	if (r >= 0)
		r = sd_event_source_set_priority(control->io, PRIORITY);
	if (r >= 0)
		r = sd_event_add_defer(control->event, &control->reaper, on_reap, control);
	if (r >= 0)
		r = sd_event_source_set_enabled(control->reaper, SD_EVENT_OFF);
	return r < 0 ? r : sd_event_source_set_priority(control->reaper, PRIORITY);
}

int
control_new(struct control **ret, sd_event *event, int fd, const struct control_times *times,
    const struct control_handler *handler, void *userdata)
{
	struct control *control = calloc(1, sizeof(*control));
	int r;

	if (control == NULL) {
		(void)fd_close(fd);
		return -ENOMEM;
	}
	control->event = sd_event_ref(event);
	control->fd = fd;
	control->times = *times;
	control->handler = handler;
	control->userdata = userdata;
	control->credit = (struct credit){ ACCEPT_CREDIT_MAX, ACCEPT_CREDIT_MAX, now_of(control) };
	r = setup(control);
	if (r < 0) {
		control_free(control);
		return r;
	}
	*ret = control;
	return 0;
}

struct control *
control_free(struct control *control)
{
	if (control == NULL)
		return NULL;
	for (size_t i = 0; i < control->count; i++) {
		if (!control->peers[i]->dead && control->peers[i]->streams)
			tell_present(control->peers[i], false);
		peer_free(control->peers[i]);
	}
	sd_event_source_disable_unref(control->io);
	sd_event_source_disable_unref(control->resume);
	sd_event_source_disable_unref(control->reaper);
	sd_event_source_disable_unref(control->throttle);
	(void)fd_close(control->fd);
	sd_event_unref(control->event);
	free(control);
	return NULL;
}
