/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records pipe's read end. */

#include "load/records.h"

#include <errno.h>

#include "common/record.h"

/* Reads of one turn: a fast decode must not keep the index waiting. */
#define READS_A_TURN 16U

void
records_init(struct records *records, int fd, int32_t today, uint32_t kinds, struct rows *rows)
{
	*records = (struct records){ .fd = fd, .today = today, .kinds = kinds, .reader = WIRE_READER_INIT, .rows = rows };
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
	/* A feed that nobody asked for may be an older one, with a child in it who has opted out since. */
	if ((records->kinds & FEED_BIT(record.feed)) == 0)
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
	/* An empty feed is refused by decode: none that was asked for is missing. */
	for (size_t feed = 0; feed < FEED_KIND_MAX; feed++)
		if ((records->kinds & FEED_BIT(feed)) != 0 && rows[feed] == 0)
			return refuse(records, FAILURE_RECORDS);
	records->trailed = true;
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
		if (r == 0)
			return 0;
		if (in.type == WIRE_RECORD && !records->trailed)
			r = take_record(records, &in);
		else if (in.type == WIRE_RECORD_TRAILER && !records->trailed)
			r = take_trailer(records, &in);
		else
			r = refuse(records, FAILURE_RECORDS);
		if (r < 0)
			return r;
	}
}

/* Within a frame too: then decode died in it. */
static int
take_end(struct records *records)
{
	if (!records->trailed)
		return refuse(records, FAILURE_RECORDS_CUT);
	if (records->reader.buf.size > records->reader.used)
		return refuse(records, FAILURE_RECORDS);
	records->complete = true;
	return 0;
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
			return take_end(records);
		r = take_frames(records);
		if (r < 0)
			return r;
	}
	return 0;
}
