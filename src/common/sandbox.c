/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inner walls, as one table: program -> rlimits, Landlock rights, system calls, addresses. What is not in a stage's
 * row kills it; the few calls that a C library tries by itself and can do without are answered with an error instead.
 */

#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/escape_hook.h"
#include "common/process.h"
#include "patrond/limits.h"

#define MIB (1ULL << 20)

/* --- system calls --- */

struct rule {
	int call;
	uint32_t action;
	unsigned int count;
	struct scmp_arg_cmp args[3];
};

/* clang-format off */
#define ALLOW(call_) { .call = SCMP_SYS(call_), .action = SCMP_ACT_ALLOW }
#define ALLOW_IF(call_, count_, ...) \
	{ .call = SCMP_SYS(call_), .action = SCMP_ACT_ALLOW, .count = (count_), .args = { __VA_ARGS__ } }
#define ANSWER(call_, error) { .call = SCMP_SYS(call_), .action = SCMP_ACT_ERRNO(error) }
#define ANSWER_IF(call_, error, count_, ...) \
	{ .call = SCMP_SYS(call_), .action = SCMP_ACT_ERRNO(error), .count = (count_), .args = { __VA_ARGS__ } }
/* The kernel looks at the low half of an int's register only, so must a comparison. */
#define INT_IS(arg_, value) \
	{ .arg = (arg_), .op = SCMP_CMP_MASKED_EQ, .datum_a = 0xFFFFFFFFU, .datum_b = (scmp_datum_t)(value) }
#define LACKS(arg_, bits) { .arg = (arg_), .op = SCMP_CMP_MASKED_EQ, .datum_a = (scmp_datum_t)(bits), .datum_b = 0 }
#define NULL_AT(arg_) { .arg = (arg_), .op = SCMP_CMP_EQ, .datum_a = 0 }
#define SOCKET_TYPE_IS(value) \
	{ .arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = 0xFFFFFFFFU & ~(unsigned int)(SOCK_CLOEXEC | SOCK_NONBLOCK), \
	  .datum_b = (value) }

/*
 * Memory, never executable: code cannot be brought in. munlock and the rest of madvise are libsodium's, freeing a
 * secret.
 */
static const struct rule memory_rules[] = {
	ALLOW(brk), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise), ALLOW(munlock),
	ALLOW_IF(mmap, 1, LACKS(2, PROT_EXEC)),
	ALLOW_IF(mprotect, 1, LACKS(2, PROT_EXEC)),
};

/* Running at all: ending, the hang-up signal, locks, a poll that was stopped and goes on. */
static const struct rule process_rules[] = {
	ALLOW(exit), ALLOW(exit_group), ALLOW(futex), ALLOW(sched_yield), ALLOW(restart_syscall), ALLOW(rt_sigreturn),
	ALLOW(rt_sigprocmask), ALLOW(rt_sigaction),
};

/* Clocks (where the vDSO has none) and pauses. */
static const struct rule clock_rules[] = {
	ALLOW(clock_gettime), ALLOW(clock_getres), ALLOW(gettimeofday), ALLOW(time), ALLOW(nanosleep),
	ALLOW(clock_nanosleep),
};

/*
 * Questions that OpenSSL, libcurl and glibc (qsort: sysinfo) ask about process and machine. Reading limits, never
 * setting.
 */
static const struct rule question_rules[] = {
	ALLOW(getrandom), ALLOW(getpid), ALLOW(gettid), ALLOW(getppid), ALLOW(getuid), ALLOW(geteuid), ALLOW(getgid),
	ALLOW(getegid), ALLOW(uname), ALLOW(sysinfo), ALLOW(sched_getaffinity), ALLOW(getrlimit),
	ALLOW_IF(prlimit64, 2, INT_IS(0, 0), NULL_AT(2)), /* its own */
};

/*
 * Descriptors that are there already. F_SETOWN is not among it: it would aim SIGIO at others. AT_EMPTY_PATH is how
 * glibc asks about a descriptor (it would answer about a path too: that one exists, never what is in it).
 */
