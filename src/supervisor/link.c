/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One stage's connection: reach or start, ask, listen, and be ready for any end. */

#include "supervisor/link.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_USEC (5 * USEC_PER_SEC)
#define ANSWERS_MAX 8
#define LATE_MAX 4U

/* What a stage may answer while a request is under way, beside WALLS, PROGRESS, DONE and FAILURE. */
struct conversation {
	enum program program;
	enum wire_type request;
	enum wire_type answers[ANSWERS_MAX];
};

static const struct conversation conversations[] = {
	{ PROGRAM_FETCH, WIRE_FETCH_LIST, { WIRE_LISTING } },
	{ PROGRAM_FETCH, WIRE_FETCH_COPY, { WIRE_COPIED } },
	{ PROGRAM_SHARE, WIRE_SHARE_LIST, { WIRE_LISTING } },
	{ PROGRAM_SHARE, WIRE_SHARE_COPY, { WIRE_COPIED } },
	{ PROGRAM_SHARE, WIRE_SHARE_DELIVER, { 0 } },
	{ PROGRAM_SHARE, WIRE_SHARE_REMOVE, { 0 } },
	{ PROGRAM_SHARE, WIRE_SHARE_WATCH, { WIRE_SHARE_WATCHED, WIRE_SHARE_CHANGED } },
	{ PROGRAM_SHARE, WIRE_SHARE_DONE, { 0 } },
	{ PROGRAM_SHARE, WIRE_SHARE_SWEEP, { WIRE_SHARE_FOUND } },
	{ PROGRAM_SHARE, WIRE_SHARE_CLEAN, { WIRE_SHARE_CLEANED } },
	{ PROGRAM_DECODE, WIRE_DECODE_INSPECT, { WIRE_INSPECTED } },
	{ PROGRAM_DECODE, WIRE_DECODE_RECORDS, { WIRE_SHAPE } },
	{ PROGRAM_LOAD, WIRE_LOAD, { WIRE_INDEXED, WIRE_PLAN, WIRE_GUARD, WIRE_OUTCOME, WIRE_COUNTS } },
	{ PROGRAM_REPORT, WIRE_REPORT, { WIRE_REPORTED } },
	{ PROGRAM_MAIL, WIRE_MAIL, { WIRE_MAIL_LEAVING, WIRE_MAILED } },
};

static const char *const program_names[PROGRAM_MAX] = {
	[PROGRAM_PATROND] = "patrond",
	[PROGRAM_SHARE] = "share",
	[PROGRAM_FETCH] = "fetch",
	[PROGRAM_DECODE] = "decode",
	[PROGRAM_LOAD] = "load",
	[PROGRAM_REPORT] = "report",
	[PROGRAM_MAIL] = "mail",
};

enum link_state { LINK_IDLE, LINK_BUSY, LINK_CLOSING, LINK_OVER };

struct link {
	enum program program;
	enum link_state state;
	const struct link_handler *handler;
	void *userdata;
	const struct conversation *conversation;
	sd_event *event;
	int fd;
	pid_t pid;       /* our own child, 0 otherwise */
	bool reaped;
	bool hung_up;    /* the other side let go */
	bool killed;     /* once more, after the grace */
	int exit_status; /* as waitpid's, once reaped */
	uint32_t walls;
	usec_t timeout;
	struct wire_reader reader;
	sd_event_source *io, *child, *timer, *grace;
};

const char *
link_program_name(enum program program)
{
	return program_names[program];
}

uint32_t
link_walls(const struct link *link)
{
	return link->walls;
}

static void
kill_child(struct link *link, int signal_number)
{
	if (link->pid > 0 && !link->reaped)
		(void)kill(link->pid, signal_number);
}

/* Children of each program that were killed and have not ended yet. */
static unsigned int late[PROGRAM_MAX];

static int
on_late_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	unsigned int *count = userdata;

	(void)source;
	(void)info;
	--*count;
	return 0;
}

