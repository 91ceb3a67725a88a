/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * patrond-load: retrieves the index, matches, plans, checks the guards, writes to Sierra. It has the API key, and TCP to
 * one port.
 *
 *   LOAD ─▶ secrets, names, CA ─▶ walls ─▶ index + records ─▶ plan ─▶ guards ─▶ writes ─▶ reading back ─▶ report ─▶ DONE
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/keyrule.h"
#include "load/clock.h"
#include "load/guards.h"
#include "load/index.h"
#include "load/job.h"
#include "load/peer.h"
#include "load/plan.h"
#include "load/read_back.h"
#include "load/records.h"
#include "load/report_pipe.h"
#include "load/retrieve.h"
#include "load/rows.h"
#include "load/write.h"

#define CA_DEFAULT "/etc/ssl/certs/ca-certificates.crt"

struct load {
	struct stage stage;
	struct job job;
	struct run run;
	struct key_rule *rule;
	struct rows *rows;
	struct index *index;
	struct plan *plan;
	struct records records;
	struct sierra *sierra;
	struct failure failure; /* code NONE while all is well */
};

static int
fail(struct load *load, enum failure_code code, int number)
{
	load->failure = failure_of(code, number);
	return -ECANCELED;
}

static int
fail_errno(struct load *load, int r)
{
	return fail(load, r == -ENOMEM || r == -ENOBUFS ? FAILURE_MEMORY : FAILURE_INTERNAL, r);
}

/* --- before the walls --- */

static int
read_ca(struct load *load, char **ret, size_t *ret_size)
{
	const char *configured = load->stage.config.sierra.ca_file;
	bool own = configured[0] != '\0';
	int r = fd_read_file(own ? configured : CA_DEFAULT, LIMIT_CA_SIZE, ret, ret_size);

	if (r < 0)
		return fail(load, own ? FAILURE_CONFIG : FAILURE_TLS_CA, r);
	return 0;
}

static int
open_sierra(struct load *load, const struct peer *peer)
{
	_cleanup_free_ char *ca = NULL;
	size_t ca_size = 0, size = 0;
	const char *credential;
	int r;

	r = read_ca(load, &ca, &ca_size);
	if (r < 0)
		return r;
	credential = secret_line(&load->stage.secret, 0, &size);
	if (credential == NULL)
		return fail(load, FAILURE_CREDENTIAL, -ENOKEY);
	r = sierra_new(&load->sierra, &load->stage.config, credential, size, ca, ca_size,
	    peer->resolve.size > 0 ? peer->resolve.bytes : NULL);
	secret_done(&load->stage.secret);
	if (r == -EINVAL)
		return fail(load, FAILURE_CREDENTIAL, r);
	return r < 0 ? fail_errno(load, r) : 0;
}

static int
make_containers(struct load *load)
{
	int r = key_rule_new(&load->rule, load->stage.config.match.barcode_pattern);

	if (r == -EINVAL)
		return fail(load, FAILURE_CONFIG, r);
	if (r == 0)
		r = rows_new(&load->rows);
	if (r == 0)
		r = index_new(&load->index, load->rule);
	return r < 0 ? fail_errno(load, r) : 0;
}

/* Everything that needs a file or a name; then the walls. */
static int
prepare(struct load *load)
{
	struct peer peer = { 0 };
	struct sandbox_options options = { 0 };
	int r, number = 0;

	if (load->stage.config.sierra.url[0] == '\0' || peer_from_url(&peer, load->stage.config.sierra.url) < 0)
		return fail(load, FAILURE_CONFIG, -EINVAL);
	options.tcp_port = peer.port;
	r = peer_resolve(&peer, &number);
	if (r < 0)
		r = fail(load, FAILURE_RESOLVE, number);
	if (r == 0)
		r = make_containers(load);
	if (r == 0)
		r = open_sierra(load, &peer);
	peer_done(&peer);
	return r < 0 ? r : stage_walls(&load->stage, &options);
}

/* --- the job --- */

/* What a phase answered, and whether the load was broken off in it. */
static int
phase_result(struct load *load, int r)
{
	const struct failure *failure = sierra_failure(load->sierra);

	if (r < 0)
		return fail_errno(load, r);
	if (failure == NULL)
		return 0;
	load->failure = *failure;
	return -ECANCELED;
}

