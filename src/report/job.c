/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receive, pack, read back: each step's error is told as its own failure. */

#include "report/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/wire.h"
#include "patrond/limits.h"
#include "report/pack.h"
#include "report/read_back.h"
#include "report/rows.h"

/* The errors that any step can have; code is for the rest. */
static int
fail_errno(struct failure *failure, enum failure_code code, int r)
{
	switch (r) {
	case -ENOMEM:
		return failure_set(failure, FAILURE_MEMORY, r);
	case -ENOBUFS:
		return failure_set(failure, FAILURE_REPORT_SIZE, 0);
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
		return failure_set(failure, FAILURE_WORKSPACE_FULL, r);
	default:
		return failure_set(failure, code, r);
	}
}

/* Takes every frame that has come. Returns 0 where more must be read, 1 after the trailer, -1 with failure filled. */
static int
take_all(struct rows *rows, struct wire_reader *reader, struct failure *failure)
{
	struct wire_in in;

	for (;;) {
		int r = wire_next(reader, &in);

		if (r == 1)
			r = rows_take(rows, &in);
		else if (r == 0)
			break;
		if (r < 0)
			return fail_errno(failure, FAILURE_RECORDS, r);
	}
	if (!rows->complete)
		return 0;
	/* Half a frame behind the trailer is something behind the trailer. */
	return reader->buf.size == reader->used ? 1 : failure_set(failure, FAILURE_RECORDS, 0);
}

static int
receive(const struct report_job *job, struct tables *tables, struct failure *failure)
{
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct rows rows = { .tables = tables, .with_rows = job->with_rows };

	for (;;) {
		int r = take_all(&rows, &reader, failure);
		ssize_t n;

		if (r != 0)
			return r < 0 ? r : 0;
		if (job->cancelled != NULL && job->cancelled(job->userdata))
			return failure_set(failure, FAILURE_CANCELLED, 0);
		n = wire_read(&reader, job->pipe_fd);
		if (n == 0)
			return failure_set(failure, FAILURE_RECORDS_CUT, 0);
		if (n < 0)
			return fail_errno(failure, FAILURE_RECORDS_CUT, (int)n);
	}
}

static int
check_zip_fd(int fd, struct failure *failure)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failure_set(failure, FAILURE_PROTOCOL, -errno);
	/* Bytes behind our own would be part of the zip to some readers. */
	if (!S_ISREG(st.st_mode) || st.st_size != 0)
		return failure_set(failure, FAILURE_PROTOCOL, -EINVAL);
	return 0;
}

static int
make(const struct report_job *job, const struct tables *tables, const char *password, struct report_result *result,
    struct failure *failure)
{
	uint64_t size = 0;
	int number = 0, r;

	if (check_zip_fd(job->zip_fd, failure) < 0)
		return -1;
	r = pack_tables(tables, password, job->today, job->zip_fd, &size, &number);
	if (r < 0)
		return fail_errno(failure, FAILURE_INTERNAL, number != 0 ? number : r);
	r = read_back(job->zip_fd, size, tables, password);
	if (r < 0)
		return fail_errno(failure, FAILURE_REPORT_READ_BACK, r);
	if (r > 0)
		return failure_set(failure, FAILURE_REPORT_READ_BACK, 0);
	result->size = size;
	return 0;
}

int
report_job_run(const struct report_job *job, struct report_result *ret, struct failure *ret_failure)
{
	_cleanup_tables_ struct tables tables;
	struct report_result result = { .size = 0 };
	char *password;
	int r;

	tables_init(&tables, job->max);
	if (receive(job, &tables, ret_failure) < 0)
		return -1;
	if (!tables_empty(&tables)) {
		password = strndup(job->password, job->password_size);
		if (password == NULL)
			return failure_set(ret_failure, FAILURE_MEMORY, -ENOMEM);
		r = make(job, &tables, password, &result, ret_failure);
		if (r == 0)
			tables_digest(&tables, password, result.digest);
		explicit_bzero(password, strlen(password));
		free(password);
		if (r < 0)
			return r;
	}
	memcpy(result.classes, tables.classes, sizeof(result.classes));
	result.held = tables.rows[TABLE_HELD];
	result.rejected = tables.rows[TABLE_REJECTED];
	result.opted_out = tables.rows[TABLE_OPTED_OUT];
	*ret = result;
	return 0;
}
