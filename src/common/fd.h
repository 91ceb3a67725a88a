/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_FD_H
#define COMMON_FD_H

/* Descriptors and the cleanup attributes that close, free and wipe on every path. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define WARN_UNUSED __attribute__((warn_unused_result))

/* Closes fd where it is 0 or more, keeping errno. Returns -EBADF, the value of a closed descriptor. */
int fd_close(int fd);

static inline void
fd_closep(int *fd)
{
	*fd = fd_close(*fd);
}

void freep(void *p);       /* frees *(void **)p */
void fclosep(FILE **file); /* closes *file where it is open */

#define _cleanup_fd_ __attribute__((cleanup(fd_closep)))
#define _cleanup_free_ __attribute__((cleanup(freep)))
#define _cleanup_file_ __attribute__((cleanup(fclosep)))

/* Moves a descriptor or a pointer out of its variable, which will not be cleaned up then. */
#define TAKE_FD(fd) \
	__extension__({ \
		int take_fd_ = (fd); \
		(fd) = -EBADF; \
		take_fd_; \
	})
#define TAKE_PTR(p) \
	__extension__({ \
		__auto_type take_p_ = (p); \
		(p) = NULL; \
		take_p_; \
	})

/* Writes all of the bytes, over EINTR and short writes. Blocking descriptors. Returns 0 or a negative errno. */
int fd_write_all(int fd, const void *bytes, size_t size) WARN_UNUSED;

/* The same at an offset, the descriptor's own offset left alone. */
int fd_pwrite_all(int fd, const void *bytes, size_t size, off_t offset) WARN_UNUSED;

/*
 * Reads up to size bytes at an offset, over EINTR and short reads. Returns the bytes read (less than size only at the
 * end of the file), or a negative errno.
 */
ssize_t fd_pread_all(int fd, void *bytes, size_t size, off_t offset) WARN_UNUSED;

/*
 * Reads a whole small file. The bytes are the caller's (free, or secret_wipe and free); a NUL follows them.
 * Returns 0, -EFBIG over max, -EISDIR and the like for what is not a regular file, or another negative errno.
 */
int fd_read_file(const char *path, size_t max, char **ret_bytes, size_t *ret_size) WARN_UNUSED;

/* Sets O_NONBLOCK. Returns 0 or a negative errno. */
int fd_nonblock(int fd) WARN_UNUSED;

/*
 * Overwrites a file's bytes (zeroes, in place, by pwrite) up to its size, holes left alone. For feeds on tmpfs, before the
 * last close. Moves the descriptor's offset.
 * Returns 0 or a negative errno.
 */
int fd_wipe(int fd) WARN_UNUSED;

#endif
