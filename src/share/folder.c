/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every system call by a name of the share's is made here or with this descriptor. */

#include "share/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#define OPEN_ALWAYS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
#define USEC_PER_SECOND 1000000LL
#define NSEC_PER_USEC 1000LL

/*
 * X(errno, failure when reading, failure when writing). A network share tells in many ways that its server is away.
 */
#define ERRORS(X) \
	X(ESTALE, SHARE_GONE, SHARE_GONE) \
	X(ENODEV, SHARE_GONE, SHARE_GONE) \
	X(ENOTCONN, SHARE_GONE, SHARE_GONE) /* FUSE whose process has died */ \
	X(EHOSTDOWN, SHARE_GONE, SHARE_GONE) \
	X(EHOSTUNREACH, SHARE_GONE, SHARE_GONE) \
	X(ENETDOWN, SHARE_GONE, SHARE_GONE) \
	X(ENETUNREACH, SHARE_GONE, SHARE_GONE) \
	X(ETIMEDOUT, SHARE_GONE, SHARE_GONE) \
	X(ECONNABORTED, SHARE_GONE, SHARE_GONE) \
	X(ECONNREFUSED, SHARE_GONE, SHARE_GONE) \
	X(ECONNRESET, SHARE_GONE, SHARE_GONE) \
	X(ESHUTDOWN, SHARE_GONE, SHARE_GONE) \
	X(EACCES, SHARE_UNREADABLE, SHARE_READ_ONLY) \
	X(EPERM, SHARE_UNREADABLE, SHARE_READ_ONLY) \
	X(EROFS, SHARE_UNREADABLE, SHARE_READ_ONLY) \
	X(ENOSPC, SHARE_FULL, SHARE_FULL) \
	X(EDQUOT, SHARE_FULL, SHARE_FULL) \
	X(EFBIG, SHARE_FULL, SHARE_FULL) \
	X(ENOENT, SHARE_FILE, SHARE_FILE) \
	X(ELOOP, SHARE_FILE, SHARE_FILE) /* a symbolic link */ \
	X(EXDEV, SHARE_FILE, SHARE_FILE) /* a mount over a file */ \
	X(ENXIO, SHARE_FILE, SHARE_FILE) /* a socket */ \
	X(EISDIR, SHARE_FILE, SHARE_FILE) \
	X(ENOTDIR, SHARE_FILE, SHARE_FILE) \
	X(ENOTEMPTY, SHARE_FILE, SHARE_FILE) \
	X(EEXIST, SHARE_FILE, SHARE_FILE) \
	X(EINVAL, SHARE_FILE, SHARE_FILE) \
	X(ENAMETOOLONG, SHARE_FILE, SHARE_FILE) \
	X(ENOMEM, MEMORY, MEMORY)

struct failure
folder_failure(enum folder_act act, int r)
{
	static const struct {
		int number;
		enum failure_code code[2];
	} errors[] = {
#define ERROR_ROW(number, reading, writing) { number, { FAILURE_##reading, FAILURE_##writing } },
		ERRORS(ERROR_ROW)
#undef ERROR_ROW
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].number == -r)
			return failure_of(errors[i].code[act], r);
	return failure_of(FAILURE_SHARE_UNREADABLE, r);
}

/*
 * Denied, although permissions would let us in: then it is our own walls. They stand around the folder of the day they
 * were entered, and another one has been mounted or made in its place since. Only a new process can get in there.
 */
static int
is_another_folder(const char *path)
{
	return faccessat(AT_FDCWD, path, R_OK | X_OK, AT_EACCESS) == 0;
}

int
folder_open(struct folder *folder, const char *path, struct failure *ret_failure)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd >= 0) {
		folder->fd = fd;
		return 0;
	}
	r = -errno;
	*ret_failure = folder_failure(FOLDER_READING, r);
	if (r == -ENOENT || r == -ENOTDIR || r == -ENXIO || (r == -EACCES && is_another_folder(path)))
		ret_failure->code = FAILURE_SHARE_GONE;
	return -1;
}

void
folder_done(struct folder *folder)
{
	folder->fd = fd_close(folder->fd);
}

int
folder_open_file(const struct folder *folder, const char *name, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | OPEN_ALWAYS),
		.mode = (flags & O_CREAT) != 0 ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	long fd;

	if (*name == '\0' || strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	fd = syscall(SYS_openat2, folder->fd, name, &how, sizeof(how));
	/* Older than 5.6, or a container's filter: a single name needs no more than O_NOFOLLOW. */
	if (fd < 0 && errno == ENOSYS)
		fd = openat(folder->fd, name, flags | OPEN_ALWAYS, mode);
	return fd < 0 ? -errno : (int)fd;
}

static void
closedirp(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
	*dir = NULL;
}

int
folder_each(const struct folder *folder, int (*visit)(const struct folder *folder, const char *name, void *userdata),
    void *userdata)
{
	__attribute__((cleanup(closedirp))) DIR *dir = NULL;
	_cleanup_fd_ int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (dir == NULL)
		return -errno;
	(void)TAKE_FD(fd);
	for (;;) {
		const struct dirent *entry;
		int r;

		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			return -errno; /* 0 at the end */
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = visit(folder, entry->d_name, userdata);
		if (r < 0)
			return r;
	}
}

int
folder_remove(const struct folder *folder, const char *name)
{
	struct stat st;

	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	/* Should it be replaced by now, unlink takes a link for a link, and refuses a folder. */
	if (unlinkat(folder->fd, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return 0;
}

int64_t
folder_mtime_usec(const struct stat *st)
{
	return st->st_mtim.tv_sec * USEC_PER_SECOND + st->st_mtim.tv_nsec / NSEC_PER_USEC;
}
