/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FETCH_LISTING_H
#define FETCH_LISTING_H

/* FETCH_LIST: what may be a feed in the folder of the SFTP server. */

#include "common/stage.h"
#include "fetch/session.h"

/* One file as SFTP tells of it. */
struct remote_file {
	uint64_t size;
	int64_t mtime; /* microseconds since 1970; SFTP has whole seconds */
};

/*
 * Reads what SFTP says of a file. Returns 0, or -ENODATA where it is no regular file or its size or time is not told:
 * without both it cannot be known again.
 */
int remote_file_of(sftp_attributes attributes, struct remote_file *ret) WARN_UNUSED;

/*
 * Lists the folder, a LISTING frame a file. Returns 0, or a negative errno with ret_failure REMOTE_FOLDER,
 * LISTING_TOO_LONG, CANCELLED, TRANSFER_STALLED or TRANSFER_BROKEN.
 */
int listing_send(struct stage *stage, struct session *session, struct failure *ret_failure) WARN_UNUSED;

#endif
