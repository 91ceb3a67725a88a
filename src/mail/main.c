/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * patrond-mail: mails the clean-up report's zip, still encrypted, or a notice. It has TCP to the relay and the relay's
 * password; to whom, from whom and by which relay it reads itself, so that nobody can make it send elsewhere.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "common/connect.h"
#include "common/stage.h"
#include "mail/job.h"
#include "mail/relay_session.h"
#include "mail/zip_check.h"

#define CA_DEFAULT "/etc/ssl/certs/ca-certificates.crt"
#define PROGRESS_USEC (5 * USEC_PER_SEC)

static int
fail(struct failure *ret_failure, enum failure_code code, int number)
{
	*ret_failure = failure_of(code, number);
	return -ECANCELED;
}

/* --- before the walls --- */

static int
read_ca(const struct config *config, char **ret, size_t *ret_size, struct failure *ret_failure)
{
	bool own = config->mail.ca_file[0] != '\0';
	int r = fd_read_file(own ? config->mail.ca_file : CA_DEFAULT, LIMIT_CA_SIZE, ret, ret_size);

	if (r < 0)
		return fail(ret_failure, own ? FAILURE_CONFIG : FAILURE_MAIL_CERTIFICATE, r);
	return 0;
}

static int
open_session(struct stage *stage, const struct relay *relay, struct relay_session **ret, struct failure *ret_failure)
{
	_cleanup_free_ char *ca = NULL;
	struct relay_session_options options = { .config = &stage->config, .relay = relay };
	int r = read_ca(&stage->config, &ca, &options.ca_size, ret_failure);

	if (r < 0)
		return r;
	options.ca = ca;
	if (stage->config.mail.user[0] != '\0') {
		options.password = secret_line(&stage->secret, 0, &options.password_size);
		if (options.password == NULL)
			return fail(ret_failure, FAILURE_CREDENTIAL, -ENOKEY);
	}
	r = connect_tcp(relay->host, relay->port, stage->config.mail.connect_timeout, &options.fd, ret_failure);
	if (r < 0)
		return -ECANCELED;
	r = relay_session_new(ret, &options);
	secret_done(&stage->secret);
	return r < 0 ? fail(ret_failure, r == -ENOMEM ? FAILURE_MEMORY : FAILURE_INTERNAL, r) : 0;
}

static int
prepare(struct stage *stage, struct relay_session **ret, struct failure *ret_failure)
{
	const struct config *config = &stage->config;
	struct relay relay;

	if (relay_parse(config->mail.relay, &relay) < 0 || config->mail.from[0] == '\0' || config->report.recipients[0] == '\0')
		return fail(ret_failure, FAILURE_CONFIG, -EINVAL);
	return open_session(stage, &relay, ret, ret_failure);
}

/* --- the job --- */

struct sending {
	struct stage *stage;
	usec_t told; /* monotonic: the last sign of life */
};

static usec_t
now_usec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000U;
}

static bool
on_alive(void *userdata)
{
	struct sending *sending = userdata;
	usec_t now = now_usec();

	if (stage_cancelled(sending->stage))
		return false;
	if (now - sending->told < PROGRESS_USEC)
		return true;
	sending->told = now;
	wire_begin(&sending->stage->out, WIRE_PROGRESS);
	wire_put_u8(&sending->stage->out, PHASE_REPORTING);
	wire_put_u64(&sending->stage->out, 0);
	wire_put_u64(&sending->stage->out, 0);
	return wire_end(&sending->stage->out) == 0 && stage_send(sending->stage) == 0;
}

static int
on_leaving(uint32_t accepted, void *userdata)
{
	struct sending *sending = userdata;
	int r;

	wire_begin(&sending->stage->out, WIRE_MAIL_LEAVING);
	wire_put_u32(&sending->stage->out, accepted);
	r = wire_end(&sending->stage->out);
	return r < 0 ? r : stage_send(sending->stage);
}

static int
make_message(const struct stage *stage, const struct mail_job *job, struct message *message, struct failure *ret_failure)
{
	struct message_options options = {
		.from = stage->config.mail.from,
		.recipients = stage->config.report.recipients,
		.skip = job->skip,
		.today = job->today,
		.kinds = job->kinds,
		.now = (int64_t)time(NULL),
		.held = job->held,
		.rejected = job->rejected,
		.zip_fd = job->zip_fd,
	};
	int r;

	for (size_t i = 0; i < CLEANUP_CLASS_MAX; i++)
		options.classes[i] = job->classes[i];
	if (job->zip_fd >= 0) {
		r = zip_check(job->zip_fd, &options.zip_size);
		if (r < 0)
			return fail(ret_failure, FAILURE_MAIL_REPORT, r);
	}
	if (getrandom(options.random, sizeof(options.random), 0) != (ssize_t)sizeof(options.random))
		return fail(ret_failure, FAILURE_INTERNAL, -EIO);
	r = message_make(message, &options);
	return r < 0 ? fail(ret_failure, r == -EINVAL ? FAILURE_CONFIG : FAILURE_MEMORY, r) : 0;
}

static int
tell_mailed(struct stage *stage, uint32_t taken, uint32_t refused)
{
	wire_begin(&stage->out, WIRE_MAILED);
	wire_put_u32(&stage->out, taken);
	wire_put_u32(&stage->out, refused);
	return wire_end(&stage->out);
}

/* Where some were refused the job has failed, and says who has it all the same. */
static int
send_mail(struct stage *stage, struct relay_session *session, const struct mail_job *job, struct failure *ret_failure)
{
	_cleanup_message_ struct message message = MESSAGE_INIT;
	struct sending sending = { .stage = stage, .told = now_usec() };
	const struct relay_session_handler handler = { on_leaving, on_alive, &sending };
	uint32_t taken = 0, refused = 0;
	int r = make_message(stage, job, &message, ret_failure);

	if (r < 0)
		return r;
	*ret_failure = relay_session_send(session, &message, job->skip, &handler, &taken, &refused);
	if (taken != 0)
		r = tell_mailed(stage, taken, refused);
	if (r < 0)
		return fail(ret_failure, FAILURE_INTERNAL, r);
	if (ret_failure->code != FAILURE_NONE)
		return -ECANCELED;
	return stage_done(stage);
}

static int
do_mail(struct stage *stage, struct relay_session *session, struct wire_in *in, struct failure *ret_failure)
{
	_cleanup_mail_job_ struct mail_job job = MAIL_JOB_INIT;
	int r = mail_job_read(in, &stage->reader, &stage->config, &job);

	if (r == -ESTALE)
		return fail(ret_failure, FAILURE_CONFIG, r);
	if (r < 0)
		return fail(ret_failure, FAILURE_PROTOCOL, r);
	return send_mail(stage, session, &job, ret_failure);
}

static int
run(struct stage *stage, struct failure *failure)
{
	_cleanup_relay_session_ struct relay_session *session = NULL;
	struct wire_in in;
	int r = prepare(stage, &session, failure);

	if (r == 0)
		r = stage_walls(stage, &(struct sandbox_options){ 0 });
	if (r == 0)
		r = stage_request(stage, &in);
	return r <= 0 ? r : do_mail(stage, session, &in, failure);
}

int
main(void)
{
	static struct stage stage;
	struct failure failure = failure_of(FAILURE_NONE, 0);
	int r = stage_begin(&stage, PROGRAM_MAIL);

	if (r == 0)
		r = run(&stage, &failure);
	/* -ECANCELED with a failure: it is told. Anything else has been, or cannot be. */
	if (r < 0 && failure.code != FAILURE_NONE)
		(void)!stage_fail(&stage, &failure);
	return stage_end(&stage, r);
}
