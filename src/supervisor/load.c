/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One load: three stages side by side, their words checked, their failures told apart. */

#include "supervisor/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/date.h"
#include "common/feed_name.h"
#include "common/present.h"
#include "common/shape.h"
#include "supervisor/drift.h"
#include "supervisor/errand.h"
#include "supervisor/journal.h"
#include "supervisor/mailer.h"
#include "supervisor/manager.h"
#include "supervisor/report.h"
#include "supervisor/sentence.h"
#include "supervisor/status.h"
#include "supervisor/tally.h"
#include "supervisor/workspace.h"

enum part { PART_DECODE, PART_LOAD, PART_REPORT, PART_MAX };

struct load {
	struct manager *manager;
	struct load_options options;
	char id[LOAD_ID_SIZE];
	int32_t today;
	struct errand *parts[PART_MAX];
	bool running[PART_MAX];
	bool failed[PART_MAX];
	struct failure failures[PART_MAX];
	struct tally tally;
	struct feed_shape last[FEED_KIND_MAX]; /* what the shapes are compared with */
	struct guard_figure approved[MEMORY_GUARDS_MAX];
	size_t approved_count;
	struct guard_figure drift[FEED_KIND_MAX * DRIFT_FIGURES_MAX]; /* guards of the supervisor's own that trip */
	size_t drift_count;
	struct load_result result;
	bool indexed;
	enum phase phase;
	usec_t phase_since;
	int records_write;     /* the records pipe's other end, held until decode has ended */
	int zip_fd;            /* the clean-up report, to be delivered */
	struct report_made report;
	struct errand *delivery;
	char report_name[REPORT_NAME_SIZE];
};

struct load *
load_free(struct load *load)
{
	if (load == NULL)
		return NULL;
	for (size_t i = 0; i < PART_MAX; i++)
		load->parts[i] = errand_free(load->parts[i]);
	load->delivery = errand_free(load->delivery);
	load->records_write = fd_close(load->records_write);
	load->zip_fd = workspace_wipe(load->zip_fd);
	tally_done(&load->tally);
	free(load);
	return NULL;
}

const char *
load_id(const struct load *load)
{
	return load->id;
}

void
load_outcomes(const struct load *load, uint64_t ret[static OUTCOME_KIND_MAX])
{
	memset(ret, 0, OUTCOME_KIND_MAX * sizeof(ret[0]));
	for (int i = 0; i < FEED_KIND_MAX; i++) {
		bool told = (load->tally.told_kinds & FEED_BIT(i)) != 0;
		const struct feed_counts *counts = told ? &load->tally.told[i] : &load->tally.own[i];

		for (int k = 0; k < OUTCOME_KIND_MAX; k++)
			ret[k] += counts->by_outcome[k];
	}
}

void
load_cancel(struct load *load)
{
	errand_cancel(load->parts[PART_LOAD]);
	errand_cancel(load->parts[PART_DECODE]);
}

/* --- the end --- */

/* Which failure is the cause and which only its echo: a pipe that breaks is told by both its ends. */
static const struct failure *
cause(const struct load *load)
{
	const struct failure *decode = load->failed[PART_DECODE] ? &load->failures[PART_DECODE] : NULL;
	const struct failure *rows = load->failed[PART_LOAD] ? &load->failures[PART_LOAD] : NULL;

	/* A decode that could not hand on its rows tells no more than that load ended before it. */
	if (decode != NULL && rows != NULL && decode->code == FAILURE_RECORDS)
		return rows;
	if (decode != NULL && rows != NULL)
		/* Rows that load refused are decode's lie, however it ended then: never an echo. */
		return rows->code == FAILURE_RECORDS_CUT || rows->code == FAILURE_CANCELLED ? decode : rows;
	/* Load that ended well although decode did not: it has not read to the trailer, which cannot be. */
	return decode != NULL ? decode : rows;
}

static enum program
cause_program(const struct load *load, const struct failure *failure)
{
	return failure == &load->failures[PART_DECODE] ? PROGRAM_DECODE : PROGRAM_LOAD;
}

