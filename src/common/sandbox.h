/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

/*
 * The inner walls: one table says, for each stage, which rlimits, Landlock rules, system calls and addresses it keeps.
 * Entered after secrets and names, before the first foreign byte.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/fd.h"
#include "common/program.h"
#include "patrond/wire.h"

struct sandbox_path {
	const char *path;
	bool writable; /* a folder whose files may be made, written, renamed and removed; else to be read */
};

struct sandbox_options {
	uint16_t tcp_port;                /* load: the one port that it may connect to; 0 elsewhere */
	const char *share_path;           /* share: the folder that it may read and write; NULL elsewhere */
	const struct sandbox_path *paths; /* patrond: files and folders; what is not there now cannot be had later */
	size_t path_count;                /* 0 elsewhere */
};

/*
 * Enters the walls of a stage, or of a patrond that starts none: rlimits, no_new_privs, Landlock, seccomp. options may be
 * NULL where the program has none; one that it has no use for is -EINVAL. No other thread may be running. ret_walls: what
 * is entered (enum wall bits). Returns 0, or a negative errno where a required wall cannot be had: it must not go on then.
 */
int sandbox_enter(enum program program, const struct sandbox_options *options, uint32_t *ret_walls) WARN_UNUSED;

#endif
