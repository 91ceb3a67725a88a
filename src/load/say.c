/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames for the supervisor. */

#include "load/say.h"

/* Bytes collected before they are sent whatever the time is. */
#define FLUSH_SIZE (64U << 10)
#define INTERVAL (250 * USEC_PER_MSEC)

void
say_init(struct say *say, struct stage *stage)
{
	*say = (struct say){ .stage = stage, .current = stage->config.log.current, .phase = PHASE_INVALID };
}

static void
note(struct say *say, int r)
{
	if (say->error == 0)
		say->error = r;
}

int
say_flush(struct say *say)
{
	if (say->error == 0)
		note(say, stage_send(say->stage));
	return say->error;
}

static void
added(struct say *say, int r)
{
	note(say, r);
	if (say->stage->out.buf.size >= FLUSH_SIZE)
		note(say, say_flush(say));
}

void
say_phase(struct say *say, enum phase phase, uint64_t done, uint64_t total)
{
	if (say->phase != phase)
		say->sent_at = 0; /* a new phase is news */
	say->phase = phase;
	say->done = done;
	say->total = total;
}

void
say_turn(struct say *say)
{
	usec_t now = clock_now();

	if (say->error < 0 || now < say->sent_at + INTERVAL)
		return;
	say->sent_at = now;
	/* The same figures again are a sign of life: Sierra may have asked for minutes of silence. */
	if (say->phase != PHASE_INVALID)
		note(say, wire_add_progress(&say->stage->out, say->phase, say->done, say->total));
	note(say, say_flush(say));
}

void
say_indexed(struct say *say, uint64_t patrons)
{
	wire_begin(&say->stage->out, WIRE_INDEXED);
	wire_put_u64(&say->stage->out, patrons);
	added(say, wire_end(&say->stage->out));
}

static void
add_counts(struct say *say, enum wire_type type, const struct plan *plan,
    void (*count)(const struct plan *, enum feed_kind, struct feed_counts *))
{
	for (enum feed_kind feed = 0; feed < FEED_KIND_MAX; feed++) {
		struct feed_counts counts;

		if (rows_count(plan_rows(plan), feed) == 0)
			continue;
		count(plan, feed, &counts);
		added(say, wire_add_counts(&say->stage->out, type, feed, &counts));
	}
}

void
say_plan(struct say *say, const struct plan *plan)
{
	add_counts(say, WIRE_PLAN, plan, plan_counts_planned);
}

void
say_counts(struct say *say, const struct plan *plan)
{
	add_counts(say, WIRE_COUNTS, plan, plan_counts_settled);
}

void
say_guards(struct say *say, const struct guard_figure *figures, size_t count)
{
	for (size_t i = 0; i < count; i++)
		added(say, wire_add_guard(&say->stage->out, &figures[i]));
}

void
say_outcome(struct say *say, const struct plan *plan, row_ref ref)
{
	struct outcome outcome;

	plan_outcome(plan, ref, &outcome);
	if (outcome.kind == OUTCOME_CURRENT && !say->current)
		return;
	added(say, wire_add_outcome(&say->stage->out, &outcome));
}

void
say_differs(struct say *say, const struct plan *plan, row_ref ref)
{
	struct outcome outcome;

	plan_outcome(plan, ref, &outcome);
	outcome.kind = OUTCOME_KIND_INVALID;
	outcome.reason = REASON_DIFFERS;
	added(say, wire_add_outcome(&say->stage->out, &outcome));
}