static void
tell_summary(struct load *load, enum feed_kind feed, const struct feed_counts *c, const char *what)
{
	struct entry entry;
	char rows[27], current[27];

	entry_begin(&entry, 5, MESSAGE_SUMMARY, feed, load->id,
	    "%s%s, %s feed: %s rows: %u created, %u renewed, %s current, %u skipped, %u held, %u rejected, %u failed.",
	    load->options.dry_run ? "Dry run, " : "", what, feed_kind_name(feed), present_number(c->rows, rows), c->by_outcome[OUTCOME_CREATED],
	    c->by_outcome[OUTCOME_RENEWED], present_number(c->by_outcome[OUTCOME_CURRENT], current),
	    c->by_outcome[OUTCOME_SKIPPED], c->by_outcome[OUTCOME_HELD], c->by_outcome[OUTCOME_REJECTED],
	    c->by_outcome[OUTCOME_FAILED]);
	entry_field(&entry, "SUMMARY", "%s", what);
	entry_field(&entry, "DRY_RUN", "%d", load->options.dry_run);
	entry_field(&entry, "ROWS", "%u", c->rows);
	tally_add_fields(&entry, c);
	entry_send(&entry);
}

static void
tell_failure(struct load *load, const struct failure *failure)
{
	struct entry entry;
	char text[1024];

	sentence_failure(cause_program(load, failure), failure, text, sizeof(text));
	entry_begin(&entry, 3, MESSAGE_LOAD_FAILED, FEED_KIND_INVALID, load->id, "Load %s: %s",
	    failure->code == FAILURE_CANCELLED && failure->number == CANCELLED_BY_STOP ? "stopped" : "failed", text);
	entry_field(&entry, "REASON", "%s", failure_word(failure->code));
	if (failure->feed >= 0)
		entry_field(&entry, "FEED", "%s", feed_kind_name(failure->feed));
	if (failure->row > 0)
		entry_field(&entry, "ROW", "%u", failure->row);
	entry_send(&entry);
	status_set("FAILED: %s", text);
}

static void
tell_guards(struct load *load)
{
	struct entry entry;
	char text[256];

	for (uint32_t i = 0; i < load->result.guard_count; i++) {
		const struct guard_figure *g = &load->result.guards[i];

		present_guard(g, text, sizeof(text));
		entry_begin(&entry, 4, MESSAGE_LOAD_HELD, g->feed, load->id,
		    "HELD by guard: %s. Nothing was written.", text);
		entry_field(&entry, "GUARD", "%s", guard_name(g->guard));
		entry_field(&entry, "VALUE", "%llu", (unsigned long long)g->value);
		entry_field(&entry, "BASIS", "%llu", (unsigned long long)g->basis);
		entry_field(&entry, "LIMIT_PERCENT", "%u", g->limit_percent);
		if (guard_column(g) != NULL)
			entry_field(&entry, "COLUMN", "%s", guard_column(g));
		entry_send(&entry);
	}
	present_guard(&load->result.guards[0], text, sizeof(text));
	status_set("HELD by guard: %s. See patronctl status.", text);
}

static void
over(struct load *load)
{
	struct load_result result = load->result;
	load_over_fn on_over = load->options.on_over;
	void *userdata = load->options.userdata;

	load_free(load);
	on_over(&result, userdata);
}

static void
count_rows_left(struct load_result *result)
{
	for (int i = 0; i < FEED_KIND_MAX; i++)
		if (result->counts[i].by_reason[REASON_UNCLEAR] > 0 || result->counts[i].by_reason[REASON_UNREACHABLE] > 0)
			result->due = true;
}

