/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * patrond-report: makes the clean-up report. Its power is nothing at all, its secret the report's password: it reads
 * load's rows from one descriptor and writes an encrypted zip to another.
 */

#include <errno.h>
#include <string.h>

#include "common/date.h"
#include "common/fd.h"
#include "common/stage.h"
#include "common/winzip_aes.h"
#include "report/job.h"
#include "report/pack.h"

#define PIPE_AND_ZIP 2U

static bool
is_cancelled(void *userdata)
{
	return stage_cancelled(userdata);
}

static int
send_reported(struct stage *stage, const struct report_result *result)
{
	int r;

	wire_begin(&stage->out, WIRE_REPORTED);
	wire_put_u64(&stage->out, result->size);
	for (size_t i = 0; i < CLEANUP_CLASS_MAX; i++)
		wire_put_u32(&stage->out, result->classes[i]);
	wire_put_u32(&stage->out, result->held);
	wire_put_u32(&stage->out, result->rejected);
	wire_put_u32(&stage->out, result->opted_out);
	wire_put_bytes(&stage->out, result->digest, sizeof(result->digest));
	r = wire_end(&stage->out);
	return r < 0 ? r : stage_done(stage);
}

static int
fail(struct stage *stage, enum failure_code code, int number)
{
	struct failure failure = failure_of(code, number);

	return stage_fail(stage, &failure);
}

static int
do_report(struct stage *stage, struct wire_in *in)
{
	int32_t today = wire_get_i32(in);
	_cleanup_fd_ int pipe_fd = -EBADF, zip_fd = -EBADF;
	struct report_job job = { .today = today, .with_rows = stage->config.report.rows, .max = LIMIT_REPORT_SIZE };
	struct report_result result;
	struct failure failure;

	if (in->type != WIRE_REPORT || wire_finish(in) < 0 || stage->reader.fd_count != PIPE_AND_ZIP ||
	    today < 0 || today > date_to_days((struct date){ .year = 9999, .month = 12, .day = 31 }))
		return fail(stage, FAILURE_PROTOCOL, -EBADMSG);
	pipe_fd = job.pipe_fd = wire_take_fd(&stage->reader);
	zip_fd = job.zip_fd = wire_take_fd(&stage->reader);
	job.password = secret_line(&stage->secret, 0, &job.password_size);
	/* libzip takes a text: a password with a NUL would be cut there, to one that nobody set. */
	if (job.password == NULL || memchr(job.password, '\0', job.password_size) != NULL)
		return fail(stage, FAILURE_CREDENTIAL, -EINVAL);
	job.cancelled = is_cancelled;
	job.userdata = stage;
	if (report_job_run(&job, &result, &failure) < 0)
		return stage_fail(stage, &failure);
	return send_reported(stage, &result);
}

static int
warm(struct stage *stage)
{
	int r = winzip_aes_warm();

	if (r == 0)
		r = pack_warm();
	if (r < 0)
		(void)!fail(stage, FAILURE_INTERNAL, r);
	return r;
}

static int
run(struct stage *stage)
{
	struct wire_in in;
	int r;

	r = stage_begin(stage, PROGRAM_REPORT);
	if (r == 0)
		r = warm(stage);
	if (r == 0)
		r = stage_walls(stage, &(struct sandbox_options){ 0 });
	if (r == 0)
		r = stage_request(stage, &in);
	return r <= 0 ? r : do_report(stage, &in);
}

int
main(void)
{
	static struct stage stage;

	return stage_end(&stage, run(&stage));
}