static const struct rule descriptor_rules[] = {
	ALLOW(read), ALLOW(write), ALLOW(readv), ALLOW(writev), ALLOW(close), ALLOW(lseek), ALLOW(fstat),
	ALLOW_IF(fcntl, 1, INT_IS(1, F_GETFL)), ALLOW_IF(fcntl, 1, INT_IS(1, F_SETFL)),
	ALLOW_IF(fcntl, 1, INT_IS(1, F_GETFD)), ALLOW_IF(fcntl, 1, INT_IS(1, F_SETFD)), ALLOW(poll), ALLOW(ppoll),
	ANSWER(ioctl, ENOTTY), /* stdio asks whether it writes to a terminal */
};

/* The connection to the supervisor. MSG_FASTOPEN would connect behind Landlock's back, so it is nowhere. */
static const struct rule connection_rules[] = {
	ALLOW(recvmsg), ALLOW(recvfrom),
	ALLOW_IF(sendmsg, 1, LACKS(2, MSG_FASTOPEN)),
	ALLOW_IF(sendto, 1, LACKS(3, MSG_FASTOPEN)),
};

/*
 * Nothing is opened by name; what libraries look for by themselves (the time zone, gconv, a configuration) is refused.
 * EACCES, not ENOENT: a library should fail rather than go on with a default because a file seems not to be there.
 */
static const struct rule nameless_rules[] = {
	ALLOW_IF(newfstatat, 1, INT_IS(3, AT_EMPTY_PATH)),
	ANSWER_IF(newfstatat, EACCES, 1, LACKS(3, AT_EMPTY_PATH)),
	ANSWER(open, EACCES), ANSWER(openat, EACCES), ANSWER(openat2, EACCES), ANSWER(stat, EACCES),
	ANSWER(lstat, EACCES), ANSWER(statx, ENOSYS), ANSWER(access, EACCES), ANSWER(faccessat, EACCES),
	ANSWER(faccessat2, EACCES), ANSWER(readlink, EACCES), ANSWER(readlinkat, EACCES), ANSWER(getcwd, EACCES),
};

/* A feed, read by offset: a passed descriptor shares its offset with the supervisor's. */
static const struct rule feed_read_rules[] = {
	ALLOW(pread64), ALLOW(preadv),
};

/* A feed or report written by offset into the workspace. fallocate is tried by some, and not needed. */
static const struct rule feed_write_rules[] = {
	ALLOW(pread64), ALLOW(pwrite64), ALLOW(pwritev), ALLOW(ftruncate), ANSWER(fallocate, EOPNOTSUPP),
};

/*
 * A TCP connection that stands, as libcurl treats it. Options by name: others load a filter into the kernel
 * (SO_ATTACH_FILTER), or give it the keys of TLS (TCP_ULP).
 */
static const struct rule stream_rules[] = {
	ALLOW(getpeername), ALLOW(getsockname), ALLOW(shutdown), ALLOW(select), ALLOW(pselect6),
	ALLOW_IF(getsockopt, 1, INT_IS(1, SOL_SOCKET)),
	ALLOW_IF(setsockopt, 2, INT_IS(1, SOL_SOCKET), INT_IS(2, SO_KEEPALIVE)),
	ALLOW_IF(setsockopt, 2, INT_IS(1, IPPROTO_TCP), INT_IS(2, TCP_NODELAY)),
	ALLOW_IF(setsockopt, 2, INT_IS(1, IPPROTO_TCP), INT_IS(2, TCP_KEEPIDLE)),
	ALLOW_IF(setsockopt, 2, INT_IS(1, IPPROTO_TCP), INT_IS(2, TCP_KEEPINTVL)),
};

/*
 * All that fetch needs of its TCP connection beside reading and writing. The stall timer (libssh has no timeout for a
 * transfer) and what its handler does; getsockopt is libssh's question for what broke a connection.
 */
static const struct rule stall_rules[] = {
	ALLOW(setitimer), ALLOW(shutdown),
	ALLOW_IF(getsockopt, 1, INT_IS(1, SOL_SOCKET)),
};

/*
 * The one connection of mail stands before the walls, so libcurl gets no other. It asks by UDP whether there is IPv6; and
 * 7.88 calls connect() although it is told that it need not: "under way" makes it look, and find it connected.
 */