/*
 * Reaps the child that was killed, later where need be: in a system call on a mount that hangs not even SIGKILL ends it,
 * and waiting for it here would hang the supervisor, too.
 */
static void
reap(sd_event *event, pid_t pid, enum program program)
{
	if (waitpid(pid, NULL, WNOHANG) == 0 &&
	    sd_event_add_child(event, NULL, pid, WEXITED, on_late_child, &late[program]) >= 0)
		late[program]++;
}

struct link *
link_free(struct link *link)
{
	if (link == NULL)
		return NULL;
	sd_event_source_disable_unref(link->io);
	sd_event_source_disable_unref(link->timer);
	sd_event_source_disable_unref(link->grace);
	/* The child's own event source must not reap what is waited for here. */
	sd_event_source_disable_unref(link->child);
	(void)fd_close(link->fd);
	if (link->pid > 0 && !link->reaped) {
		kill_child(link, SIGKILL);
		reap(link->event, link->pid, link->program);
	}
	wire_reader_done(&link->reader);
	free(link);
	return NULL;
}

/* Ends the job that is under way. The handler may free the link. */
static void
finish_job(struct link *link, const struct failure *failure)
{
	link->state = failure == NULL ? LINK_IDLE : LINK_OVER;
	link->conversation = NULL;
	if (link->timer != NULL)
		(void)sd_event_source_set_enabled(link->timer, SD_EVENT_OFF);
	link->handler->on_event(link, failure == NULL ? LINK_DONE : LINK_FAILED, failure, link->userdata);
}

static void
ended(struct link *link)
{
	link->state = LINK_OVER;
	link->handler->on_event(link, LINK_ENDED, NULL, link->userdata);
}

/* The stage broke the rules: it is cut off at once. */
static void
cut_off(struct link *link, enum failure_code code, int number)
{
	struct failure failure = failure_of(code, number);

	kill_child(link, SIGKILL);
	(void)shutdown(link->fd, SHUT_RDWR);
	if (link->io != NULL)
		(void)sd_event_source_set_enabled(link->io, SD_EVENT_OFF);
	link->hung_up = true;
	if (link->state == LINK_BUSY)
		finish_job(link, &failure);
	else if (link->state == LINK_IDLE)
		link->state = LINK_OVER;
	else if (link->state == LINK_CLOSING && (link->pid == 0 || link->reaped))
		ended(link);
}

static int on_grace(sd_event_source *source, uint64_t now, void *userdata);

/* The connection ended. While busy that is a death, told once the child's status is known. */
static void
on_hangup(struct link *link)
{
	struct failure failure = failure_of(FAILURE_STAGE_DIED, 0);

	link->hung_up = true;
	if (link->io != NULL)
		(void)sd_event_source_set_enabled(link->io, SD_EVENT_OFF);
	if (link->pid > 0 && !link->reaped) {
		/* on_child goes on; a process that let go of its connection and lives is ended */
		if (link->grace == NULL)
			(void)sd_event_add_time_relative(link->event, &link->grace, CLOCK_MONOTONIC, GRACE_USEC, 0, on_grace, link);
		return;
	}
	if (link->pid > 0 && WIFSIGNALED(link->exit_status))
		failure.number = WTERMSIG(link->exit_status);
	if (link->state == LINK_BUSY)
		finish_job(link, &failure);
	else if (link->state == LINK_CLOSING)
		ended(link);
	else
		link->state = LINK_OVER;
}

static int
on_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct link *link = userdata;

	(void)source;
	link->reaped = true;
	link->exit_status = info->si_code == CLD_EXITED ? info->si_status << 8 : info->si_status;
	link->child = sd_event_source_disable_unref(link->child);
	/* What it said last may still lie in the socket: the end of the stream, not the death, ends the job. */
	if (link->hung_up)
		on_hangup(link);
	return 0;
}

