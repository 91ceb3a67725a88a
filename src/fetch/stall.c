/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A timer and its handler; the one place with global state, since a handler has no other. */

#include "fetch/stall.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int watched_fd = -EBADF;
static struct itimerval watched_time;
static volatile sig_atomic_t expired;

static void
on_sigalrm(int signal_number)
{
	int saved = errno;

	(void)signal_number;
	if (expired)
		_exit(EXIT_FAILURE); /* a second time over, and the library has not come back even so */
	expired = 1;
	(void)shutdown(watched_fd, SHUT_RDWR);
	errno = saved;
}

int
stall_watch(int fd, usec_t timeout)
{
	struct sigaction action = { .sa_handler = on_sigalrm, .sa_flags = SA_RESTART };
	sigset_t set;

	watched_fd = fd;
	watched_time.it_value.tv_sec = (time_t)(timeout / USEC_PER_SEC);
	watched_time.it_value.tv_usec = (suseconds_t)(timeout % USEC_PER_SEC);
	watched_time.it_interval = watched_time.it_value;
	if (sigaction(SIGALRM, &action, NULL) < 0)
		return -errno;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	return sigprocmask(SIG_UNBLOCK, &set, NULL) < 0 ? -errno : 0;
}

void
stall_progress(void)
{
	/* once it has struck, the time left to the library to come back is not prolonged */
	if (!expired)
		(void)setitimer(ITIMER_REAL, &watched_time, NULL);
}

void
stall_rest(void)
{
	static const struct itimerval none;

	(void)setitimer(ITIMER_REAL, &none, NULL);
}

void
stall_cut(void)
{
	if (watched_fd >= 0)
		(void)shutdown(watched_fd, SHUT_RDWR);
}

bool
stall_happened(void)
{
	return expired != 0;
}
