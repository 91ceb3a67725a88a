/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_ADMIN_H
#define STANDIN_ADMIN_H

/* Owns the tests' side of the server, under /_standin/: counters, switches, dumps, looks at records. No authorisation.
 */

#include "standin.h"

/* Is it a path of the tests' side? */
bool admin_has(const char *path);

/* Handles one request; the caller holds the lock. */
void admin_handle(struct standin *s, const struct request *q, struct reply *r);

/* Sets a switch or a fault by name; false when name or value is unknown. */
bool admin_switch(struct standin *s, const char *name, const char *value);

#endif
