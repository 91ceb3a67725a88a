/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_JOB_H
#define REPORT_JOB_H

/* One report, from the pipe to the zip that is proved to hold it. */

#include <stdbool.h>
#include <stdint.h>

#include "patrond/failure.h"
#include "report/digest.h"
#include "report/tables.h"

struct report_job {
	int pipe_fd;          /* load's REPORT_* frames */
	int zip_fd;           /* a regular file, empty, open for reading and writing */
	int32_t today;        /* days since 1970 */
	bool with_rows;       /* [report] rows */
	const char *password; /* bytes, not NUL-terminated; without a NUL in them */
	size_t password_size;
	size_t max;           /* bytes of the tables together: LIMIT_REPORT_SIZE */
	bool (*cancelled)(void *userdata); /* asked between reads; may be NULL */
	void *userdata;
};

struct report_result {
	uint64_t size; /* of the zip; 0: every table is empty, nothing was written */
	uint32_t classes[CLEANUP_CLASS_MAX];
	uint8_t digest[DIGEST_SIZE]; /* of the tables, keyed with the password; zeroes where they are empty */
	uint32_t held;     /* rows of held_rows.csv, */
	uint32_t rejected; /* and of rejected_rows.csv: none unless they are shown */
	uint32_t opted_out; /* of opted_out_patrons.csv */
};

/* Returns 0 with ret filled, or -1 with ret_failure filled; the zip is of no use then. */
int report_job_run(const struct report_job *job, struct report_result *ret, struct failure *ret_failure) WARN_UNUSED;

#endif
