/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_LOOK_PRIVATE_H
#define SUPERVISOR_LOOK_PRIVATE_H

/* What the two halves of a look share: listing and running (look.c), copying and inspecting (look_candidates.c). */

#include "supervisor/choose.h"
#include "supervisor/errand.h"
#include "supervisor/look.h"

#define COPIES_MAX 16    /* of one look: a folder of strangers' zips must not be copied whole */
#define RUNS_MAX FEED_KIND_MAX

/* A feed in the workspace that is to be run. */
struct run {
	int fd;
	uint32_t kinds;
	uint8_t fingerprint[FINGERPRINT_SIZE];
};

struct look {
	struct manager *manager;
	struct look_request request;
	struct memory *memory;  /* the manager's, or a dry run's own copy */
	unsigned int sources;   /* still to be listed */
	unsigned int listed;    /* listed well */
	int round;
	struct errand *errand;
	sd_event_source *timer;
	struct load *load;
	char load_id[LOAD_ID_SIZE];
	usec_t copy_since;
	bool cancelled;
	bool ran;               /* a load was started */
	bool again;             /* a file turned out to be an older feed: what is the newest must be told anew */
	struct shown_file *candidates; /* newest first */
	int64_t begun;          /* microseconds since 1970 */
	size_t candidate_count, at;
	unsigned int copies;
	uint32_t covered;       /* kinds of which a newer feed is known */
	uint32_t blocked;       /* kinds of which a newer file may be the newest feed, and is refused */
	size_t blocker;         /* the last such candidate, and what it is */
	enum zip_verdict blocker_verdict;
	int feed_fd;            /* the candidate that is being copied and inspected */
	bool inspected;
	enum zip_verdict verdict;
	uint32_t kinds;
	uint8_t fingerprint[FINGERPRINT_SIZE];
	struct run runs[RUNS_MAX];
	size_t run_count;
};

/* The stage that reads a source. */
enum program look_source_program(enum source_kind source);

/* Tells of a stage's failure with a source, or with a file of it: what is its escaped name. Counts the exit status. */
void look_tell_failure(struct look *look, enum source_kind source, enum program program, const struct failure *failure,
    const char *what);

/* The file of the memory that a listing shows, NULL where it is not known. */
struct known_file *look_known(const struct look *look, const struct shown_file *file);

/* How long until the file has stood still for long enough; 0: it has, or it was known before. */
usec_t look_unsettled_for(const struct look *look, const struct shown_file *file);

/* Sorts what the listings show, newest first, and goes back to its beginning. Returns 0 or -ENOMEM. */
int look_gather(struct look *look) WARN_UNUSED;

struct circumstances look_circumstances(const struct look *look);

/* Ends the look: all that was loaded is put away. */
void look_put_away_over(struct look *look);

/* Goes on with the next candidate, and after the last one with the first run. The look may be gone afterwards. */
void look_next_candidate(struct look *look);

/* Goes on with the next run, and after the last one ends the look. */
void look_next_run(struct look *look);

#endif
