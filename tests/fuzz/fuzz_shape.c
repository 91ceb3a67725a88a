/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The payload of a SHAPE frame, of a decode that was taken over: what is accepted is written back byte for byte. */

#include <stdlib.h>
#include <string.h>

#include "common/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct feed_shape *shape)
{
	uint64_t reasons = 0;

	/* what shares are taken of, and what may be divided by */
	if (shape->rows == 0 || shape->understood > shape->rows || shape->of_age > shape->birth_dates)
		abort();
	for (size_t i = 0; i < COLUMN_MAX; i++)
		if (shape->columns[i].filled > shape->understood)
			abort();
	for (size_t i = 0; i < REASON_MAX; i++)
		reasons += shape->reasons[i].rows;
	if (reasons > shape->rows)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct wire_in in = { .type = WIRE_SHAPE, .at = data, .end = data + size };
	struct feed_shape shape;
	enum feed_kind feed;

	if (wire_get_shape(&in, &feed, &shape) < 0)
		return 0;
	check(&shape);
	if (wire_add_shape(&out, feed, &shape) < 0 || out.buf.size != WIRE_HEADER_SIZE + size ||
	    memcmp(out.buf.bytes + WIRE_HEADER_SIZE, data, size) != 0)
		abort();
	return 0;
}
