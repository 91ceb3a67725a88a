/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows for a person at a terminal. */

#include "decode/show_rows.h"

#include <string.h>

#include "common/text.h"

/*
 * Characters that make a terminal show text in another order than it stands there, or hide it: a row must not look like
 * another. All else that a terminal obeys is a control character, and those are blanks by the rules of the cells. Returns the
 * size of the one at the front, or 0.
 */
static size_t
deceptive(const uint8_t *at, size_t size)
{
	/* U+200B–U+200F, U+202A–U+202E, U+2060–U+206F, U+FEFF */
	if (size >= 3 && at[0] == 0xE2 && at[1] == 0x80)
		return (at[2] >= 0x8B && at[2] <= 0x8F) || (at[2] >= 0xAA && at[2] <= 0xAE) ? 3 : 0;
	if (size >= 3 && at[0] == 0xE2 && at[1] == 0x81)
		return at[2] >= 0xA0 && at[2] <= 0xAF ? 3 : 0;
	if (size >= 3 && at[0] == 0xEF && at[1] == 0xBB && at[2] == 0xBF)
		return 3;
	/* U+00AD, U+061C, and the tags from U+E0000 on */
	if (size >= 2 && ((at[0] == 0xC2 && at[1] == 0xAD) || (at[0] == 0xD8 && at[1] == 0x9C)))
		return 2;
	return size >= 4 && at[0] == 0xF3 && at[1] == 0xA0 ? 4 : 0;
}

static void
mask_deceptive(char *bytes, size_t size)
{
	for (size_t i = 0, taken; i < size; i += taken > 0 ? taken : 1) {
		taken = deceptive((const uint8_t *)bytes + i, size - i);
		memset(bytes + i, '?', taken);
	}
}

static int
add_cells(struct buf *line, const struct csv_row *row)
{
	size_t before = line->size;
	int r = 0;

	for (size_t i = 0; i < row->count && r == 0; i++) {
		r = buf_add_text(line, i == 0 ? "  " : " | ");
		if (r == 0)
			r = text_add_cell(line, row->cells[i].bytes, row->cells[i].size);
	}
	mask_deceptive(line->bytes + before, line->size - before);
	return r;
}

int
show_row(struct show_rows *show, const struct record *record, const struct csv_row *row)
{
	bool taken = record->verdict == REASON_NONE;
	int r;

	if (show->fd < 0)
		return 0;
	buf_clear(&show->line);
	r = buf_addf(&show->line, "%s row %u: %s", feed_kind_name(record->feed), record->row,
	    taken ? "taken" : reason_name(record->verdict));
	if (r == 0 && record->verdict != REASON_OPTED_OUT)
		r = add_cells(&show->line, row);
	if (r == 0)
		r = buf_add_text(&show->line, "\n");
	return r < 0 ? r : fd_write_all(show->fd, show->line.bytes, show->line.size);
}

void
show_rows_done(struct show_rows *show)
{
	buf_done(&show->line);
}
