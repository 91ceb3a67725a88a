/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_JANITOR_H
#define SUPERVISOR_JANITOR_H

/*
 * The janitor's head: what plaintext lies on the share, since when, and when it is to go. patrond-share finds and cleans;
 * of what has no known name decode says, by descriptor, whether it is a feed.
 */

#include <stddef.h>

#include "common/config.h"

struct janitor;
struct manager;

/* Makes the janitor. With --once it waits for janitor_run. Returns 0 or -ENOMEM. */
int janitor_new(struct janitor **ret, struct manager *manager) WARN_UNUSED;
struct janitor *janitor_free(struct janitor *janitor);

/* Sweeps no later than in `delay` microseconds: something on the share changed, or the configuration. */
void janitor_wake(struct janitor *janitor, usec_t delay);

/* One sweep, for --once: on_over is called when it is over. Returns false where there is nothing to sweep. */
bool janitor_run(struct janitor *janitor, void (*on_over)(struct manager *manager));

/* How many files of plaintext lie on the share, as far as is known. */
size_t janitor_plaintext(const struct janitor *janitor);

#endif
