/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_DECODE_RECORDS_H
#define DECODE_DECODE_RECORDS_H

/*
 * The job of a load: a zip in a descriptor becomes records on a pipe. The trailer comes last, only when every entry that
 * was read is verified to its end; without it load does nothing.
 */

#include <stdint.h>

#include "common/config.h"
#include "common/fd.h"
#include "common/profile.h"
#include "common/secret.h"
#include "decode/show_rows.h"
#include "decode/zip_unpack.h"
#include "patrond/failure.h"
#include "patrond/shape.h"

struct decode_job {
	int zip;     /* descriptors, the caller's */
	int records; /* -EBADF: rows are read for their shape alone */
	const struct config_feed *feeds; /* FEED_KIND_MAX of them, patterns filled in (profiles_read) */
	const struct profiles *profiles;
	const char *barcode_pattern;
	const struct secret *passwords;
	unsigned int kinds; /* FEED_BIT of those to read; a zip that lacks one of several is read for the others */
	int32_t today;      /* days since 1970 */
	zip_tick_fn *tick;  /* told of raw bytes; may be NULL */
	void *data;
	struct show_rows *show; /* NULL: rows are shown nowhere */
	struct feed_shape *shapes; /* FEED_KIND_MAX, filled for each kind that was read, as far as it was (others: 0 rows); may be NULL */
};

/* Does the job. Returns 0, or -1 with the failure. Nothing is retried; a job that failed has no trailer. */
int decode_records(const struct decode_job *job, struct failure *ret_failure) WARN_UNUSED;

#endif
