/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CTL_VERBS_H
#define CTL_VERBS_H

/* What patronctl can be told to do. Each verb tells what goes wrong and returns the exit status. */

#include <stdbool.h>

struct verb_options {
	const char *socket;   /* the control socket */
	const char *config;   /* for check-config */
	const char *argument; /* SOURCE of run, ID of release; NULL: none */
	bool json, dry_run, wait, again;
};

int verb_status(const struct verb_options *options);
int verb_run(const struct verb_options *options);
int verb_watch(const struct verb_options *options);
int verb_cancel(const struct verb_options *options);
int verb_release(const struct verb_options *options);
int verb_reload(const struct verb_options *options);
int verb_check_config(const struct verb_options *options);

#endif
