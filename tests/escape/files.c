/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening, making and changing things by name. */

#include "escape/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MADE "/tmp/patrond-escaped"

static int
open_read(const char *path)
{
	return escape_answer_fd(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0));
}

static int
make(const char *path)
{
	int r = escape_answer_fd(syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

	if (r == 0)
		(void)unlink(path);
	return r;
}

static int
in_proc(pid_t pid, const char *name, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return escape_answer_fd(syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0));
}

/* clang-format off */
static int open_passwd(void) { return open_read("/etc/passwd"); }
static int open_old_call(void) { return escape_answer_fd(syscall(SYS_open, "/etc/passwd", O_RDONLY, 0)); }
static int open_path(void) { return escape_answer_fd(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_NOFOLLOW, 0)); }
static int open_config(void) { return open_read(escape_aim.config); }
static int open_credential(void) { return open_read(escape_aim.credential); }
static int list_root(void) { return escape_answer_fd(syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)); }
static int list_here(void) { return escape_answer_fd(syscall(SYS_openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)); }
static int make_tmp(void) { return make(MADE); }
static int make_shm(void) { return make("/dev/shm/patrond-escaped"); }
static int make_here(void) { return make("patrond-escaped"); }
static int make_nameless(void) { return escape_answer_fd(syscall(SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 0600)); }
static int open_self_exe(void) { return open_read("/proc/self/exe"); }
static int open_self_fd(void) { return open_read("/proc/self/fd/0"); }
static int open_self_environ(void) { return open_read("/proc/self/environ"); }
static int open_self_mem(void) { return in_proc(getpid(), "mem", O_RDWR); }
static int open_stage_mem(void) { return in_proc(escape_aim.stage, "mem", O_RDONLY); }
static int open_stage_environ(void) { return in_proc(escape_aim.stage, "environ", O_RDONLY); }
static int open_stage_fd(void) { return in_proc(escape_aim.stage, "fd/0", O_RDONLY); }
static int open_process_mem(void) { return in_proc(escape_aim.process, "mem", O_RDONLY); }
static int open_process_maps(void) { return in_proc(escape_aim.process, "maps", O_RDONLY); }
static int open_process_fd(void) { return in_proc(escape_aim.process, "fd/0", O_RDONLY); }
static int open_process_root(void) { return in_proc(escape_aim.process, "root/etc/passwd", O_RDONLY); }
static int stat_old_call(void) { return escape_answer(syscall(SYS_stat, "/etc/passwd", &(struct stat){ 0 })); }
static int read_link(void) { return escape_answer(syscall(SYS_readlink, "/proc/self/exe", (char[8]){ 0 }, 8)); }
static int change_folder(void) { return escape_answer(syscall(SYS_chdir, "/etc")); }
static int change_root(void) { return escape_answer(syscall(SYS_chroot, "/tmp")); }
static int cut_file(void) { return escape_answer(syscall(SYS_truncate, escape_aim.file, 0)); }
static int change_mode(void) { return escape_answer(syscall(SYS_chmod, escape_aim.file, 0600)); }
static int change_times(void) { return escape_answer(syscall(SYS_utimensat, AT_FDCWD, escape_aim.file, NULL, 0)); }
static int make_folder(void) { int r = escape_answer(syscall(SYS_mkdir, MADE, 0700)); (void)!(r == 0 && rmdir(MADE)); return r; }
static int make_folder_at(void) { int r = escape_answer(syscall(SYS_mkdirat, AT_FDCWD, MADE, 0700)); (void)!(r == 0 && rmdir(MADE)); return r; }
static int make_fifo(void) { int r = escape_answer(syscall(SYS_mknod, MADE, S_IFIFO | 0600, 0)); (void)!(r == 0 && unlink(MADE)); return r; }
static int make_link(void) { int r = escape_answer(syscall(SYS_link, escape_aim.file, MADE)); (void)!(r == 0 && unlink(MADE)); return r; }
static int make_symlink(void) { int r = escape_answer(syscall(SYS_symlink, "/etc/passwd", MADE)); (void)!(r == 0 && unlink(MADE)); return r; }
static int remove_file(void) { return escape_answer(syscall(SYS_unlinkat, AT_FDCWD, escape_aim.file, 0)); }
static int watch(void) { return escape_answer_fd(syscall(SYS_inotify_init1, 0)); }
static int watch_all(void) { return escape_answer_fd(syscall(SYS_fanotify_init, 0, 0)); }
static int by_handle(void) { return escape_answer_fd(syscall(SYS_open_by_handle_at, AT_FDCWD, "", 0)); }
static int queue(void) { struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 1 }; int r = escape_answer_fd(syscall(SYS_mq_open, "patrond", O_CREAT | O_RDWR, 0600, &attr)); (void)syscall(SYS_mq_unlink, "patrond"); return r; }
static int shared_memory(void) { int id = shmget(IPC_PRIVATE, 4096, 0600); return id < 0 ? errno : escape_answer(shmctl(id, IPC_RMID, NULL)); }
static int messages(void) { int id = msgget(IPC_PRIVATE, 0600); return id < 0 ? errno : escape_answer(msgctl(id, IPC_RMID, NULL)); }
static int semaphores(void) { int id = semget(IPC_PRIVATE, 1, 0600); return id < 0 ? errno : escape_answer(semctl(id, 0, IPC_RMID)); }
/* clang-format on */

