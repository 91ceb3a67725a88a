/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_TABLES_H
#define REPORT_TABLES_H

/*
 * The tables of the clean-up report as CSV in memory, UTF-8, lines ended by LF, wiped when they go.
 *
 * A field of the ILS may begin like a formula, and a spreadsheet would run it, or show its result in place of the
 * barcode. Such a field is preceded by an apostrophe, and so is one that begins with an apostrophe itself: taking off
 * the first apostrophe, where there is one, gives the field as the ILS has it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "patrond/outcome.h"
#include "patrond/report_files.h"

enum table {
#define TABLE_OF(table, name, header) TABLE_##table,
	REPORT_FILES(TABLE_OF)
#undef TABLE_OF
	TABLE_MAX,
};

struct cleanup_row {
	uint64_t patron_id;
	enum cleanup_class class;
	int32_t expiration; /* days since 1970, or DATE_NONE */
	const char *field;  /* valid UTF-8, not empty, at most LIMIT_CLEANUP_FIELD bytes */
	size_t field_size;
};

struct tables {
	struct buf csv[TABLE_MAX]; /* empty until the first row; header included */
	uint32_t rows[TABLE_MAX];
	uint32_t classes[CLEANUP_CLASS_MAX]; /* rows of TABLE_CLEANUP */
	size_t max;                          /* bytes of all tables together */
};

#define _cleanup_tables_ __attribute__((cleanup(tables_done)))

/* Empty tables that may hold max bytes together. */
void tables_init(struct tables *tables, size_t max);

/* The name of a table's file ("barcode_errors.csv"). */
const char *table_file_name(enum table table);

/* True where no table has a row. */
bool tables_empty(const struct tables *tables);

/*
 * Each adds a row; what is given must be valid. Control characters of a field are shown as blanks. held and rejected rows:
 * the outcome's feed, row, reason and (held) patron_id, 0 shown as empty. Return 0, -ENOBUFS over the maximum, or -ENOMEM.
 */
int tables_add_cleanup(struct tables *tables, const struct cleanup_row *row) WARN_UNUSED;
int tables_add_held(struct tables *tables, const struct outcome *outcome) WARN_UNUSED;
int tables_add_rejected(struct tables *tables, const struct outcome *outcome) WARN_UNUSED;
int tables_add_opted_out(struct tables *tables, uint64_t patron_id) WARN_UNUSED;

/* Wipes and frees. */
void tables_done(struct tables *tables);

#endif