static const struct rule standing_rules[] = {
	ANSWER_IF(socket, EAFNOSUPPORT, 2, INT_IS(0, AF_INET), SOCKET_TYPE_IS(SOCK_DGRAM)),
	ANSWER_IF(socket, EAFNOSUPPORT, 2, INT_IS(0, AF_INET6), SOCKET_TYPE_IS(SOCK_DGRAM)),
	ANSWER(connect, EINPROGRESS),
};

/*
 * New TCP connections to Sierra: TCP by name of the protocol, since MPTCP went around Landlock's port rule; addresses of
 * IPv4's or IPv6's length. UDP (libcurl asks so whether there is IPv6) and threads (its resolver; names are resolved
 * before) are refused. There is no socketpair: one of datagrams can be sent to any unix socket by its name, the main
 * journal's too. libcurl makes its wake-up pair before the walls.
 */
static const struct rule dial_rules[] = {
	ALLOW_IF(socket, 3, INT_IS(0, AF_INET), SOCKET_TYPE_IS(SOCK_STREAM), INT_IS(2, 0)),
	ALLOW_IF(socket, 3, INT_IS(0, AF_INET), SOCKET_TYPE_IS(SOCK_STREAM), INT_IS(2, IPPROTO_TCP)),
	ALLOW_IF(socket, 3, INT_IS(0, AF_INET6), SOCKET_TYPE_IS(SOCK_STREAM), INT_IS(2, 0)),
	ALLOW_IF(socket, 3, INT_IS(0, AF_INET6), SOCKET_TYPE_IS(SOCK_STREAM), INT_IS(2, IPPROTO_TCP)),
	ANSWER_IF(socket, EAFNOSUPPORT, 2, INT_IS(0, AF_INET), SOCKET_TYPE_IS(SOCK_DGRAM)),
	ANSWER_IF(socket, EAFNOSUPPORT, 2, INT_IS(0, AF_INET6), SOCKET_TYPE_IS(SOCK_DGRAM)),
	ALLOW_IF(connect, 1, INT_IS(2, sizeof(struct sockaddr_in))),
	ALLOW_IF(connect, 1, INT_IS(2, sizeof(struct sockaddr_in6))),
	ANSWER(clone3, ENOSYS), ANSWER(clone, EAGAIN),
};

/*
 * The share's folder, by name; Landlock says which. It is watched by a descriptor that was made before the walls:
 * Landlock says nothing of inotify_add_watch, which would tell the names in any folder. Links, devices and owners are
 * nothing that a share needs; the old calls without a folder's descriptor neither.
 */
static const struct rule folder_rules[] = {
	ALLOW(openat), ALLOW(openat2), ALLOW(newfstatat), ALLOW(statx), ALLOW(fstatfs), ALLOW(getdents64),
	ALLOW(renameat), ALLOW(renameat2), ALLOW(unlinkat), ALLOW(fsync), ALLOW(fdatasync), ALLOW(fchmod),
	ALLOW(access), ALLOW(faccessat), ALLOW(faccessat2), /* is it our walls or the mode? */
	ANSWER(open, EACCES), ANSWER(readlink, EACCES), ANSWER(readlinkat, EACCES), ANSWER(getcwd, EACCES),
	ALLOW(mkdirat), /* of the feeds that are done */
	ANSWER(linkat, EPERM), ANSWER(symlinkat, EPERM),
	ANSWER(fchown, EPERM), ANSWER(utimensat, EPERM),
};

/*
 * patrond with its stages in units of their own: an event loop, unix sockets, nameless files and pipes, the files of its
 * runtime directory, and its configuration for a reload; Landlock says where. Nothing of it starts a process.
 */
