/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV: quoting, the guard against formulas, one function a kind of row. */

#include "report/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/date.h"
#include "patrond/limits.h"

static const struct {
	const char *name;
	const char *header;
} files[TABLE_MAX] = {
#define FILE_OF(table, name, header) [TABLE_##table] = { name, header "\n" },
	REPORT_FILES(FILE_OF)
#undef FILE_OF
};

/* What begins a formula in a spreadsheet; the last four are the full-width forms, which East Asian ones take too. */
static const char *const formula_starts[] = {
	"=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0",
	"'", /* so that the first apostrophe is always ours */
};

void
tables_init(struct tables *tables, size_t max)
{
	*tables = (struct tables){ .max = max };
	for (size_t i = 0; i < TABLE_MAX; i++)
		tables->csv[i] = BUF_INIT(max);
}

const char *
table_file_name(enum table table)
{
	return files[table].name;
}

bool
tables_empty(const struct tables *tables)
{
	for (size_t i = 0; i < TABLE_MAX; i++)
		if (tables->rows[i] > 0)
			return false;
	return true;
}

/* Bytes of the control character at the front (C0, DEL, or C1 in UTF-8), or 0. */
static size_t
control_at(const char *bytes, size_t size)
{
	uint8_t c = (uint8_t)bytes[0];

	if (c < ' ' || c == 0x7f)
		return 1;
	return c == 0xc2 && size > 1 && (uint8_t)bytes[1] < 0xa0 ? 2 : 0;
}

/* Control characters become blanks: a line break would pass for a row, an escape for a command. Returns the new size. */
static size_t
show(const char *bytes, size_t size, char ret[static LIMIT_CLEANUP_FIELD])
{
	size_t n = 0;

	for (size_t at = 0; at < size;) {
		size_t control = control_at(bytes + at, size - at);

		ret[n++] = control > 0 ? ' ' : bytes[at];
		at += control > 0 ? control : 1;
	}
	return n;
}

static bool
needs_guard(const char *bytes, size_t size)
{
	size_t blanks = 0;

	/* A spreadsheet looks past blanks at the start of a cell. */
	while (blanks < size && bytes[blanks] == ' ')
		blanks++;
	for (size_t i = 0; i < sizeof(formula_starts) / sizeof(formula_starts[0]); i++) {
		size_t n = strlen(formula_starts[i]);

		if (size - blanks >= n && memcmp(bytes + blanks, formula_starts[i], n) == 0)
			return true;
	}
	return false;
}

static bool
needs_quotes(const char *bytes, size_t size)
{
	/* Not all need it: a blank at either end is taken off by some readers, and a semicolon parts cells for others. */
	return bytes[0] == ' ' || bytes[size - 1] == ' ' || memchr(bytes, ',', size) != NULL ||
	       memchr(bytes, ';', size) != NULL || memchr(bytes, '"', size) != NULL;
}

/* Adds a field of the ILS, which is not empty. */
static int
add_field(struct buf *line, const char *bytes, size_t size)
{
	char shown[LIMIT_CLEANUP_FIELD], cell[2 * LIMIT_CLEANUP_FIELD + 3];
	size_t n = 0;
	bool quoted;
	int r;

	if (size == 0 || size > LIMIT_CLEANUP_FIELD)
		return -ENOBUFS;
	size = show(bytes, size, shown);
	quoted = needs_quotes(shown, size);
	if (quoted)
		cell[n++] = '"';
	if (needs_guard(shown, size))
		cell[n++] = '\'';
	for (size_t i = 0; i < size; i++) {
		if (shown[i] == '"')
			cell[n++] = '"';
		cell[n++] = shown[i];
	}
	if (quoted)
		cell[n++] = '"';
	r = buf_add(line, cell, n);
	explicit_bzero(shown, size);
	explicit_bzero(cell, n);
	return r;
}

/* Moves a finished line to its table, with the header before the first. */
static int
add_line(struct tables *tables, enum table table, const struct buf *line)
{
	struct buf *csv = &tables->csv[table];
	size_t header = csv->size == 0 ? strlen(files[table].header) : 0;
	size_t total = header + line->size;
	int r;

	for (size_t i = 0; i < TABLE_MAX; i++)
		total += tables->csv[i].size;
	if (total > tables->max)
		return -ENOBUFS;
	r = buf_reserve(csv, header + line->size); /* so that none of the two can fail halfway */
	if (r == 0)
		r = buf_add(csv, files[table].header, header);
	if (r == 0)
		r = buf_add(csv, line->bytes, line->size);
	if (r == 0)
		tables->rows[table]++;
	return r;
}

int
tables_add_cleanup(struct tables *tables, const struct cleanup_row *row)
{
	_cleanup_buf_ struct buf line = BUF_INIT(4U * LIMIT_CLEANUP_FIELD);
	char expiration[DATE_TEXT_SIZE] = "";
	int r;

	if (row->expiration != DATE_NONE)
		date_format(row->expiration, expiration);
	r = buf_addf(&line, "%" PRIu64 ",", row->patron_id);
	if (r == 0)
		r = add_field(&line, row->field, row->field_size);
	if (r == 0)
		r = buf_addf(&line, ",%s,%s\n", expiration, cleanup_class_name(row->class));
	if (r == 0)
		r = add_line(tables, TABLE_CLEANUP, &line);
	if (r == 0)
		tables->classes[row->class]++;
	return r;
}

int
tables_add_held(struct tables *tables, const struct outcome *outcome)
{
	_cleanup_buf_ struct buf line = BUF_INIT(256);
	int r;

	r = buf_addf(&line, "%s,%" PRIu32 ",%s,", feed_kind_name(outcome->feed), outcome->row, reason_name(outcome->reason));
	if (r == 0 && outcome->patron_id != 0)
		r = buf_addf(&line, "%" PRIu64, outcome->patron_id);
	if (r == 0)
		r = buf_add_text(&line, "\n");
	return r < 0 ? r : add_line(tables, TABLE_HELD, &line);
}

int
tables_add_rejected(struct tables *tables, const struct outcome *outcome)
{
	_cleanup_buf_ struct buf line = BUF_INIT(256);
	int r;

	r = buf_addf(&line, "%s,%" PRIu32 ",%s\n", feed_kind_name(outcome->feed), outcome->row, reason_name(outcome->reason));
	return r < 0 ? r : add_line(tables, TABLE_REJECTED, &line);
}

int
tables_add_opted_out(struct tables *tables, uint64_t patron_id)
{
	_cleanup_buf_ struct buf line = BUF_INIT(64);
	int r = buf_addf(&line, "%" PRIu64 "\n", patron_id);

	return r < 0 ? r : add_line(tables, TABLE_OPTED_OUT, &line);
}

void
tables_done(struct tables *tables)
{
	for (size_t i = 0; i < TABLE_MAX; i++)
		buf_done(&tables->csv[i]);
	explicit_bzero(tables->rows, sizeof(tables->rows));
	explicit_bzero(tables->classes, sizeof(tables->classes));
}