static int
open_second_call(void)
{
	struct open_how how = { .flags = O_RDONLY };

	return escape_answer_fd(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how)));
}

static int
rename_away(void)
{
	char to[300];

	(void)snprintf(to, sizeof(to), "%s.gone", escape_aim.file);
	return escape_answer(syscall(SYS_renameat2, AT_FDCWD, escape_aim.file, AT_FDCWD, to, 0));
}

const struct escape_try escape_files[] = {
	{ "open-passwd", open_passwd, ESCAPE_OPEN },
	{ "open-passwd-open", open_old_call, ESCAPE_OPEN },
	{ "open-passwd-openat2", open_second_call, ESCAPE_OPEN },
	{ "open-passwd-nofollow", open_path, ESCAPE_OPEN },
	{ "open-own-configuration", open_config, ESCAPE_OPEN },
	{ "open-credential-of-another", open_credential, ESCAPE_OPEN },
	{ "list-root", list_root, ESCAPE_OPEN },
	{ "list-working-directory", list_here, ESCAPE_OPEN },
	{ "make-in-tmp", make_tmp, ESCAPE_OPEN },
	{ "make-in-dev-shm", make_shm, ESCAPE_OPEN },
	{ "make-in-working-directory", make_here, ESCAPE_OPEN },
	{ "make-nameless-in-tmp", make_nameless, ESCAPE_OPEN },
	{ "open-proc-self-exe", open_self_exe, ESCAPE_OPEN },
	{ "open-proc-self-fd", open_self_fd, ESCAPE_CLOSED }, /* the undumpable process's belong to root */
	{ "open-proc-self-environ", open_self_environ, ESCAPE_CLOSED },
	{ "open-proc-self-mem", open_self_mem, ESCAPE_CLOSED },
	{ "open-mem-of-a-stage", open_stage_mem, ESCAPE_CLOSED },
	{ "open-environ-of-a-stage", open_stage_environ, ESCAPE_CLOSED },
	{ "open-descriptor-of-a-stage", open_stage_fd, ESCAPE_CLOSED },
	{ "open-mem-of-a-process", open_process_mem, ESCAPE_OPEN },
	{ "open-maps-of-a-process", open_process_maps, ESCAPE_OPEN },
	{ "open-descriptor-of-a-process", open_process_fd, ESCAPE_OPEN },
	{ "open-by-root-of-a-process", open_process_root, ESCAPE_OPEN },
	{ "stat-passwd", stat_old_call, ESCAPE_OPEN },
	{ "readlink", read_link, ESCAPE_OPEN },
	{ "chdir", change_folder, ESCAPE_OPEN },
	{ "chroot", change_root, ESCAPE_CLOSED },
	{ "truncate", cut_file, ESCAPE_OPEN },
	{ "chmod", change_mode, ESCAPE_OPEN },
	{ "utimensat", change_times, ESCAPE_OPEN },
	{ "mkdir", make_folder, ESCAPE_OPEN },
	{ "mkdirat", make_folder_at, ESCAPE_OPEN },
	{ "mkfifo", make_fifo, ESCAPE_OPEN },
	{ "link", make_link, ESCAPE_OPEN },
	{ "symlink", make_symlink, ESCAPE_OPEN },
	{ "rename", rename_away, ESCAPE_OPEN },
	{ "unlink", remove_file, ESCAPE_OPEN },
	{ "inotify", watch, ESCAPE_OPEN },
	{ "fanotify", watch_all, ESCAPE_CLOSED },
	{ "open-by-handle", by_handle, ESCAPE_CLOSED },
	{ "message-queue", queue, ESCAPE_CLOSED }, /* where the kernel has them */
	{ "sysv-memory", shared_memory, ESCAPE_OPEN },
	{ "sysv-messages", messages, ESCAPE_OPEN },
	{ "sysv-semaphores", semaphores, ESCAPE_OPEN },
	{ NULL, NULL, ESCAPE_CLOSED },
};
