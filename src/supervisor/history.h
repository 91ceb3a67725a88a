/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_HISTORY_H
#define SUPERVISOR_HISTORY_H

/*
 * How the last loads ended: one note for each content, for whoever asks. Nothing is decided by it. Volatile: a file in
 * $RUNTIME_DIRECTORY beside the memory of feeds.
 */

#include "supervisor/load.h"

#define HISTORY_NOTES 16U

struct load_note {
	char id[LOAD_ID_SIZE];
	uint8_t fingerprint[FINGERPRINT_SIZE];
	int64_t time; /* of the end, microseconds since 1970 */
	bool dry_run;
	uint32_t kinds; /* feeds that it was to load */
	struct load_result result;
};

struct history {
	struct load_note notes[HISTORY_NOTES]; /* the oldest first */
	size_t count;
};

/* Reads the file. What cannot be read is as good as none. Returns 0 or -ENOMEM. */
int history_new(struct history **ret) WARN_UNUSED;
struct history *history_free(struct history *history);

/* Adds a note in place of the one of the same content. The oldest that is not the last of its feed kind makes room. */
void history_add(struct history *history, const struct load_note *note);

/* Returns 0 or a negative errno. */
int history_save(const struct history *history) WARN_UNUSED;

/* The note of a load, or NULL. */
const struct load_note *history_find(const struct history *history, const char *id);

/* The last load of a feed kind, or NULL. */
const struct load_note *history_last(const struct history *history, enum feed_kind kind);

#endif
