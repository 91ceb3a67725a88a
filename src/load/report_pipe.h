/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_REPORT_PIPE_H
#define LOAD_REPORT_PIPE_H

/* The clean-up rows, and where configured the held and rejected ones, on their way to the report stage. */

#include "load/index.h"
#include "load/plan.h"
#include "load/run.h"

/*
 * Writes the report's rows and the trailer, and closes the pipe. Nothing that happens here changes the load's result: a
 * reader that is gone, or that does not read for half a minute, gets no trailer, and so makes no report.
 */
void report_pipe_write(struct run *run, int *fd, const struct index *index, const struct plan *plan);

#endif
