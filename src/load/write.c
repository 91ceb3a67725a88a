/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Renewals and creates. */

#include "load/write.h"

#include <errno.h>
#include <stdlib.h>

#include "load/body.h"
#include "load/calls.h"
#include "load/clock.h"

/*
 * Rows that are begun at once, a connection: those under way, and those that wait to be tried or looked up again. More
 * than one, since a wait must not keep a connection idle; few, since of a load that breaks off all of them are unclear.
 */
#define TASKS_A_CONNECTION 4U
#define TASKS_MAX (TASKS_A_CONNECTION * LIMIT_CONNECTIONS)

#define LOOKS_TURNED_AWAY 2U

/* How often a write may have waited too long before it is given up: Sierra lets nothing through. */
#define STALE_MAX 10U

enum step { STEP_WRITE, STEP_RECHECK, STEP_REREAD, STEP_LOOK, STEP_READ };

struct task {
	struct sierra_call call;
	struct writer *writer;
	struct task *next_free;
	row_ref ref;
	enum step step;
	unsigned int looks;   /* of this look-up so far */
	unsigned int lost;    /* writes whose answer was lost */
	unsigned int slowed;  /* creates that were told to slow down */
	usec_t not_absent_before; /* until then an absent answer proves nothing */
	usec_t seen_at;           /* when Sierra last said how it stands with the row */
	unsigned int stale;       /* writes that waited too long */
	enum plan_action writes;  /* what the last write was */
};

struct writer {
	struct run *run;
	struct plan *plan;
	struct body_rules rules;
	row_ref cursor;
	enum plan_action action; /* renewals first */
	uint32_t total;
	uint32_t done;
	uint32_t failed_in_row;
	bool accepted[PLAN_CREATE + 1]; /* a write of that action was, in this load */
	bool started; /* a call was, since it was last set to false */
	struct task *free;
	struct pollfd fd;
	struct task tasks[TASKS_MAX];
};

/* --- ends --- */

static void
end_task(struct task *task)
{
	struct writer *w = task->writer;

	sierra_call_done(&task->call);
	task->next_free = w->free;
	w->free = task;
}

/*
 * Whether a failure says that Sierra is dead, or refuses whatever it is sent. That a patron is gone says neither, and rows
 * that are refused at every load must not keep those behind them from it once it is known that others are accepted. That a
 * date is says nothing of a whole patron: renewals and creates are told apart.
 */
static bool
breaks_circuit(const struct task *task, enum reason reason)
{
	if (reason == REASON_REFUSED || reason == REASON_PIN_REFUSED)
		return !task->writer->accepted[task->writes];
	return reason != REASON_GONE;
}

static void
count_for_breaker(const struct task *task, const struct outcome *outcome)
{
	struct writer *w = task->writer;

	if (outcome->kind == OUTCOME_RENEWED || outcome->kind == OUTCOME_CREATED)
		w->accepted[outcome->kind == OUTCOME_CREATED ? PLAN_CREATE : PLAN_RENEW] = true;
	if (outcome->kind != OUTCOME_FAILED)
		w->failed_in_row = 0;
	else if (breaks_circuit(task, outcome->reason))
		w->failed_in_row++;
	if (w->failed_in_row >= w->run->config->sierra.max_failures)
		run_fail(w->run, FAILURE_TOO_MANY_FAILURES, 0);
}

/* A row has its outcome: it is told, and counted for the circuit breaker. */
static void
settled(struct task *task)
{
	struct writer *w = task->writer;
	struct outcome outcome;

	plan_outcome(w->plan, task->ref, &outcome);
	say_outcome(&w->run->say, w->plan, task->ref);
	w->done++;
	count_for_breaker(task, &outcome);
	end_task(task);
}

static void
settle(struct task *task, enum outcome_kind kind, enum reason reason, uint64_t patron_id)
{
	int r = plan_settle(task->writer->plan, task->ref, kind, reason, patron_id);

	if (r < 0) {
		run_fail(task->writer->run, FAILURE_INTERNAL, r); /* a row that is settled twice is a bug */
		end_task(task);
		return;
	}
	settled(task);
}

