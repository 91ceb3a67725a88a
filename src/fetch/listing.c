/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the folder and tells of each file that may be a feed. */

#include "fetch/listing.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "fetch/names.h"
#include "fetch/stall.h"

/* Names of the folder that are looked at, whatever they are: a hostile server could go on for ever. */
#define ENTRIES_MAX (16U * LIMIT_LISTING)
#define SEND_FROM (64U << 10) /* bytes of frames that are sent together */

int
remote_file_of(sftp_attributes attributes, struct remote_file *ret)
{
	const uint32_t wanted = SSH_FILEXFER_ATTR_SIZE | SSH_FILEXFER_ATTR_ACMODTIME;

	if (attributes->type != SSH_FILEXFER_TYPE_REGULAR || (attributes->flags & wanted) != wanted)
		return -ENODATA;
	ret->size = attributes->size;
	ret->mtime = (int64_t)attributes->mtime * (int64_t)USEC_PER_SEC;
	return 0;
}

/* A status of the server's, and not one that is left of an earlier request. */
static bool
is_gone(const struct session *session)
{
	int status = sftp_get_error(session->sftp);

	return ssh_get_error_code(session->ssh) == SSH_REQUEST_DENIED &&
	    (status == SSH_FX_NO_SUCH_FILE || status == SSH_FX_NO_SUCH_PATH);
}

/*
 * The listing of some servers is bare names: such a file is asked for once more by its name. Returns 0, -ENODATA where it is
 * none that could be a feed, or another negative errno with ret_failure: what cannot be looked at, but for what has just
 * gone, may be the newest feed, and an unknown file is not no file.
 */
static int
look_at(struct stage *stage, struct session *session, sftp_attributes attributes, struct remote_file *ret,
    struct failure *ret_failure)
{
	sftp_attributes again;
	char path[REMOTE_PATH];
	int r;

	if (attributes->type != SSH_FILEXFER_TYPE_UNKNOWN && (attributes->flags & SSH_FILEXFER_ATTR_PERMISSIONS) != 0)
		return remote_file_of(attributes, ret);
	if (names_path(stage->config.sftp.path, attributes->name, strlen(attributes->name), path) < 0)
		return -ENODATA;
	again = sftp_lstat(session->sftp, path);
	if (again == NULL)
		return is_gone(session) ? -ENODATA : session_failure(session, FAILURE_REMOTE_FOLDER, ret_failure);
	r = remote_file_of(again, ret);
	sftp_attributes_free(again);
	return r;
}

/* Adds a frame where the entry may be a feed. Returns 1 with a frame, 0 without, or a negative errno, as look_at. */
static int
add_entry(struct stage *stage, struct session *session, sftp_attributes attributes, struct failure *ret_failure)
{
	struct remote_file file = { 0 };
	size_t size;
	int r;

	if (attributes->name == NULL)
		return 0;
	size = strlen(attributes->name);
	if (!names_is_feed(attributes->name, size, stage->config.sftp.pattern))
		return 0;
	r = look_at(stage, session, attributes, &file, ret_failure);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	wire_begin(&stage->out, WIRE_LISTING);
	wire_put_string(&stage->out, attributes->name, size);
	wire_put_u64(&stage->out, file.size);
	wire_put_i64(&stage->out, file.mtime);
	r = wire_end(&stage->out);
	if (r == 0 && stage->out.buf.size >= SEND_FROM)
		r = stage_send(stage);
	return r < 0 ? r : 1;
}

static int
list_open(struct stage *stage, struct session *session, sftp_dir dir, struct failure *ret_failure)
{
	unsigned int entries = 0, files = 0;

	for (;;) {
		sftp_attributes attributes = sftp_readdir(session->sftp, dir);
		int r;

		if (attributes == NULL)
			break;
		stall_progress();
		r = add_entry(stage, session, attributes, ret_failure);
		sftp_attributes_free(attributes);
		if (r < 0)
			return r;
		files += (unsigned int)r;
		entries++;
		if (files > LIMIT_LISTING || entries > ENTRIES_MAX) {
			*ret_failure = failure_of(FAILURE_LISTING_TOO_LONG, 0);
			return -EFBIG;
		}
		if (entries % 256 == 0 && stage_cancelled(stage)) {
			*ret_failure = failure_of(FAILURE_CANCELLED, 0);
			return -ECANCELED;
		}
	}
	/* the end of the folder and a broken connection differ in this alone: a cut listing must not pass for a whole one */
	return sftp_dir_eof(dir) ? 0 : session_failure(session, FAILURE_REMOTE_FOLDER, ret_failure);
}

int
listing_send(struct stage *stage, struct session *session, struct failure *ret_failure)
{
	const char *path = stage->config.sftp.path[0] != '\0' ? stage->config.sftp.path : ".";
	sftp_dir dir;
	int r;

	stall_progress();
	dir = sftp_opendir(session->sftp, path);
	if (dir == NULL)
		return session_failure(session, FAILURE_REMOTE_FOLDER, ret_failure);
	r = list_open(stage, session, dir, ret_failure);
	if (r < 0)
		stall_cut(); /* closing would wait for an answer */
	(void)sftp_closedir(dir);
	stall_rest();
	return r;
}