static const struct rule supervisor_rules[] = {
	ALLOW(epoll_create1), ALLOW(epoll_ctl), ALLOW(epoll_wait), ALLOW(epoll_pwait), ALLOW(epoll_pwait2),
	ALLOW(timerfd_create), ALLOW(timerfd_settime), ALLOW(signalfd4), ALLOW(eventfd2), ALLOW(pipe2),
	ALLOW(memfd_create), ALLOW_IF(fcntl, 1, INT_IS(1, F_ADD_SEALS)), ALLOW_IF(fcntl, 1, INT_IS(1, F_DUPFD_CLOEXEC)),
	ALLOW_IF(fcntl, 1, INT_IS(1, F_SETPIPE_SZ)),
	ALLOW_IF(socket, 1, INT_IS(0, AF_UNIX)), ALLOW(connect), ALLOW(accept4), ALLOW(shutdown), ALLOW(getsockname),
	ALLOW(getpeername), ALLOW_IF(getsockopt, 1, INT_IS(1, SOL_SOCKET)), ALLOW_IF(setsockopt, 1, INT_IS(1, SOL_SOCKET)),
	ALLOW(openat), ALLOW(newfstatat), ALLOW(statfs), ALLOW(access), ALLOW(faccessat2), ALLOW(readlink),
	ALLOW(getdents64), ALLOW(rename), ALLOW(unlink),
};

#ifdef PATROND_SANITIZE
/*
 * The sanitizers' runtime: its stack for signals, and what it tries while it reports (its symboliser, asking whether an
 * address can be read, naming its maps), refused so that the report is printed all the same.
 */
static const struct rule sanitizer_rules[] = {
	ALLOW(sigaltstack), ALLOW(getrusage), ALLOW(mincore), ANSWER(prctl, EPERM), ANSWER(vfork, EPERM),
	ANSWER(fork, EPERM), ANSWER(sched_setaffinity, EPERM),
};
#endif

/* clang-format on */
enum group {
	GROUP_MEMORY,
	GROUP_PROCESS,
	GROUP_CLOCK,
	GROUP_QUESTION,
	GROUP_DESCRIPTOR,
	GROUP_CONNECTION,
	GROUP_NAMELESS,
	GROUP_FEED_READ,
	GROUP_FEED_WRITE,
	GROUP_STREAM,
	GROUP_STALL,
	GROUP_STANDING,
	GROUP_DIAL,
	GROUP_FOLDER,
	GROUP_SUPERVISOR,
	GROUP_SANITIZER,
	GROUP_MAX,
};

#define GROUP(rules_)                                                                                                  \
	{                                                                                                              \
		.rules = (rules_), .count = sizeof(rules_) / sizeof((rules_)[0])                                       \
	}

static const struct {
	const struct rule *rules;
	size_t count;
} groups[GROUP_MAX] = {
	[GROUP_MEMORY] = GROUP(memory_rules),
	[GROUP_PROCESS] = GROUP(process_rules),
	[GROUP_CLOCK] = GROUP(clock_rules),
	[GROUP_QUESTION] = GROUP(question_rules),
	[GROUP_DESCRIPTOR] = GROUP(descriptor_rules),
	[GROUP_CONNECTION] = GROUP(connection_rules),
	[GROUP_NAMELESS] = GROUP(nameless_rules),
	[GROUP_FEED_READ] = GROUP(feed_read_rules),
	[GROUP_FEED_WRITE] = GROUP(feed_write_rules),
	[GROUP_STREAM] = GROUP(stream_rules),
	[GROUP_STALL] = GROUP(stall_rules),
	[GROUP_STANDING] = GROUP(standing_rules),
	[GROUP_DIAL] = GROUP(dial_rules),
	[GROUP_FOLDER] = GROUP(folder_rules),
	[GROUP_SUPERVISOR] = GROUP(supervisor_rules),
#ifdef PATROND_SANITIZE
	[GROUP_SANITIZER] = GROUP(sanitizer_rules),
#endif
};

#define BIT(group) (1U << (group))
#define BITS_EVERY                                                                                                     \
	(BIT(GROUP_MEMORY) | BIT(GROUP_PROCESS) | BIT(GROUP_CLOCK) | BIT(GROUP_QUESTION) | BIT(GROUP_DESCRIPTOR) |     \
	    BIT(GROUP_CONNECTION) | BIT(GROUP_SANITIZER))

/* --- file rights --- */

/* The rights that Landlock handles from each version of its ABI on. Headers older than the kernel do not name them all.
 */
