/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pace of a load: additive increase, multiplicative decrease, pauses with jitter. */

#include "load/pacer.h"

/* Successes a connection before one more is tried: slowly, since a server that was pressed needs time. */
#define GOOD_BEFORE_MORE 16U
/* How far [sierra] rate_pause grows: from its default minute to the sixteen that were seen to be needed. */
#define RATE_GROWTH 16U

void
pacer_init(struct pacer *pacer, const struct config *config, uint64_t seed)
{
	unsigned int connections = config->sierra.connections > 0 ? config->sierra.connections : 1;

	*pacer = (struct pacer){
		.max = connections,
		.limit = connections,
		.pause = config->sierra.retry_pause,
		.pause_max = config->sierra.retry_pause_max,
		.rate_pause = config->sierra.rate_pause,
		.random = seed | 1, /* xorshift stays at 0 for ever */
	};
}

usec_t
pacer_wait(const struct pacer *pacer, usec_t now, unsigned int busy)
{
	if (busy >= pacer->limit)
		return UINT64_MAX;
	return pacer->paused_until > now ? pacer->paused_until - now : 0;
}

void
pacer_success(struct pacer *pacer, usec_t started)
{
	/* What was under way when trouble came says nothing of how it is since. */
	if (started >= pacer->slowed_at)
		pacer->troubles = 0;
	pacer->good++;
	if (pacer->limit >= pacer->max || pacer->good < GOOD_BEFORE_MORE * pacer->limit)
		return;
	pacer->limit++;
	pacer->good = 0;
}

static uint64_t
next_random(struct pacer *pacer)
{
	uint64_t x = pacer->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	pacer->random = x;
	return x;
}

usec_t
pacer_pause(struct pacer *pacer, usec_t first, usec_t max, unsigned int n)
{
	usec_t pause = first;

	while (n-- > 0 && pause < max)
		pause *= 2;
	if (pause > max)
		pause = max;
	/* three to five quarters of it: clients that were turned away together must not come back together */
	return pause * 3 / 4 + next_random(pacer) % (pause / 2 + 1);
}

static void
pause_until(struct pacer *pacer, usec_t until)
{
	if (until > pacer->paused_until)
		pacer->paused_until = until;
}

void
pacer_slow_down(struct pacer *pacer, enum pacer_trouble trouble, usec_t now, usec_t started, usec_t retry_after)
{
	bool same = pacer->slowed_at > 0 && started < pacer->slowed_at;

	if (retry_after > 0)
		pause_until(pacer, now + (retry_after < PACER_WAIT_MAX ? retry_after : PACER_WAIT_MAX));
	/* Calls that were under way together are turned away together: that is one event, not a halving each. */
	if (same)
		return;
	pacer->slowed_at = now;
	pacer->limit = pacer->limit > 1 ? pacer->limit / 2 : 1;
	pacer->good = 0;
	if (retry_after == 0 && trouble == PACER_RATE)
		pause_until(pacer, now + pacer_pause(pacer, pacer->rate_pause, RATE_GROWTH * pacer->rate_pause, pacer->troubles));
	else if (retry_after == 0)
		pause_until(pacer, now + pacer_pause(pacer, pacer->pause, pacer->pause_max, pacer->troubles));
	pacer->troubles++;
}

void
pacer_early_close(struct pacer *pacer)
{
	if (pacer->early_closes < PACER_EARLY_CLOSES)
		pacer->early_closes++;
}

bool
pacer_keeps(const struct pacer *pacer)
{
	return pacer->early_closes < PACER_EARLY_CLOSES;
}
