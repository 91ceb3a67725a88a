/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_FUZZ_FEEDKIT_H
#define TESTS_FUZZ_FEEDKIT_H

/* Feeds for targets that read whole files: both kinds, by the shipped profile. */

#include <stdlib.h>

#include "common/config.h"
#include "common/profile.h"

static const struct config_feed feeds[FEED_KIND_MAX] = {
	[FEED_STUDENT] = { .profile = "chccs", .pattern = "*tudent*.csv", .statuses = "0 1", .opt_out = OPT_OUT_PROFILE },
	[FEED_STAFF] = { .profile = "chccs", .pattern = "*staff*.csv", .opt_out = OPT_OUT_PROFILE },
};

/* Read once for all inputs. */
static inline const struct profiles *
shipped(void)
{
	static struct profiles profiles;
	struct config_error error;

	for (size_t feed = 0; feed < FEED_KIND_MAX; feed++)
		if (profiles.of[feed] == NULL && profile_read(&profiles.of[feed], SHIPPED_PROFILES "/chccs.conf", "", &error) < 0)
			abort();
	return &profiles;
}

#endif