#define RIGHTS_ABI_1 ((1ULL << 13) - 1)
#define RIGHT_REFER (1ULL << 13)     /* from 2 on; before, a rename into another folder is always refused */
#define RIGHT_TRUNCATE (1ULL << 14)  /* from 3 on */
#define RIGHT_IOCTL_DEV (1ULL << 15) /* from 5 on */
#define NET_CONNECT_TCP (1ULL << 1)  /* from 4 on, with NET_BIND_TCP */
#define NET_BIND_TCP (1ULL << 0)
#define SCOPE_ABSTRACT (1ULL << 0)   /* from 6 on: no abstract unix sockets of others */
#define SCOPE_SIGNAL (1ULL << 1)     /* from 6 on: no signals to others */
#define RULE_NET_PORT 2
#define ABI_NET 4
#define ABI_SCOPE 6
#define ABI_LOG 7

/*
 * A denial's audit record, in the persistent journal, quotes the path: a stage taken over could write a child's name
 * there. So ours are not recorded.
 */
#define RESTRICT_LOG_OFF 1U

#define RIGHTS_FOLDER                                                                                                  \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE |                  \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | RIGHT_REFER |     \
	    RIGHT_TRUNCATE)

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct port_attr {
	uint64_t access, port;
};

/* --- the table --- */

struct profile {
	unsigned int groups;
	rlim_t files;	      /* descriptors; a flood by SCM_RIGHTS ends there too */
	rlim_t address_space; /* bytes */
	rlim_t file_size;     /* bytes of any file that it writes; pipes and sockets do not count */
	bool dials;	      /* opens TCP connections, to one port */
	bool folder;	      /* has the share's folder */
	bool paths;	      /* has files by name */
	bool outlives;	      /* a call that is not in its row is refused, and does not kill: it has to go on */
};

static const struct profile profiles[PROGRAM_MAX] = {
	[PROGRAM_PATROND] = {
		.groups = BITS_EVERY | BIT(GROUP_FEED_WRITE) | BIT(GROUP_SUPERVISOR),
		.files = RLIM_INFINITY,           /* as many as it was given */
		.address_space = RLIM_INFINITY,
		.file_size = RLIM_INFINITY,       /* what a stage has written anywhere in a feed is overwritten */
		.paths = true,
		.outlives = true,
	},
	[PROGRAM_SHARE] = {
		.groups = BITS_EVERY | BIT(GROUP_FEED_WRITE) | BIT(GROUP_FOLDER),
		.files = 128,
		.address_space = 1024 * MIB,
		.file_size = LIMIT_ZIP_SIZE,
		.folder = true,
	},
	[PROGRAM_FETCH] = {
		.groups = BITS_EVERY | BIT(GROUP_NAMELESS) | BIT(GROUP_FEED_WRITE) | BIT(GROUP_STALL),
		.files = 32,
		.address_space = 1024 * MIB,
		.file_size = LIMIT_ZIP_SIZE,
	},
	[PROGRAM_DECODE] = {
		.groups = BITS_EVERY | BIT(GROUP_NAMELESS) | BIT(GROUP_FEED_READ),
		.files = 32,
		.address_space = 1024 * MIB, /* it streams: a row and a block of the zip at a time */
		.file_size = 0,
	},
	[PROGRAM_LOAD] = {
		.groups = BITS_EVERY | BIT(GROUP_NAMELESS) | BIT(GROUP_STREAM) | BIT(GROUP_DIAL),
		.files = 128,                     /* LIMIT_CONNECTIONS, pipes, wake-up pairs */
		.address_space = 16384 * MIB,     /* index and records of the largest sites */
		.file_size = 0,
		.dials = true,
	},
	[PROGRAM_REPORT] = {
		.groups = BITS_EVERY | BIT(GROUP_NAMELESS) | BIT(GROUP_FEED_WRITE),
		.files = 32,
		.address_space = 4096 * MIB, /* LIMIT_REPORT_SIZE, while a buffer grows twice over, and the zip */
		.file_size = 2 * LIMIT_REPORT_SIZE,
	},
	[PROGRAM_MAIL] = {
		.groups = BITS_EVERY | BIT(GROUP_NAMELESS) | BIT(GROUP_FEED_READ) | BIT(GROUP_STREAM) | BIT(GROUP_STANDING),
		.files = 32,
		.address_space = 1024 * MIB, /* the zip is read a piece at a time */
		.file_size = 0,
	},
};

