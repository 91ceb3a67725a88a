/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading and checking MAIL. */

#include "mail/job.h"

#include <errno.h>

#include "common/date.h"
#include "common/mailname.h"

static int
read_payload(struct wire_in *in, const struct config *config, struct mail_job *job)
{
	const uint32_t all = address_list_bits(config->report.recipients);
	uint64_t list;

	job->today = wire_get_i32(in);
	job->kinds = wire_get_u8(in);
	list = wire_get_u64(in);
	job->skip = wire_get_u32(in);
	for (size_t i = 0; i < CLEANUP_CLASS_MAX; i++)
		job->classes[i] = wire_get_u32(in);
	job->held = wire_get_u32(in);
	job->rejected = wire_get_u32(in);
	if (in->type != WIRE_MAIL || wire_finish(in) < 0)
		return -EBADMSG;
	/* It goes into the text: a day, not a number that somebody chose. */
	if (job->today < date_to_days((struct date){ 2020, 1, 1 }) || job->today > date_to_days((struct date){ 2200, 1, 1 }))
		return -EBADMSG;
	if (job->kinds == 0 || job->kinds > FEED_BITS_ALL)
		return -EBADMSG;
	if (list != address_list_tag(config->report.recipients))
		return -ESTALE;
	return (job->skip & ~all) != 0 || job->skip == all ? -EBADMSG : 0;
}

int
mail_job_read(struct wire_in *in, struct wire_reader *reader, const struct config *config, struct mail_job *ret)
{
	_cleanup_mail_job_ struct mail_job job = MAIL_JOB_INIT;
	int r;

	if (reader->fd_count > 0)
		job.zip_fd = wire_take_fd(reader);
	r = read_payload(in, config, &job);
	if (r == 0 && reader->fd_count > 0)
		r = -EBADMSG;
	if (r < 0)
		return r;
	/* The configuration's word is the last: who wants a notice gets no attachment. */
	if (config->mail.notify == MAIL_NOTICE)
		job.zip_fd = fd_close(job.zip_fd);
	*ret = job;
	job.zip_fd = -EBADF;
	return 0;
}

void
mail_job_done(struct mail_job *job)
{
	job->zip_fd = fd_close(job->zip_fd);
}
