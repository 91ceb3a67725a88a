/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_DECODE_JOIN_H
#define DECODE_DECODE_JOIN_H

/* One joined file from its text to the tables of joins. */

#include "common/fd.h"
#include "decode/join.h"
#include "patrond/failure.h"

struct decode_join;

/* Begins joined file number i of the profile. All outlive it. Returns 0 or -ENOMEM. */
int decode_join_new(struct decode_join **ret, const struct profile *profile, size_t i, struct joins *joins) WARN_UNUSED;

/* Takes text, cut anywhere; data is the file (a zip_text_fn). Returns 0, or -1 with the failure kept. */
int decode_join_text(void *data, const char *bytes, size_t size);

/* Says that the text ends. Returns 0, or -1 with the failure kept (a file without a header is one). */
int decode_join_finish(struct decode_join *join) WARN_UNUSED;

/* What went wrong, after -1; about no feed. */
struct failure decode_join_failure(const struct decode_join *join);

struct decode_join *decode_join_free(struct decode_join *join); /* accepts NULL, returns NULL */
void decode_join_freep(struct decode_join **join);

#define _cleanup_decode_join_ __attribute__((cleanup(decode_join_freep)))

#endif
