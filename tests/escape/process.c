/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Other processes, new ones, other programs, code of one's own, and the way back out of what was given up. */

#include "escape/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOMB 64
#define PAGE 4096UL
#define READ_IMPLIES_EXEC_BIT 0x0400000UL

/* clang-format off */
static int trace_me(void) { return escape_answer(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }
static int signal_stage(void) { return escape_answer(syscall(SYS_kill, escape_aim.stage, 0)); }
static int signal_process(void) { return escape_answer(syscall(SYS_kill, escape_aim.process, 0)); }
static int signal_thread(void) { return escape_answer(syscall(SYS_tgkill, escape_aim.process, escape_aim.process, 0)); }
static int signal_all(void) { return escape_answer(syscall(SYS_kill, -1, 0)); }
static int signal_self(void) { return escape_answer(syscall(SYS_tgkill, getpid(), getpid(), 0)); }
static int queue_signal(void) { siginfo_t info = { .si_code = SI_QUEUE }; return escape_answer(syscall(SYS_rt_sigqueueinfo, escape_aim.process, 0, &info)); }
static int aim_sigio(void) { return escape_answer(fcntl(STAGE_FD, F_SETOWN, escape_aim.process)); }
static int open_pid(void) { return escape_answer_fd(syscall(SYS_pidfd_open, escape_aim.process, 0)); }
static int open_pid_of_stage(void) { return escape_answer_fd(syscall(SYS_pidfd_open, escape_aim.stage, 0)); }
static int limits_of_process(void) { struct rlimit limit; return escape_answer(syscall(SYS_prlimit64, escape_aim.process, RLIMIT_CORE, NULL, &limit)); }
static int priority_of_process(void) { return escape_answer(syscall(SYS_setpriority, PRIO_PROCESS, escape_aim.process, 10)); }
static int compare(void) { return syscall(SYS_kcmp, getpid(), escape_aim.process, 1, 0, 0) < 0 ? errno : 0; }
static int raise_files(void) { return escape_answer(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 512, 512 })); }
static int raise_processes(void) { return escape_answer(setrlimit(RLIMIT_NPROC, &(struct rlimit){ 100, 100 })); }
static int raise_core(void) { return escape_answer(setrlimit(RLIMIT_CORE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY })); }
static int dumpable(void) { return escape_answer(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }
static int privileges(void) { return escape_answer(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)); }
static int tracer(void) { return escape_answer(prctl(PR_SET_PTRACER, escape_aim.process, 0, 0, 0)); }
static int become_root(void) { return escape_answer(syscall(SYS_setuid, 0)); }
static int become_other(void) { return escape_answer(syscall(SYS_setresuid, -1, 1, -1)); }
static int groups(void) { return escape_answer(syscall(SYS_setgroups, 0, NULL)); }
static int capabilities(void) { return escape_answer(syscall(SYS_capset, NULL, NULL)); }
static int session(void) { return escape_answer(syscall(SYS_setpgid, 0, 0)); }
/* clang-format on */

static int
attach(long request, pid_t pid)
{
	int r = escape_answer(syscall(SYS_ptrace, request, (long)pid, 0L, 0L));

	if (r == 0)
		(void)syscall(SYS_ptrace, PTRACE_DETACH, (long)pid, 0L, 0L);
	return r;
}

static int
attach_stage(void)
{
	return attach(PTRACE_ATTACH, escape_aim.stage);
}

static int
attach_process(void)
{
	return attach(PTRACE_ATTACH, escape_aim.process);
}

static int
seize_process(void)
{
	return attach(PTRACE_SEIZE, escape_aim.process);
}

static int
read_memory(pid_t pid, uintptr_t address)
{
	char bytes[16];
	struct iovec here = { bytes, sizeof(bytes) }, there = { (void *)address, sizeof(bytes) };

	return escape_answer(syscall(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0));
}

static int
read_stage(void)
{
	return read_memory(escape_aim.stage, escape_aim.stage_bytes);
}

static int
read_process(void)
{
	return read_memory(escape_aim.process, escape_aim.process_bytes);
}

static int
read_parent(void)
{
	return read_memory(getppid(), escape_aim.process_bytes);
}

static int
write_process(void)
{
	char bytes[1];
	struct iovec here = { bytes, 1 }, there = { (void *)escape_aim.process_bytes, 1 };

	if (read_memory(escape_aim.process, escape_aim.process_bytes) != 0)
		return EFAULT;
	return escape_answer(syscall(SYS_process_vm_writev, escape_aim.process, &here, 1, &there, 1, 0));
}

