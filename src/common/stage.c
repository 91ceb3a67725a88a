/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The beginning and the end of every stage, and its side of the connection on descriptor 3. */

#include "common/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/escape_hook.h"
#include "common/process.h"

/*
 * A stage must not outlive its connection, whatever library call it is in: the supervisor cannot kill the process of
 * another unit. The handler only asks the kernel; leaving by _exit closes (and so frees) all that has no name.
 */
static void
on_sigio(int signal_number)
{
	struct pollfd connection = { .fd = STAGE_FD, .events = POLLRDHUP };
	int saved = errno;

	(void)signal_number;
	if (poll(&connection, 1, 0) > 0 && (connection.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0)
		_exit(EXIT_FAILURE);
	errno = saved;
}

static int
arm_hangup(void)
{
	struct sigaction action = { .sa_handler = on_sigio, .sa_flags = SA_RESTART };
	sigset_t set;
	int flags;

	if (sigaction(SIGIO, &action, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGIO);
	if (sigprocmask(SIG_UNBLOCK, &set, NULL) < 0)
		return -errno;
	flags = fcntl(STAGE_FD, F_GETFL);
	if (flags < 0 || fcntl(STAGE_FD, F_SETOWN, getpid()) < 0 || fcntl(STAGE_FD, F_SETFL, flags | O_ASYNC) < 0)
		return -errno;
	on_sigio(SIGIO); /* it may have been hung up before */
	return 0;
}

/* Descriptor 3 must be a connected unix stream socket; one that listens (Accept=no) is accepted on once. */
static int
check_connection(void)
{
	int value = 0;
	socklen_t size = sizeof(value);

	if (getsockopt(STAGE_FD, SOL_SOCKET, SO_DOMAIN, &value, &size) < 0)
		return -errno;
	if (value != AF_UNIX)
		return -EPROTOTYPE;
	size = sizeof(value);
	if (getsockopt(STAGE_FD, SOL_SOCKET, SO_TYPE, &value, &size) < 0)
		return -errno;
	if (value != SOCK_STREAM)
		return -EPROTOTYPE;
	size = sizeof(value);
	if (getsockopt(STAGE_FD, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) < 0)
		return -errno;
	if (value != 0) {
		_cleanup_fd_ int fd = accept4(STAGE_FD, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 || dup3(fd, STAGE_FD, O_CLOEXEC) < 0)
			return -errno;
	}
	if (fcntl(STAGE_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	/* What else was left open by whoever started it, a folder perhaps, would be there behind the walls. */
	return close_range(STAGE_FD + 1, ~0U, 0) < 0 ? -errno : 0;
}

/* Standard input, output and error go nowhere: a library's chatter may quote what it read. */
static int
silence(void)
{
	_cleanup_fd_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
#ifdef PATROND_SANITIZE
		if (fd == STDERR_FILENO)
			continue; /* a sanitizer's report is for the developer */
#endif
		if (dup2(null, fd) < 0)
			return -errno;
	}
	return 0;
}

/* A relay may know this machine by its address: then there is no user, and no password is asked for. */
static bool
wants_secret(const struct stage *stage)
{
	return secret_name(stage->program) != NULL && (stage->program != PROGRAM_MAIL || stage->config.mail.user[0] != '\0');
}

static int
begin_quietly(struct stage *stage, struct failure *failure)
{
	struct config_error error;
	int r;

	*failure = failure_of(FAILURE_INTERNAL, 0);
	r = arm_hangup();
	if (r < 0)
		return r;
	r = silence();
	if (r < 0)
		return r;
	if (geteuid() == 0) {
		failure->code = FAILURE_UID_ZERO;
		return -EPERM;
	}
	r = config_read(config_path(), config_sections_of(stage->program), &stage->config, &error);
	if (r < 0) {
		*failure = failure_of(FAILURE_CONFIG, r);
		return r;
	}
	if (!wants_secret(stage))
		return 0;
	r = secret_read(secret_name(stage->program), &stage->secret);
	if (r < 0)
		*failure = failure_of(FAILURE_CREDENTIAL, r);
	return r;
}

int
stage_begin(struct stage *stage, enum program program)
{
	struct failure failure;
	int r;

	*stage = (struct stage){
		.program = program,
		.fd = STAGE_FD,
		.reader = WIRE_READER_INIT,
		.out = WIRE_OUT_INIT,
	};
	r = process_not_dumpable();
	if (r < 0)
		return r;
	r = check_connection();
	if (r < 0)
		return r; /* nobody to tell */
	r = begin_quietly(stage, &failure);
	if (r < 0) {
		failure.number = failure.number != 0 ? failure.number : r;
		if (stage_fail(stage, &failure) < 0)
			return r;
	}
	return r;
}

int
stage_request(struct stage *stage, struct wire_in *ret)
{
	for (;;) {
		int r = wire_receive(&stage->reader, stage->fd, ret);

		if (r <= 0)
			return r;
		if (ret->type != WIRE_CANCEL)
			return 1;
		stage->cancelled = true;
	}
}

/* While a job runs the supervisor says nothing but CANCEL and, to load, HOLD; anything else ends the job as CANCEL does. */
bool
stage_hear(struct stage *stage)
{
	struct wire_in in;
	int r = 1;

	while (r > 0 && !stage->cancelled) {
		r = wire_next(&stage->reader, &in);
		if (r > 0 && in.type == WIRE_HOLD && stage->program == PROGRAM_LOAD)
			stage->held = true;
		else if (r != 0)
			stage->cancelled = true;
	}
	return stage->cancelled;
}

bool
stage_cancelled(struct stage *stage)
{
	struct pollfd connection = { .fd = stage->fd, .events = POLLIN };

	if (stage->cancelled || poll(&connection, 1, 0) <= 0 || (connection.revents & POLLIN) == 0)
		return stage->cancelled;
	if (wire_read(&stage->reader, stage->fd) <= 0)
		stage->cancelled = true;
	return stage_hear(stage);
}

int
stage_send(struct stage *stage)
{
	return wire_send(stage->fd, &stage->out, NULL, 0);
}

int
stage_walls(struct stage *stage, const struct sandbox_options *options)
{
	struct failure failure;
	uint32_t walls = 0;
	int r;

	r = sandbox_enter(stage->program, options, &walls);
	if (r == 0 && ((walls | escape_without()) & WALLS_REQUIRED) != WALLS_REQUIRED)
		r = -EPERM;
	if (r < 0) {
		failure = failure_of(FAILURE_NO_WALLS, r);
		failure.column = walls; /* those that were entered */
		(void)!stage_fail(stage, &failure);
		return r;
	}
	wire_begin(&stage->out, WIRE_WALLS);
	wire_put_u32(&stage->out, walls);
	r = wire_end(&stage->out);
	if (r == 0)
		r = stage_send(stage);
	if (r == 0)
		escape_serve(stage);
	return r;
}

int
stage_done(struct stage *stage)
{
	int r = wire_add_empty(&stage->out, WIRE_DONE);

	return r < 0 ? r : stage_send(stage);
}

int
stage_fail(struct stage *stage, const struct failure *failure)
{
	int r = wire_add_failure(&stage->out, failure);

	return r < 0 ? r : stage_send(stage);
}

int
stage_end(struct stage *stage, int r)
{
	secret_done(&stage->secret);
	wire_reader_done(&stage->reader);
	wire_out_done(&stage->out);
	explicit_bzero(&stage->config, sizeof(stage->config));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
