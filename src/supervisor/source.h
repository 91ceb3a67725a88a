/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_SOURCE_H
#define SUPERVISOR_SOURCE_H

/* What a source (the share, the SFTP drop) showed in its listings, and which of it stands still. No I/O. */

#include <stdbool.h>

#include "common/config.h"
#include "common/wire.h"
#include "supervisor/memory.h"

struct shown_file {
	enum source_kind source;
	char name[LIMIT_FILE_NAME + 1]; /* as it stands in the listing: never a path, never printed unescaped */
	uint64_t size;
	int64_t mtime;    /* microseconds since 1970 */
	int64_t order;    /* by which the newest is told: mtime, or when its content was first shown, if that is earlier */
	usec_t since;     /* monotonic: since when it is shown with this size and time */
};

struct source {
	enum source_kind kind;
	struct shown_file *files;
	size_t count;
	struct shown_file *listing; /* the listing that is being taken */
	size_t listing_count;
};

void source_done(struct source *source);

/* Begins a listing. Returns 0 or -ENOMEM. */
int source_begin(struct source *source) WARN_UNUSED;

/* Takes one LISTING frame. Returns 0, or -EBADMSG for a name that cannot be a file's or one file too many. */
int source_take(struct source *source, struct wire_in *in, usec_t now) WARN_UNUSED;

/* Ends the listing: it takes the place of the one before, and what stands unchanged keeps its `since`. */
void source_end(struct source *source);

/* Drops the listing that is being taken: the look failed. */
void source_abort(struct source *source);

#endif