static bool
answer_allowed(const struct link *link, enum wire_type type)
{
	if (link->conversation == NULL)
		return false;
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		if (link->conversation->answers[i] == type)
			return type != 0;
	return false;
}

/* Returns 1 where the link must not be touched any more, 0 to go on, or -EBADMSG. */
static int
take_answer(struct link *link, struct wire_in *in)
{
	struct failure failure;
	int r;

	if (in->type == WIRE_WALLS) {
		link->walls = wire_get_u32(in);
		return wire_finish(in);
	}
	/* Before its first request a stage may only fail: in its beginning. */
	if (in->type == WIRE_FAILURE && link->state != LINK_CLOSING) {
		r = wire_get_failure(in, &failure);
		if (r < 0)
			return r;
		if (link->state == LINK_BUSY) {
			/* A share stage goes on after a failed request; the others end by themselves. */
			finish_job(link, &failure);
			return 1;
		}
		return -EBADMSG;
	}
	if (link->state != LINK_BUSY)
		return link->state == LINK_CLOSING ? 0 : -EBADMSG;
	/* Outside of its walls a stage may only fail: whatever else it says, it did not begin as it must. */
	if ((link->walls & WALLS_REQUIRED) != WALLS_REQUIRED)
		return -EBADMSG;
	if (in->type == WIRE_DONE) {
		finish_job(link, NULL);
		return 1;
	}
	if (in->type != WIRE_PROGRESS && !answer_allowed(link, in->type))
		return -EBADMSG;
	return link->handler->on_answer(link, in, link->userdata);
}

static int
on_timer(sd_event_source *source, uint64_t now, void *userdata)
{
	(void)source;
	(void)now;
	cut_off(userdata, FAILURE_STAGE_SILENT, 0);
	return 0;
}

static int
arm_timer(struct link *link)
{
	int r;

	if (link->timeout == 0 || link->state != LINK_BUSY)
		return link->timer != NULL ? sd_event_source_set_enabled(link->timer, SD_EVENT_OFF) : 0;
	if (link->timer == NULL)
		return sd_event_add_time_relative(link->event, &link->timer, CLOCK_MONOTONIC, link->timeout, 0, on_timer, link);
	r = sd_event_source_set_time_relative(link->timer, link->timeout);
	return r < 0 ? r : sd_event_source_set_enabled(link->timer, SD_EVENT_ONESHOT);
}

int
link_set_timeout(struct link *link, usec_t timeout)
{
	link->timeout = timeout;
	return arm_timer(link);
}

static int
on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct link *link = userdata;
	ssize_t n = wire_read(&link->reader, fd);
	struct wire_in in = { 0 };
	int r;

	(void)source;
	(void)events;
	if (n == -EAGAIN)
		return 0;
	if (n == 0 || n == -ECONNRESET) {
		on_hangup(link);
		return 0;
	}
	if (n < 0) {
		cut_off(link, FAILURE_PROTOCOL, 0); /* too many descriptors, a frame too long to keep: a lie */
		return 0;
	}
	(void)arm_timer(link);
	for (;;) {
		r = wire_next(&link->reader, &in);
		if (r == 0)
			return 0;
		if (r > 0)
			r = take_answer(link, &in);
		if (r == 1)
			return 0; /* the rest is read in the next turn: the link may be gone */
		if (r < 0) {
			cut_off(link, FAILURE_PROTOCOL, in.type);
			return 0;
		}
	}
}

/* --- reaching and starting --- */

static int
reach(const char *folder, enum program program)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = -EBADF;

	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, program_names[program]) >=
	    sizeof(address.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int
link_find_program(enum program program, char *path, size_t size)
{
	static const char *const places[] = { ".", "../libexec/patrond" };
	char self[1024];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash != NULL)
			*slash = '\0';
		/* of one build, and of one installation wherever it was put */
		for (size_t i = 0; slash != NULL && i < sizeof(places) / sizeof(places[0]); i++)
			if ((size_t)snprintf(path, size, "%s/%s/patrond-%s", self, places[i], program_names[program]) < size &&
			    access(path, X_OK) == 0)
				return 0;
	}
	if ((size_t)snprintf(path, size, "%s/patrond-%s", PATROND_LIBEXECDIR, program_names[program]) >= size)
		return -ENAMETOOLONG;
	return access(path, X_OK) < 0 ? -errno : 0;
}

