/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_CALL_QUEUE_H
#define LOAD_CALL_QUEUE_H

/* Calls that wait: those that may leave, in the order of their coming, and those that may leave later. Pure. */

#include "load/sierra.h"

struct call_queue {
	struct sierra_call *ready;
	struct sierra_call **ready_end;
	struct sierra_call *delayed; /* the earliest first */
};

void call_queue_init(struct call_queue *queue);

/* Adds a call that may leave at that time; 0: now. */
void call_queue_add(struct call_queue *queue, struct sierra_call *call, usec_t not_before);

/* Makes ready what may leave by now. */
void call_queue_wake(struct call_queue *queue, usec_t now);

/* Takes the first that is ready; or that very call, where it is ready. NULL where there is none. */
struct sierra_call *call_queue_take(struct call_queue *queue);
struct sierra_call *call_queue_take_call(struct call_queue *queue, struct sierra_call *call);

#endif
