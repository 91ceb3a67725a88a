/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One feed from its text to records on the pipe. */

#include "decode/decode_feed.h"

#include <errno.h>
#include <stdlib.h>

#include "common/record.h"
#include "patrond/limits.h"

#define BATCH (60U << 10) /* bytes from which records are written: with the last of them they still fit a pipe's 64 KiB */

struct decode_feed {
	unsigned int kinds;
	enum feed_kind kind; /* whose failure one of the whole file is */
	struct csv *csv;
	struct layout *layout;
	struct shape_tally *tallies[FEED_KIND_MAX]; /* of the kinds */
	struct record_pipe *pipe;
	struct failure failure;
};

static const enum failure_code csv_failures[] = {
	[CSV_E_QUOTE_OPEN] = FAILURE_QUOTE_OPEN,
	[CSV_E_QUOTE_TEXT] = FAILURE_QUOTE_TEXT,
	[CSV_E_QUOTE_ROWS] = FAILURE_QUOTE_ROWS,
	[CSV_E_LINE_END] = FAILURE_LINE_END,
	[CSV_E_ROW_TOO_LONG] = FAILURE_ROW_TOO_LONG,
	[CSV_E_CELL_TOO_LONG] = FAILURE_CELL_TOO_LONG,
	[CSV_E_TOO_MANY_CELLS] = FAILURE_TOO_MANY_CELLS,
	[CSV_E_NUL_BYTE] = FAILURE_NUL_BYTE,
};

enum failure_code
decode_csv_failure(enum csv_error error)
{
	return csv_failures[error];
}

int
record_pipe_flush(struct record_pipe *pipe)
{
	int r = pipe->fd < 0 ? 0 : fd_write_all(pipe->fd, pipe->out.buf.bytes, pipe->out.buf.size);

	buf_clear(&pipe->out.buf);
	return r;
}

void
record_pipe_done(struct record_pipe *pipe)
{
	wire_out_done(&pipe->out);
}

static int
fail(struct decode_feed *feed, enum failure_code code, uint32_t row, uint32_t column, int number)
{
	feed->failure = (struct failure){ .code = code, .feed = feed->kind, .row = row, .column = column, .number = number };
	return -1;
}

static int
put_record(struct decode_feed *feed, const struct record *record)
{
	int r;

	if (record->row > LIMIT_ROWS)
		return fail(feed, FAILURE_TOO_MANY_ROWS, record->row, 0, 0);
	r = record_put(&feed->pipe->out, record);
	if (r < 0)
		return fail(feed, r == -ENOMEM ? FAILURE_MEMORY : FAILURE_INTERNAL, record->row, 0, -r);
	if (feed->pipe->out.buf.size < BATCH)
		return 0;
	r = record_pipe_flush(feed->pipe);
	return r < 0 ? fail(feed, FAILURE_RECORDS, 0, 0, -r) : 0;
}

/* The missing column by its name in the profile; one that is unknown by its position alone. */
static int
fail_header(struct decode_feed *feed)
{
	struct header_misfit misfit = layout_misfit(feed->layout);

	if (misfit.missing == COLUMN_INVALID)
		return fail(feed, FAILURE_HEADER, 0, misfit.column, 0);
	return fail(feed, FAILURE_COLUMN_MISSING, 0, misfit.column, (int)misfit.missing);
}

static int
take_row(void *data, const struct csv_row *row)
{
	struct decode_feed *feed = data;
	struct record record;
	int r = layout_row(feed->layout, row, &record);

	switch (r) {
	case LAYOUT_RECORD:
		shape_tally_row(feed->tallies[record.feed], &record, layout_sight(feed->layout), row->count, row->delimiter);
		r = feed->pipe->show != NULL ? show_row(feed->pipe->show, &record, row) : 0;
		return r < 0 ? fail(feed, FAILURE_RECORDS, record.row, 0, -r) : put_record(feed, &record);
	case LAYOUT_HEADER:
		for (size_t kind = 0; kind < FEED_KIND_MAX; kind++)
			if (feed->tallies[kind] != NULL)
				shape_tally_header(feed->tallies[kind]);
		return 0;
	case LAYOUT_BLANK:
	case LAYOUT_ELSE:
		return 0;
	case LAYOUT_E_HEADER:
		return fail_header(feed);
	default:
		return fail(feed, r == -ENOMEM ? FAILURE_MEMORY : FAILURE_INTERNAL, layout_rows_total(feed->layout) + 1, 0, -r);
	}
}