/* In the child: nothing of ours is inherited but descriptor 3 and what the stage needs to know. */
static void __attribute__((noreturn))
become_stage(const char *path, int fd, pid_t parent, const char *config_path)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	char config[1200], directory[1200];
	const char *argv[] = { path, NULL };
	const char *envp[8] = { config };
	size_t n = 1;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(127);
	(void)snprintf(config, sizeof(config), "PATROND_CONFIG=%s", config_path);
	if (credentials != NULL) {
		(void)snprintf(directory, sizeof(directory), "CREDENTIALS_DIRECTORY=%s", credentials);
		envp[n++] = directory;
	}
#ifdef PATROND_SANITIZE
	static char asan[512];

	if (getenv("ASAN_OPTIONS") != NULL) {
		(void)snprintf(asan, sizeof(asan), "ASAN_OPTIONS=%s", getenv("ASAN_OPTIONS"));
		envp[n++] = asan;
	}
#endif
	envp[n] = NULL;
	if (fd == STAGE_FD ? fcntl(fd, F_SETFD, 0) < 0 : dup2(fd, STAGE_FD) < 0)
		_exit(127);
	if (close_range(STAGE_FD + 1, ~0U, 0) < 0)
		_exit(127);
	(void)execve(path, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)envp);
	_exit(127);
}

static int
start(struct link *link, const char *config_path)
{
	_cleanup_fd_ int mine = -EBADF, theirs = -EBADF;
	pid_t parent = getpid();
	char path[1200];
	int pair[2], r;

	/* Where some hang already, one more would only hang, too. A mount that hangs for days must not pile them up. */
	if (late[link->program] >= LATE_MAX)
		return -EBUSY;
	r = link_find_program(link->program, path, sizeof(path));
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	mine = pair[0];
	theirs = pair[1];
	r = fd_nonblock(mine); /* ours alone: the stage's end blocks */
	if (r < 0)
		return r;
	link->pid = fork();
	if (link->pid < 0) {
		link->pid = 0;
		return -errno;
	}
	if (link->pid == 0)
		become_stage(path, theirs, parent, config_path);
	r = sd_event_add_child(link->event, &link->child, link->pid, WEXITED, on_child, link);
	if (r < 0)
		return r;
	link->fd = TAKE_FD(mine);
	return 0;
}

int
link_open(struct link **ret, sd_event *event, enum program program, const char *config_path,
    const struct link_handler *handler, void *userdata, struct failure *ret_failure)
{
	const char *folder = getenv("PATROND_STAGES");
	struct link *link = calloc(1, sizeof(*link));
	int r;

	if (link == NULL) {
		*ret_failure = failure_of(FAILURE_MEMORY, -ENOMEM);
		return -ENOMEM;
	}
	*link = (struct link){
		.program = program,
		.handler = handler,
		.userdata = userdata,
		.event = event,
		.fd = -EBADF,
		.reader = WIRE_READER_INIT,
	};
	if (folder != NULL) {
		r = reach(folder, program);
		link->fd = r;
	} else
		r = start(link, config_path);
	if (r >= 0)
		r = sd_event_add_io(event, &link->io, link->fd, EPOLLIN, on_io, link);
	/* A stage's answers before its end: sources of equal priority run in turn, which is what keeps floods fair. */
	if (r < 0) {
		*ret_failure = failure_of(r == -EBUSY ? FAILURE_STAGE_SILENT : FAILURE_STAGE_MISSING, r);
		ret_failure->column = (uint32_t)program;
		link_free(link);
		return r;
	}
	*ret = link;
	return 0;
}

