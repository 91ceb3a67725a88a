/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stage's side of the wire: a LOAD frame of a supervisor that was taken over, with any descriptors. The first byte
 * says which come along; a job that is not taken keeps none of them.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "load/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct job *job)
{
	if (job->kinds == 0 || (job->kinds & ~FEED_BITS_ALL) != 0 || job->approval_count > JOB_APPROVALS_MAX)
		abort();
	for (size_t i = 0; i < job->approval_count; i++)
		if (job->approvals[i].guard >= GUARD_MAX)
			abort();
	if (job->records_fd < 0)
		abort();
}

/* Puts one of four descriptors into the reader: a pipe's end, the other end, a file, or none. */
static void
come_along(struct wire_reader *reader, const int pair[2], int file, unsigned int which)
{
	const int from[] = { pair[0], pair[1], file };
	int fd;

	if (which >= 3)
		return;
	fd = fcntl(from[which], F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		abort();
	reader->fds[reader->fd_count++] = fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	_cleanup_fd_ int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct wire_in in;
	struct job job;
	int pair[2];

	if (size < 1 || size > LIMIT_FRAME)
		return 0;
	if (file < 0 || pipe2(pair, O_CLOEXEC) < 0)
		abort();
	for (unsigned int i = 0; i < 3; i++)
		come_along(&reader, pair, file, (data[0] >> (2 * i)) & 3);
	in = (struct wire_in){ .type = WIRE_LOAD, .at = data + 1, .end = data + size };
	if (job_read(&in, &reader, &job) == 0) {
		check(&job);
		job_done(&job);
	}
	(void)close(pair[0]);
	(void)close(pair[1]);
	return 0;
}
