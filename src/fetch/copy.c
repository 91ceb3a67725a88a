/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks the request and the file around the copying: it must be the very file that was listed, before and after. */

#include "fetch/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fetch/listing.h"
#include "fetch/names.h"
#include "fetch/sftp_copy.h"
#include "fetch/stall.h"

#define TELL_EVERY_MSEC 500 /* between two PROGRESS frames, and looks for CANCEL */

struct copy {
	struct stage *stage;
	struct session *session;
	struct remote_file want;
	char path[REMOTE_PATH];
	int fd; /* the feed, write end */
	int64_t told_msec;
};

static int64_t
now_msec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The descriptor must be a file that can be written: anything else would be no workspace. */
static int
check_descriptor(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (flags & O_ACCMODE) == O_RDONLY || (flags & (O_APPEND | O_PATH)) != 0)
		return -EBADF;
	return 0;
}

static int
read_request(struct copy *copy, struct wire_in *in)
{
	struct stage *stage = copy->stage;
	const char *name;
	size_t size = 0;
	int extra;

	name = wire_get_string(in, LIMIT_FILE_NAME, &size);
	copy->want.size = wire_get_u64(in);
	copy->want.mtime = wire_get_i64(in);
	copy->fd = wire_take_fd(&stage->reader);
	extra = wire_take_fd(&stage->reader);
	if (extra >= 0) {
		(void)fd_close(extra);
		return -EBADMSG;
	}
	/* the same rule as for the listing: a supervisor taken over cannot ask for the folder's other files */
	if (wire_finish(in) < 0 || name == NULL || !names_is_feed(name, size, stage->config.sftp.pattern))
		return -EBADMSG;
	if (copy->fd < 0 || check_descriptor(copy->fd) < 0)
		return -EBADMSG;
	return names_path(stage->config.sftp.path, name, size, copy->path);
}

/* Compares what SFTP says (taken and freed) with what was listed. */
static int
check_same(const struct copy *copy, sftp_attributes attributes, struct failure *ret_failure)
{
	struct remote_file have;
	int r;

	if (attributes == NULL)
		return session_failure(copy->session, FAILURE_REMOTE_FILE, ret_failure);
	r = remote_file_of(attributes, &have);
	sftp_attributes_free(attributes);
	if (r < 0 || have.size != copy->want.size || have.mtime != copy->want.mtime)
		return session_fail(ret_failure, FAILURE_FEED_CHANGED, 0);
	return 0;
}

static int
on_got(uint64_t done, void *userdata)
{
	struct copy *copy = userdata;
	int64_t now = now_msec();
	int r;

	stall_progress();
	if (now - copy->told_msec < TELL_EVERY_MSEC)
		return 0;
	copy->told_msec = now;
	if (stage_cancelled(copy->stage))
		return 1;
	r = wire_add_progress(&copy->stage->out, PHASE_RETRIEVING, done, copy->want.size);
	return r < 0 ? r : stage_send(copy->stage);
}

static int
copy_bytes(struct copy *copy, sftp_file file, struct failure *ret_failure)
{
	int r;

	if (ftruncate(copy->fd, 0) < 0)
		return session_fail(ret_failure, FAILURE_INTERNAL, errno);
	r = sftp_copy(file, copy->want.size, copy->fd, on_got, copy);
	switch (r) {
	case SFTP_COPY_DONE:
		return 0;
	case SFTP_COPY_REMOTE:
		return session_failure(copy->session, FAILURE_REMOTE_FILE, ret_failure);
	case SFTP_COPY_CHANGED:
		return session_fail(ret_failure, FAILURE_FEED_CHANGED, 0);
	case SFTP_COPY_STOPPED:
		return session_fail(ret_failure, FAILURE_CANCELLED, 0);
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
	case -ENOMEM:
		return session_fail(ret_failure, FAILURE_WORKSPACE_FULL, -r);
	default:
		return session_fail(ret_failure, FAILURE_INTERNAL, -r);
	}
}

static int
copy_open(struct copy *copy, sftp_file file, struct failure *ret_failure)
{
	int r;

	r = check_same(copy, sftp_fstat(file), ret_failure);
	if (r < 0)
		return r;
	r = copy_bytes(copy, file, ret_failure);
	if (r < 0)
		return r;
	r = check_same(copy, sftp_fstat(file), ret_failure);
	if (r < 0)
		return r;
	/* and by its name: a newer feed may have taken its place meanwhile, and the newest one wins */
	r = check_same(copy, sftp_lstat(copy->session->sftp, copy->path), ret_failure);
	if (r < 0 && ret_failure->code == FAILURE_REMOTE_FILE)
		ret_failure->code = FAILURE_FEED_CHANGED;
	return r;
}

static int
copy_remote(struct copy *copy, struct failure *ret_failure)
{
	sftp_file file;
	int r;

	if (copy->want.size > LIMIT_ZIP_SIZE)
		return session_fail(ret_failure, FAILURE_FEED_TOO_LARGE, 0);
	stall_progress();
	file = sftp_open(copy->session->sftp, copy->path, O_RDONLY, 0);
	if (file == NULL)
		return session_failure(copy->session, FAILURE_REMOTE_FILE, ret_failure);
	stall_progress();
	r = copy_open(copy, file, ret_failure);
	if (r < 0)
		stall_cut(); /* closing would wait for its answer behind all that are in flight */
	(void)sftp_close(file);
	stall_rest();
	return r;
}

int
copy_feed(struct stage *stage, struct session *session, struct wire_in *request, struct failure *ret_failure)
{
	struct copy copy = { .stage = stage, .session = session, .fd = -EBADF, .told_msec = now_msec() };
	int r;

	r = read_request(&copy, request);
	if (r < 0)
		(void)session_fail(ret_failure, FAILURE_PROTOCOL, -r);
	else
		r = copy_remote(&copy, ret_failure);
	(void)fd_close(copy.fd);
	if (r < 0)
		return r;
	wire_begin(&stage->out, WIRE_COPIED);
	wire_put_u64(&stage->out, copy.want.size);
	return wire_end(&stage->out);
}
