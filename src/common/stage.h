/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_STAGE_H
#define COMMON_STAGE_H

/*
 * What every stage's main shares: the connection to the supervisor on descriptor 3, the order of beginning (not dumpable,
 * not uid 0, hang-up armed, configuration, secret), answers.
 */

#include <stdbool.h>

#include "common/config.h"
#include "common/program.h"
#include "common/sandbox.h"
#include "common/secret.h"
#include "common/wire.h"

struct stage {
	enum program program;
	int fd;
	struct config config;
	struct secret secret;
	struct wire_reader reader;
	struct wire_out out;
	bool cancelled;
	bool held; /* load: the supervisor has said HOLD */
};

/*
 * Begins: makes the process not dumpable, refuses uid 0, checks that descriptor 3 is a unix stream socket (one that
 * listens is accepted on once), arms SIGIO so that the process exits on hang-up whatever it is doing, ignores SIGPIPE,
 * silences standard input, output and error (debug builds keep the latter), reads the program's sections of the
 * configuration and its credential. What fails is told to the supervisor. Returns 0 or a negative errno: end then.
 */
int stage_begin(struct stage *stage, enum program program) WARN_UNUSED;

/* Blocking: the next request. Returns 1, 0 at hang-up, or a negative errno. CANCEL is noted, not given out. */
int stage_request(struct stage *stage, struct wire_in *ret) WARN_UNUSED;

/* True once the supervisor has asked to finish; looks without blocking, and hears HOLD, too. */
bool stage_cancelled(struct stage *stage);

/* The same of what was read already, in one piece with the job, which no poll would show. */
bool stage_hear(struct stage *stage);

/* Enters the walls and says so. A wall that cannot be had is told as FAILURE. Returns 0 or a negative errno. */
int stage_walls(struct stage *stage, const struct sandbox_options *options) WARN_UNUSED;

/* Sends what was added to stage->out. Returns 0 or a negative errno. */
int stage_send(struct stage *stage) WARN_UNUSED;

/* Ends a job: what was added, then DONE or FAILURE, is sent. Return 0 or a negative errno. */
int stage_done(struct stage *stage) WARN_UNUSED;
int stage_fail(struct stage *stage, const struct failure *failure) WARN_UNUSED;

/* Wipes and closes. Returns the exit status for main: 0, or 1 where r is negative. */
int stage_end(struct stage *stage, int r);

#endif
