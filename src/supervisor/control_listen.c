/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the control socket comes from: systemd, or a folder of our own. */

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "supervisor/control.h"

#define MODE 0660
#define GROUP "patrond-admin"
#define BACKLOG 64

/* What a dead patrond left behind goes; that no living one serves it, the lock has shown. Anything else stays. */
static int
remove_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	return unlink(path) < 0 ? -errno : 0;
}

/* The group of those who may, where it is there and patrond is in it; else it stays patrond's own. */
static void
give_to_group(const char *path)
{
	const struct group *group = getgrnam(GROUP);

	if (group != NULL)
		(void)!lchown(path, (uid_t)-1, group->gr_gid);
}

static int
listen_at(const struct sockaddr_un *address)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* the file is born with the socket's own mode, so that it is never open to more, whatever the umask */
	if (fchmod(fd, MODE) < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	give_to_group(address->sun_path);
	if (chmod(address->sun_path, MODE) < 0 || listen(fd, BACKLOG) < 0) {
		int r = -errno;

		(void)unlink(address->sun_path);
		return r;
	}
	return TAKE_FD(fd);
}

int
control_listen(char *ret_path, size_t size)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = sd_listen_fds(1), r; /* 1: stages must not take them for theirs */

	ret_path[0] = '\0';
	if (n < 0)
		return n;
	if (n > 0) {
		if (n > 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0)
			return -EINVAL;
		return SD_LISTEN_FDS_START;
	}
	if (runtime == NULL || *runtime == '\0')
		return -ENOENT;
	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%.*s/control", (int)strcspn(runtime, ":"), runtime) >=
	        sizeof(address.sun_path) ||
	    strlen(address.sun_path) >= size)
		return -ENAMETOOLONG;
	r = remove_stale(address.sun_path);
	if (r < 0)
		return r;
	r = listen_at(&address);
	if (r >= 0)
		memcpy(ret_path, address.sun_path, strlen(address.sun_path) + 1);
	return r;
}
