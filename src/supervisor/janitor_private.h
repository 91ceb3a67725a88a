/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_JANITOR_PRIVATE_H
#define SUPERVISOR_JANITOR_PRIVATE_H

/* What the parts of the janitor share: the round (janitor.c), what it says (janitor_tell.c). */

#include "patrond/failure.h"
#include "patrond/wire.h"
#include "supervisor/errand.h"
#include "supervisor/janitor.h"
#include "supervisor/source.h"

struct finding {
	struct shown_file file; /* name, size, mtime */
	uint64_t device, inode;
	enum plaintext what;
	int64_t first_seen;     /* microseconds since 1970: when it appeared, as far as can be told */
	bool by_clock;          /* as our own clock had it, not a file's time */
	int64_t told;           /* when it was reported last, 0 never */
	bool asked;             /* decode has said what it is, or cannot be asked */
	bool unanswered;        /* it has not said it: it is asked again at next_try */
	bool plain;             /* it is plaintext */
	bool gone;
	uint32_t attempts;      /* to clean it, or to learn what it is, in vain */
	int64_t next_try;
};

struct janitor {
	struct manager *manager;
	struct finding *findings, *fresh; /* known ones; those of the sweep under way */
	size_t count, fresh_count;
	bool swept;             /* once at least: what is new from then on has appeared then */
	int64_t clock;          /* of the last sweep: our clock's time, less the time since the machine's start */
	bool running, again;
	size_t at;              /* the finding that is being asked about or cleaned */
	unsigned int asks;      /* of this round */
	struct errand *errand;
	sd_event_source *timer;
	int fd;                 /* a copy of the file of which decode is asked */
	bool answered;
	enum zip_verdict verdict;
	uint32_t kinds;
	bool cleaned;
	enum clean_result result;
	enum failure_code trouble; /* of the last sweep: told once */
	void (*on_over)(struct manager *manager);
};

/*
 * Our clock was set, by so many microseconds (negative: back): what it told of a finding moves with it, so that nothing comes
 * late or early by it. What lies in the future all the same (now: what it says) is as good as now.
 */
void janitor_clock_set(struct finding *finding, int64_t by, int64_t now);

/* Plaintext was found, or is still there. at_once: it is due now, if it is to be deleted at all. */
void janitor_tell_found(const struct janitor *janitor, const struct finding *finding, bool at_once);

/* With --dry-run: what would go. */
void janitor_tell_would_go(const struct finding *finding);

/* What became of one that was to go. */
void janitor_tell_result(const struct finding *finding, enum clean_result result);

/* Why there was no sweep, no answer or no cleaning; finding may be NULL. */
void janitor_tell_failure(const struct finding *finding, enum program program, const struct failure *failure);

#endif
