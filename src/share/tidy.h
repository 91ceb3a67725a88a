/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SHARE_TIDY_H
#define SHARE_TIDY_H

/* Takes our own old things off the share: reports that are replaced or too old, and what a cut-off delivery left. */

#include "share/folder.h"

struct tidy {
	int32_t remove_before; /* reports dated before this day (days since 1970) go */
	uint32_t kinds;        /* and those of this very day that speak of no other feeds than these, as a mask */
	const char *keep;      /* but for this one; may be NULL */
	int64_t now;           /* seconds since 1970: temporary files not touched for an hour go */
};

/*
 * Removes what is to go. What cannot be removed is left for the next time: nothing depends on it. Returns 0 or a negative
 * errno of looking through the folder.
 */
int tidy_reports(const struct folder *folder, const struct tidy *tidy) WARN_UNUSED;

#endif
