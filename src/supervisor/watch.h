/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_WATCH_H
#define SUPERVISOR_WATCH_H

/*
 * The watch of the share: one patrond-share that lives as long as it sees the share, and says when something changed.
 * One that ends is begun anew, after growing pauses: its walls stand around the folder of the day it was begun.
 */

#include "common/fd.h"

struct manager;
struct watch;

/* Begins watching where the configuration asks for it; NULL in *ret otherwise. Returns 0 or -ENOMEM. */
int watch_new(struct watch **ret, struct manager *manager) WARN_UNUSED;

/* Ends it at once. Accepts NULL, returns NULL. */
struct watch *watch_free(struct watch *watch);

#endif