static void
machinery_failed(struct task *task, int r)
{
	run_fail(task->writer->run, r == -ENOMEM || r == -ENOBUFS ? FAILURE_MEMORY : FAILURE_INTERNAL, r);
	end_task(task);
}

/* The load ended first: a row that was not tried keeps its action, one that may be done is unclear. */
static void
broken_off(struct task *task)
{
	if (task->call.maybe_done || task->lost > 0)
		settle(task, OUTCOME_FAILED, REASON_UNCLEAR, 0);
	else
		end_task(task);
}

/* --- requests --- */

static void
key_of(const struct task *task, struct record *record, struct text *ret)
{
	rows_get(plan_rows(task->writer->plan), task->ref, record);
	*ret = record->fields[RECORD_KEY];
}

/*
 * Until when a write may leave. The time of one request is always left to it: where nothing may be old it has just been
 * looked at.
 */
static usec_t
fresh_until(const struct task *task)
{
	const struct config *config = task->writer->run->config;
	usec_t age = config->match.recheck_after;

	return task->seen_at + (age > config->sierra.request_timeout ? age : config->sierra.request_timeout);
}

static void
start(struct task *task, enum step step, int r, usec_t delay)
{
	if (r < 0) {
		machinery_failed(task, r);
		return;
	}
	task->step = step;
	task->writer->started = true;
	task->call.not_after = step == STEP_WRITE ? fresh_until(task) : 0;
	task->call.fresh = task->lost > 0; /* kept connections that are closed under it must not make it unclear twice */
	sierra_start(task->writer->run->sierra, &task->call, delay);
}

static void
start_renew(struct task *task)
{
	struct writer *w = task->writer;
	struct outcome planned;
	int r;

	task->writes = PLAN_RENEW;
	plan_outcome(w->plan, task->ref, &planned);
	if (w->run->job->dry_run) {
		settle(task, OUTCOME_RENEWED, REASON_NONE, planned.patron_id);
		return;
	}
	r = call_renew(&task->call, planned.patron_id);
	if (r == 0)
		r = body_renew(&task->call.body, plan_expiration(w->plan));
	start(task, STEP_WRITE, r, 0);
}

static void
start_create(struct task *task)
{
	struct writer *w = task->writer;
	struct record record;
	int r;

	task->writes = PLAN_CREATE;
	if (w->run->job->dry_run) {
		settle(task, OUTCOME_CREATED, REASON_NONE, 0);
		return;
	}
	rows_get(plan_rows(w->plan), task->ref, &record);
	r = call_create(&task->call);
	if (r == 0)
		r = body_create(&task->call.body, &record, &w->rules);
	start(task, STEP_WRITE, r, 0);
}

static void
start_find(struct task *task, enum step step, usec_t delay)
{
	struct record record;
	struct text key;

	key_of(task, &record, &key);
	start(task, step, call_find(&task->call, key.bytes, key.size), delay);
}

static void
start_read(struct task *task, enum step step, usec_t delay)
{
	struct outcome planned;

	plan_outcome(task->writer->plan, task->ref, &planned);
	start(task, step, call_read(&task->call, planned.patron_id), delay);
}

/* --- the write whose answer was lost --- */

static bool
is_renewal(const struct task *task)
{
	return plan_action(task->writer->plan, task->ref) == PLAN_RENEW;
}

/* A renewal's patron is read by its id; a create is looked up by its key. */
static void
start_look(struct task *task, usec_t delay)
{
	if (is_renewal(task))
		start_read(task, STEP_READ, delay);
	else
		start_find(task, STEP_LOOK, delay);
}

/*
 * How long absence proves nothing once an answer was lost. A write that was given up on time may still be worked at, for as
 * much time again; and a create may be seen late, which would make the second one a duplicate.
 */
static usec_t
not_absent_for(const struct task *task)
{
	const struct config *config = task->writer->run->config;
	usec_t late = is_renewal(task) ? 0 : config->sierra.late_commit;
	usec_t slow = task->call.timed_out ? config->sierra.request_timeout : 0;

	return late > slow ? late : slow;
}

