/* SPDX-License-Identifier: GPL-3.0-or-later */
/* patrond --explain: starts one decode as a user without rights, hands it the feed, prints what it says. */

#include "supervisor/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config_check.h"
#include "common/date.h"
#include "common/shape.h"
#include "common/wire.h"
#include "supervisor/journal.h"
#include "supervisor/link.h"
#include "supervisor/sentence.h"

#define EXIT_USAGE 1
#define EXIT_REFUSED 2
#define CHILD_TOLD 127 /* the child has said itself why it could not begin */
#define CREDENTIAL "zip-password"
#define CREDSTORE "/etc/credstore"
#define PLACE "/run/patrond-explain-XXXXXX"

struct explain {
	const struct explain_options *options;
	struct config config;
	uid_t uid; /* of the stage, and of this process once the stage has begun */
	gid_t gid;
	char place[sizeof(PLACE)]; /* a folder in memory for the password, in the stage's own mount namespace; or empty */
	pid_t pid;
	int fd; /* the connection */
	struct feed_shape shapes[FEED_KIND_MAX];
	bool walls; /* the stage has entered its sandbox: before, nothing that it says of the feed is taken */
	bool failed;
	struct failure failure;
};

/* --- in the child --- */

static void __attribute__((noreturn, format(printf, 1, 2)))
child_tells(const char *format, ...)
{
	va_list args;
	char text[1024];

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)!fd_write_all(STDERR_FILENO, text, strlen(text));
	_exit(CHILD_TOLD);
}

/* The password, which root alone may read, for the stage's user in memory that is never swapped and goes with its namespace. */
static int
copy_credential(const struct explain *explain, const char *from)
{
	_cleanup_fd_ int fd = -EBADF;
	char path[1200], *bytes = NULL;
	size_t size = 0;
	int r;

	(void)snprintf(path, sizeof(path), "%s/" CREDENTIAL, from);
	r = fd_read_file(path, LIMIT_SECRET_SIZE, &bytes, &size);
	if (r < 0)
		child_tells("patrond: %s cannot be read: %s\n", path, strerror(-r));
	(void)snprintf(path, sizeof(path), "%s/" CREDENTIAL, explain->place);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	r = fd < 0 ? -errno : fd_write_all(fd, bytes, size);
	explicit_bzero(bytes, size);
	free(bytes);
	if (r < 0 || fchown(fd, explain->uid, explain->gid) < 0 || chown(explain->place, explain->uid, explain->gid) < 0)
		return r < 0 ? r : -errno;
	return 0;
}

/* Returns the folder in which the stage finds its password. */
static const char *
place_credential(const struct explain *explain)
{
	const char *given = getenv("CREDENTIALS_DIRECTORY");
	int r = 0;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("ramfs", explain->place, "ramfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		r = -errno;
	else
		r = copy_credential(explain, given != NULL ? given : CREDSTORE);
	if (r == 0)
		return explain->place;
	/* without the right to mount: a folder that its user can read itself */
	if (given == NULL)
		child_tells("patrond: there is no place of its own for the password (%s): set CREDENTIALS_DIRECTORY to a folder "
		            "that the user of the stage can read\n", strerror(-r));
	return given;
}

static int
become_user(const struct explain *explain)
{
	if (setgroups(0, NULL) < 0 || setresgid(explain->gid, explain->gid, explain->gid) < 0 ||
	    setresuid(explain->uid, explain->uid, explain->uid) < 0)
		return -errno;
	return geteuid() == 0 || getuid() == 0 ? -EPERM : 0;
}

static void __attribute__((noreturn))
become_stage(const struct explain *explain, const char *program, int connection, pid_t parent)
{
	static char config[1200], credentials[1200], asan[512];
	const char *argv[] = { program, NULL };
	const char *envp[4] = { config, credentials };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)snprintf(config, sizeof(config), "PATROND_CONFIG=%s", explain->options->config_path);
	(void)snprintf(credentials, sizeof(credentials), "CREDENTIALS_DIRECTORY=%s", place_credential(explain));
#ifdef PATROND_SANITIZE
	if (getenv("ASAN_OPTIONS") != NULL) {
		(void)snprintf(asan, sizeof(asan), "ASAN_OPTIONS=%s", getenv("ASAN_OPTIONS"));
		envp[2] = asan;
	}
#else
	(void)asan;
#endif
	if (become_user(explain) < 0)
		child_tells("patrond: the stage cannot become another user than root: %s\n", strerror(errno));
	/* a session of its own: it has a descriptor of the administrator's terminal, which is not its own to act on */
	if (setsid() < 0)
		_exit(CHILD_TOLD);
	/* after the user's change, which takes it away */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(CHILD_TOLD);
	if (connection == STAGE_FD ? fcntl(connection, F_SETFD, 0) < 0 : dup2(connection, STAGE_FD) < 0)
		_exit(CHILD_TOLD);
	if (close_range(STAGE_FD + 1, ~0U, 0) < 0)
		_exit(CHILD_TOLD);
	(void)execve(program, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)envp);
	child_tells("patrond: %s cannot be started: %s\n", program, strerror(errno));
}

