/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_MEMORY_H
#define SUPERVISOR_MEMORY_H

/*
 * The only memory between loads: which contents were seen, done, due or held, and the counts that the guards compare
 * with. Volatile: a file in $RUNTIME_DIRECTORY, kept over restarts, gone at reboot; without one, this life only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/fd.h"
#include "patrond/limits.h"
#include "patrond/outcome.h"
#include "patrond/shape.h"

#define FINGERPRINT_SIZE 32U
#define LOAD_ID_SIZE 40U
#define MEMORY_GUARDS_MAX 32U /* 14 of load, 12 of drift */

enum source_kind { SOURCE_SHARE, SOURCE_SFTP, SOURCE_MAX };

enum content_state {
	CONTENT_SEEN,       /* copied and inspected, not run yet */
	CONTENT_DONE,
	CONTENT_DUE,        /* to be run again: it failed, or rows are unclear or unreachable */
	CONTENT_HELD,       /* a guard holds it */
	CONTENT_SUPERSEDED, /* a newer feed has overtaken it */
	CONTENT_REFUSED,    /* not a feed, or not encrypted: final for this content, as long as feeds keep their names */
	CONTENT_STATE_MAX,
};

/* One content, by its fingerprint. */
struct content {
	uint8_t fingerprint[FINGERPRINT_SIZE];
	enum content_state state;
	enum zip_verdict verdict;
	uint32_t kinds;         /* feeds in it, FEED_BIT */
	bool renamed;           /* feeds have other names since it was inspected: its kinds are unknown again */
	int64_t mtime;          /* microseconds since 1970, of the listing that showed it first */
	uint32_t failure;       /* enum failure_code of the last run */
	uint32_t attempts;      /* failed runs in a row */
	int64_t next_try;       /* microseconds since 1970; 0: at once */
	char load_id[LOAD_ID_SIZE]; /* of the last run */
	struct guard_figure guards[MEMORY_GUARDS_MAX]; /* that hold it */
	uint32_t guard_count;
	struct guard_figure approved[MEMORY_GUARDS_MAX]; /* let go up to these */
	uint32_t approved_count;
};

/* A file of a listing that is known: which content it has. A superseded one may be unread (content NULL). */
struct known_file {
	enum source_kind source;
	char name[LIMIT_FILE_NAME + 1];
	uint64_t size;
	int64_t mtime;
	bool unread;
	uint8_t fingerprint[FINGERPRINT_SIZE];
};

_Static_assert(LIMIT_FILES_REMEMBERED == SOURCE_MAX * LIMIT_LISTING, "each source may show as many");

/* The last report that was mailed, or is just leaving, and who has it. */
struct mailed {
	bool known;
	uint8_t digest[FINGERPRINT_SIZE];
	uint64_t list; /* which recipients the bits are of */
	uint32_t done;
};

struct memory {
	struct content contents[LIMIT_FEEDS_REMEMBERED];
	size_t content_count;
	struct known_file files[LIMIT_FILES_REMEMBERED];
	size_t file_count;
	uint32_t last_rows[FEED_KIND_MAX];      /* of the last accepted feed; 0 unknown */
	struct feed_shape last_shape[FEED_KIND_MAX]; /* likewise; 0 rows: unknown */
	int64_t last_mtime[FEED_KIND_MAX];      /* of the newest feed loaded; 0 none */
	uint64_t last_patrons;
	struct mailed mailed;
	uint64_t names;                         /* a sum of those by which feeds were told last; 0 unknown */
	uint32_t listed;                        /* sources that were listed well, as a mask */
	bool writing;                           /* a load began to write and its end was not seen */
};

/*
 * Reads the file where there is one; what cannot be read is as good as none (a reboot has the same effect), but for
 * that it is told: returns 1 then, 0 otherwise, or a negative errno (-ENOMEM).
 */
int memory_new(struct memory **ret) WARN_UNUSED;
struct memory *memory_free(struct memory *memory);
void memory_freep(struct memory **memory);

/* Writes the file (temporary name, rename), mode 0600. Returns 0, also where there is no place for one, or an errno. */
int memory_save(const struct memory *memory) WARN_UNUSED;

/* Finds a content or a file; NULL where it is unknown. */
struct content *memory_content(struct memory *memory, const uint8_t fingerprint[static FINGERPRINT_SIZE]);
struct known_file *memory_file(struct memory *memory, enum source_kind source, const char *name, uint64_t size,
    int64_t mtime);

/*
 * Adds one. Where there is no room, what is missed least makes it: overtaken contents and those without a feed, then done ones,
 * the oldest first; due and held ones last. Never fails.
 */
struct content *memory_add_content(struct memory *memory, const uint8_t fingerprint[static FINGERPRINT_SIZE]);
struct known_file *memory_add_file(struct memory *memory, enum source_kind source, const char *name, uint64_t size,
    int64_t mtime);

#endif