/* --- entering --- */

#ifdef PATROND_SANITIZE
int __lsan_is_turned_off(void);

/*
 * LeakSanitizer's look at the end needs clone and ptrace, which no stage has; it is not possible on undumpable ones
 * either.
 */
int
__lsan_is_turned_off(void)
{
	return prctl(PR_GET_DUMPABLE) <= 0; /* behind the walls prctl itself is refused */
}
#endif

static int
enter_limits(const struct profile *profile)
{
	const struct {
		int resource;
		rlim_t value;
	} limits[] = {
		{ RLIMIT_NPROC, 0 }, /* no child, no thread */
		{ RLIMIT_NOFILE, profile->files }, { RLIMIT_MSGQUEUE, 0 },
#ifndef PATROND_SANITIZE
		{ RLIMIT_AS, profile->address_space }, /* AddressSanitizer's shadow alone is terabytes */
		{ RLIMIT_FSIZE, profile->file_size },  /* its report may go to a file */
#endif
	};

	/* A file too large shall be an error that is told, not a death by SIGXFSZ. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -errno;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int r = process_lower_limit(limits[i].resource, limits[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Landlock and seccomp hold for the calling thread alone: one that a library has left would stand outside. */
static int
check_single_thread(void)
{
	struct stat st;

	if (stat("/proc/self/task", &st) < 0)
		return -errno;
	return st.st_nlink == 3 ? 0 : -EBUSY; /* ".", "..", and a folder a thread */
}

static int
landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 0)
		return -errno;
	return abi > 0 ? (int)abi : -EOPNOTSUPP;
}

static int
landlock_ruleset(int abi, const struct profile *profile, struct ruleset_attr *ret)
{
	struct ruleset_attr attr = { .fs = RIGHTS_ABI_1 };
	size_t size = sizeof(attr.fs);
	long fd;

	attr.fs |= abi >= 2 ? RIGHT_REFER : 0;
	attr.fs |= abi >= 3 ? RIGHT_TRUNCATE : 0;
	attr.fs |= abi >= 5 ? RIGHT_IOCTL_DEV : 0;
	if (abi >= ABI_NET) {
		attr.net = NET_BIND_TCP | NET_CONNECT_TCP;
		size += sizeof(attr.net);
	}
	if (abi >= ABI_SCOPE) {
		/* a service manager's notify socket may be an abstract one */
		attr.scoped = SCOPE_SIGNAL | (profile->outlives ? 0 : SCOPE_ABSTRACT);
		size += sizeof(attr.scoped);
	}
	fd = syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0)
		return -errno;
	*ret = attr;
	return (int)fd;
}

static int
allow_folder(int ruleset, const struct ruleset_attr *attr, const char *path)
{
	_cleanup_fd_ int folder = path != NULL ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
	struct landlock_path_beneath_attr beneath = { .allowed_access = RIGHTS_FOLDER & attr->fs, .parent_fd = folder };

	/* A share that is not there (yet) gets no rule, which denies everything: its stage says what is wrong. */
	if (folder < 0)
		return 0;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ? -errno : 0;
}

/* A file or a folder by name. One that is not there gets no rule: where it appears later it cannot be had. */
static int
allow_path(int ruleset, const struct ruleset_attr *attr, const struct sandbox_path *path)
{
	_cleanup_fd_ int fd = open(path->path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr beneath = { .parent_fd = fd };
	uint64_t rights = path->writable ? RIGHTS_FOLDER : RIGHTS_READ;
	struct stat st;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rights &= RIGHTS_OF_FILES;
	beneath.allowed_access = rights & attr->fs;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ? -errno : 0;
}

static int
allow_port(int ruleset, uint16_t port)
{
	struct port_attr attr = { .access = NET_CONNECT_TCP, .port = port };

	return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &attr, 0) < 0 ? -errno : 0;
}