/* The row of an error of form is the one that it stands in, counted as rows are; number tells the line of the file. */
static int
fail_csv(struct decode_feed *feed, enum csv_error error)
{
	struct csv_place place = csv_error_place(feed->csv);

	if (error == CSV_E_STOPPED)
		return -1;
	return fail(feed, csv_failures[error], layout_rows_total(feed->layout) + 1, place.column,
	    place.line < INT32_MAX ? (int)place.line : INT32_MAX);
}

int
decode_feed_text(void *data, const char *bytes, size_t size)
{
	struct decode_feed *feed = data;
	enum csv_error error = csv_read(feed->csv, bytes, size);

	return error == CSV_OK ? 0 : fail_csv(feed, error);
}

int
decode_feed_finish(struct decode_feed *feed)
{
	enum csv_error error = csv_finish(feed->csv);

	if (error != CSV_OK)
		return fail_csv(feed, error);
	for (unsigned int kind = 0; kind < FEED_KIND_MAX; kind++)
		if ((feed->kinds & FEED_BIT(kind)) != 0 && layout_rows(feed->layout, (enum feed_kind)kind) == 0) {
			feed->kind = (enum feed_kind)kind;
			return fail(feed, FAILURE_FEED_EMPTY, 0, 0, 0);
		}
	return 0;
}

struct failure
decode_feed_failure(const struct decode_feed *feed)
{
	return feed->failure;
}

uint32_t
decode_feed_rows(const struct decode_feed *feed, enum feed_kind kind)
{
	return layout_rows(feed->layout, kind);
}

void
decode_feed_shape(const struct decode_feed *feed, enum feed_kind kind, struct feed_shape *ret)
{
	shape_tally_figures(feed->tallies[kind], ret);
}

int
decode_feed_new(struct decode_feed **ret, const struct layout_options *options, struct record_pipe *pipe)
{
	_cleanup_decode_feed_ struct decode_feed *feed = calloc(1, sizeof(*feed));
	int r;

	if (feed == NULL)
		return -ENOMEM;
	feed->kinds = options->kinds;
	feed->kind = (options->kinds & FEED_BIT(FEED_STUDENT)) != 0 ? FEED_STUDENT : FEED_STAFF;
	feed->pipe = pipe;
	feed->failure = failure_of(FAILURE_INTERNAL, 0);
	r = csv_new(&feed->csv, take_row, feed);
	if (r < 0)
		return r;
	csv_set_form(feed->csv, options->profile->delimiter, options->profile->quotes);
	r = layout_new(&feed->layout, options);
	for (unsigned int kind = 0; kind < FEED_KIND_MAX && r == 0; kind++)
		if ((options->kinds & FEED_BIT(kind)) != 0)
			r = shape_tally_new(&feed->tallies[kind], options->today);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(feed);
	return 0;
}

struct decode_feed *
decode_feed_free(struct decode_feed *feed)
{
	if (feed == NULL)
		return NULL;
	feed->csv = csv_free(feed->csv);
	feed->layout = layout_free(feed->layout);
	for (size_t kind = 0; kind < FEED_KIND_MAX; kind++)
		feed->tallies[kind] = shape_tally_free(feed->tallies[kind]);
	free(feed);
	return NULL;
}

void
decode_feed_freep(struct decode_feed **feed)
{
	*feed = decode_feed_free(*feed);
}