int
link_request(struct link *link, struct wire_out *out, const int *fds, size_t fd_count)
{
	uint16_t type;

	if (link->state != LINK_IDLE || out->buf.size < WIRE_HEADER_SIZE)
		return link->state == LINK_OVER ? -EPIPE : -EBUSY;
	type = (uint16_t)((uint8_t)out->buf.bytes[4] | (uint8_t)out->buf.bytes[5] << 8);
	for (size_t i = 0; i < sizeof(conversations) / sizeof(conversations[0]); i++)
		if (conversations[i].program == link->program && conversations[i].request == type)
			link->conversation = &conversations[i];
	if (link->conversation == NULL)
		return -EINVAL;
	link->state = LINK_BUSY;
	(void)arm_timer(link);
	/* A stage that ended in its beginning has said why: the answer is read, whatever sending says. */
	(void)!wire_send(link->fd, out, fds, fd_count);
	return 0;
}

static int
on_let_go(sd_event_source *source, void *userdata)
{
	struct link *link = userdata;

	(void)source;
	if (link->state == LINK_BUSY)
		cut_off(link, FAILURE_CANCELLED, 0);
	return 0;
}

bool
link_let_go(struct link *link)
{
	if (link->state != LINK_BUSY || link->pid > 0 || link->walls != 0)
		return false;
	/* never from inside the caller */
	link->grace = sd_event_source_disable_unref(link->grace);
	return sd_event_add_defer(link->event, &link->grace, on_let_go, link) >= 0;
}

void
link_cancel(struct link *link)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;

	if (!link_let_go(link) && link->state == LINK_BUSY && wire_add_empty(&out, WIRE_CANCEL) == 0)
		(void)!wire_send(link->fd, &out, NULL, 0);
}

int
link_hold(struct link *link)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	int r;

	if (link->state != LINK_BUSY)
		return -EPIPE;
	r = wire_add_empty(&out, WIRE_HOLD);
	return r < 0 ? r : wire_send(link->fd, &out, NULL, 0);
}

/*
 * The stage did not go with its connection. Another unit's process is beyond us: systemd's limits end it. One of ours that
 * is still there after a second grace hangs in a system call, which is the last it will ever do: it is left behind.
 */
static int
on_grace(sd_event_source *source, uint64_t now, void *userdata)
{
	struct link *link = userdata;

	(void)source;
	(void)now;
	kill_child(link, SIGKILL);
	link->grace = sd_event_source_disable_unref(link->grace);
	if (link->pid == 0 || link->reaped || link->killed) {
		const struct failure failure = failure_of(FAILURE_STAGE_SILENT, 0);

		if (link->state == LINK_BUSY)
			finish_job(link, &failure);
		else
			ended(link);
		return 0;
	}
	link->killed = true;
	return sd_event_add_time_relative(link->event, &link->grace, CLOCK_MONOTONIC, GRACE_USEC, 0, on_grace, link);
}

static int
on_over(sd_event_source *source, void *userdata)
{
	struct link *link = userdata;

	(void)source;
	link->grace = sd_event_source_disable_unref(link->grace);
	ended(link);
	return 0;
}

void
link_close(struct link *link)
{
	bool gone = link->hung_up && (link->pid == 0 || link->reaped);

	link->state = LINK_CLOSING;
	if (gone) {
		/* never from inside the caller */
		link->grace = sd_event_source_disable_unref(link->grace);
		(void)sd_event_add_defer(link->event, &link->grace, on_over, link);
		return;
	}
	if (link->hung_up)
		kill_child(link, SIGKILL);
	(void)shutdown(link->fd, SHUT_WR);
	link->grace = sd_event_source_disable_unref(link->grace);
	(void)sd_event_add_time_relative(link->event, &link->grace, CLOCK_MONOTONIC, GRACE_USEC, 0, on_grace, link);
}