/* A descriptor out of another process. */
static int
take_descriptor(void)
{
	long pid = syscall(SYS_pidfd_open, escape_aim.process, 0);
	int r;

	if (pid < 0)
		return errno;
	r = escape_answer_fd(syscall(SYS_pidfd_getfd, pid, 0, 0));
	(void)close((int)pid);
	return r;
}

static int
end_child(long pid)
{
	int status;

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(0);
	(void)waitpid((pid_t)pid, &status, 0);
	return 0;
}

static int
make_process(void)
{
	return end_child(syscall(SYS_fork));
}

static int
clone_process(void)
{
	return end_child(syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL));
}

static int
clone_process_anew(void)
{
	uint64_t arguments[11] = { [4] = SIGCHLD };

	return end_child(syscall(SYS_clone3, arguments, sizeof(arguments)));
}

/* One of many is enough. */
static int
process_bomb(void)
{
	int made = 0, r = 0;

	for (int i = 0; i < BOMB; i++) {
		long pid = syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL);

		if (pid == 0)
			_exit(0);
		if (pid < 0)
			r = errno;
		else
			made++;
	}
	while (made > 0 && waitpid(-1, NULL, 0) > 0)
		r = 0;
	return r;
}

static void *
idle(void *p)
{
	return p;
}

static int
thread_bomb(void)
{
	pthread_t threads[BOMB];
	int made = 0, r = 0;

	for (int i = 0; i < BOMB; i++) {
		int error = pthread_create(&threads[made], NULL, idle, NULL);

		if (error == 0)
			made++;
		else
			r = error;
	}
	for (int i = 0; i < made; i++)
		(void)pthread_join(threads[i], NULL);
	return made > 0 ? 0 : r;
}

/* --- other programs --- */

/* What is executed says so on descriptor 3: this very program (escape.c), or the few bytes below. */
static int
execute(const char *path)
{
	char *const arguments[] = { (char[]){ "escaped" }, NULL };
	char *const environment[] = { (char[]){ "PATROND_ESCAPE_EXECUTED=1" }, NULL };

	(void)fcntl(STAGE_FD, F_SETFD, 0);
	return escape_answer(execve(path, arguments, environment));
}

static int
execute_self(void)
{
	return execute("/proc/self/exe");
}

/* The kernel must not even look whether it is there: ENOENT would be an answer of the file system, not of the walls. */
static int
execute_shell(void)
{
	char *const arguments[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "echo answer 0 >&3" }, NULL };
	char *const none[] = { NULL };

	(void)fcntl(STAGE_FD, F_SETFD, 0);
	return escape_answer(execve("/bin/sh", arguments, none));
}

#ifdef __x86_64__
/* A whole program: write(3, "answer 0\n", 9), _exit(0). */
static const unsigned char program[] = {
	0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0, 1, 0, 0, 0, 0x78, 0, 0x40, 0, 0, 0, 0, 0, 64, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	/* one segment, the whole file at 0x400000, to be read and executed */
	1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0xa3, 0, 0, 0, 0, 0,
	0, 0, 0xa3, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0,
	0xb8, 1, 0, 0, 0,                /* mov eax, 1 */
	0xbf, 3, 0, 0, 0,                /* mov edi, 3 */
	0x48, 0x8d, 0x35, 0x11, 0, 0, 0, /* lea rsi, [rip + 17] */
	0xba, 9, 0, 0, 0,                /* mov edx, 9 */
	0x0f, 0x05,                      /* syscall */
	0xb8, 60, 0, 0, 0,               /* mov eax, 60 */
	0x31, 0xff,                      /* xor edi, edi */
	0x0f, 0x05,                      /* syscall */
	0x90,                            /* nop */
	'a', 'n', 's', 'w', 'e', 'r', ' ', '0', '\n',
};

static int
execute_nameless(void)
{
	char *const none[] = { NULL };
	int fd = (int)syscall(SYS_memfd_create, "program", 0);

	if (fd < 0)
		return errno;
	if (write(fd, program, sizeof(program)) != (ssize_t)sizeof(program))
		return EIO;
	(void)fcntl(STAGE_FD, F_SETFD, 0);
	return escape_answer(syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH));
}
#endif

static int
execute_at(void)
{
	char *const none[] = { NULL };
	char *const environment[] = { (char[]){ "PATROND_ESCAPE_EXECUTED=1" }, NULL };

	(void)fcntl(STAGE_FD, F_SETFD, 0);
	return escape_answer(syscall(SYS_execveat, AT_FDCWD, "/proc/self/exe", none, environment, 0));
}

/* --- code of one's own --- */

static int
map_executable(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : escape_answer(munmap(page, PAGE));
}

static int
make_executable(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : escape_answer(mprotect(page, PAGE, PROT_READ | PROT_EXEC));
}

