/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading back. */

#include "load/read_back.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "load/body.h"
#include "load/calls.h"

/* Reads that are begun at once; those that wait to look again hold one too. */
#define CHECKS_MAX (LIMIT_CONNECTIONS * 2U)

struct check {
	struct sierra_call call;
	struct checker *checker;
	struct check *next_free;
	row_ref ref;
	unsigned int tries;
};

struct checker {
	struct run *run;
	struct plan *plan;
	row_ref *sample;
	uint32_t count;
	uint32_t next;
	uint32_t done;
	struct check *free;
	struct pollfd fd;
	struct check checks[CHECKS_MAX];
};

/* --- the sample --- */

static bool
was_written(const struct plan *plan, row_ref ref)
{
	struct outcome outcome;

	plan_outcome(plan, ref, &outcome);
	return plan_action(plan, ref) == PLAN_NONE && outcome.patron_id > 0 &&
	    (outcome.kind == OUTCOME_CREATED || outcome.kind == OUTCOME_RENEWED);
}

/* Reservoir sampling: each row that was written is as likely as the next, however many there are. */
static int
draw_sample(struct checker *c)
{
	uint32_t total = rows_total(plan_rows(c->plan)), wanted = c->run->config->sierra.read_back;
	uint64_t seen = 0, random = 0;

	wanted = wanted < total ? wanted : total;
	c->sample = calloc((size_t)wanted + 1, sizeof(c->sample[0]));
	if (c->sample == NULL)
		return -ENOMEM;
	for (row_ref ref = 0; ref < total && wanted > 0; ref++) {
		if (!was_written(c->plan, ref))
			continue;
		seen++;
		if (c->count < wanted) {
			c->sample[c->count++] = ref;
			continue;
		}
		if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return -EIO;
		if (random % seen < wanted)
			c->sample[random % seen] = ref;
	}
	return 0;
}

/* --- the comparison --- */

static bool
has_text(const struct text *texts, size_t count, const char *bytes, size_t size, bool folded)
{
	for (size_t i = 0; i < count; i++) {
		if (texts[i].size != size)
			continue;
		if (memcmp(texts[i].bytes, bytes, size) == 0 || (folded && strncasecmp(texts[i].bytes, bytes, size) == 0))
			return true;
	}
	return false;
}

static int
created_is_there(const struct record *record, const struct patron *patron, bool *ret)
{
	_cleanup_buf_ struct buf name = BUF_INIT(BODY_MAX);
	const struct text *key = &record->fields[RECORD_KEY];
	int r = body_name(&name, record);

	if (r < 0)
		return r;
	*ret = has_text(patron->barcodes, patron->barcode_count, key->bytes, key->size, true) &&
	    has_text(patron->names, patron->name_count, name.bytes, name.size, false) &&
	    patron->birth_date == body_birth_date(record);
	return 0;
}

/* A renewal wrote the expiration date alone, and a create everything that can be read here. */
static int
is_as_written(const struct checker *c, row_ref ref, const struct patron *patron, bool *ret)
{
	struct outcome outcome;
	struct record record;

	plan_outcome(c->plan, ref, &outcome);
	*ret = !patron->deleted && patron->id == outcome.patron_id && patron->expiration == plan_expiration(c->plan);
	if (!*ret || outcome.kind != OUTCOME_CREATED)
		return 0;
	rows_get(plan_rows(c->plan), ref, &record);
	return created_is_there(&record, patron, ret);
}

/* --- the phase --- */

static void
end_check(struct check *check)
{
	struct checker *c = check->checker;

	sierra_call_done(&check->call);
	check->next_free = c->free;
	c->free = check;
	c->done++;
}

static void
start_read(struct check *check, usec_t delay)
{
	struct checker *c = check->checker;
	struct outcome outcome;
	int r;

	plan_outcome(c->plan, check->ref, &outcome);
	r = call_read(&check->call, outcome.patron_id);
	if (r < 0) {
		run_fail(c->run, FAILURE_MEMORY, r);
		end_check(check);
		return;
	}
	sierra_start(c->run->sierra, &check->call, delay);
}

static void
differs(struct check *check)
{
	struct checker *c = check->checker;
	const struct config *config = c->run->config;

	/* What was just written may not be visible at once: a difference is one when it stays. */
	check->tries++;
	if (check->tries < config->sierra.find_tries) {
		start_read(check, sierra_pause(c->run->sierra, config->sierra.find_pause, check->tries - 1));
		return;
	}
	plan_note_read_back(c->plan, check->ref, true);
	say_differs(&c->run->say, c->plan, check->ref);
	end_check(check);
}

static void
on_read(struct sierra_call *call, void *user)
{
	struct check *check = user;
	struct checker *c = check->checker;
	bool same = false;
	int r = 0;

	if (call->result == SIERRA_DONE)
		r = is_as_written(c, check->ref, page_patron(call->page, 0), &same);
	if (r < 0) {
		run_fail(c->run, FAILURE_MEMORY, r);
		end_check(check);
	} else if (same) {
		plan_note_read_back(c->plan, check->ref, false);
		end_check(check);
	} else if (call->result == SIERRA_DONE || call->result == SIERRA_ABSENT)
		differs(check);
	else
		end_check(check); /* not read: neither verified nor different */
}

static bool
more(void *user)
{
	struct checker *c = user;
	struct check *check = c->free;

	if (c->next >= c->count)
		return false;
	if (check == NULL)
		return true;
	c->free = check->next_free;
	*check = (struct check){ .call = SIERRA_CALL_INIT, .checker = c, .ref = c->sample[c->next++] };
	check->call.ended = on_read;
	check->call.user = check;
	start_read(check, 0);
	return true;
}

static void
turn(void *user)
{
	struct checker *c = user;

	say_phase(&c->run->say, PHASE_CHECKING, c->done, c->count);
	run_turn(c->run, c->fd.revents != 0);
}

int
read_back(struct run *run, struct plan *plan)
{
	struct checker *c = calloc(1, sizeof(*c));
	struct sierra_phase phase = { .more = more, .turn = turn, .user = c, .fd_count = 1 };
	int r;

	if (c == NULL)
		return -ENOMEM;
	phase.fds = &c->fd;
	c->run = run;
	c->plan = plan;
	c->fd = (struct pollfd){ .fd = run->stage->fd, .events = POLLIN };
	for (size_t i = CHECKS_MAX; i-- > 0;) {
		c->checks[i].next_free = c->free;
		c->free = &c->checks[i];
	}
	r = draw_sample(c);
	if (r == 0 && c->count > 0)
		r = sierra_run(run->sierra, &phase);
	for (size_t i = 0; i < CHECKS_MAX; i++)
		sierra_call_done(&c->checks[i].call);
	free(c->sample);
	free(c);
	return r;
}