static void
begin_look(struct task *task)
{
	if (run_over(task->writer->run)) {
		task->lost += !task->call.slowed;
		broken_off(task);
		return;
	}
	task->looks = 0;
	if (task->call.slowed) {
		task->slowed++;
		task->not_absent_before = 0;
	} else {
		task->lost++;
		task->not_absent_before = clock_now() + not_absent_for(task);
	}
	start_look(task, 0);
}

/* Looks again after a growing pause, since what was written may not be visible at once. */
static void
look_again(struct task *task)
{
	struct run *run = task->writer->run;
	usec_t pause = sierra_pause(run->sierra, run->config->sierra.find_pause, task->looks - 1);

	start_look(task, pause);
}

/* The date was not there in any look: a renewal may be tried as often as any request. */
static void
surely_not_renewed(struct task *task)
{
	if (task->lost > task->writer->run->config->sierra.retries)
		settle(task, OUTCOME_FAILED, REASON_UNCLEAR, 0);
	else
		start_renew(task);
}

/* Absent in every look and long enough: once more, then it is for a person. */
static void
surely_absent(struct task *task)
{
	const struct config *config = task->writer->run->config;

	if (is_renewal(task)) {
		surely_not_renewed(task);
		return;
	}
	if (task->lost > 1 || (task->lost > 0 && task->slowed > config->sierra.retries))
		settle(task, OUTCOME_FAILED, REASON_UNCLEAR, 0);
	else if (task->slowed > config->sierra.retries)
		settle(task, OUTCOME_FAILED, REASON_UNREACHABLE, 0);
	else
		start_create(task);
}

static void
look_unclear(struct task *task)
{
	settle(task, OUTCOME_FAILED, REASON_UNCLEAR, 0);
}

static void
looked_absent(struct task *task)
{
	const struct config *config = task->writer->run->config;
	/* What Sierra itself turned away was most probably not done: two looks, a pause between them, are enough there. */
	unsigned int tries = task->lost > 0 || config->sierra.find_tries < LOOKS_TURNED_AWAY ? config->sierra.find_tries :
	                                                                                      LOOKS_TURNED_AWAY;

	task->looks++;
	if (task->looks >= tries && clock_now() >= task->not_absent_before)
		surely_absent(task);
	else
		look_again(task);
}

static void
looked_unknown(struct task *task)
{
	const struct config *config = task->writer->run->config;

	/* Not to be told is not to be told no: without an answer to the last look the row is unclear. */
	task->looks++;
	if (task->looks >= config->sierra.find_tries)
		look_unclear(task);
	else
		look_again(task);
}

static void
looked_found(struct task *task)
{
	switch (plan_confirm_created(task->writer->plan, task->ref, page_patron(task->call.page, 0))) {
	case PLAN_FOUND_ABSENT:
		looked_absent(task);
		break;
	case PLAN_FOUND_CREATED:
	case PLAN_FOUND_UNCLEAR:
		settled(task);
		break;
	}
}

/* Whether the patron that was read is the one that was asked for. */
static bool
is_the_rows(const struct task *task, const struct patron *patron)
{
	struct outcome planned;

	plan_outcome(task->writer->plan, task->ref, &planned);
	return patron->id == planned.patron_id;
}

static void
read_found(struct task *task)
{
	const struct patron *patron = page_patron(task->call.page, 0);

	if (!is_the_rows(task, patron))
		looked_unknown(task);
	else if (patron->deleted)
		settle(task, OUTCOME_FAILED, REASON_GONE, 0);
	else if (patron->expiration != DATE_NONE && patron->expiration >= plan_expiration(task->writer->plan))
		settle(task, OUTCOME_RENEWED, REASON_NONE, 0);
	else if (plan_resolve_renewal(task->writer->plan, task->ref, patron) != PLAN_RENEW)
		settled(task); /* it is not to be tried again: it became another's, or current, meanwhile */
	else
		looked_absent(task);
}

