/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Index and records, in one loop. */

#include "load/retrieve.h"

#include <errno.h>

#include "load/calls.h"
#include "load/clock.h"

enum { FD_SUPERVISOR, FD_RECORDS, FD_COUNT };

struct retrieval {
	struct run *run;
	struct index *index;
	struct records *records;
	struct sierra_call call;
	struct page *page; /* read, but not yet in the index: the next one is asked for first */
	uint64_t next_id;
	uint64_t patrons;
	bool asked;
	bool whole;
	struct pollfd fds[FD_COUNT];
};

static void
ask(struct retrieval *r)
{
	int error = call_list(&r->call, r->next_id, r->run->config->sierra.page_size);

	if (error < 0) {
		run_fail(r->run, FAILURE_MEMORY, error);
		return;
	}
	r->asked = true;
	sierra_start(r->run->sierra, &r->call, 0);
}

/* The ids of a page go up, from the one that was asked for: a server that ignores the range would go on for ever. */
static bool
in_order(const struct retrieval *r, const struct page *page)
{
	uint64_t next = r->next_id;

	for (size_t i = 0; i < page_count(page); i++) {
		if (page_patron(page, i)->id < next)
			return false;
		next = page_patron(page, i)->id + 1;
	}
	return true;
}

static void
index_page(struct retrieval *r)
{
	if (r->page == NULL)
		return;
	for (size_t i = 0; i < page_count(r->page) && !run_over(r->run); i++) {
		int error = index_add(r->index, page_patron(r->page, i));

		if (error == INDEX_E_ORDER)
			run_fail(r->run, FAILURE_INDEX_ORDER, 0);
		else if (error == INDEX_E_TOO_MANY)
			run_fail(r->run, FAILURE_INDEX_ANSWER, 0);
		else if (error < 0)
			run_fail(r->run, FAILURE_MEMORY, error);
	}
	r->page = page_free(r->page);
	r->patrons = index_patrons(r->index);
}

static void
end_of_list(struct retrieval *r)
{
	index_page(r);
	r->whole = !run_over(r->run);
	if (r->whole && index_patrons(r->index) == 0)
		run_fail(r->run, FAILURE_INDEX_EMPTY, 0);
	else if (r->whole && index_patrons_with_barcode(r->index) == 0)
		run_fail(r->run, FAILURE_INDEX_NO_BARCODES, 0);
	if (r->whole && !run_over(r->run))
		say_indexed(&r->run->say, index_patrons(r->index));
}

static void
on_page(struct sierra_call *call, void *user)
{
	struct retrieval *r = user;
	struct page *page = TAKE_PTR(call->page);

	index_page(r); /* the one before, if the turn did not come to it */
	r->asked = false;
	if (run_over(r->run) || call->result == SIERRA_BROKEN_OFF) {
		page_free(page);
		return;
	}
	/* The end is said, by 404 or an empty list. A short page says nothing: the server may allow fewer than we ask for. */
	if (call->result == SIERRA_ABSENT || page_count(page) == 0) {
		page_free(page);
		end_of_list(r);
		return;
	}
	if (!in_order(r, page)) {
		page_free(page);
		run_fail(r->run, FAILURE_INDEX_ORDER, 0);
		return;
	}
	r->next_id = page_patron(page, page_count(page) - 1)->id + 1;
	r->page = page;
	ask(r);
}

static bool
more(void *user)
{
	struct retrieval *r = user;

	if (!r->whole && !r->asked)
		ask(r);
	return !r->whole || !r->records->complete;
}

static void
drain_records(struct retrieval *r)
{
	struct pollfd *fd = &r->fds[FD_RECORDS];

	if (r->records->complete || fd->revents == 0)
		return;
	fd->revents = 0;
	if (records_read(r->records) < 0)
		sierra_break_off(r->run->sierra, &r->records->failure);
	if (r->records->complete)
		fd->fd = -1; /* whatever else comes there wakes nobody */
}

static void
turn(void *user)
{
	struct retrieval *r = user;
	bool ended = r->records->complete;

	index_page(r);
	drain_records(r);
	ended = r->records->complete && !ended;
	if (!r->whole)
		say_phase(&r->run->say, PHASE_INDEXING, r->patrons, 0);
	else
		say_phase(&r->run->say, PHASE_MATCHING, rows_total(r->records->rows), 0);
	/* Before it lets go of the pipe of a decode that failed, the supervisor says so: it is asked before that end is believed. */
	run_turn(r->run, ended || r->fds[FD_SUPERVISOR].revents != 0);
}

int
retrieve(struct run *run, struct index *index, struct records *records)
{
	struct retrieval r = {
		.run = run,
		.index = index,
		.records = records,
		.call = SIERRA_CALL_INIT,
		.fds = {
			[FD_SUPERVISOR] = { .fd = run->stage->fd, .events = POLLIN },
			[FD_RECORDS] = { .fd = records->fd, .events = POLLIN },
		},
	};
	const struct sierra_phase phase = { .more = more, .turn = turn, .user = &r, .fds = r.fds, .fd_count = FD_COUNT };
	int error;

	r.call.ended = on_page;
	r.call.user = &r;
	run->indexed_at = clock_now();
	error = sierra_run(run->sierra, &phase);
	r.page = page_free(r.page);
	sierra_call_done(&r.call);
	return error;
}
