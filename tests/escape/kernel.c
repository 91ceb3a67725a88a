/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls that open wide fields of the kernel, and the other doors into it. */

#include "escape/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IO_URING_PARAMS 120
#define USER_MODE_ONLY 1
#define GETPID_I386 20L
#define X32_BIT 0x40000000L

/* clang-format off */
static int user_namespace(void) { return escape_answer(unshare(CLONE_NEWUSER)); }
static int network_namespace(void) { return escape_answer(unshare(CLONE_NEWUSER | CLONE_NEWNET)); }
static int mount_namespace(void) { return escape_answer(unshare(CLONE_NEWNS)); }
static int share_nothing(void) { return escape_answer(unshare(CLONE_FILES)); }
static int join_namespace(void) { return escape_answer(setns(0, 0)); }
static int mount_old(void) { return escape_answer(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0UL, NULL)); }
static int mount_tree(void) { return escape_answer_fd(syscall(SYS_open_tree, AT_FDCWD, "/", 1U)); }
static int mount_new(void) { return escape_answer_fd(syscall(SYS_fsopen, "tmpfs", 0U)); }
static int unmount(void) { return escape_answer(syscall(SYS_umount2, "/proc", 0)); }
static int pivot(void) { return escape_answer(syscall(SYS_pivot_root, ".", ".")); }
static int uring(void) { return escape_answer_fd(syscall(SYS_io_uring_setup, 1U, (char[IO_URING_PARAMS]){ 0 })); }
static int old_aio(void) { unsigned long context = 0; return escape_answer(syscall(SYS_io_setup, 1U, &context)); }
static int key_session(void) { return escape_answer(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1)); }
static int key_add(void) { return escape_answer(syscall(SYS_add_key, "user", "patrond", "x", 1UL, KEY_SPEC_PROCESS_KEYRING)); }
static int key_ask(void) { return escape_answer(syscall(SYS_request_key, "user", "patrond", NULL, KEY_SPEC_PROCESS_KEYRING)); }
static int fault_handler(void) { return escape_answer_fd(syscall(SYS_userfaultfd, USER_MODE_ONLY)); }
static int memory_file(void) { return escape_answer_fd(syscall(SYS_memfd_create, "file", 0U)); }
static int secret_file(void) { return escape_answer_fd(syscall(SYS_memfd_secret, 0U)); }
static int landlock(void) { return escape_answer(syscall(SYS_landlock_create_ruleset, NULL, 0UL, LANDLOCK_CREATE_RULESET_VERSION)); }
static int seccomp_again(void) { unsigned int action = SECCOMP_RET_ALLOW; return escape_answer(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0U, &action)); }
static int module(void) { return escape_answer(syscall(SYS_init_module, NULL, 0UL, "")); }
static int kernel(void) { return escape_answer(syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0UL)); }
static int kernel_log(void) { return escape_answer(syscall(SYS_syslog, 10, NULL, 0)); }
static int restart(void) { return escape_answer(syscall(SYS_reboot, 0, 0, 0, NULL)); }
static int swap(void) { return escape_answer(syscall(SYS_swapoff, "/nowhere")); }
static int clock_set(void) { return escape_answer(syscall(SYS_settimeofday, NULL, NULL)); }
static int host_name(void) { return escape_answer(syscall(SYS_sethostname, "x", 1UL)); }
static int quota(void) { return escape_answer(syscall(SYS_quotactl, 0, NULL, 0, NULL)); }
static int account(void) { return escape_answer(syscall(SYS_acct, NULL)); }
static int terminal(void) { return escape_answer(ioctl(STAGE_FD, TIOCSTI, "x")); }
static int socket_ioctl(void) { int size; return escape_answer(ioctl(STAGE_FD, FIONREAD, &size)); }
static int scheduler(void) { struct sched_param param = { 0 }; return escape_answer(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param)); }
static int timer(void) { return escape_answer(syscall(SYS_timer_create, 0, NULL, &(int){ 0 })); }
static int move_pages(void) { return escape_answer(syscall(SYS_move_pages, 0, 0UL, NULL, NULL, NULL, 0)); }
static int copy_range(void) { return escape_answer(syscall(SYS_splice, STAGE_FD, NULL, STAGE_FD, NULL, 0UL, 0U)); }
/* clang-format on */