static void
on_read(struct task *task)
{
	switch (task->call.result) {
	case SIERRA_DONE:
		read_found(task);
		break;
	case SIERRA_ABSENT:
		settle(task, OUTCOME_FAILED, REASON_GONE, 0);
		break;
	case SIERRA_UNKNOWN:
		looked_unknown(task);
		break;
	case SIERRA_BROKEN_OFF:
		broken_off(task);
		break;
	default:
		look_unclear(task);
	}
}

static void
on_look(struct task *task)
{
	switch (task->call.result) {
	case SIERRA_DONE:
		looked_found(task);
		break;
	case SIERRA_ABSENT:
		looked_absent(task);
		break;
	case SIERRA_UNKNOWN:
		looked_unknown(task);
		break;
	case SIERRA_BROKEN_OFF:
		broken_off(task);
		break;
	default:
		look_unclear(task); /* several bear the key now: which is ours cannot be told */
	}
}

/* --- before a write, where the index is old --- */

static void
recheck_found(struct task *task)
{
	int action = plan_resolve_found(task->writer->plan, task->ref, page_patron(task->call.page, 0));

	if (action < 0)
		machinery_failed(task, action);
	else if (action == PLAN_CREATE)
		start_create(task);
	else if (action == PLAN_RENEW)
		start_renew(task);
	else
		settled(task);
}

static void
on_recheck(struct task *task)
{
	switch (task->call.result) {
	case SIERRA_DONE:
		recheck_found(task);
		break;
	case SIERRA_ABSENT:
		start_create(task);
		break;
	case SIERRA_SEVERAL:
		settle(task, OUTCOME_HELD, REASON_AMBIGUOUS, 0);
		break;
	case SIERRA_BROKEN_OFF:
		end_task(task); /* nothing was written */
		break;
	default:
		settle(task, OUTCOME_FAILED, REASON_UNREACHABLE, 0);
	}
}

/* Staff may have moved the date on, or the barcode to somebody else, since the index was taken. */
static void
reread_found(struct task *task)
{
	const struct patron *patron = page_patron(task->call.page, 0);

	if (!is_the_rows(task, patron))
		settle(task, OUTCOME_FAILED, REASON_UNREACHABLE, 0);
	else if (patron->deleted)
		settle(task, OUTCOME_FAILED, REASON_GONE, 0);
	else if (plan_resolve_renewal(task->writer->plan, task->ref, patron) == PLAN_RENEW)
		start_renew(task);
	else
		settled(task);
}

static void
on_reread(struct task *task)
{
	switch (task->call.result) {
	case SIERRA_DONE:
		reread_found(task);
		break;
	case SIERRA_ABSENT:
		settle(task, OUTCOME_FAILED, REASON_GONE, 0);
		break;
	case SIERRA_BROKEN_OFF:
		end_task(task); /* nothing was written */
		break;
	default:
		settle(task, OUTCOME_FAILED, REASON_UNREACHABLE, 0);
	}
}

/* --- writes --- */

/* Refused the second time, perhaps because the first had come through after all. A patron that is gone is gone. */
static void
failed(struct task *task)
{
	enum reason reason = task->call.reason;

	settle(task, OUTCOME_FAILED, task->lost > 0 && reason != REASON_GONE ? REASON_UNCLEAR : reason, 0);
}

static void
written(struct task *task)
{
	if (is_renewal(task))
		settle(task, OUTCOME_RENEWED, REASON_NONE, 0);
	else
		settle(task, OUTCOME_CREATED, REASON_NONE, task->call.id);
}

/* It waited so long that Sierra must be asked again how it stands with the row. */
static void
stale(struct task *task)
{
	if (++task->stale > STALE_MAX)
		settle(task, OUTCOME_FAILED, task->lost > 0 ? REASON_UNCLEAR : REASON_UNREACHABLE, 0);
	else if (task->lost > 0 || task->slowed > 0) {
		task->looks = 0; /* an earlier one of its writes may still come through: that look knows it as its own */
		start_look(task, 0);
	} else if (is_renewal(task))
		start_read(task, STEP_REREAD, 0);
	else
		start_find(task, STEP_RECHECK, 0);
}

