/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report pipe's write end. */

#include "load/report_pipe.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "common/wire.h"
#include "load/clock.h"
#include "load/opted_out.h"

/* How long a reader that does not read is waited for. */
#define WAIT_MAX (30 * USEC_PER_SEC)
#define TURN_MSEC 100
#define FLUSH_SIZE (64U << 10)

struct report_pipe {
	struct run *run;
	int fd;
	struct wire_out out;
	uint64_t done, total;
	uint32_t cleanup, held, rejected, opted_out;
};

/* Sends what was added. Returns 0 or a negative errno: nobody reads any more, or the load is to end. */
static int
flush(struct report_pipe *p)
{
	struct buf *buf = &p->out.buf;
	usec_t waited_since = clock_now();
	size_t sent = 0;

	while (sent < buf->size) {
		struct pollfd fds[2] = { { .fd = p->fd, .events = POLLOUT }, { .fd = p->run->stage->fd, .events = POLLIN } };
		ssize_t n = write(p->fd, buf->bytes + sent, buf->size - sent);

		if (n > 0) {
			sent += (size_t)n;
			waited_since = clock_now();
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (clock_now() > waited_since + WAIT_MAX || stage_cancelled(p->run->stage))
			return -ETIMEDOUT;
		say_phase(&p->run->say, PHASE_REPORTING, p->done, p->total);
		say_turn(&p->run->say);
		if (poll(fds, 2, TURN_MSEC) < 0 && errno != EINTR)
			return -errno;
	}
	buf_clear(buf);
	return 0;
}

static int
add_end(struct report_pipe *p)
{
	int r = wire_end(&p->out);

	if (r == 0 && p->out.buf.size >= FLUSH_SIZE)
		r = flush(p);
	return r;
}

static int
add_cleanup(struct report_pipe *p, const struct index *index)
{
	uint32_t count = index_cleanup_count(index);

	for (uint32_t i = 0; i < count; i++) {
		struct index_cleanup row;
		int r;

		index_cleanup_at(index, i, &row);
		wire_begin(&p->out, WIRE_REPORT_CLEANUP);
		wire_put_u64(&p->out, row.patron_id);
		wire_put_u8(&p->out, (uint8_t)row.class);
		wire_put_i32(&p->out, row.expiration);
		wire_put_string(&p->out, row.field.bytes, row.field.size);
		r = add_end(p);
		if (r < 0)
			return r;
		p->cleanup++;
		p->done++;
	}
	return 0;
}

static int
add_row(struct report_pipe *p, const struct outcome *outcome)
{
	bool held = outcome->kind == OUTCOME_HELD;

	wire_begin(&p->out, held ? WIRE_REPORT_HELD : WIRE_REPORT_REJECTED);
	wire_put_u8(&p->out, (uint8_t)outcome->feed);
	wire_put_u32(&p->out, outcome->row);
	wire_put_u8(&p->out, (uint8_t)outcome->reason);
	if (held)
		wire_put_u64(&p->out, outcome->patron_id);
	p->held += held;
	p->rejected += !held;
	return add_end(p);
}

static int
add_rows(struct report_pipe *p, const struct plan *plan)
{
	uint32_t total = rows_total(plan_rows(plan));

	for (row_ref ref = 0; ref < total; ref++) {
		struct outcome outcome;
		int r;

		plan_outcome(plan, ref, &outcome);
		p->done++;
		if (outcome.kind != OUTCOME_HELD && outcome.kind != OUTCOME_REJECTED)
			continue;
		r = add_row(p, &outcome);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
add_opted_out(struct report_pipe *p, const struct plan *plan, const struct index *index)
{
	_cleanup_free_ uint64_t *ids = NULL;
	size_t count = 0;
	int r = opted_out_patrons(plan, index, &ids, &count);

	for (size_t i = 0; i < count && r == 0; i++) {
		wire_begin(&p->out, WIRE_REPORT_OPTED_OUT);
		wire_put_u64(&p->out, ids[i]);
		r = add_end(p);
		p->opted_out++;
	}
	return r;
}

static int
add_trailer(struct report_pipe *p)
{
	int r;

	wire_begin(&p->out, WIRE_REPORT_TRAILER);
	wire_put_u32(&p->out, p->cleanup);
	wire_put_u32(&p->out, p->held);
	wire_put_u32(&p->out, p->rejected);
	wire_put_u32(&p->out, p->opted_out);
	r = wire_end(&p->out);
	return r < 0 ? r : flush(p);
}

void
report_pipe_write(struct run *run, int *fd, const struct index *index, const struct plan *plan)
{
	struct report_pipe p = { .run = run, .fd = *fd, .out = WIRE_OUT_INIT };
	int r;

	if (*fd < 0)
		return;
	p.total = index_cleanup_count(index) + (run->config->report.rows ? rows_total(plan_rows(plan)) : 0);
	r = add_cleanup(&p, index);
	if (r == 0 && run->config->report.rows)
		r = add_rows(&p, plan);
	if (r == 0)
		r = add_opted_out(&p, plan, index);
	if (r == 0)
		r = add_trailer(&p);
	(void)r; /* without the trailer there is no report: the other side sees to that */
	wire_out_done(&p.out);
	*fd = fd_close(*fd);
}
