/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must not work behind the walls of each program, and what they are refused for. */
#include "sandbox_kit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"

#define PROTOCOL_MPTCP 262

/* clang-format off */
static int try_open(void) { return answer(open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }
static int try_open_proc(void) { return answer(open("/proc/self/mem", O_RDWR | O_CLOEXEC)); }
static int try_opendir(void) { return opendir("/") == NULL ? errno : 0; }
static int try_socket_unix(void) { return answer(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int try_socket_tcp(void) { return answer(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }
static int try_socket_tcp6(void) { return answer(socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP)); }
static int try_socket_udp(void) { return answer(socket(AF_INET, SOCK_DGRAM, 0)); }
static int try_socket_udp6(void) { return answer(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }
static int try_socket_mptcp(void) { return answer(socket(AF_INET, SOCK_STREAM, PROTOCOL_MPTCP)); }
static int try_socket_raw(void) { return answer(socket(AF_INET, SOCK_RAW, IPPROTO_TCP)); }
static int try_socket_netlink(void) { return answer(socket(AF_NETLINK, SOCK_RAW, 0)); }
static int try_socket_vsock(void) { return answer(socket(AF_VSOCK, SOCK_STREAM, 0)); }
static int try_socketpair(void) { return answer(socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 })); }
static int try_datagram_pair(void) { return answer(socketpair(AF_UNIX, SOCK_DGRAM, 0, (int[2]){ 0 })); }
static int try_bind(void) { return answer(bind(world.stream, NULL, 0)); }
static int try_listen(void) { return answer(listen(world.stream, 1)); }
static int try_fork(void) { return answer(syscall(SYS_fork)); }
static int try_clone(void) { return answer(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }
static int try_clone3(void) { return answer(syscall(SYS_clone3, NULL, 0)); }
static int try_ptrace(void) { return answer(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }
static int try_kill(void) { return answer(kill(getppid(), 0)); }
static int try_tgkill(void) { return answer(syscall(SYS_tgkill, getpid(), gettid(), 0)); }
static int try_unshare(void) { return answer(unshare(CLONE_NEWUSER)); }
static int try_memfd(void) { return answer(memfd_create("code", 0)); }
static int try_setuid(void) { return answer(setuid(0)); }
static int try_set_dumpable(void) { return answer(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }
static int try_setown(void) { return answer(fcntl(world.connection, F_SETOWN, getppid())); }
static int try_io_uring(void) { return answer(syscall(SYS_io_uring_setup, 1, NULL)); }
static int try_userfaultfd(void) { return answer(syscall(SYS_userfaultfd, 0)); }
static int try_bpf(void) { return answer(syscall(SYS_bpf, 0, NULL, 0)); }
static int try_keyctl(void) { return answer(syscall(SYS_keyctl, 0, 0)); }
static int try_personality(void) { return answer(syscall(SYS_personality, 0x0400000)); } /* READ_IMPLIES_EXEC */
static int try_landlock(void) { return answer(syscall(SYS_landlock_create_ruleset, NULL, 0, 1)); }
static int try_setsockopt_ip(void) { return answer(setsockopt(world.stream, IPPROTO_IP, 1, &(int){ 0 }, sizeof(int))); }
static int try_limits_of_parent(void) { return answer(prlimit(getppid(), RLIMIT_NOFILE, NULL, &(struct rlimit){ 0 })); }
static int try_filter(void) { return answer(setsockopt(world.stream, SOL_SOCKET, SO_ATTACH_FILTER, "", 0)); }
static int try_ulp(void) { return answer(setsockopt(world.stream, IPPROTO_TCP, TCP_ULP, "tls", 3)); }
static int try_pidfd(void) { return answer(syscall(SYS_pidfd_open, getppid(), 0)); }
static int try_memory_file(void) { return answer(syscall(SYS_memfd_secret, 0)); }
static int try_mount(void) { return answer(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL)); }
static int try_perf(void) { return answer(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0)); }
static int try_link(void) { return answer(link("/etc/passwd", "passwd")); }
static int try_chmod(void) { return answer(chmod(world.folder, 0777)); }
static int try_mkdir(void) { return answer(mkdir("folder", 0700)); }
static int try_inotify(void) { return answer(syscall(SYS_inotify_init1, 0)); }
static int try_accept(void) { return answer(accept4(world.listener, NULL, NULL, 0)); }
static int try_timer(void) { return answer(syscall(SYS_timer_create, 0, NULL, NULL)); }
static int try_mknod(void) { return answer(mknod("node", S_IFIFO | 0600, 0)); }
static int try_truncate(void) { return answer(truncate("/etc/passwd", 0)); }
/* clang-format on */

static int
try_exec(void)
{
	char *const none[] = { NULL };

	return answer(execve("/bin/true", none, none));
}

static int
try_exec_descriptor(void)
{
	char *const none[] = { NULL };

	return answer(syscall(SYS_execveat, world.feed, "", none, none, AT_EMPTY_PATH));
}

static int
try_map_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static int
try_make_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : answer(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int
try_read_parent(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &world, 1 };

	return answer(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static int
try_raise_limit(void)
{
	return answer(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 1, 1 }));
}

static int
try_fastopen(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(world.other_port) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return answer(sendto(world.stream, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)));
}

#ifdef __x86_64__
/* The other door into an x86-64 kernel, with other numbers: getpid there. */
static int
try_int80(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	return r < 0 ? (int)-r : 0;
}

/* And the third one, where the kernel has it: getpid with the bit of x32. */
static int
try_x32(void)
{
	return answer(syscall(0x40000000L | SYS_getpid));
}
#endif

/* An address longer than an internet one: a unix socket's, from a socket that may not be one. */
static int
try_connect_unix(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };

	return answer(connect(world.connection, (struct sockaddr *)&to, sizeof(to)));
}

static int
connect_to(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? errno : answer(connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

static int
try_connect(void)
{
	return connect_to(world.port);
}
static int
try_connect_elsewhere(void)
{
	return connect_to(world.other_port);
}

static void *
nothing(void *p)
{
	return p;
}

static int
try_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL);
}

static int
folder_link_out(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/link", world.folder); /* it points to /etc/passwd */
	return answer(open(path, O_RDONLY | O_CLOEXEC));
}

static int
folder_move_out(void)
{
	char from[128], to[128];

	(void)snprintf(from, sizeof(from), "%s/feed.zip", world.folder);
	(void)snprintf(to, sizeof(to), "%s/feed.zip", world.outside);
	return answer(renameat(AT_FDCWD, from, AT_FDCWD, to));
}

static int
folder_make_outside(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/file", world.outside);
	return answer(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* By mkdirat, which the share has for its folder of done feeds. */
static int
folder_mkdir_outside(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/folder", world.outside);
	return answer(mkdirat(AT_FDCWD, path, 0700));
}

static int
folder_symlink(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/new-link", world.folder);
	return answer(symlinkat("/etc/passwd", AT_FDCWD, path));
}

static const struct attempt refusals[] = {
	{ "open", try_open, ALL(EACCES) },
	{ "open in /proc", try_open_proc, ALL(EACCES) },
	{ "list /", try_opendir, ALL(EACCES) },
	{ "unix socket", try_socket_unix, ALL(KILLED) },
	{ "tcp socket", try_socket_tcp, NOT_LOAD(WORKS, KILLED) },
	{ "tcp socket, IPv6", try_socket_tcp6, NOT_LOAD(WORKS, KILLED) },
	{ "udp socket", try_socket_udp, DIALS(EAFNOSUPPORT, EAFNOSUPPORT, KILLED) },
	{ "udp socket, IPv6", try_socket_udp6, DIALS(EAFNOSUPPORT, EAFNOSUPPORT, KILLED) },
	{ "mptcp socket", try_socket_mptcp, ALL(KILLED) },
	{ "raw socket", try_socket_raw, ALL(KILLED) },
	{ "netlink socket", try_socket_netlink, ALL(KILLED) },
	{ "vsock socket", try_socket_vsock, ALL(KILLED) },
	{ "connect to Sierra", try_connect, NOT_LOAD(WORKS, KILLED) },
	{ "socketpair", try_socketpair, ALL(KILLED) },
	{ "socketpair of datagrams", try_datagram_pair, ALL(KILLED) },
	{ "connect to a unix socket", try_connect_unix, DIALS(KILLED, EINPROGRESS, KILLED) },
	{ "bind", try_bind, ALL(KILLED) },
	{ "listen", try_listen, ALL(KILLED) },
	{ "fast open", try_fastopen, ALL(KILLED) },
	{ "option of IP", try_setsockopt_ip, ALL(KILLED) },
	{ "option that loads a filter", try_filter, ALL(KILLED) },
	{ "option that gives TLS to the kernel", try_ulp, ALL(KILLED) },
	{ "exec", try_exec, ALL(KILLED) },
	{ "exec of a descriptor", try_exec_descriptor, ALL(KILLED) },
	{ "memfd", try_memfd, ALL(KILLED) },
	{ "fork", try_fork, ALL(UNLESS_SANITIZED(KILLED, EPERM)) },
	{ "clone", try_clone, NOT_LOAD(EAGAIN, KILLED) },
	{ "clone3", try_clone3, NOT_LOAD(ENOSYS, KILLED) },
	{ "thread", try_thread, NOT_LOAD(EAGAIN, KILLED) },
	{ "map executable", try_map_executable, ALL(KILLED) },
	{ "make executable", try_make_executable, ALL(KILLED) },
	{ "ptrace", try_ptrace, ALL(KILLED) },
	{ "read the parent", try_read_parent, ALL(KILLED) },
	{ "kill", try_kill, ALL(KILLED) },
	{ "tgkill", try_tgkill, ALL(KILLED) },
	{ "unshare", try_unshare, ALL(KILLED) },
	{ "setuid", try_setuid, ALL(KILLED) },
	{ "dumpable again", try_set_dumpable, ALL(UNLESS_SANITIZED(KILLED, EPERM)) },
	{ "raise a limit", try_raise_limit, ALL(KILLED) },
	{ "limits of the parent", try_limits_of_parent, ALL(KILLED) },
	{ "aim SIGIO", try_setown, ALL(KILLED) },
	{ "pidfd", try_pidfd, ALL(KILLED) },
	{ "secret memory file", try_memory_file, ALL(KILLED) },
	{ "mount", try_mount, ALL(KILLED) },
	{ "perf", try_perf, ALL(KILLED) },
	{ "io_uring", try_io_uring, ALL(KILLED) },
	{ "userfaultfd", try_userfaultfd, ALL(KILLED) },
	{ "bpf", try_bpf, ALL(KILLED) },
	{ "keyctl", try_keyctl, ALL(KILLED) },
	{ "personality", try_personality, ALL(KILLED) },
	{ "landlock again", try_landlock, ALL(KILLED) },
	{ "hard link", try_link, ALL(KILLED) },
	{ "chmod", try_chmod, ALL(KILLED) },
	{ "mkdir", try_mkdir, ALL(KILLED) },
	{ "inotify", try_inotify, ALL(KILLED) },
	{ "accept", try_accept, ALL(KILLED) },
	{ "timer", try_timer, ALL(KILLED) },
	{ "mknod", try_mknod, ALL(KILLED) },
	{ "truncate", try_truncate, ALL(KILLED) },
#ifdef __x86_64__
	{ "int 80h", try_int80, ALL(KILLED) },
	{ "a call of x32", try_x32, ALL(KILLED) },
#endif
	{ "link out of the share", folder_link_out, ALL(EACCES) },
	{ "file outside the share", folder_make_outside, ALL(EACCES) },
	{ "folder outside the share", folder_mkdir_outside, NOT_SHARE(EACCES, KILLED) },
	{ "move out of the share", folder_move_out, NOT_SHARE(EACCES, KILLED) },
	{ "symbolic link in the share", folder_symlink, NOT_SHARE(EPERM, KILLED) },
};

static void
refused(void **state)
{
	(void)state;
	run_table(refusals, COUNT(refusals));
}

/* Only kernels from Landlock's ABI 4 on know ports; the older ones leave it to the unit's address filter. */
static void
connect_elsewhere(void **state)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	(void)state;
	assert_int_equal(run_behind(PROGRAM_LOAD, try_connect_elsewhere), abi >= 4 ? EACCES : WORKS);
}

static void *
wait_for_ever(void *p)
{
	(void)pause();
	return p;
}

/* Enters in a child. Returns the negative errno, or 0. */
static int
enter_result(enum program program, const struct sandbox_options *options, int threads)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pthread_t thread;
		uint32_t walls;
		int r;

		drop_rights();
		for (int i = 0; i < threads; i++)
			if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
				_exit(EDOM);
		r = sandbox_enter(program, options, &walls);
		_exit(-r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void
not_entered(void **state)
{
	const struct sandbox_options none = { 0 };
	const struct sandbox_options port = { .tcp_port = 443 };
	const struct sandbox_options share = { .share_path = world.folder };
	const struct sandbox_options absent = { .share_path = "/nonexistent/share" };
	const struct sandbox_options both = { .tcp_port = 443, .share_path = world.folder };

	(void)state;
	assert_int_equal(enter_result(PROGRAM_PATROND, &none, 0), -EINVAL);
	assert_int_equal(enter_result(PROGRAM_MAX, &none, 0), -EINVAL);
	assert_int_equal(enter_result((enum program) - 1, &none, 0), -EINVAL);
	assert_int_equal(enter_result(PROGRAM_LOAD, &none, 0), -EINVAL);
	assert_int_equal(enter_result(PROGRAM_LOAD, NULL, 0), -EINVAL);
	assert_int_equal(enter_result(PROGRAM_LOAD, &both, 0), -EINVAL);
	assert_int_equal(enter_result(PROGRAM_SHARE, &none, 0), -EINVAL);
	assert_int_equal(enter_result(PROGRAM_DECODE, &port, 0), -EINVAL);
	assert_int_equal(enter_result(PROGRAM_DECODE, &share, 0), -EINVAL);
	assert_int_equal(enter_result(PROGRAM_DECODE, &none, 1), -EBUSY); /* a thread would stay outside */
	assert_int_equal(enter_result(PROGRAM_DECODE, &none, 0), 0);
	assert_int_equal(enter_result(PROGRAM_DECODE, NULL, 0), 0);
	assert_int_equal(enter_result(PROGRAM_SHARE, &absent, 0), 0); /* no rule: its stage says that it is gone */
}

static void
not_dumpable(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit limit;

		if (process_not_dumpable() < 0 || prctl(PR_GET_DUMPABLE) != 0 || getrlimit(RLIMIT_CORE, &limit) < 0)
			_exit(1);
		_exit(limit.rlim_max == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_entered),
		cmocka_unit_test(refused),
		cmocka_unit_test(connect_elsewhere),
		cmocka_unit_test(not_dumpable),
	};

	return cmocka_run_group_tests(tests, begin_world, end_world);
}
