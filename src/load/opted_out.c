/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One look-up for each row that is opted out. */

#include "load/opted_out.h"

#include <errno.h>
#include <stdlib.h>

static int
ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The patron that a row's key means; 0 where the row is not opted out, or there is not exactly one. */
static uint64_t
patron_of(const struct plan *plan, const struct index *index, row_ref ref)
{
	struct outcome outcome;
	struct record record;
	struct index_hit hit;

	plan_outcome(plan, ref, &outcome);
	if (outcome.reason != REASON_OPTED_OUT)
		return 0;
	/* Of such a row there is no name, so the match is not confirmed: a person looks at it. */
	rows_get(plan_rows(plan), ref, &record);
	if (!record.key_fits)
		return 0;
	index_find(index, record.fields[RECORD_KEY].bytes, record.fields[RECORD_KEY].size, &hit);
	return hit.verdict == INDEX_CLEAN ? hit.patron_id : 0;
}

int
opted_out_patrons(const struct plan *plan, const struct index *index, uint64_t **ret, size_t *ret_count)
{
	uint32_t total = rows_total(plan_rows(plan));
	_cleanup_free_ uint64_t *ids = NULL;
	size_t count = 0, room = 0, kept = 0;

	for (row_ref ref = 0; ref < total; ref++) {
		uint64_t id = patron_of(plan, index, ref);

		if (id == 0)
			continue;
		if (count == room) {
			uint64_t *more = reallocarray(ids, room > 0 ? 2 * room : 256, sizeof(*ids));

			if (more == NULL)
				return -ENOMEM;
			ids = more;
			room = room > 0 ? 2 * room : 256;
		}
		ids[count++] = id;
	}
	if (count > 0)
		qsort(ids, count, sizeof(*ids), ascending);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || ids[i] != ids[i - 1])
			ids[kept++] = ids[i];
	*ret = TAKE_PTR(ids);
	*ret_count = kept;
	return 0;
}