/* Returns the walls that Landlock of this kernel makes, or a negative errno. */
static int
enter_landlock(const struct profile *profile, const struct sandbox_options *options)
{
	_cleanup_fd_ int ruleset = -EBADF;
	struct ruleset_attr attr = { 0 };
	int abi = landlock_abi();
	int r = 0;

	if (abi < 0)
		return abi;
	ruleset = landlock_ruleset(abi, profile, &attr);
	if (ruleset < 0)
		return ruleset;
	if (profile->folder)
		r = allow_folder(ruleset, &attr, options->share_path);
	for (size_t i = 0; r == 0 && i < options->path_count; i++)
		r = allow_path(ruleset, &attr, &options->paths[i]);
	if (r == 0 && profile->dials && abi >= ABI_NET)
		r = allow_port(ruleset, options->tcp_port);
	if (r < 0)
		return r;
	if (syscall(SYS_landlock_restrict_self, ruleset, abi >= ABI_LOG ? RESTRICT_LOG_OFF : 0U) < 0)
		return -errno;
	return (int)WALL_LANDLOCK_FILES | (attr.net != 0 ? (int)WALL_LANDLOCK_NET : 0) |
	       (attr.scoped != 0 ? (int)WALL_LANDLOCK_SCOPE : 0);
}

static int
add_group(scmp_filter_ctx filter, uint32_t otherwise, const struct rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int r;

		if (rules[i].action == otherwise)
			continue; /* libseccomp refuses what says nothing new */
		r = seccomp_rule_add_array(filter, rules[i].action, rules[i].call, rules[i].count, rules[i].args);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
fill_filter(scmp_filter_ctx filter, uint32_t otherwise, unsigned int wanted)
{
	/* Calls of another architecture (int 80h) have other numbers: they are not looked at, they kill. */
	int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	for (size_t i = 0; i < GROUP_MAX && r == 0; i++)
		if ((wanted & BIT(i)) != 0)
			r = add_group(filter, otherwise, groups[i].rules, groups[i].count);
	return r == 0 ? escape_hole(filter) : r;
}

static int
enter_seccomp(const struct profile *profile)
{
	uint32_t otherwise = profile->outlives ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx filter = seccomp_init(otherwise);
	int r;

	if (filter == NULL)
		return -ENOMEM;
	r = fill_filter(filter, otherwise, profile->groups);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

/* Always, but in the build of the escape tests: their tries must get out where a wall is not there. */
static bool
is_wanted(enum wall wall)
{
	return (escape_without() & (uint32_t)wall) == 0;
}

static int
enter_processwide(const struct profile *profile, uint32_t *walls)
{
	int r = check_single_thread();

	if (r < 0)
		return r;
	r = process_not_dumpable();
	if (r < 0)
		return r;
	*walls |= WALL_NOT_DUMPABLE;
	r = is_wanted(WALL_RLIMITS) ? enter_limits(profile) : 0;
	if (r < 0)
		return r;
	*walls |= WALL_RLIMITS;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	*walls |= WALL_NO_NEW_PRIVS;
	return 0;
}

int
sandbox_enter(enum program program, const struct sandbox_options *options, uint32_t *ret_walls)
{
	static const struct sandbox_options none;
	const struct profile *profile;
	int r;

	*ret_walls = 0;
	options = options != NULL ? options : &none;
	if ((int)program < 0 || program >= PROGRAM_MAX || profiles[program].groups == 0)
		return -EINVAL;
	profile = &profiles[program];
	/* What a profile needs and what is given must be the same: a port for a stage that has no network is a mistake.
	 */
	if (profile->dials != (options->tcp_port != 0) || profile->folder != (options->share_path != NULL) ||
	    profile->paths != (options->path_count != 0))
		return -EINVAL;
	r = enter_processwide(profile, ret_walls);
	if (r < 0)
		return r;
	r = is_wanted(WALL_LANDLOCK_FILES) ? enter_landlock(profile, options) : 0;
	if (r < 0)
		return r;
	*ret_walls |= (uint32_t)r;
	r = is_wanted(WALL_SECCOMP) ? enter_seccomp(profile) : 0;
	if (r < 0)
		return r;
	*ret_walls |= WALL_SECCOMP;
	return 0;
}
