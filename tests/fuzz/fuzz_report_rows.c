/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Report's end of load's pipe: a stream of frames from a load that was taken over. What is taken is counted and valid
 * text; complete is only what a true trailer closes.
 */

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "patrond/limits.h"
#include "report/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct rows *rows)
{
	const struct tables *tables = rows->tables;
	uint32_t classes = 0;

	for (size_t i = 0; i < CLEANUP_CLASS_MAX; i++)
		classes += tables->classes[i];
	if (classes != tables->rows[TABLE_CLEANUP])
		abort();
	for (size_t i = 0; i < TABLE_MAX; i++) {
		const struct buf *csv = &tables->csv[i];

		if (tables->rows[i] > rows->received[i] || (tables->rows[i] == 0) != (csv->size == 0))
			abort();
		if (csv->size > 0 && (!text_is_utf8(csv->bytes, csv->size) || csv->bytes[csv->size - 1] != '\n'))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	_cleanup_tables_ struct tables tables;
	struct rows rows = { .tables = &tables };
	struct wire_in in;
	int r = 0;

	tables_init(&tables, size > 0 && (data[0] & 2) != 0 ? 512 : LIMIT_REPORT_SIZE);
	if (size < 1 || size > LIMIT_FRAME)
		return 0;
	rows.with_rows = (data[0] & 1) != 0;
	if (buf_add(&reader.buf, data + 1, size - 1) < 0)
		abort();
	while (r == 0 && wire_next(&reader, &in) == 1)
		r = rows_take(&rows, &in);
	/* after an error there is no report: what the tables are like then is nobody's business */
	if (r == 0)
		check(&rows);
	return 0;
}
