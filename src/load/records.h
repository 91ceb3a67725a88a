/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_RECORDS_H
#define LOAD_RECORDS_H

/* Decode's records, drained from their pipe while the index is retrieved. Decode is foreign: nothing is believed. */

#include "common/wire.h"
#include "load/rows.h"
#include "patrond/failure.h"

struct records {
	int fd; /* not owned */
	int32_t today;
	struct wire_reader reader;
	struct rows *rows; /* not owned */
	bool complete;     /* the trailer came, and it is true */
	struct failure failure;
};

void records_init(struct records *records, int fd, int32_t today, struct rows *rows);
void records_done(struct records *records);

/*
 * Takes what is there, a bounded part at a time. Returns 0, or -EBADMSG with failure set: RECORDS where the records are
 * malformed or untrue, RECORDS_CUT where they end without the trailer, MEMORY where there are too many to hold.
 */
int records_read(struct records *records) WARN_UNUSED;

#endif