/* A load that says it ended well must have accounted for every row of its plan, of every feed that was asked for. */
static bool
complete(const struct load *load)
{
	for (int i = 0; i < FEED_KIND_MAX; i++) {
		const struct feed_counts *c = &load->tally.told[i];
		uint64_t sum = 0;

		for (size_t k = 0; k < OUTCOME_KIND_MAX; k++)
			sum += c->by_outcome[k];
		if ((load->tally.told_kinds & FEED_BIT(i)) != 0 && (sum != c->rows || c->rows != load->result.plan[i].rows))
			return false;
	}
	return load->tally.told_kinds == load->options.kinds && load->result.plan_kinds == load->options.kinds;
}

/* Whether the load stage itself told of its end: then no request of its is under way any more. */
static bool
saw_its_end(const struct load *load)
{
	static const enum failure_code unseen[] = { FAILURE_STAGE_DIED, FAILURE_STAGE_SILENT, FAILURE_PROTOCOL };

	for (size_t i = 0; load->failed[PART_LOAD] && i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (load->failures[PART_LOAD].code == unseen[i])
			return false;
	/* its own deadline the stage tells itself, after its last answer */
	return !load->failed[PART_LOAD] || load->failures[PART_LOAD].code != FAILURE_DEADLINE ||
	       load->failures[PART_LOAD].number != ERRAND_OWN_DEADLINE;
}

/* The guards of drift before load's own: they say what is wrong with the feed, load's what would come of it. */
static void
take_drift(struct load *load)
{
	struct load_result *result = &load->result;

	if (result->guard_count + load->drift_count > MEMORY_GUARDS_MAX)
		result->guard_count = (uint32_t)(MEMORY_GUARDS_MAX - load->drift_count);
	memmove(result->guards + load->drift_count, result->guards, result->guard_count * sizeof(result->guards[0]));
	memcpy(result->guards, load->drift, load->drift_count * sizeof(result->guards[0]));
	result->guard_count += (uint32_t)load->drift_count;
}

static void
conclude(struct load *load)
{
	struct load_result *result = &load->result;
	const struct failure *failure = cause(load);

	if (failure == NULL && result->guard_count + load->drift_count == 0 && !complete(load)) {
		load->failed[PART_LOAD] = true;
		load->failures[PART_LOAD] = failure_of(FAILURE_PROTOCOL, WIRE_COUNTS);
		failure = cause(load);
	}
	take_drift(load);
	status_end_progress();
	manager_writing_ended(load->manager, saw_its_end(load));
	tally_counts(&load->tally, result);
	count_rows_left(result);
	if (failure != NULL) {
		result->failure = *failure;
		result->program = cause_program(load, failure);
	}
	result->end = failure != NULL ? LOAD_FAILED : result->guard_count > 0 ? LOAD_HELD : LOAD_COMPLETE;
	load->options.on_result(result, load->options.userdata);
	for (int i = 0; i < FEED_KIND_MAX; i++) {
		if ((result->kinds & FEED_BIT(i)) != 0)
			tell_summary(load, (enum feed_kind)i, &result->counts[i], failure != NULL ? "Broken off" : "Load");
		/* of a load that does not run to its end there is the plan for the rest */
		if ((result->plan_kinds & FEED_BIT(i)) != 0 && (failure != NULL || result->guard_count > 0))
			tell_summary(load, (enum feed_kind)i, &result->plan[i], "Plan");
	}
	if (failure != NULL)
		tell_failure(load, failure);
	else if (result->guard_count > 0)
		tell_guards(load);
	if (load->manager->once)
		status_print_table(load->id, result, load->options.dry_run);
}

/* --- the report --- */

static void
tell_report(struct load *load, enum program program, const struct failure *failure)
{
	report_tell(load->id, load->report_name, program, failure, &load->report.counts);
}

static void
mail_report(struct load *load, bool on_share)
{
	const struct mailer_report report = {
		.load_id = load->id,
		.today = load->today,
		.kinds = load->options.kinds,
		.made = &load->report,
		.zip_fd = load->zip_fd,
		.on_share = on_share,
	};

	mailer_post(load->manager->mailer, &report);
}

static void
on_delivered(const struct failure *failure, void *userdata)
{
	struct load *load = userdata;

	load->delivery = NULL;
	tell_report(load, PROGRAM_SHARE, failure);
	mail_report(load, failure == NULL);
	if (failure == NULL)
		manager_report_on_share(load->manager, load->report_name);
	else
		manager_keep_report(load->manager, TAKE_FD(load->zip_fd), load->report_name);
	over(load);
}

static void
on_removed(const struct failure *failure, void *userdata)
{
	struct load *load = userdata;

	load->delivery = NULL;
	/* One that waits to be delivered is overtaken by there being none. */
	manager_keep_report(load->manager, -EBADF, "");
	report_tell_empty(load->id, failure);
	over(load);
}

static void
name_report(struct load *load)
{
	report_name_make(load->today, load->options.kinds, load->report_name);
}

/*
 * True where the report has become empty: all went well, over a complete index. Then what lies on the share is of the past;
 * of a load that broke off nobody knows.
 */
static bool
is_empty(const struct load *load)
{
	return load->zip_fd >= 0 && load->report.size == 0 && load->indexed && !load->failed[PART_REPORT] &&
	       !load->failed[PART_LOAD] && !load->failed[PART_DECODE];
}

/* Returns a negative errno where there is nothing to wait for. */
static int
remove_old(struct load *load)
{
	mailer_empty(load->manager->mailer);
	if (!report_has_share(&load->manager->config))
		return -ENOENT;
	name_report(load);
	return report_remove(&load->delivery, load->manager, load->report_name, on_removed, load);
}

/* Likewise; without a share the report is mailed alone. */
static int
deliver(struct load *load)
{
	name_report(load);
	if (!report_has_share(&load->manager->config)) {
		mail_report(load, false);
		return -ENOENT;
	}
	return report_deliver(&load->delivery, load->manager, load->zip_fd, load->report_name, on_delivered, load);
}

/*
 * Decode has told the shapes, and load does not believe the rows before it sees the pipe's end: between the two is the time
 * to compare. Returns 0, or a negative errno where load cannot be told: then the pipe must not end.
 */
static int
check_drift(struct load *load)
{
	for (int i = 0; i < FEED_KIND_MAX; i++) {
		const struct drift_input input = {
			.percent = load->manager->config.guard,
			.feed = (enum feed_kind)i,
			.now = &load->result.shapes[i],
			.last = &load->last[i],
			.approved = load->approved,
			.approved_count = load->approved_count,
		};

		if ((load->options.kinds & FEED_BIT(i)) != 0)
			load->drift_count += drift_check(&input, load->drift + load->drift_count);
	}
	return load->drift_count > 0 ? errand_hold(load->parts[PART_LOAD]) : 0;
}

/* A feed of which there is a shape to compare with has its own, or nobody knows what decode did. */
static bool
shapes_told(const struct load *load)
{
	for (int i = 0; i < FEED_KIND_MAX; i++)
		if ((load->options.kinds & FEED_BIT(i)) != 0 && load->last[i].rows > 0 && load->result.shapes[i].rows == 0)
			return false;
	return true;
}

static void
decode_ended(struct load *load)
{
	if (!load->failed[PART_DECODE] && !shapes_told(load)) {
		load->failed[PART_DECODE] = true;
		load->failures[PART_DECODE] = failure_of(FAILURE_PROTOCOL, WIRE_SHAPE);
	}
	if (!load->failed[PART_DECODE]) {
		int r = check_drift(load);

		if (r < 0) {
			load->failed[PART_DECODE] = true;
			load->failures[PART_DECODE] = failure_of(FAILURE_INTERNAL, -r);
		}
	}
	/* Load believes the rows at the pipe's end, which no lie and no death of decode may look like. */
	if (load->failed[PART_DECODE])
		errand_cancel(load->parts[PART_LOAD]);
	load->records_write = fd_close(load->records_write);
}

static void
part_ended(struct load *load, enum part part, const struct failure *failure)
{
	load->parts[part] = NULL;
	load->running[part] = false;
	if (failure != NULL) {
		load->failed[part] = true;
		load->failures[part] = *failure;
	}
	if (part == PART_DECODE)
		decode_ended(load);
	if (part == PART_LOAD) {
		/* It need not have heard of decode's end, nor decode of its: a part left alone ends by its pipe. */
		errand_set_timeout(load->parts[PART_REPORT], load->manager->config.load.stage_timeout);
	}
	for (size_t i = 0; i < PART_MAX; i++)
		if (load->running[i])
			return;
	conclude(load);
	if (load->failed[PART_REPORT] && !load->failed[PART_LOAD] && !load->failed[PART_DECODE])
		tell_report(load, PROGRAM_REPORT, &load->failures[PART_REPORT]);
	if (is_empty(load) ? remove_old(load) < 0 :
	                     load->report.size == 0 || load->failed[PART_REPORT] || deliver(load) < 0)
		over(load);
}

static void on_decode_end(const struct failure *failure, void *userdata) { part_ended(userdata, PART_DECODE, failure); }
static void on_load_end(const struct failure *failure, void *userdata) { part_ended(userdata, PART_LOAD, failure); }
static void on_report_end(const struct failure *failure, void *userdata) { part_ended(userdata, PART_REPORT, failure); }

/* --- answers --- */

static int
take_progress(struct load *load, struct wire_in *in)
{
	uint8_t phase = wire_get_u8(in);
	uint64_t done = wire_get_u64(in);
	uint64_t total = wire_get_u64(in);

	if (wire_finish(in) < 0 || phase >= PHASE_MAX)
		return -EBADMSG;
	if (load->phase != (enum phase)phase) {
		load->phase = (enum phase)phase;
		load->phase_since = manager_now(load->manager);
	}
	status_phase(load->phase, done, total, load->phase_since);
	return 0;
}

static int
on_decode_answer(struct wire_in *in, void *userdata)
{
	struct load *load = userdata;
	struct feed_shape shape;
	enum feed_kind feed;

	/* Decode's progress feeds its deadline; what is shown is load's. */
	if (in->type == WIRE_PROGRESS)
		return 0;
	if (wire_get_shape(in, &feed, &shape) < 0 || (load->options.kinds & FEED_BIT(feed)) == 0 ||
	    load->result.shapes[feed].rows != 0)
		return -EBADMSG;
	load->result.shapes[feed] = shape;
	return 0;
}

static void
tell_outcome(struct load *load, const struct outcome *o)
{
	struct entry entry;
	bool differs = o->reason == REASON_DIFFERS;
	const char *kind = differs ? "differs" : outcome_kind_name(o->kind);
	char patron[32] = "";
	int priority = differs || o->kind == OUTCOME_FAILED ? 4 : o->kind == OUTCOME_HELD || o->kind == OUTCOME_REJECTED ? 5 : 6;

	if (o->patron_id != 0)
		(void)snprintf(patron, sizeof(patron), ", patron %llu", (unsigned long long)o->patron_id);
	entry_begin(&entry, priority, differs ? MESSAGE_DIFFERS : MESSAGE_ROW, o->feed, load->id, "%s row %u: %s%s%s%s",
	    feed_kind_name(o->feed), o->row, kind, o->reason != REASON_NONE && !differs ? ", " : "",
	    o->reason != REASON_NONE && !differs ? reason_name(o->reason) : "", patron);
	entry_field(&entry, "ROW", "%u", o->row);
	if (!differs)
		entry_field(&entry, "OUTCOME", "%s", kind);
	if (o->reason != REASON_NONE)
		entry_field(&entry, "REASON", "%s", reason_name(o->reason));
	if (o->patron_id != 0)
		entry_field(&entry, "PATRON_ID", "%llu", (unsigned long long)o->patron_id);
	if (load->options.dry_run)
		entry_field(&entry, "DRY_RUN", "1");
	entry_send(&entry);
}

static int
take_outcome(struct load *load, struct wire_in *in)
{
	struct outcome outcome;
	int r = wire_get_outcome(in, &outcome);

	if (r < 0)
		return r;
	if ((load->options.kinds & FEED_BIT(outcome.feed)) == 0)
		return -EBADMSG;
	r = tally_outcome(&load->tally, &outcome, load->result.plan[outcome.feed].rows);
	if (r < 0)
		return r;
	load->result.guards_passed = true;
	tell_outcome(load, &outcome);
	return 0;
}

static int
take_counts(struct load *load, struct wire_in *in)
{
	struct feed_counts counts;
	enum feed_kind feed;
	int r = wire_get_counts(in, &feed, &counts);

	if (r < 0 || (load->options.kinds & FEED_BIT(feed)) == 0)
		return -EBADMSG;
	if (in->type == WIRE_PLAN) {
		/* once a feed, and before anything is decided by it */
		if ((load->result.plan_kinds & FEED_BIT(feed)) != 0 || load->result.guards_passed ||
		    load->result.guard_count > 0)
			return -EBADMSG;
		if (!load->options.dry_run)
			manager_writing_begins(load->manager);
		load->result.plan[feed] = counts;
		load->result.plan_kinds |= FEED_BIT(feed);
		return 0;
	}
	if (load->drift_count > 0)
		return -EBADMSG;
	load->result.guards_passed = true;
	return tally_check(&load->tally, feed, &counts, load->manager->config.log.current);
}

static int
take_guard(struct load *load, struct wire_in *in)
{
	struct load_result *result = &load->result;

	if (result->guards_passed || result->guard_count == MEMORY_GUARDS_MAX)
		return -EBADMSG;
	if (wire_get_guard(in, &result->guards[result->guard_count]) < 0)
		return -EBADMSG;
	result->guard_count++;
	return 0;
}

static int
on_load_answer(struct wire_in *in, void *userdata)
{
	struct load *load = userdata;

	switch ((int)in->type) {
	case WIRE_PROGRESS:
		return take_progress(load, in);
	case WIRE_INDEXED:
		if (load->indexed)
			return -EBADMSG;
		load->indexed = true;
		load->result.patrons = wire_get_u64(in);
		return wire_finish(in);
	case WIRE_OUTCOME:
		/* before the plan, or of a held load, there are none */
		return load->result.plan_kinds == 0 || load->result.guard_count + load->drift_count > 0 ? -EBADMSG
		                                                                                       : take_outcome(load, in);
	case WIRE_PLAN:
	case WIRE_COUNTS:
		return take_counts(load, in);
	case WIRE_GUARD:
		return take_guard(load, in);
	default:
		return -EBADMSG;
	}
}

static int
on_report_answer(struct wire_in *in, void *userdata)
{
	struct load *load = userdata;

	if (in->type == WIRE_PROGRESS)
		return 0;
	return report_take(in, &load->report);
}

/* --- starting --- */

static int
run_part(struct load *load, enum part part, struct wire_out *out, const int *fds, size_t fd_count)
{
	static const struct {
		enum program program;
		errand_answer_fn on_answer;
		errand_end_fn on_end;
	} parts[PART_MAX] = {
		[PART_DECODE] = { PROGRAM_DECODE, on_decode_answer, on_decode_end },
		[PART_LOAD] = { PROGRAM_LOAD, on_load_answer, on_load_end },
		[PART_REPORT] = { PROGRAM_REPORT, on_report_answer, on_report_end },
	};
	const struct errand_options options = {
		.program = parts[part].program,
		.out = out,
		.fds = fds,
		.fd_count = fd_count,
		/* Report is silent until load's last word. Decode's pipe load drains all the while. */
		.timeout = part != PART_REPORT ? load->manager->config.load.stage_timeout : 0,
		.on_answer = parts[part].on_answer,
		.on_end = parts[part].on_end,
		.userdata = load,
	};
	int r = errand_run(&load->parts[part], load->manager, &options);

	load->running[part] = r == 0;
	return r;
}

static int
start_decode(struct load *load, int pipe_write)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const int fds[] = { load->options.feed_fd, pipe_write };
	int r;

	wire_begin(&out, WIRE_DECODE_RECORDS);
	wire_put_u8(&out, (uint8_t)load->options.kinds);
	wire_put_i32(&out, load->today);
	r = wire_end(&out);
	return r < 0 ? r : run_part(load, PART_DECODE, &out, fds, 2);
}