static int
make_executable_by_key(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : escape_answer(syscall(SYS_pkey_mprotect, page, PAGE, PROT_READ | PROT_EXEC, -1));
}

/* Code that is there already, made writable: its pages lose nothing of what they may by that. */
static int
write_code(void)
{
	uintptr_t page = (uintptr_t)write_code & ~(PAGE - 1);

	return escape_answer(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
}

/* What is readable becomes executable. */
static int
read_implies_exec(void)
{
	return escape_answer(syscall(SYS_personality, READ_IMPLIES_EXEC_BIT));
}

static int
attach_executable(void)
{
	int id = shmget(IPC_PRIVATE, PAGE, 0700);
	void *at;
	int r;

	if (id < 0)
		return errno;
	at = shmat(id, NULL, SHM_EXEC);
	r = at == (void *)-1 ? errno : 0;
	(void)shmctl(id, IPC_RMID, NULL);
	return r;
}

const struct escape_try escape_process[] = {
	{ "ptrace-traceme", trace_me, ESCAPE_OPEN },
	{ "ptrace-a-stage", attach_stage, ESCAPE_CLOSED },
	{ "ptrace-a-process", attach_process, ESCAPE_OPEN },
	{ "ptrace-seize", seize_process, ESCAPE_OPEN },
	{ "read-memory-of-a-stage", read_stage, ESCAPE_CLOSED },
	{ "read-memory-of-a-process", read_process, ESCAPE_OPEN },
	{ "read-memory-of-the-parent", read_parent, ESCAPE_CLOSED },
	{ "write-memory-of-a-process", write_process, ESCAPE_OPEN },
	{ "pidfd", open_pid, ESCAPE_OPEN },
	{ "pidfd-of-a-stage", open_pid_of_stage, ESCAPE_OPEN },
	{ "take-a-descriptor", take_descriptor, ESCAPE_OPEN },
	{ "signal-a-stage", signal_stage, ESCAPE_OPEN },
	{ "signal-a-process", signal_process, ESCAPE_OPEN },
	{ "signal-a-thread", signal_thread, ESCAPE_OPEN },
	{ "signal-all", signal_all, ESCAPE_OPEN },
	{ "signal-itself", signal_self, ESCAPE_OPEN },
	{ "signal-queued", queue_signal, ESCAPE_OPEN },
	{ "signal-by-sigio", aim_sigio, ESCAPE_OPEN },
	{ "limits-of-a-process", limits_of_process, ESCAPE_OPEN },
	{ "priority-of-a-process", priority_of_process, ESCAPE_OPEN },
	{ "kcmp", compare, ESCAPE_CLOSED },
	{ "raise-files", raise_files, ESCAPE_OPEN },
	{ "raise-processes", raise_processes, ESCAPE_CLOSED }, /* the control has the limit, too, where its parent had */
	{ "raise-core", raise_core, ESCAPE_CLOSED },
	{ "dumpable", dumpable, ESCAPE_OPEN },
	{ "new-privileges", privileges, ESCAPE_CLOSED },
	{ "let-others-trace", tracer, ESCAPE_CLOSED },
	{ "setuid", become_root, ESCAPE_CLOSED },
	{ "setresuid", become_other, ESCAPE_CLOSED },
	{ "setgroups", groups, ESCAPE_CLOSED },
	{ "capset", capabilities, ESCAPE_CLOSED },
	{ "setpgid", session, ESCAPE_OPEN },
	{ "fork", make_process, ESCAPE_OPEN },
	{ "clone", clone_process, ESCAPE_OPEN },
	{ "clone3", clone_process_anew, ESCAPE_OPEN },
	{ "fork-bomb", process_bomb, ESCAPE_OPEN },
	{ "thread-bomb", thread_bomb, ESCAPE_OPEN },
	{ "exec-itself", execute_self, ESCAPE_OPEN },
	{ "exec-a-shell", execute_shell, ESCAPE_OPEN },
	{ "execveat", execute_at, ESCAPE_OPEN },
#ifdef __x86_64__
	{ "execveat-nameless", execute_nameless, ESCAPE_OPEN },
#endif
	{ "map-executable", map_executable, ESCAPE_OPEN },
	{ "make-executable", make_executable, ESCAPE_OPEN },
	{ "make-executable-by-key", make_executable_by_key, ESCAPE_OPEN },
	{ "write-code", write_code, ESCAPE_OPEN },
	{ "read-implies-exec", read_implies_exec, ESCAPE_OPEN },
	{ "sysv-executable", attach_executable, ESCAPE_OPEN },
	{ NULL, NULL, ESCAPE_CLOSED },
};
