/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One load: three stages side by side, their words checked, their failures told apart. */

#include "supervisor/load_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/date.h"
#include "supervisor/journal.h"
#include "supervisor/manager.h"
#include "supervisor/status.h"
#include "supervisor/workspace.h"

#define RECORDS_PIPE_SIZE (256 << 10) /* bytes: decode writes on while load takes what is there; without it, 64 KiB */

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

void
load_over(struct load *load)
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

/* Whether the load stage itself told of its end: then none of its requests is under way but those whose rows are unclear. */
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

/*
 * Whether Sierra may still be at a create of this load, which an index taken now would not show. Renewals have no part in
 * it: a second one makes no second patron.
 */
static bool
may_be_creating(const struct load *load)
{
	const struct load_result *result = &load->result;

	if (!saw_its_end(load))
		return true;
	for (int i = 0; i < FEED_KIND_MAX; i++)
		if (result->plan[i].by_outcome[OUTCOME_CREATED] > 0 && result->counts[i].by_reason[REASON_UNCLEAR] > 0)
			return true;
	return false;
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
	tally_counts(&load->tally, result);
	if (!load->options.dry_run)
		manager_writing_ended(load->manager, !may_be_creating(load));
	count_rows_left(result);
	if (failure != NULL) {
		result->failure = *failure;
		result->program = load_cause_program(load, failure);
	}
	result->end = failure != NULL ? LOAD_FAILED : result->guard_count > 0 ? LOAD_HELD : LOAD_COMPLETE;
	load->options.on_result(result, load->options.userdata);
	for (int i = 0; i < FEED_KIND_MAX; i++) {
		if ((result->kinds & FEED_BIT(i)) != 0)
			load_tell_summary(load, (enum feed_kind)i, &result->counts[i], failure != NULL ? "Broken off" : "Load");
		/* of a load that does not run to its end there is the plan for the rest */
		if ((result->plan_kinds & FEED_BIT(i)) != 0 && (failure != NULL || result->guard_count > 0))
			load_tell_summary(load, (enum feed_kind)i, &result->plan[i], "Plan");
	}
	if (failure != NULL)
		load_tell_failure(load, failure);
	else if (result->guard_count > 0)
		load_tell_guards(load);
	if (load->manager->once)
		status_print_table(load->id, result, load->options.dry_run);
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
	if (load_settle_report(load) < 0)
		load_over(load);
}

static void on_decode_end(const struct failure *failure, void *userdata) { part_ended(userdata, PART_DECODE, failure); }
static void on_load_end(const struct failure *failure, void *userdata) { part_ended(userdata, PART_LOAD, failure); }
static void on_report_end(const struct failure *failure, void *userdata) { part_ended(userdata, PART_REPORT, failure); }

/* --- starting --- */

static int
run_part(struct load *load, enum part part, struct wire_out *out, const int *fds, size_t fd_count)
{
	static const struct {
		enum program program;
		errand_answer_fn on_answer;
		errand_end_fn on_end;
	} parts[PART_MAX] = {
		[PART_DECODE] = { PROGRAM_DECODE, load_on_decode_answer, on_decode_end },
		[PART_LOAD] = { PROGRAM_LOAD, load_on_load_answer, on_load_end },
		[PART_REPORT] = { PROGRAM_REPORT, load_on_report_answer, on_report_end },
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

/* The pipe of the records. A kernel that grants no larger one only costs decode and load turns. */
static int
make_records_pipe(int ret_ends[2])
{
	if (pipe2(ret_ends, O_CLOEXEC) < 0)
		return -errno;
	(void)fcntl(ret_ends[1], F_SETPIPE_SZ, RECORDS_PIPE_SIZE);
	return 0;
}

static int
start_parts(struct load *load)
{
	_cleanup_fd_ int records_read = -EBADF, records_write = -EBADF, report_read = -EBADF, report_write = -EBADF;
	int ends[2], r;

	r = make_records_pipe(ends);
	if (r < 0)
		return r;
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
