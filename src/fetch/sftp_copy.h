/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FETCH_SFTP_COPY_H
#define FETCH_SFTP_COPY_H

/* Reading a remote file with several requests in flight: the one user of libssh's async calls, which 0.11 renames. */

#include <libssh/sftp.h>
#include <stdint.h>

#include "common/fd.h"

/* What came of it, where it is neither done nor an errno. */
enum sftp_copy_result {
	SFTP_COPY_DONE,
	SFTP_COPY_REMOTE,  /* an answer is an error, or none comes: ask session_failure */
	SFTP_COPY_CHANGED, /* the file is shorter or longer than it was said to be */
	SFTP_COPY_STOPPED, /* got said so */
};

/* Called after each answer with the bytes got so far. Returns 0, 1 to stop, or a negative errno. */
typedef int (*sftp_copy_got)(uint64_t done, void *userdata);

/*
 * Copies exactly size bytes of the file into fd, each at its own offset, and makes sure that there is no byte after
 * them. With any result but DONE answers are still awaited in the session: it is of no more use.
 * Returns a result, or a negative errno of writing to fd or of got.
 */
int sftp_copy(sftp_file file, uint64_t size, int fd, sftp_copy_got got, void *userdata) WARN_UNUSED;

#endif