static void
on_write(struct task *task)
{
	switch (task->call.result) {
	case SIERRA_DONE:
		written(task);
		break;
	case SIERRA_FAILED:
		failed(task);
		break;
	case SIERRA_LOOK_UP:
		begin_look(task);
		break;
	case SIERRA_STALE:
		stale(task);
		break;
	case SIERRA_BROKEN_OFF:
		broken_off(task);
		break;
	default:
		settle(task, OUTCOME_FAILED, REASON_UNCLEAR, 0);
	}
}

static void
on_ended(struct sierra_call *call, void *user)
{
	static void (*const steps[])(struct task *) = {
		[STEP_WRITE] = on_write,
		[STEP_RECHECK] = on_recheck,
		[STEP_REREAD] = on_reread,
		[STEP_LOOK] = on_look,
		[STEP_READ] = on_read,
	};
	struct task *task = user;

	if (task->step != STEP_WRITE && (call->result == SIERRA_DONE || call->result == SIERRA_ABSENT))
		task->seen_at = clock_now();
	steps[task->step](task);
}

/* --- the phase --- */

static bool
index_is_old(const struct run *run)
{
	return clock_now() >= run->indexed_at + run->config->match.recheck_after;
}

static void
begin_task(struct writer *w, row_ref ref)
{
	struct task *task = w->free;

	w->free = task->next_free;
	*task = (struct task){ .call = SIERRA_CALL_INIT, .writer = w, .ref = ref };
	task->call.ended = on_ended;
	task->call.user = task;
	task->seen_at = w->run->indexed_at;
	if (w->action == PLAN_RENEW && index_is_old(w->run))
		start_read(task, STEP_REREAD, 0);
	else if (w->action == PLAN_RENEW)
		start_renew(task);
	else if (index_is_old(w->run))
		start_find(task, STEP_RECHECK, 0);
	else
		start_create(task);
}

static bool
next_row(struct writer *w, row_ref *ret)
{
	if (plan_next(w->plan, w->action, &w->cursor, ret))
		return true;
	if (w->action == PLAN_CREATE)
		return false;
	w->action = PLAN_CREATE;
	w->cursor = 0;
	return plan_next(w->plan, w->action, &w->cursor, ret);
}

/* One row more, or in a dry run as many as end without a call. */
static bool
more(void *user)
{
	struct writer *w = user;
	row_ref ref;

	w->started = false;
	while (!w->started && w->free != NULL && !run_over(w->run)) {
		if (!next_row(w, &ref))
			return false;
		begin_task(w, ref);
	}
	return true;
}

static void
turn(void *user)
{
	struct writer *w = user;

	say_phase(&w->run->say, PHASE_WRITING, w->done, w->total);
	run_turn(w->run, w->fd.revents != 0);
}

static void
writer_init(struct writer *w, struct run *run, struct plan *plan)
{
	w->run = run;
	w->plan = plan;
	w->rules = (struct body_rules){
		.patron_type = run->config->patron.patron_type,
		.email_style = run->config->patron.email_style,
		.expiration = plan_expiration(plan),
	};
	w->action = PLAN_RENEW;
	w->total = plan_left(plan, PLAN_RENEW) + plan_left(plan, PLAN_CREATE);
	w->fd = (struct pollfd){ .fd = run->stage->fd, .events = POLLIN };
	for (size_t i = TASKS_A_CONNECTION * run->config->sierra.connections; i-- > 0;) {
		w->tasks[i].next_free = w->free;
		w->free = &w->tasks[i];
	}
}

int
write_plan(struct run *run, struct plan *plan)
{
	struct writer *w = calloc(1, sizeof(*w));
	struct sierra_phase phase = { .more = more, .turn = turn, .user = w, .fd_count = 1 };
	int r;

	if (w == NULL)
		return -ENOMEM;
	phase.fds = &w->fd;
	writer_init(w, run, plan);
	r = sierra_run(run->sierra, &phase);
	for (size_t i = 0; i < TASKS_MAX; i++)
		sierra_call_done(&w->tasks[i].call);
	free(w);
	return r;
}
