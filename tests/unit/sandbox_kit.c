/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The world that the tests of the walls run in, and the children that they run as. */

#include "sandbox_kit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define NOT_ENTERED 250 /* exit status of a child that did not get its walls */

struct world world;

static const enum program programs[PROGRAMS] = { PROGRAM_SHARE, PROGRAM_FETCH, PROGRAM_DECODE, PROGRAM_LOAD,
	PROGRAM_REPORT, PROGRAM_MAIL };

static int
listen_on_loopback(uint16_t *ret_port)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t size = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	*ret_port = ntohs(name.sin_port);
	return fd;
}

static void
write_file(const char *folder, const char *name, const char *text)
{
	char path[128];
	_cleanup_fd_ int fd = -EBADF;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void
make_folder(char path[static 64])
{
	(void)snprintf(path, 64, "/tmp/test_sandbox.XXXXXX");
	assert_non_null(mkdtemp(path));
}

int
begin_world(void **state)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	char path[128];
	int pair[2];

	(void)state;
	world.feed = memfd_create("feed", MFD_CLOEXEC);
	assert_true(world.feed >= 0);
	assert_int_equal(fd_pwrite_all(world.feed, "feed", 4, 0), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	world.connection = pair[0];
	world.peer = pair[1];
	world.listener = listen_on_loopback(&world.port);
	world.other_listener = listen_on_loopback(&world.other_port);
	world.stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	name.sin_port = htons(world.port);
	assert_int_equal(connect(world.stream, (struct sockaddr *)&name, sizeof(name)), 0);
	world.accepted = accept4(world.listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(world.accepted >= 0);
	make_folder(world.folder);
	make_folder(world.outside);
	write_file(world.folder, "feed.zip", "PK");
	write_file(world.outside, "zip-password", "password\n");
	(void)snprintf(path, sizeof(path), "%s/link", world.folder);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", world.outside, 1), 0);
	assert_int_equal(secret_read("zip-password", &world.secret), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(world.folder, NOBODY, NOBODY), 0);
		assert_int_equal(chown(world.outside, NOBODY, NOBODY), 0);
	}
	return 0;
}

static void
remove_entry(const char *folder, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)remove(path);
}

int
end_world(void **state)
{
	static const char *const names[] = { ".report.partial", "report.zip", "report-2.zip", "feed.zip", "link", "done" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		remove_entry(world.folder, names[i]);
	remove_entry(world.outside, "zip-password");
	assert_int_equal(rmdir(world.folder), 0);
	assert_int_equal(rmdir(world.outside), 0);
	secret_done(&world.secret);
	return 0;
}

void
drop_rights(void)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		_exit(NOT_ENTERED);
}

static struct sandbox_options
options_of(enum program program)
{
	return (struct sandbox_options){
		.tcp_port = program == PROGRAM_LOAD ? world.port : 0,
		.share_path = program == PROGRAM_SHARE ? world.folder : NULL,
	};
}

int
run_behind(enum program program, int (*run)(void))
{
	struct sandbox_options options = options_of(program);
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		uint32_t walls = 0;

		drop_rights();
		if (sandbox_enter(program, &options, &walls) < 0)
			_exit(NOT_ENTERED);
		if ((walls & (WALLS_REQUIRED | WALL_RLIMITS)) != (WALLS_REQUIRED | WALL_RLIMITS))
			_exit(NOT_ENTERED);
		_exit(run());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV ? KILLED : 200 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

void
run_table(const struct attempt *table, size_t count)
{
	int wrong = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t p = 0; p < COUNT(programs); p++) {
			int r = run_behind(programs[p], table[i].run);

			if (r == table[i].expected[p])
				continue;
			print_error("%s, program %d: %d, expected %d\n", table[i].name, (int)programs[p], r,
			    table[i].expected[p]);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}
