/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_READ_BACK_H
#define LOAD_READ_BACK_H

/* Reading back: a sample of what was created and renewed is read again and compared with what was written. */

#include "load/plan.h"
#include "load/run.h"

/*
 * Reads back [sierra] read_back rows of the plan, chosen at random, counts them as verified or different, and tells the
 * differences. Rows that cannot be read are neither. It changes no outcome. Returns as write_plan.
 */
int read_back(struct run *run, struct plan *plan) WARN_UNUSED;

#endif
