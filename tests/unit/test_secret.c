/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/secret.h"
#include "patrond/limits.h"

static char folder[64];

static int
make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_secret.XXXXXX");
	return mkdtemp(folder) == NULL || setenv("CREDENTIALS_DIRECTORY", folder, 1) < 0;
}

static void
path_of(const char *name, char ret[static 128])
{
	(void)snprintf(ret, 128, "%s/%s", folder, name);
}

static int
remove_folder(void **state)
{
	char path[128];

	(void)state;
	path_of("key", path);
	(void)unlink(path);
	return rmdir(folder);
}

static void
write_key(const void *bytes, size_t size)
{
	char path[128];
	_cleanup_fd_ int fd = -EBADF;

	path_of("key", path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, size), 0);
}

static void
absent(void **state)
{
	struct secret secret = { 0 };

	(void)state;
	assert_int_equal(secret_read("key", &secret), -ENOKEY);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(secret_read("key", &secret), -ENOKEY);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/nonexistent", 1), 0);
	assert_int_equal(secret_read("key", &secret), -ENOKEY);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "relative", 1), 0);
	assert_int_equal(secret_read("key", &secret), -ENOKEY);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "", 1), 0);
	assert_int_equal(secret_read("key", &secret), -ENOKEY);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	assert_null(secret.bytes);
}

static void
names_are_names(void **state)
{
	static const char *const table[] = { "", ".", "..", "../key", "a/b", "/etc/passwd", ".key" };
	struct secret secret = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		assert_int_equal(secret_read(table[i], &secret), -EINVAL);
	assert_null(secret_name(PROGRAM_PATROND));
	assert_null(secret_name(PROGRAM_SHARE));
	assert_null(secret_name(PROGRAM_MAX));
	assert_null(secret_name((enum program) - 1));
	assert_string_equal(secret_name(PROGRAM_FETCH), "sftp-key");
	assert_string_equal(secret_name(PROGRAM_DECODE), "zip-password");
	assert_string_equal(secret_name(PROGRAM_LOAD), "sierra-key");
	assert_string_equal(secret_name(PROGRAM_REPORT), "report-password");
}

static void
refused(void **state)
{
	static char bytes[LIMIT_SECRET_SIZE + 1];
	static const struct {
		const char *bytes;
		size_t size;
		int r;
	} table[] = {
		{ "", 0, -ENOKEY },
		{ "\n", 1, -ENOKEY },
		{ "\r\n", 2, -ENOKEY },
		{ "pass\0word", 9, -EINVAL }, /* a library would take it for "pass" */
		{ "password\0", 9, -EINVAL },
		{ bytes, sizeof(bytes), -EFBIG },
	};
	struct secret secret = { 0 };
	char path[128];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < COUNT(table); i++) {
		write_key(table[i].bytes, table[i].size);
		assert_int_equal(secret_read("key", &secret), table[i].r);
		assert_null(secret.bytes);
	}
	path_of("key", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(secret_read("key", &secret), -EISDIR);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(secret_read("key", &secret), -EINVAL); /* at once, though nobody writes */
	assert_int_equal(unlink(path), 0);
}

static void
reads(void **state)
{
	static char bytes[LIMIT_SECRET_SIZE];
	static const struct {
		const char *file, *secret;
	} table[] = {
		{ "a", "a" },
		{ "password", "password" },
		{ "password\n", "password" },
		{ "password\r\n", "password" },
		{ "password\n\n", "password\n" }, /* one is taken off */
		{ " pass word ", " pass word " },
		{ "key:secret\n", "key:secret" },
		{ "new\nold\n", "new\nold" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		_cleanup_secret_ struct secret secret = { 0 };

		write_key(table[i].file, strlen(table[i].file));
		assert_int_equal(secret_read("key", &secret), 0);
		assert_int_equal(secret.size, strlen(table[i].secret));
		assert_string_equal(secret.bytes, table[i].secret);
	}
	for (size_t size = LIMIT_SECRET_SIZE - 1; size <= LIMIT_SECRET_SIZE; size++) {
		_cleanup_secret_ struct secret secret = { 0 };

		memset(bytes, 'x', size);
		write_key(bytes, size);
		assert_int_equal(secret_read("key", &secret), 0);
		assert_int_equal(secret.size, size);
		assert_memory_equal(secret.bytes, bytes, size);
	}
}

static void
lines(void **state)
{
	static const struct {
		const char *file;
		const char *lines[4];
	} table[] = {
		{ "one", { "one" } }, { "new\nold", { "new", "old" } }, { "new\r\nold\r\n", { "new", "old" } },
		{ "\n\nnew\n\n \t \nold\n\n", { "new", "old" } }, { "a\nb\nc", { "a", "b", "c" } },
		{ " a \n", { " a " } }, /* blanks at the ends may be part of a password */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		_cleanup_secret_ struct secret secret = { 0 };
		size_t n = 0, size;

		write_key(table[i].file, strlen(table[i].file));
		assert_int_equal(secret_read("key", &secret), 0);
		for (; table[i].lines[n] != NULL; n++) {
			const char *line = secret_line(&secret, n, &size);

			assert_non_null(line);
			assert_int_equal(size, strlen(table[i].lines[n]));
			assert_memory_equal(line, table[i].lines[n], size);
		}
		assert_null(secret_line(&secret, n, &size));
		assert_null(secret_line(&secret, n + 7, &size));
	}
	assert_null(secret_line(&(struct secret){ 0 }, 0, &(size_t){ 0 }));
}

/* Behind the secret lies a guard page: a library that reads on past its end dies instead of leaking. */
static void
guarded(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	write_key("password", 8);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct secret secret = { 0 };
		volatile char byte;

		(void)signal(SIGSEGV, SIG_DFL);
		if (secret_read("key", &secret) < 0)
			_exit(1);
		byte = secret.bytes[secret.size + 1];
		_exit(byte == 0 ? 2 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void
done_twice(void **state)
{
	struct secret secret = { 0 };

	(void)state;
	secret_done(&secret);
	write_key("password", 8);
	assert_int_equal(secret_read("key", &secret), 0);
	secret_done(&secret);
	secret_done(&secret);
	assert_null(secret.bytes);
	assert_int_equal(secret.size, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent),
		cmocka_unit_test(names_are_names),
		cmocka_unit_test(refused),
		cmocka_unit_test(reads),
		cmocka_unit_test(lines),
		cmocka_unit_test(guarded),
		cmocka_unit_test(done_twice),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