/* --- in the parent --- */

static int
open_feed(const char *path)
{
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;
	char name[1200];

	/* it may be the share's, of whoever can write there */
	journal_escape(path, strlen(path), name, sizeof(name));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		fprintf(stderr, "patrond: %s: %s\n", name, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > LIMIT_ZIP_SIZE) {
		fprintf(stderr, "patrond: %s: %s\n", name, S_ISREG(st.st_mode) ? "larger than any feed can be" : "not a file");
		return -1;
	}
	return TAKE_FD(fd);
}

/*
 * The terminal as the stage gets it: to write. Standard output is mostly open for both, and what the administrator types
 * would be there to be read.
 */
static int
open_terminal(void)
{
	int fd = open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		fprintf(stderr, "patrond: the terminal cannot be opened for writing alone: %s\n", strerror(errno));
	return fd;
}

/* The user of the stages by hand; where there is none yet, nobody. */
static int
find_user(struct explain *explain)
{
	const struct passwd *user = getpwnam("patrond");

	if (user == NULL)
		user = getpwnam("nobody");
	if (user == NULL || user->pw_uid == 0) {
		fprintf(stderr, "patrond: there is neither a user patrond nor a user nobody, and no stage runs as root\n");
		return -1;
	}
	explain->uid = user->pw_uid;
	explain->gid = user->pw_gid;
	return 0;
}

static int
start(struct explain *explain)
{
	pid_t parent = getpid();
	char program[1200];
	int pair[2], r = link_find_program(PROGRAM_DECODE, program, sizeof(program));

	if (r < 0) {
		fprintf(stderr, "patrond: patrond-decode is neither beside patrond nor in ../libexec/patrond: %s\n", strerror(-r));
		return r;
	}
	(void)snprintf(explain->place, sizeof(explain->place), "%s", PLACE);
	if (mkdtemp(explain->place) == NULL)
		explain->place[0] = '\0';
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	explain->pid = fork();
	if (explain->pid == 0)
		become_stage(explain, program, pair[1], parent);
	(void)fd_close(pair[1]);
	explain->fd = pair[0];
	if (explain->pid < 0) {
		fprintf(stderr, "patrond: %s\n", strerror(errno));
		return -EAGAIN;
	}
	return 0;
}

/* The stage has begun, and needs neither the folder nor root any more; nor does this process, which reads what it says. */
static int
leave_root(struct explain *explain)
{
	if (explain->place[0] != '\0')
		(void)rmdir(explain->place);
	explain->place[0] = '\0';
	return geteuid() != 0 ? 0 : become_user(explain);
}

static int
request(const struct explain *explain, int feed, int terminal)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const int fds[] = { feed, terminal };
	int r;

	wire_begin(&out, WIRE_DECODE_EXPLAIN);
	wire_put_i32(&out, date_today());
	r = wire_end(&out);
	return r < 0 ? r : wire_send(explain->fd, &out, fds, terminal >= 0 ? 2 : 1);
}

/* Takes one frame. Returns 1 where it was the last, 0, or -EBADMSG. */
static int
take(struct explain *explain, struct wire_in *in)
{
	struct feed_shape shape;
	enum feed_kind feed;

	switch (in->type) {
	case WIRE_WALLS:
		explain->walls = (wire_get_u32(in) & WALLS_REQUIRED) == WALLS_REQUIRED;
		return wire_finish(in) < 0 || !explain->walls ? -EBADMSG : leave_root(explain);
	case WIRE_PROGRESS:
		return 0;
	case WIRE_SHAPE:
		if (!explain->walls || wire_get_shape(in, &feed, &shape) < 0 || explain->shapes[feed].rows != 0)
			return -EBADMSG;
		explain->shapes[feed] = shape;
		return 0;
	case WIRE_FAILURE:
		explain->failed = true;
		return wire_get_failure(in, &explain->failure) < 0 ? -EBADMSG : 1;
	case WIRE_DONE:
		return explain->walls ? 1 : -EBADMSG;
	default:
		return -EBADMSG;
	}
}

