/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_REPORT_H
#define SUPERVISOR_REPORT_H

/* Delivering the clean-up report to the share, and telling of it. It never changes a load's result. */

#include "supervisor/errand.h"

#define REPORT_DIGEST_SIZE 32U

/*
 * Asks patrond-share to deliver the zip in fd, which stays the caller's, under a name. on_end is called with userdata as
 * errand_run says. Returns 0 or a negative errno.
 */
int report_deliver(struct errand **ret, struct manager *manager, int fd, const char *name, errand_end_fn on_end,
    void *userdata) WARN_UNUSED;

/* Asks patrond-share to remove the report of that name and all older ones: there is nothing to clean up any more. */
int report_remove(struct errand **ret, struct manager *manager, const char *name, errand_end_fn on_end, void *userdata)
    WARN_UNUSED;

/* How many rows a report has. */
struct report_counts {
	uint32_t classes[CLEANUP_CLASS_MAX];
	uint32_t held, rejected, opted_out;
};

/* What the report stage says of its zip. */
struct report_made {
	uint64_t size; /* 0: there is nothing to report */
	struct report_counts counts;
	uint8_t digest[REPORT_DIGEST_SIZE]; /* equal for reports that say the same */
};

/* Reads REPORTED. Returns 0 or -EBADMSG. */
int report_take(struct wire_in *in, struct report_made *ret) WARN_UNUSED;

/* True where a report is made: there is a share to deliver it to, or somebody to mail it to. */
bool report_wanted(const struct config *config);

/* True where it is delivered to a share. */
bool report_has_share(const struct config *config);

/*
 * Tells that a report was delivered (failure NULL), or why there is none; program is the stage that failed. counts: NULL
 * where they are not known any more.
 */
void report_tell(const char *load_id, const char *name, enum program program, const struct failure *failure,
    const struct report_counts *counts);

/* Tells that there is nothing to clean up, and what became of older reports. */
void report_tell_empty(const char *load_id, const struct failure *failure);

#endif
