/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_DECODE_FEED_H
#define DECODE_DECODE_FEED_H

/* One feed from its text to records on the pipe to load: CSV, profile, one record a row, in batches. */

#include <stdint.h>

#include "common/config.h"
#include "common/fd.h"
#include "common/keyrule.h"
#include "common/wire.h"
#include "decode/csv.h"
#include "decode/layout.h"
#include "decode/show_rows.h"
#include "patrond/shape.h"

/* The pipe to load, and what waits to be written to it. */
struct record_pipe {
	int fd; /* -EBADF: there is none, and records go nowhere */
	struct wire_out out;
	struct show_rows *show; /* NULL: rows are shown nowhere */
};

#define RECORD_PIPE_INIT(descriptor) ((struct record_pipe){ .fd = (descriptor), .out = WIRE_OUT_INIT })

/* Writes what waits. Returns 0 or a negative errno (-EPIPE where load is gone). */
int record_pipe_flush(struct record_pipe *pipe) WARN_UNUSED;
void record_pipe_done(struct record_pipe *pipe); /* wipes; the descriptor stays the caller's */

struct decode_feed;

/*
 * Begins a file: one feed, or (told by role) both. What the options point at, and pipe, outlive it. Returns 0, -EINVAL or
 * -ENOMEM (layout_new).
 */
int decode_feed_new(struct decode_feed **ret, const struct layout_options *options, struct record_pipe *pipe) WARN_UNUSED;

/* Takes text, cut anywhere; data is the feed (a zip_text_fn). Returns 0, or -1 with the failure kept. */
int decode_feed_text(void *data, const char *bytes, size_t size);

/* Says that the text ends. Returns 0, or -1 with the failure kept (a feed without rows is one, each of those asked for). */
int decode_feed_finish(struct decode_feed *feed) WARN_UNUSED;

/* What went wrong, after -1. */
struct failure decode_feed_failure(const struct decode_feed *feed);

/* Records of a feed so far, and the shape of what was read of it. */
uint32_t decode_feed_rows(const struct decode_feed *feed, enum feed_kind kind);
void decode_feed_shape(const struct decode_feed *feed, enum feed_kind kind, struct feed_shape *ret);

/* The failure that an error of form stands for. */
enum failure_code decode_csv_failure(enum csv_error error);

/* Wipes and frees. Accepts NULL, returns NULL. */
struct decode_feed *decode_feed_free(struct decode_feed *feed);
void decode_feed_freep(struct decode_feed **feed);

#define _cleanup_decode_feed_ __attribute__((cleanup(decode_feed_freep)))
#define _cleanup_record_pipe_ __attribute__((cleanup(record_pipe_done)))

#endif