static int
program(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	return escape_answer_fd(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int
performance(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK,
		.exclude_kernel = 1, .exclude_hv = 1 };

	return escape_answer_fd(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL));
}

#ifdef __x86_64__
/* The door of 32-bit programs, with numbers of its own: getpid. A machine without it answers with SIGSEGV. */
static int
int80(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(GETPID_I386) : "memory", "r8", "r9", "r10", "r11");
	return r < 0 ? (int)-r : 0;
}

static int
x32(void)
{
	return escape_answer(syscall(X32_BIT | SYS_getpid));
}

static int
descriptor_table(void)
{
	return escape_answer(syscall(SYS_modify_ldt, 0, (char[64]){ 0 }, 64UL));
}

static int
ports(void)
{
	return escape_answer(syscall(SYS_ioperm, 0x80UL, 1UL, 1));
}
#endif

const struct escape_try escape_kernel[] = {
	{ "user-namespace", user_namespace, ESCAPE_CLOSED }, /* where users may */
	{ "network-namespace", network_namespace, ESCAPE_CLOSED },
	{ "mount-namespace", mount_namespace, ESCAPE_CLOSED },
	{ "unshare-files", share_nothing, ESCAPE_OPEN },
	{ "setns", join_namespace, ESCAPE_CLOSED },
	{ "mount", mount_old, ESCAPE_CLOSED },
	{ "open-tree", mount_tree, ESCAPE_CLOSED },
	{ "fsopen", mount_new, ESCAPE_CLOSED },
	{ "umount", unmount, ESCAPE_CLOSED },
	{ "pivot-root", pivot, ESCAPE_CLOSED },
	{ "io-uring", uring, ESCAPE_CLOSED }, /* where it is not switched off */
	{ "io-setup", old_aio, ESCAPE_CLOSED },
	{ "keyctl", key_session, ESCAPE_CLOSED },
	{ "add-key", key_add, ESCAPE_CLOSED },
	{ "request-key", key_ask, ESCAPE_CLOSED },
	{ "bpf", program, ESCAPE_CLOSED },
	{ "perf", performance, ESCAPE_CLOSED },
	{ "userfaultfd", fault_handler, ESCAPE_CLOSED },
	{ "memfd", memory_file, ESCAPE_OPEN },
	{ "memfd-secret", secret_file, ESCAPE_CLOSED },
	{ "landlock-again", landlock, ESCAPE_OPEN },
	{ "seccomp-again", seccomp_again, ESCAPE_OPEN },
	{ "init-module", module, ESCAPE_CLOSED },
	{ "kexec", kernel, ESCAPE_CLOSED },
	{ "kernel-log", kernel_log, ESCAPE_CLOSED },
	{ "reboot", restart, ESCAPE_CLOSED },
	{ "swapoff", swap, ESCAPE_CLOSED },
	{ "set-clock", clock_set, ESCAPE_CLOSED },
	{ "set-host-name", host_name, ESCAPE_CLOSED },
	{ "quota", quota, ESCAPE_CLOSED },
	{ "accounting", account, ESCAPE_CLOSED },
	{ "type-into-terminal", terminal, ESCAPE_CLOSED },
	{ "ioctl-of-a-socket", socket_ioctl, ESCAPE_OPEN },
	{ "scheduler", scheduler, ESCAPE_OPEN },
	{ "timer", timer, ESCAPE_OPEN },
	{ "move-pages", move_pages, ESCAPE_CLOSED },
	{ "splice", copy_range, ESCAPE_CLOSED },
#ifdef __x86_64__
	{ "int-80h", int80, ESCAPE_CLOSED }, /* where the kernel has 32-bit programs */
	{ "x32", x32, ESCAPE_CLOSED },
	{ "modify-ldt", descriptor_table, ESCAPE_CLOSED },
	{ "ioperm", ports, ESCAPE_CLOSED },
#endif
	{ NULL, NULL, ESCAPE_CLOSED },
};
