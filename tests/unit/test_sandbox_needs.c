/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each program needs behind its walls, and that no other has it. */
#include "sandbox_kit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int
need_memory_and_time(void)
{
	struct timespec now, moment = { .tv_nsec = 1000 };
	char bytes[16];
	char *memory = malloc(32U << 20);

	if (memory == NULL || clock_gettime(CLOCK_MONOTONIC, &now) < 0 || time(NULL) < 0)
		return EIO;
	memset(memory, 1, 32U << 20);
	memory = realloc(memory, 40U << 20);
	if (memory == NULL)
		return EIO;
	free(memory);
	if (syscall(SYS_getrandom, bytes, sizeof(bytes), 0) != sizeof(bytes) || nanosleep(&moment, NULL) < 0)
		return EIO;
	return sysconf(_SC_PHYS_PAGES) > 0 ? 0 : EIO; /* qsort asks */
}

static int
need_descriptors(void)
{
	struct stat st;
	struct pollfd ready = { .fd = world.connection, .events = POLLOUT };
	struct rlimit limit;
	int flags = fcntl(world.connection, F_GETFL);

	if (fstat(world.feed, &st) < 0 || flags < 0 || fcntl(world.connection, F_SETFL, flags) < 0)
		return errno;
	if (isatty(world.feed) || errno != ENOTTY)
		return EIO;
	if (lseek(world.feed, 0, SEEK_CUR) < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return errno;
	if (limit.rlim_max > 128)
		return ERANGE;
	return poll(&ready, 1, 0) == 1 ? 0 : EIO;
}

static int
need_connection(void)
{
	char byte = 'a';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (sendmsg(world.connection, &msg, MSG_NOSIGNAL) != 1 || recvmsg(world.peer, &msg, MSG_CMSG_CLOEXEC) != 1)
		return errno;
	if (send(world.connection, "b", 1, MSG_NOSIGNAL) != 1 || recv(world.peer, &byte, 1, MSG_DONTWAIT) != 1)
		return errno;
	return byte == 'b' ? 0 : EIO;
}

static int
need_wiped_secret(void)
{
	secret_done(&world.secret); /* libsodium unlocks and unmaps */
	return world.secret.bytes == NULL ? 0 : EIO;
}

static int
need_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGIO);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || sigprocmask(SIG_UNBLOCK, &set, NULL) < 0)
		return errno;
	return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? errno : 0;
}

static int
feed_read(void)
{
	char bytes[4];

	return fd_pread_all(world.feed, bytes, sizeof(bytes), 0) == sizeof(bytes) ? 0 : EIO;
}

static int
feed_write(void)
{
	int r = fd_pwrite_all(world.feed, "more", 4, 1000);

	return r < 0 ? -r : answer(ftruncate(world.feed, 10));
}

static int
stream_used(void)
{
	int one = 1;
	struct sockaddr_in name;
	socklen_t size = sizeof(name);

	if (setsockopt(world.stream, IPPROTO_TCP, 1, &one, sizeof(one)) < 0 ||
	    setsockopt(world.stream, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) < 0)
		return errno;
	return answer(getpeername(world.stream, (struct sockaddr *)&name, &size));
}

/* A transfer that stalls: a timer, whose handler shuts the connection down; what broke it is asked for. */
static int
stream_broken(void)
{
	int error;
	socklen_t size = sizeof(error);
	char byte;

	if (send(world.stream, "x", 1, MSG_NOSIGNAL) != 1 || recv(world.accepted, &byte, 1, 0) != 1)
		return errno;
	if (getsockopt(world.stream, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return errno;
	return answer(shutdown(world.stream, SHUT_RD)); /* the other direction is still wanted by the next child */
}

static int
stall_timer_used(void)
{
	struct itimerval later = { .it_value = { .tv_sec = 1000 } };

	return answer(setitimer(ITIMER_REAL, &later, NULL));
}

/* Everything that is done to the share, in one go. */
static int
folder_used(void)
{
	_cleanup_fd_ int folder = open(world.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int fd = -EBADF;
	char entries[4096];
	struct stat st;

	if (folder < 0)
		return errno;
	fd = openat(folder, ".report.partial", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || fd_pwrite_all(fd, "zip", 3, 0) < 0 || fsync(fd) < 0 || fchmod(fd, 0640) < 0)
		return errno;
	if (renameat2(folder, ".report.partial", folder, "report.zip", RENAME_NOREPLACE) < 0 || fsync(folder) < 0)
		return errno;
	if (renameat(folder, "report.zip", folder, "report-2.zip") < 0)
		return errno;
	if (fstatat(folder, "report-2.zip", &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_size != 3)
		return errno;
	if (syscall(SYS_getdents64, folder, entries, sizeof(entries)) <= 0)
		return errno;
	/* a feed that is done is moved into a folder, and that may be made */
	if (mkdirat(folder, "done", 0700) < 0 && errno != EEXIST)
		return errno;
	if (renameat2(folder, "report-2.zip", folder, "done/feed.zip", RENAME_NOREPLACE) < 0)
		return errno;
	if (unlinkat(folder, "done/feed.zip", 0) < 0)
		return errno;
	return 0;
}

static const struct attempt needs[] = {
	{ "memory and time", need_memory_and_time, ALL(WORKS) },
	{ "descriptors", need_descriptors, ALL(WORKS) },
	{ "connection", need_connection, ALL(WORKS) },
	{ "wiped secret", need_wiped_secret, ALL(WORKS) },
	{ "signals", need_signals, ALL(WORKS) },
	{ "read the feed", feed_read, { WORKS, WORKS, WORKS, KILLED, WORKS, WORKS } },
	{ "write the feed", feed_write, { WORKS, WORKS, KILLED, KILLED, WORKS, KILLED } },
	{ "use a TCP connection", stream_used, { KILLED, KILLED, KILLED, WORKS, KILLED, WORKS } },
	{ "a connection that breaks", stream_broken, { KILLED, WORKS, KILLED, WORKS, KILLED, WORKS } },
	{ "stall timer", stall_timer_used, { KILLED, WORKS, KILLED, KILLED, KILLED, KILLED } },
	{ "the share's folder", folder_used, NOT_SHARE(WORKS, EACCES) },
};

static void
needed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(needs); i++)
		run_table(&needs[i], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needed),
	};

	return cmocka_run_group_tests(tests, begin_world, end_world);
}
