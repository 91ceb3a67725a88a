/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tmpfs workspace of nameless descriptors. */

#include "supervisor/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Returns 1 with the path where there is a workspace directory, 0 where memory files serve, or a negative errno. */
static int
directory(char *path, size_t size)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	struct stat st;

	if (runtime == NULL || *runtime == '\0')
		return 0;
	/* systemd gives several directories with colons between; ours is the first */
	if ((size_t)snprintf(path, size, "%.*s/work", (int)strcspn(runtime, ":"), runtime) >= size)
		return -ENAMETOOLONG;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISDIR(st.st_mode) ? 1 : -ENOTDIR;
}

int
workspace_check(void)
{
	char path[1024];
	struct statfs fs;
	int r = directory(path, sizeof(path));

	if (r <= 0)
		return r;
	if (statfs(path, &fs) < 0)
		return -errno;
	return fs.f_type == TMPFS_MAGIC ? 0 : -EXDEV;
}

int
workspace_new(void)
{
	char path[1024];
	int r = workspace_check();
	int fd;

	if (r < 0)
		return r;
	if (directory(path, sizeof(path)) == 1)
		fd = open(path, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600); /* O_EXCL: can never be given a name */
	else {
		fd = memfd_create("patrond", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (fd >= 0)
			(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL); /* a stage must not seal it against wiping */
	}
	return fd < 0 ? -errno : fd;
}

int
workspace_wipe(int fd)
{
	if (fd >= 0) {
		(void)!fd_wipe(fd);
		(void)!ftruncate(fd, 0);
	}
	return fd_close(fd);
}
