/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_CALLS_H
#define LOAD_CALLS_H

/* The requests of the load, each as a call of sierra.h: paths, queries and what is asked for. Pure. */

#include <stddef.h>
#include <stdint.h>

#include "load/sierra.h"

/* Each makes the call anew (kind, path, empty body; ended and user are kept). Return 0, -ENOBUFS or -ENOMEM. */

/* A page of the index: live patrons from this id on. */
int call_list(struct sierra_call *call, uint64_t from_id, uint32_t page_size) WARN_UNUSED;

/* A look-up by barcode. Deleted records may answer too, so `deleted` is asked for. */
int call_find(struct sierra_call *call, const char *key, size_t size) WARN_UNUSED;

/* One patron, to be compared with what was written. */
int call_read(struct sierra_call *call, uint64_t patron_id) WARN_UNUSED;

/* Writes: the caller adds the body. */
int call_renew(struct sierra_call *call, uint64_t patron_id) WARN_UNUSED;
int call_create(struct sierra_call *call) WARN_UNUSED;

#endif
