/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_PROFILEKIT_H
#define TESTS_PROFILEKIT_H

/* Profiles for tests: the shipped ones, as they ship. */

#include <stdio.h>

#include "common/profile.h"

static inline struct profile *
shipped_profile(const char *name)
{
	struct profile *profile = NULL;
	struct config_error error;
	char path[1024];

	(void)snprintf(path, sizeof(path), "%s/%s.conf", SHIPPED_PROFILES, name);
	if (profile_read(&profile, path, "", &error) < 0)
		fail_msg("%s:%u: %s", error.file, error.line, error.text);
	return profile;
}

#endif
