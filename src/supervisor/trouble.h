/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_TROUBLE_H
#define SUPERVISOR_TROUBLE_H

/*
 * Files with which something failed (copying, putting away, cleaning): each is tried again after growing pauses, not at
 * every look. Of this life alone, and no I/O.
 */

#include <stdbool.h>

#include "patrond/failure.h"
#include "supervisor/source.h"

#define TROUBLES_MAX 64U

struct trouble {
	enum source_kind source;
	char name[LIMIT_FILE_NAME + 1];
	uint64_t size;
	int64_t mtime;
	uint32_t attempts;
	usec_t next; /* monotonic */
	enum program program; /* what failed last, where the caller says so */
	struct failure failure;
};

struct troubles {
	struct trouble all[TROUBLES_MAX];
	size_t count;
};

/* What is known of the file's troubles, or NULL where there are none. Good until the list changes. */
struct trouble *trouble_find(struct troubles *troubles, const struct shown_file *file);

/* How long until the file may be tried again; 0: now. */
usec_t trouble_pause(const struct troubles *troubles, const struct shown_file *file, usec_t now);

/* Counts one more failure: `first` after it, twice as long each time, up to max. Returns the pause. */
usec_t trouble_add(struct troubles *troubles, const struct shown_file *file, usec_t now, usec_t first, usec_t max);

/* Forgets a file with which all went well. */
void trouble_clear(struct troubles *troubles, const struct shown_file *file);

/* Forgets the files of a source that its listing does not show any more, as they were. */
void trouble_keep(struct troubles *troubles, enum source_kind source, const struct shown_file *files, size_t count);

#endif
