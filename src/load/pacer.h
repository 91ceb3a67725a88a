/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_PACER_H
#define LOAD_PACER_H

/*
 * How hard Sierra may be leaned on: one pace for all connections together. Their number halves at each sign of trouble
 * and grows back by one after a run of successes. Pure: the caller brings the time.
 */

#include <stdbool.h>

#include "common/config.h"

/* Microseconds that a Retry-After may make us wait at most: a date of next year is a mistake. */
#define PACER_WAIT_MAX (20 * 60 * USEC_PER_SEC)

/* Early closes after which connections are no longer kept. */
#define PACER_EARLY_CLOSES 3U

struct pacer {
	unsigned int max;
	unsigned int limit;      /* connections that may be busy now */
	unsigned int good;       /* successes since the limit last changed */
	unsigned int troubles;   /* events of trouble without a success since */
	unsigned int early_closes;
	usec_t pause, pause_max; /* [sierra] retry_pause, retry_pause_max */
	usec_t rate_pause;
	usec_t paused_until;
	usec_t slowed_at;        /* the last event; answers to what was started before it belong to the same event */
	uint64_t random;
};

enum pacer_trouble {
	PACER_CLOSED, /* connections are dropped or cannot be had */
	PACER_RATE,   /* Sierra says: slow down */
};

/* connections at least 1; seed: any number, for the jitter. */
void pacer_init(struct pacer *pacer, const struct config *config, uint64_t seed);

/* Microseconds until a call may start, 0 for now; busy calls are under way. UINT64_MAX: only once one of them ends. */
usec_t pacer_wait(const struct pacer *pacer, usec_t now, unsigned int busy);

/* A call started at that time was answered well. */
void pacer_success(struct pacer *pacer, usec_t started);

/* A call started at that time ended in trouble. retry_after: what Sierra asked for, 0 nothing. */
void pacer_slow_down(struct pacer *pacer, enum pacer_trouble trouble, usec_t now, usec_t started, usec_t retry_after);

/* A kept connection was closed under a request. */
void pacer_early_close(struct pacer *pacer);

/* False once connections are no longer to be kept. */
bool pacer_keeps(const struct pacer *pacer);

/* The pause before try n (from 0) of something: first, then about doubling, with jitter, at most max. */
usec_t pacer_pause(struct pacer *pacer, usec_t first, usec_t max, unsigned int n);

#endif
