/* SPDX-License-Identifier: GPL-3.0-or-later */
/* patrond's own row: what it keeps, and what it is refused without dying of it. */
#include "sandbox_kit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */
static int try_open(void) { return answer(open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }
static int try_make(void) { return answer(open("/tmp/patrond-made", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }
static int try_write_config(void) { char path[128]; (void)snprintf(path, sizeof(path), "%s/zip-password", world.outside); return answer(open(path, O_WRONLY | O_CLOEXEC)); }
static int try_make_config(void) { char path[128]; (void)snprintf(path, sizeof(path), "%s/new.conf", world.outside); return answer(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }
static int try_fork(void) { return answer(syscall(SYS_fork)); }
static int try_clone(void) { return answer(syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL)); }
static int try_exec(void) { char *const none[] = { NULL }; return answer(execve("/bin/true", none, none)); }
static int try_exec_at(void) { char *const none[] = { NULL }; return answer(syscall(SYS_execveat, world.feed, "", none, none, AT_EMPTY_PATH)); }
static int try_tcp(void) { return answer(socket(AF_INET, SOCK_STREAM, 0)); }
static int try_udp(void) { return answer(socket(AF_INET6, SOCK_DGRAM, 0)); }
static int try_netlink(void) { return answer(socket(AF_NETLINK, SOCK_RAW, 0)); }
static int try_ptrace(void) { return answer(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }
static int try_kill(void) { return answer(kill(getppid(), 0)); }
static int try_unshare(void) { return answer(syscall(SYS_unshare, 0x10000000)); }
static int try_uring(void) { return answer(syscall(SYS_io_uring_setup, 1, NULL)); }
static int try_keyctl(void) { return answer(syscall(SYS_keyctl, 0, -3, 0)); }
static int try_dumpable(void) { return answer(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }
static int try_limit(void) { return answer(setrlimit(RLIMIT_NPROC, &(struct rlimit){ 1, 1 })); }
static int try_link(void) { return answer(syscall(SYS_link, "/etc/passwd", "x")); }
static int try_chmod(void) { return answer(syscall(SYS_chmod, world.folder, 0777)); }
/* clang-format on */

static int
try_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static int
try_make_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? EIO : answer(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int
try_read_parent(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &world, 1 };

	return answer(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static const struct {
	const char *name;
	int (*run)(void);
	int expected;
} refusals[] = {
	{ "open", try_open, EACCES },
	{ "make in /tmp", try_make, EACCES },
	{ "write in the configuration's folder", try_write_config, EACCES },
	{ "make there", try_make_config, EACCES },
	{ "fork", try_fork, EPERM },
	{ "clone", try_clone, EPERM },
	{ "exec", try_exec, EPERM },
	{ "exec of a descriptor", try_exec_at, EPERM },
	{ "tcp socket", try_tcp, EPERM },
	{ "udp socket", try_udp, EPERM },
	{ "netlink socket", try_netlink, EPERM },
	{ "ptrace", try_ptrace, EPERM },
	{ "kill", try_kill, EPERM },
	{ "unshare", try_unshare, EPERM },
	{ "io_uring", try_uring, EPERM },
	{ "keyctl", try_keyctl, EPERM },
	{ "dumpable again", try_dumpable, EPERM },
	{ "raise a limit", try_limit, EPERM },
	{ "hard link", try_link, EPERM },
	{ "chmod", try_chmod, EPERM },
	{ "map executable", try_executable, EPERM },
	{ "make executable", try_make_executable, EPERM },
	{ "read the parent", try_read_parent, EPERM },
};

/* The state file: made, renamed over the old one, read again; and a nameless one beside it. */
static int
need_runtime_directory(void)
{
	char path[128], temporary[128], text[8];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/state", world.folder);
	(void)snprintf(temporary, sizeof(temporary), "%s/state.new", world.folder);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "state", 5) != 5 || close(fd) < 0 || rename(temporary, path) < 0)
		return errno;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text)) != 5 || unlink(path) < 0)
		return errno;
	fd = open(world.folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 || fd_pwrite_all(fd, "feed", 4, 0) < 0 ? errno : 0;
}

static int
need_configuration(void)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/zip-password", world.outside);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 || close(fd) < 0 ? errno : answer(open(world.outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int
need_time_zone(void)
{
	time_t now = 0;
	struct tm local;

	return localtime_r(&now, &local) != NULL && access("/usr/share/zoneinfo", R_OK) == 0 ? answer(open("/usr/share/zoneinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) : 0;
}

static int
need_unix_sockets(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || close(fd) < 0)
		return errno;
	fd = memfd_create("feed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? errno : answer(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
}

/* of the records, and larger than Linux makes it by itself */
static int
need_pipe(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	return answer(fcntl(ends[1], F_SETPIPE_SZ, 256 << 10));
}

static int
need_event_loop(void)
{
	struct itimerspec later = { .it_value = { .tv_sec = 1000 } };
	struct epoll_event event = { .events = EPOLLIN };
	int loop = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	if (loop < 0 || timer < 0 || timerfd_settime(timer, 0, &later, NULL) < 0)
		return errno;
	if (epoll_ctl(loop, EPOLL_CTL_ADD, timer, &event) < 0 || epoll_wait(loop, &event, 1, 0) != 0)
		return errno;
	return answer(signalfd(-1, &set, SFD_CLOEXEC));
}

static int (*const needs[])(void) = { need_runtime_directory, need_configuration, need_time_zone, need_unix_sockets, need_pipe, need_event_loop };

static int
behind(int (*run)(void))
{
	const struct sandbox_path paths[] = { { world.folder, true }, { world.outside, false }, { "/usr/share/zoneinfo", false },
		{ "/etc/localtime", false }, { "/nonexistent/file", true } };
	const struct sandbox_options options = { .paths = paths, .path_count = COUNT(paths) };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		uint32_t walls = 0;

		drop_rights();
		if (sandbox_enter(PROGRAM_PATROND, &options, &walls) < 0)
			_exit(250);
		_exit((walls & WALLS_REQUIRED) == WALLS_REQUIRED && (walls & WALL_RLIMITS) != 0 ? run() : 251);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status)); /* refused, never killed */
	return WEXITSTATUS(status);
}

static void
refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		int r = behind(refusals[i].run);

		if (r != refusals[i].expected)
			fail_msg("%s: %d, expected %d", refusals[i].name, r, refusals[i].expected);
	}
}

static void
needed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(needs); i++)
		assert_int_equal(behind(needs[i]), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(needed),
	};

	return cmocka_run_group_tests(tests, begin_world, end_world);
}
