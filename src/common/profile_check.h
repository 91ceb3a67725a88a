/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_PROFILE_CHECK_H
#define COMMON_PROFILE_CHECK_H

/* What the keys of a profile must be together. */

#include "common/profile.h"

/* Checks a profile that was read, and completes it (people: both feeds). Returns 0, or -EINVAL with the error's text. */
int profile_check(struct profile *profile, struct config_error *error) WARN_UNUSED;

#endif
