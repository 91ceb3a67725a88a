/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV into joins. */

#include "decode/decode_join.h"

#include <errno.h>
#include <stdlib.h>

#include "decode/decode_feed.h"

struct decode_join {
	struct csv *csv;
	struct joins *joins;
	size_t number;
	uint32_t rows;
	struct failure failure;
};

static int
fail(struct decode_join *join, enum failure_code code, uint32_t row, uint32_t column, int number)
{
	join->failure = (struct failure){ code, FEED_KIND_INVALID, row, column, number };
	return -1;
}

static int
take_row(void *data, const struct csv_row *row)
{
	struct decode_join *join = data;
	int r = joins_row(join->joins, join->number, row);

	if (r == 0) {
		join->rows++;
		return 0;
	}
	if (r == FAILURE_HEADER || r == FAILURE_COLUMN_MISSING) {
		struct header_misfit misfit = joins_misfit(join->joins);

		return fail(join, (enum failure_code)r, 0, misfit.column, r == FAILURE_HEADER ? 0 : (int)misfit.missing);
	}
	if (r > 0)
		return fail(join, (enum failure_code)r, 0, 0, (int)join->number + 1);
	return fail(join, r == -ENOMEM ? FAILURE_MEMORY : FAILURE_INTERNAL, 0, 0, -r);
}

static int
fail_csv(struct decode_join *join, enum csv_error error)
{
	struct csv_place place = csv_error_place(join->csv);

	if (error == CSV_E_STOPPED)
		return -1;
	return fail(join, decode_csv_failure(error), join->rows > 0 ? join->rows : 1, place.column,
	    place.line < INT32_MAX ? (int)place.line : INT32_MAX);
}

int
decode_join_new(struct decode_join **ret, const struct profile *profile, size_t i, struct joins *joins)
{
	_cleanup_decode_join_ struct decode_join *join = calloc(1, sizeof(*join));
	int r;

	if (join == NULL)
		return -ENOMEM;
	join->joins = joins;
	join->number = i;
	join->failure = failure_of(FAILURE_INTERNAL, 0);
	r = csv_new(&join->csv, take_row, join);
	if (r < 0)
		return r;
	csv_set_form(join->csv, profile->delimiter, profile->quotes);
	*ret = TAKE_PTR(join);
	return 0;
}

int
decode_join_text(void *data, const char *bytes, size_t size)
{
	struct decode_join *join = data;
	enum csv_error error = csv_read(join->csv, bytes, size);

	return error == CSV_OK ? 0 : fail_csv(join, error);
}

int
decode_join_finish(struct decode_join *join)
{
	enum csv_error error = csv_finish(join->csv);

	if (error != CSV_OK)
		return fail_csv(join, error);
	return joins_begun(join->joins, join->number) ? 0 : fail(join, FAILURE_COLUMN_MISSING, 0, 0, COLUMN_ID);
}

struct failure
decode_join_failure(const struct decode_join *join)
{
	return join->failure;
}

struct decode_join *
decode_join_free(struct decode_join *join)
{
	if (join == NULL)
		return NULL;
	join->csv = csv_free(join->csv);
	free(join);
	return NULL;
}

void
decode_join_freep(struct decode_join **join)
{
	*join = decode_join_free(*join);
}
