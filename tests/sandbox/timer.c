/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Delays, in a heap ordered by when they are due. */

#include "timer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <microhttpd.h>

#include "text.h"

struct waiting {
	uint64_t due_us;
	struct MHD_Connection *connection;
};

struct timers {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct waiting *heap;
	size_t n;
	size_t cap;
	bool stopping;
};

static void
swap(struct waiting *a, struct waiting *b)
{
	struct waiting t = *a;

	*a = *b;
	*b = t;
}

static struct MHD_Connection *
take_first(struct timers *t)
{
	struct MHD_Connection *first = t->heap[0].connection;
	size_t i = 0;

	t->heap[0] = t->heap[--t->n];
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < t->n && t->heap[child + 1].due_us < t->heap[child].due_us)
			child++;
		if (child >= t->n || t->heap[i].due_us <= t->heap[child].due_us)
			return first;
		swap(&t->heap[i], &t->heap[child]);
		i = child;
	}
}

static void
wait_until(struct timers *t, uint64_t due_us)
{
	struct timespec ts = { .tv_sec = (time_t)(due_us / 1000000), .tv_nsec = (long)(due_us % 1000000) * 1000 };

	pthread_cond_timedwait(&t->changed, &t->lock, &ts);
}

static void *
run(void *arg)
{
	struct timers *t = arg;

	pthread_mutex_lock(&t->lock);
	while (!t->stopping || t->n) {
		if (!t->n)
			pthread_cond_wait(&t->changed, &t->lock);
		else if (!t->stopping && t->heap[0].due_us > now_us())
			wait_until(t, t->heap[0].due_us);
		else
			MHD_resume_connection(take_first(t));
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

struct timers *
timers_new(void)
{
	struct timers *t = xcalloc(1, sizeof(*t));
	pthread_condattr_t attr;

	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&t->thread, NULL, run, t) != 0)
		abort();
	return t;
}

void
timers_add(struct timers *t, uint64_t due_us, struct MHD_Connection *connection)
{
	size_t i;

	pthread_mutex_lock(&t->lock);
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->heap = xrealloc(t->heap, t->cap * sizeof(*t->heap));
	}
	t->heap[t->n] = (struct waiting){ due_us, connection };
	for (i = t->n++; i && t->heap[(i - 1) / 2].due_us > t->heap[i].due_us; i = (i - 1) / 2)
		swap(&t->heap[i], &t->heap[(i - 1) / 2]);
	if (i == 0)
		pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

struct timers *
timers_free(struct timers *t)
{
	if (!t)
		return NULL;
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t->heap);
	free(t);
	return NULL;
}