static int
start_load(struct load *load, int pipe_read, int report_write)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct memory *memory = load->options.memory;
	const struct content *content = load->options.content;
	const int fds[] = { pipe_read, report_write };
	int r;

	wire_begin(&out, WIRE_LOAD);
	wire_put_u8(&out, load->options.dry_run);
	wire_put_u8(&out, (uint8_t)load->options.kinds);
	wire_put_i32(&out, load->today);
	for (int i = 0; i < FEED_KIND_MAX; i++)
		wire_put_u32(&out, (load->options.kinds & FEED_BIT(i)) != 0 ? memory->last_rows[i] : 0);
	wire_put_u64(&out, memory->last_patrons);
	wire_put_u8(&out, content != NULL ? (uint8_t)content->approved_count : 0);
	for (uint32_t i = 0; content != NULL && i < content->approved_count; i++) {
		wire_put_u8(&out, (uint8_t)content->approved[i].guard);
		wire_put_u8(&out, content->approved[i].feed >= 0 ? (uint8_t)content->approved[i].feed : 255);
		wire_put_u64(&out, content->approved[i].value);
	}
	r = wire_end(&out);
	return r < 0 ? r : run_part(load, PART_LOAD, &out, fds, report_write >= 0 ? 2 : 1);
}

static int
start_report(struct load *load, int report_read)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	int fds[2] = { report_read, -EBADF };
	int r;

	load->zip_fd = workspace_new();
	if (load->zip_fd < 0)
		return load->zip_fd;
	fds[1] = load->zip_fd;
	wire_begin(&out, WIRE_REPORT);
	wire_put_i32(&out, load->today);
	r = wire_end(&out);
	return r < 0 ? r : run_part(load, PART_REPORT, &out, fds, 2);
}

