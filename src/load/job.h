/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_JOB_H
#define LOAD_JOB_H

/* The job as the supervisor gives it: integers and two pipes, everything checked. */

#include <stdbool.h>
#include <stdint.h>

#include "common/wire.h"
#include "load/guards.h"

#define JOB_APPROVALS_MAX 255U

struct job {
	bool dry_run;
	uint32_t kinds; /* bits: the feeds that decode was asked for, and no others */
	int32_t today;
	uint32_t last_rows[FEED_KIND_MAX];
	uint64_t last_patrons;
	struct guard_approval approvals[JOB_APPROVALS_MAX];
	size_t approval_count;
	int records_fd; /* the records pipe's read end */
	int report_fd;  /* the report pipe's write end, -EBADF where no report is made */
};

/*
 * Reads a LOAD frame and takes the descriptors that came with it. Returns 0, or -EBADMSG where the frame is another, or
 * says what cannot be, or the descriptors are not the pipes that they should be; nothing is kept then.
 */
int job_read(struct wire_in *in, struct wire_reader *reader, struct job *ret) WARN_UNUSED;

void job_done(struct job *job);

#endif
