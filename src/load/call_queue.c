/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls that wait. */

#include "load/call_queue.h"

void
call_queue_init(struct call_queue *queue)
{
	*queue = (struct call_queue){ .ready_end = &queue->ready };
}

static void
make_ready(struct call_queue *queue, struct sierra_call *call)
{
	call->next = NULL;
	*queue->ready_end = call;
	queue->ready_end = &call->next;
}

void
call_queue_add(struct call_queue *queue, struct sierra_call *call, usec_t not_before)
{
	struct sierra_call **place = &queue->delayed;

	if (not_before == 0) {
		make_ready(queue, call);
		return;
	}
	call->not_before = not_before;
	while (*place != NULL && (*place)->not_before <= not_before)
		place = &(*place)->next;
	call->next = *place;
	*place = call;
}

void
call_queue_wake(struct call_queue *queue, usec_t now)
{
	while (queue->delayed != NULL && queue->delayed->not_before <= now) {
		struct sierra_call *call = queue->delayed;

		queue->delayed = call->next;
		make_ready(queue, call);
	}
}

static struct sierra_call *
take_at(struct call_queue *queue, struct sierra_call **place)
{
	struct sierra_call *call = *place;

	if (call == NULL)
		return NULL;
	*place = call->next;
	if (call->next == NULL)
		queue->ready_end = place;
	call->next = NULL;
	return call;
}

struct sierra_call *
call_queue_take(struct call_queue *queue)
{
	return take_at(queue, &queue->ready);
}

struct sierra_call *
call_queue_take_call(struct call_queue *queue, struct sierra_call *call)
{
	struct sierra_call **place = &queue->ready;

	while (*place != NULL && *place != call)
		place = &(*place)->next;
	return take_at(queue, place);
}
