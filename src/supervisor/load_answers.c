/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the three stages say, checked against what was asked of them and what they have said before. */

#include "supervisor/load_private.h"

#include <errno.h>

#include "common/shape.h"
#include "supervisor/manager.h"
#include "supervisor/status.h"

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

int
load_on_decode_answer(struct wire_in *in, void *userdata)
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
	load_tell_outcome(load, &outcome);
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

int
load_on_load_answer(struct wire_in *in, void *userdata)
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

int
load_on_report_answer(struct wire_in *in, void *userdata)
{
	struct load *load = userdata;

	if (in->type == WIRE_PROGRESS)
		return 0;
	return report_take(in, &load->report);
}
