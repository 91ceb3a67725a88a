/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The type of a mount, from /proc/self/mountinfo. statfs would not do: 9p passes on the magic number of its host. */

#include "share/mounts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fd.h"

/*
 * overlay is not among them: what is changed in a layer behind its back is not seen. Nor is any FUSE or network file
 * system: only this mount's own changes are seen there.
 */
static const char *const local_types[] = {
	"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "zfs", "bcachefs", "reiserfs", "nilfs2", "tmpfs", "ramfs",
	"vfat", "exfat", "ntfs3",
};

bool
mounts_type_is_local(const char *type)
{
	for (size_t i = 0; i < sizeof(local_types) / sizeof(local_types[0]); i++)
		if (strcmp(type, local_types[i]) == 0)
			return true;
	return false;
}

bool
mounts_read_local(FILE *mountinfo, uint64_t mount_id)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	/* 36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw */
	while (getline(&line, &room, mountinfo) > 0) {
		const char *rest = strstr(line, " - ");
		char type[64];

		if (strtoull(line, NULL, 10) == mount_id && rest != NULL && sscanf(rest, " - %63s", type) == 1)
			return mounts_type_is_local(type);
	}
	return false;
}

bool
mounts_is_local(int fd)
{
	_cleanup_file_ FILE *file = NULL;
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0 || (stx.stx_mask & STATX_MNT_ID) == 0)
		return false;
	file = fopen("/proc/self/mountinfo", "re");
	return file != NULL && mounts_read_local(file, stx.stx_mnt_id);
}
