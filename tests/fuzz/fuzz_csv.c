/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows must not depend on how the bytes were cut, and stay within their limits. The first byte is the size of a piece. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode/csv.h"
#include "patrond/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sum over all that was given out; equal rows give equal sums. */
struct sum {
	uint64_t hash;
	size_t rows;
};

static void
mix(struct sum *sum, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < size; i++)
		sum->hash = (sum->hash ^ at[i]) * 1099511628211ULL;
}

static int
take(void *data, const struct csv_row *row)
{
	struct sum *sum = data;
	size_t size = 0;

	if (row->count == 0 || row->count > LIMIT_CELLS || row->size > LIMIT_ROW_SIZE)
		abort();
	for (size_t i = 0; i < row->count; i++) {
		/* between two cells there may be a delimiter */
		size += i > 0 && row->cells[i].bytes == row->bytes + size + 1 && row->bytes[size] == row->delimiter;
		if (row->cells[i].size > LIMIT_CELL_SIZE || row->cells[i].bytes != row->bytes + size)
			abort();
		if (memchr(row->cells[i].bytes, '\0', row->cells[i].size) != NULL)
			abort();
		size += row->cells[i].size;
		mix(sum, &row->cells[i].size, sizeof(row->cells[i].size));
		mix(sum, row->cells[i].bytes, row->cells[i].size);
	}
	if (size != row->size)
		abort();
	sum->rows++;
	return 0;
}

static enum csv_error
read_pieces(const uint8_t *data, size_t size, size_t piece, struct sum *sum, struct csv_place *ret_place)
{
	_cleanup_csv_ struct csv *csv = NULL;
	enum csv_error error = CSV_OK;

	if (csv_new(&csv, take, sum) < 0)
		abort();
	for (size_t at = 0; at < size && error == CSV_OK; at += piece)
		error = csv_read(csv, (const char *)data + at, piece < size - at ? piece : size - at);
	if (error == CSV_OK)
		error = csv_finish(csv);
	*ret_place = csv_error_place(csv);
	return error;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum whole = { 0 }, cut = { 0 };
	struct csv_place whole_place, cut_place;
	enum csv_error error;

	if (size < 1)
		return 0;
	error = read_pieces(data + 1, size - 1, size, &whole, &whole_place);
	if (read_pieces(data + 1, size - 1, (size_t)data[0] + 1, &cut, &cut_place) != error)
		abort();
	if (cut.rows != whole.rows || cut.hash != whole.hash)
		abort();
	if (error != CSV_OK && error != CSV_E_ROW_TOO_LONG && error != CSV_E_CELL_TOO_LONG &&
	    (cut_place.line != whole_place.line || cut_place.column != whole_place.column))
		abort();
	return 0;
}
