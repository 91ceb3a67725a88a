/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_WALL_H
#define SUPERVISOR_WALL_H

/* patrond's own walls, where its stages are units of their own. */

#include "common/config.h"

/*
 * Where PATROND_STAGES is set: from here on nothing is executed, no process made, no socket but unix ones, and no file
 * opened but those of the runtime directory, of the folders of the configuration and of profiles, and of the time zones. Says so in the log.
 * Elsewhere (patrond starts the stages itself, and they need all that) it does nothing. Returns 0 or a negative errno.
 */
int wall_enter(const char *config_path, const struct config *config) WARN_UNUSED;

#endif
