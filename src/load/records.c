/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records pipe's read end. */

#include "load/records.h"

#include <errno.h>

#include "common/record.h"

/* Reads of one turn: a fast decode must not keep the index waiting. */
#define READS_A_TURN 16U

void
records_init(struct records *records, int fd, int32_t today, struct rows *rows)
{
	*records = (struct records){ .fd = fd, .today = today, .reader = WIRE_READER_INIT, .rows = rows };
}

void
records_done(struct records *records)
{
	wire_reader_done(&records->reader);
}

static int
refuse(struct records *records, enum failure_code code)
{
	records->failure = failure_of(code, 0);
	return -EBADMSG;
}

static int
take_record(struct records *records, struct wire_in *in)
{
	struct record record;
	int r;

	if (record_get(in, records->today, &record) < 0)
		return refuse(records, FAILURE_RECORDS);
	r = rows_add(records->rows, &record);
	if (r == -ENOMEM || r == -ENOBUFS)
		return refuse(records, FAILURE_MEMORY);
	if (r < 0) {
		records->failure = failure_of(FAILURE_RECORDS, 0);
		records->failure.feed = record.feed;
		records->failure.row = record.row;
		return -EBADMSG;
	}
	return 0;
}

static int
take_trailer(struct records *records, struct wire_in *in)
{
	uint32_t rows[FEED_KIND_MAX];

	if (record_get_trailer(in, rows) < 0 || rows_finish(records->rows, rows) < 0)
		return refuse(records, FAILURE_RECORDS);
	/* It is the last word. */
	if (records->reader.buf.size > records->reader.used)
		return refuse(records, FAILURE_RECORDS);
	records->complete = true;
	return 0;
}

static int
take_frames(struct records *records)
{
	for (;;) {
		struct wire_in in;
		int r = wire_next(&records->reader, &in);

		if (r < 0)
			return refuse(records, FAILURE_RECORDS);
		if (r == 0 || records->complete)
			return 0;
		if (in.type == WIRE_RECORD)
			r = take_record(records, &in);
		else if (in.type == WIRE_RECORD_TRAILER)
			r = take_trailer(records, &in);
		else
			r = refuse(records, FAILURE_RECORDS);
		if (r < 0)
			return r;
	}
}

int
records_read(struct records *records)
{
	for (unsigned int i = 0; i < READS_A_TURN && !records->complete; i++) {
		ssize_t n = wire_read(&records->reader, records->fd);
		int r;

		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return refuse(records, FAILURE_RECORDS);
		if (n == 0)
			return refuse(records, FAILURE_RECORDS_CUT); /* within a frame too: decode died in it */
		r = take_frames(records);
		if (r < 0)
			return r;
	}
	return 0;
}
