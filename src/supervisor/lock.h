/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_LOCK_H
#define SUPERVISOR_LOCK_H

/*
 * One patrond at a time for one Sierra: two would each find a key absent and create it, and Sierra takes both. Held by
 * the descriptors, so it ends with the process however that ends; no file of a dead process can keep it.
 */

#include "common/config.h"

struct lock {
	int socket; /* an abstract unix socket named after the Sierra: this host's (network namespace's) patronds */
	int file;   /* $RUNTIME_DIRECTORY/lock: those that share a memory of feeds */
};

#define LOCK_INIT ((struct lock){ -EBADF, -EBADF })

/* Takes the lock. Returns 0, -EBUSY where another patrond holds it, or another negative errno. */
int lock_take(struct lock *lock, const struct config *config) WARN_UNUSED;

void lock_done(struct lock *lock);

#endif