/* Waits for the stage; one that says nothing for too long is hung up on, but where a person reads its rows. */
static int
wait_for(const struct explain *explain)
{
	struct pollfd connection = { .fd = explain->fd, .events = POLLIN };
	uint64_t limit = explain->config.load.stage_timeout / USEC_PER_MSEC;
	int timeout = explain->options->show_rows || limit > INT32_MAX ? -1 : (int)limit, n;

	do
		n = poll(&connection, 1, timeout);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n == 0 ? -ETIMEDOUT : 0;
}

static int
listen_to(struct explain *explain)
{
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;

	for (;;) {
		struct wire_in in;
		int r = wire_next(&reader, &in);

		if (r == 1) {
			r = take(explain, &in);
			if (r != 0)
				return r;
			continue;
		}
		if (r == 0)
			r = wait_for(explain);
		if (r == 0) {
			ssize_t n = wire_read(&reader, explain->fd);

			r = n == 0 ? -EPIPE : n < 0 ? (int)n : 0;
		}
		if (r < 0)
			return r;
	}
}

/* Hangs up and waits for the stage's end. Returns its wait status. */
static int
finish(struct explain *explain)
{
	int status = 0;

	explain->fd = fd_close(explain->fd);
	(void)leave_root(explain);
	while (waitpid(explain->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static int
tell(const struct explain *explain, int r, int status)
{
	struct failure failure = explain->failed ? explain->failure : failure_of(FAILURE_STAGE_DIED, 0);
	bool any = false;
	char text[1024];

	for (int feed = 0; feed < FEED_KIND_MAX; feed++) {
		if (explain->shapes[feed].rows == 0)
			continue;
		if (any)
			printf("\n");
		any = true;
		explain_show((enum feed_kind)feed, &explain->shapes[feed], stdout);
	}
	if (fflush(stdout) != 0)
		return EXIT_REFUSED;
	if (r == 1 && !explain->failed)
		return EXIT_SUCCESS;
	if (r < 0 && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_TOLD)
		return EXIT_USAGE;
	if (r == -EBADMSG)
		failure = failure_of(FAILURE_PROTOCOL, 0);
	if (r == -ETIMEDOUT)
		failure = failure_of(FAILURE_STAGE_SILENT, 0);
	if (failure.code == FAILURE_STAGE_DIED && WIFSIGNALED(status))
		failure.number = WTERMSIG(status);
	sentence_failure(PROGRAM_DECODE, &failure, text, sizeof(text));
	if (any)
		fprintf(stderr, "patrond: what stands above was read before this: %s\n", text);
	else
		fprintf(stderr, "patrond: %s\n", text);
	return sentence_exit_status(&failure) == EXIT_USAGE ? EXIT_USAGE : EXIT_REFUSED;
}

int
explain_run(const struct explain_options *options)
{
	static struct explain explain; /* large, and never twice */
	_cleanup_fd_ int feed = -EBADF, terminal = -EBADF;
	int r, status;

	explain = (struct explain){ .options = options, .fd = -EBADF };
	if (geteuid() != 0) {
		fprintf(stderr, "patrond: --explain is for root: the zip's password is root's to read\n");
		return EXIT_USAGE;
	}
	/* Into a file or a pager's pipe they would be kept somewhere. */
	if (options->show_rows && isatty(STDOUT_FILENO) == 0) {
		fprintf(stderr, "patrond: --show-rows is refused: standard output is no terminal, and rows are shown on one alone\n");
		return EXIT_USAGE;
	}
	if (config_read_told("patrond", options->config_path, &explain.config) < 0 || find_user(&explain) < 0)
		return EXIT_USAGE;
	feed = open_feed(options->feed);
	if (feed >= 0 && options->show_rows)
		terminal = open_terminal();
	if (feed < 0 || (options->show_rows && terminal < 0))
		return EXIT_USAGE;
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || start(&explain) < 0)
		return EXIT_USAGE;
	/* a stage that ended in its beginning has said why: the answer is read, whatever sending says */
	(void)!request(&explain, feed, terminal);
	terminal = fd_close(terminal);
	r = listen_to(&explain);
	status = finish(&explain);
	return tell(&explain, r, status);
}