static int
start_parts(struct load *load)
{
	_cleanup_fd_ int records_read = -EBADF, records_write = -EBADF, report_read = -EBADF, report_write = -EBADF;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	records_read = ends[0];
	records_write = ends[1];
	if (!load->options.dry_run && report_wanted(&load->manager->config)) {
		if (pipe2(ends, O_CLOEXEC) < 0)
			return -errno;
		report_read = ends[0];
		report_write = ends[1];
		r = start_report(load, report_read);
		if (r < 0)
			return r;
	}
	r = start_decode(load, records_write);
	if (r < 0)
		return r;
	load->records_write = TAKE_FD(records_write);
	return start_load(load, records_read, report_write);
}

int
load_start(struct load **ret, struct manager *manager, const struct load_options *options)
{
	struct load *load = calloc(1, sizeof(*load));
	struct entry entry;
	int r;

	if (load == NULL)
		return -ENOMEM;
	load->manager = manager;
	load->options = *options;
	load->records_write = -EBADF;
	load->zip_fd = -EBADF;
	load->phase = PHASE_INVALID;
	memcpy(load->last, options->memory->last_shape, sizeof(load->last));
	if (options->content != NULL) {
		load->approved_count = options->content->approved_count;
		memcpy(load->approved, options->content->approved, sizeof(load->approved));
	}
	load->today = date_today();
	(void)snprintf(load->id, sizeof(load->id), "%s", options->id);
	entry_begin(&entry, 6, MESSAGE_LOAD_STARTED, FEED_KIND_INVALID, load->id, "%s %s started.",
	    options->dry_run ? "Dry run" : "Load", load->id);
	entry_send(&entry);
	r = start_parts(load);
	if (r < 0) {
		load_free(load);
		return r;
	}
	*ret = load;
	return 0;
}
