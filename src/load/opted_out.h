/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_OPTED_OUT_H
#define LOAD_OPTED_OUT_H

/* Opt-outs against the library's patrons: who has opted out and is a patron already. For the report alone: nothing is done. */

#include <stddef.h>
#include <stdint.h>

#include "load/index.h"
#include "load/plan.h"

/*
 * The ids of the patrons whose clean barcode is the key of a row that is opted out, ascending, each once. ret is the
 * caller's, to be freed. Returns 0 or -ENOMEM.
 */
int opted_out_patrons(const struct plan *plan, const struct index *index, uint64_t **ret, size_t *ret_count) WARN_UNUSED;

#endif
