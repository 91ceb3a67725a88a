/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_PLAINTEXT_H
#define DECODE_PLAINTEXT_H

/* Whether a file that is no zip is a feed in plain text: told by the shape of its first rows, never by its name. */

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/fd.h"
#include "common/profile.h"

/*
 * Looks at the first rows of what is in a descriptor. *ret is true where there is the header of a feed, or of a file that is
 * joined to one and says birth dates or roles, or where the rows are, by far the most of them, rows of a feed. today: days
 * since 1970. Returns 0 or a negative errno.
 */
int plaintext_is_feed(int fd, const struct config_feed feeds[FEED_KIND_MAX], const struct profiles *profiles,
    const char *barcode_pattern, int32_t today, bool *ret) WARN_UNUSED;

#endif
