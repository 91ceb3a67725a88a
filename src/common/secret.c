/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Credentials in guarded, locked memory: never in a plain heap block, never on a command line or in the environment. */

#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "patrond/limits.h"

const char *
secret_name(enum program program)
{
	static const char *const names[PROGRAM_MAX] = {
		[PROGRAM_FETCH] = "sftp-key",
		[PROGRAM_DECODE] = "zip-password",
		[PROGRAM_LOAD] = "sierra-key",
		[PROGRAM_REPORT] = "report-password",
		[PROGRAM_MAIL] = "smtp-password",
	};

	return (int)program >= 0 && program < PROGRAM_MAX ? names[program] : NULL;
}

/* Opens $CREDENTIALS_DIRECTORY/name. An absent directory and an absent file are the same: no such credential. */
static int
open_credential(const char *name)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	int fd, n;

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return -EINVAL;
	if (directory == NULL || directory[0] != '/')
		return -ENOKEY;
	n = snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	/* O_NONBLOCK: a FIFO of that name must not hold the stage up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENOKEY : -errno;
	return fd;
}

/* What is left of a file's bytes without its last newline, of either system. */
static size_t
without_newline(const char *bytes, size_t size)
{
	if (size > 0 && bytes[size - 1] == '\n') {
		size--;
		if (size > 0 && bytes[size - 1] == '\r')
			size--;
	}
	return size;
}

static int
read_into(int fd, size_t file_size, struct secret *secret)
{
	ssize_t n;

	if (sodium_init() < 0)
		return -EIO;
	secret->bytes = sodium_malloc(file_size + 1);
	if (secret->bytes == NULL)
		return -ENOMEM;
	n = fd_pread_all(fd, secret->bytes, file_size, 0);
	if (n < 0)
		return (int)n;
	secret->size = without_newline(secret->bytes, (size_t)n);
	secret->bytes[secret->size] = '\0';
	if (secret->size == 0)
		return -ENOKEY;
	/* Libraries take it as a C string: one with a NUL would be cut there, and be weaker than whoever chose it
	 * thinks. */
	if (memchr(secret->bytes, '\0', secret->size) != NULL)
		return -EINVAL;
	return 0;
}

int
secret_read(const char *name, struct secret *ret)
{
	_cleanup_secret_ struct secret secret = { 0 };
	_cleanup_fd_ int fd = open_credential(name);
	struct stat st;
	int r;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (st.st_size > (off_t)LIMIT_SECRET_SIZE)
		return -EFBIG;
	r = read_into(fd, (size_t)st.st_size, &secret);
	if (r < 0)
		return r;
	ret->size = secret.size;
	ret->bytes = TAKE_PTR(secret.bytes);
	return 0;
}

static bool
is_blank_line(const char *line, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (line[i] != ' ' && line[i] != '\t')
			return false;
	return true;
}

const char *
secret_line(const struct secret *secret, size_t n, size_t *ret_size)
{
	size_t at = 0;

	while (at < secret->size) {
		const char *line = secret->bytes + at;
		const char *end = memchr(line, '\n', secret->size - at);
		size_t size = end != NULL ? (size_t)(end - line) : secret->size - at;

		at += size + 1;
		if (size > 0 && line[size - 1] == '\r')
			size--;
		if (is_blank_line(line, size))
			continue;
		if (n-- == 0) {
			*ret_size = size;
			return line;
		}
	}
	return NULL;
}

void
secret_done(struct secret *secret)
{
	sodium_free(secret->bytes); /* wipes; accepts NULL */
	secret->bytes = NULL;
	secret->size = 0;
}
