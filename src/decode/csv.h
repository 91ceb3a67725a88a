/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_CSV_H
#define DECODE_CSV_H

/*
 * The strict reader of a feed's rows: state and bytes in, rows out, no input or output of its own. What could make rows
 * vanish (an open quote, text after a closing one) is an error with its place, never a guess.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fd.h"
#include "common/record.h"

enum csv_error {
	CSV_OK,
	CSV_E_QUOTE_OPEN,    /* the feed ends within quotes; the place is that of the opening quote */
	CSV_E_QUOTE_TEXT,    /* anything but a delimiter or a line's end after a closing quote */
	CSV_E_QUOTE_ROWS,    /* lines within quotes that look like rows: two stray quotes swallow what is between */
	CSV_E_LINE_END,      /* a CR outside quotes that does not stand before an LF: rows would run into one another */
	CSV_E_ROW_TOO_LONG,  /* over LIMIT_ROW_SIZE bytes */
	CSV_E_CELL_TOO_LONG, /* over LIMIT_CELL_SIZE bytes */
	CSV_E_TOO_MANY_CELLS,
	CSV_E_NUL_BYTE,
	CSV_E_STOPPED, /* by the caller's function */
};

/* A row, its cells unquoted. Everything lives until the function that was given it returns. */
struct csv_row {
	const struct text *cells;
	size_t count;      /* at least 1 */
	const char *bytes; /* all cells in their order; between two there may be a delimiter */
	size_t size;
	char delimiter;
	bool quoted; /* a quote stands in the row: `""` is no empty line */
};

/* Takes a row. Returns 0 to go on, anything else to stop. Lines without any byte are not given out. */
typedef int csv_row_fn(void *data, const struct csv_row *row);

/* Where an error stands: the line of the file and the cell of the row, both from 1. */
struct csv_place {
	uint64_t line;
	uint32_t column;
};

struct csv;

/* Makes a reader. fn and data are the caller's and outlive it. Returns 0 or -ENOMEM. */
int csv_new(struct csv **ret, csv_row_fn *fn, void *data) WARN_UNUSED;

/* Before the first bytes: a delimiter of its own (NUL: told by the first line), and whether double quotes mean something. */
void csv_set_form(struct csv *csv, char delimiter, bool quotes);

/* Wipes and frees. Accepts NULL, returns NULL. */
struct csv *csv_free(struct csv *csv);
void csv_freep(struct csv **csv);

/* Reads bytes on, cut anywhere. Returns CSV_OK or an error, after which the reader can only be asked for the place. */
enum csv_error csv_read(struct csv *csv, const char *bytes, size_t size) WARN_UNUSED;

/* Says that the feed ends here: gives out the last row where it has no line's end. Returns as csv_read. */
enum csv_error csv_finish(struct csv *csv) WARN_UNUSED;

/* The place of the error that was returned last. */
struct csv_place csv_error_place(const struct csv *csv);

#define _cleanup_csv_ __attribute__((cleanup(csv_freep)))

#endif
