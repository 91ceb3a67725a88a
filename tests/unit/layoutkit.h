/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_LAYOUTKIT_H
#define TESTS_LAYOUTKIT_H

/* Rows for tests of layouts, as csv hands them on. */

#include <string.h>

#include "decode/csv.h"

#define CELLS_MAX 64

/* A row of the cells of a line, which `|` parts; delimiter is what the feed would part them with. Both stay the caller's. */
static inline struct csv_row
row_of(const char *line, char delimiter, struct text cells[static CELLS_MAX])
{
	struct csv_row row = { .cells = cells, .delimiter = delimiter, .bytes = line, .size = strlen(line) };

	for (;;) {
		size_t size = strcspn(line, "|");

		assert_true(row.count < CELLS_MAX);
		cells[row.count++] = (struct text){ line, size };
		if (line[size] == '\0')
			return row;
		line += size + 1;
	}
}

#endif
