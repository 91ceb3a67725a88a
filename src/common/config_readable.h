/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_CONFIG_READABLE_H
#define COMMON_CONFIG_READABLE_H

/* Whether the stages' users may read what the configuration consists of, which root cannot see by reading it. */

#include "common/config.h"

/*
 * For root: reads the configuration and its profiles, and looks at the files that it names, as nobody. Each file that
 * may not be read is told on standard error, after "PROGRAM: "; one that is not there is not. Returns how many were told;
 * 0 for every other user, who is told of such files by reading them.
 */
int config_unreadable_told(const char *program, const char *path, const struct config *config) WARN_UNUSED;

#endif
