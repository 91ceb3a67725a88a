/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

/* What every program does to itself before anything else. */

#include <sys/resource.h>

#include "common/fd.h"

/* First thing in main(), again after each exec: not dumpable, no core. Returns 0 or a negative errno. */
int process_not_dumpable(void) WARN_UNUSED;

/* Lowers a limit for good, where it is not lower already; RLIM_INFINITY leaves it. Returns 0 or a negative errno. */
int process_lower_limit(int resource, rlim_t value) WARN_UNUSED;

#endif