static int
match(struct load *load)
{
	const struct config *config = &load->stage.config;
	const struct plan_rules rules = {
		.today = load->job.today,
		.term_weeks = config->patron.term_weeks,
		.renew_window_days = config->patron.renew_window_days,
		.confirm = config->match.confirm,
	};
	int r;

	say_phase(&load->run.say, PHASE_MATCHING, 0, rows_total(load->rows));
	say_turn(&load->run.say);
	index_finish(load->index);
	r = plan_match(&load->plan, load->rows, load->index, load->rule, &rules);
	if (r < 0)
		return fail_errno(load, r);
	say_plan(&load->run.say, load->plan);
	return 0;
}

/*
 * Returns how many guards hold the load, the supervisor's (it has said HOLD by the records' end) as one. A CANCEL that came
 * while the plan was made is heard with it, and breaks the load off.
 */
static size_t
check_guards(struct load *load)
{
	struct guard_figure figures[GUARD_FIGURES_MAX];
	struct guard_input input = {
		.percent = load->stage.config.guard,
		.manual = load->stage.config.load.start == LOAD_START_MANUAL,
		.patrons = index_patrons(load->index),
		.last_patrons = load->job.last_patrons,
		.approvals = load->job.approvals,
		.approval_count = load->job.approval_count,
	};
	size_t count;

	for (enum feed_kind feed = 0; feed < FEED_KIND_MAX; feed++) {
		input.last_rows[feed] = load->job.last_rows[feed];
		plan_counts_planned(load->plan, feed, &input.counts[feed]);
	}
	count = guards_check(&input, figures);
	say_guards(&load->run.say, figures, count);
	if (stage_cancelled(&load->stage))
		run_fail(&load->run, FAILURE_CANCELLED, 0);
	return count + load->stage.held;
}

/* Rows that ended with the plan. */
static void
say_decided(struct load *load)
{
	uint32_t total = rows_total(load->rows);

	for (row_ref ref = 0; ref < total; ref++)
		if (plan_action(load->plan, ref) == PLAN_NONE)
			say_outcome(&load->run.say, load->plan, ref);
}

static int
write_all(struct load *load)
{
	int r;

	say_decided(load);
	r = phase_result(load, write_plan(&load->run, load->plan));
	if (r == 0 && !load->job.dry_run)
		r = phase_result(load, read_back(&load->run, load->plan));
	return r;
}

static int
do_job(struct load *load)
{
	int r = phase_result(load, retrieve(&load->run, load->index, &load->records));

	if (r == 0)
		r = match(load);
	if (r < 0)
		return r;
	if (check_guards(load) == 0) {
		r = write_all(load);
		say_counts(&load->run.say, load->plan); /* of a load that broke off too: what was done stands */
	}
	if (r == 0)
		report_pipe_write(&load->run, &load->job.report_fd, load->index, load->plan);
	return r;
}

static void
run_begin(struct load *load)
{
	load->run = (struct run){
		.stage = &load->stage,
		.config = &load->stage.config,
		.job = &load->job,
		.sierra = load->sierra,
		.deadline = clock_now() + load->stage.config.load.deadline,
	};
	say_init(&load->run.say, &load->stage);
	records_init(&load->records, load->job.records_fd, load->job.today, load->job.kinds, load->rows);
}

static int
answer(struct load *load, int r)
{
	/* -ECANCELED with a failure: it is told. Anything else has been, or cannot be. */
	if (r < 0 && load->failure.code != FAILURE_NONE)
		return stage_fail(&load->stage, &load->failure);
	return r < 0 ? r : stage_done(&load->stage);
}

static int
serve(struct load *load)
{
	struct wire_in in;
	int r = stage_request(&load->stage, &in);

	if (r <= 0)
		return r;
	if (job_read(&in, &load->stage.reader, &load->job) < 0) {
		(void)fail(load, FAILURE_PROTOCOL, 0);
		return answer(load, -EBADMSG);
	}
	if (stage_hear(&load->stage))
		return answer(load, fail(load, FAILURE_CANCELLED, 0));
	r = prepare(load);
	if (r == 0) {
		run_begin(load);
		r = do_job(load);
	}
	return answer(load, r);
}

static void
load_done(struct load *load)
{
	/* Sierra first: its slots point into what the phases own. */
	load->sierra = sierra_free(load->sierra);
	load->plan = plan_free(load->plan);
	load->index = index_free(load->index);
	records_done(&load->records);
	load->rows = rows_free(load->rows);
	load->rule = key_rule_free(load->rule);
	job_done(&load->job);
}

int
main(void)
{
	static struct load load;
	int r;

	load.job = (struct job){ .records_fd = -EBADF, .report_fd = -EBADF };
	r = stage_begin(&load.stage, PROGRAM_LOAD);
	if (r == 0)
		r = serve(&load);
	load_done(&load);
	return stage_end(&load.stage, r);
}
