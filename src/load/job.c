/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The LOAD frame. */

#include "load/job.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/date.h"

#define FEED_NONE 255U

static int
read_approval(struct wire_in *in, struct guard_approval *ret)
{
	uint8_t guard = wire_get_u8(in);
	uint8_t feed = wire_get_u8(in);

	ret->value = wire_get_u64(in);
	if (in->bad || guard >= GUARD_MAX || (feed >= FEED_KIND_MAX && feed != FEED_NONE))
		return -EBADMSG;
	ret->guard = (enum guard)guard;
	ret->feed = feed == FEED_NONE ? FEED_KIND_INVALID : (enum feed_kind)feed;
	return 0;
}

static int
read_payload(struct wire_in *in, struct job *job)
{
	uint8_t dry_run = wire_get_u8(in), kinds = wire_get_u8(in), approvals;

	job->today = wire_get_i32(in);
	for (size_t i = 0; i < FEED_KIND_MAX; i++)
		job->last_rows[i] = wire_get_u32(in);
	job->last_patrons = wire_get_u64(in);
	approvals = wire_get_u8(in);
	if (in->bad || in->type != WIRE_LOAD || dry_run > 1 || kinds == 0 || kinds > FEED_BITS_ALL)
		return -EBADMSG;
	job->dry_run = dry_run == 1;
	job->kinds = kinds;
	/* A clock at 1970 would renew every patron to a day long past. */
	if (job->today < date_to_days((struct date){ 2020, 1, 1 }) || job->today > date_to_days((struct date){ 2200, 1, 1 }))
		return -EBADMSG;
	for (size_t i = 0; i < approvals; i++)
		if (read_approval(in, &job->approvals[i]) < 0)
			return -EBADMSG;
	job->approval_count = approvals;
	return wire_finish(in);
}

static bool
is_pipe(int fd, int unwanted)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != unwanted && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

int
job_read(struct wire_in *in, struct wire_reader *reader, struct job *ret)
{
	struct job job = { .records_fd = wire_take_fd(reader), .report_fd = wire_take_fd(reader) };
	int r = read_payload(in, &job);

	if (r == 0 && !is_pipe(job.records_fd, O_WRONLY))
		r = -EBADMSG;
	if (r == 0 && job.report_fd >= 0 && !is_pipe(job.report_fd, O_RDONLY))
		r = -EBADMSG;
	if (r == 0 && reader->fd_count > 0)
		r = -EBADMSG;
	if (r == 0)
		r = fd_nonblock(job.records_fd);
	if (r == 0 && job.report_fd >= 0)
		r = fd_nonblock(job.report_fd);
	if (r < 0) {
		job_done(&job);
		return r;
	}
	*ret = job;
	return 0;
}

void
job_done(struct job *job)
{
	job->records_fd = fd_close(job->records_fd);
	job->report_fd = fd_close(job->report_fd);
}
