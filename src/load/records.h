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
	uint32_t kinds; /* bits: the feeds that decode was asked for */
	struct wire_reader reader;
	struct rows *rows; /* not owned */
	bool trailed;      /* the trailer came, and it is true */
	bool complete;     /* and then the pipe's end: decode has ended well */
	struct failure failure;
};

void records_init(struct records *records, int fd, int32_t today, uint32_t kinds, struct rows *rows);
void records_done(struct records *records);

/*
 * Takes what is there, a bounded part at a time. The supervisor holds the pipe open until decode has ended, so that its
 * end, and not the trailer, is the last word. Returns 0, or -EBADMSG with failure set: RECORDS where the records are
 * malformed or untrue, RECORDS_CUT where they end without the trailer, MEMORY where there are too many to hold.
 */
int records_read(struct records *records) WARN_UNUSED;

#endif
