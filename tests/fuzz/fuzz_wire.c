/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stream of frames from a stage that has been taken over, in pieces as the kernel may cut it: the first byte says how
 * long they are. What is accepted is written back byte for byte.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/shape.h"

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each reads one kind of frame whole and writes it again. Returns 0 where it was accepted. */
static int
again_failure(struct wire_in *in, struct wire_out *out)
{
	struct failure failure;

	if (wire_get_failure(in, &failure) < 0)
		return -EBADMSG;
	CHECK(failure_word(failure.code) != NULL);
	return wire_add_failure(out, &failure);
}

static int
again_outcome(struct wire_in *in, struct wire_out *out)
{
	struct outcome outcome;

	if (wire_get_outcome(in, &outcome) < 0)
		return -EBADMSG;
	CHECK(reason_name(outcome.reason) != NULL && feed_kind_name(outcome.feed) != NULL);
	CHECK(outcome.reason == REASON_DIFFERS || outcome_reason_fits(outcome.kind, outcome.reason));
	return wire_add_outcome(out, &outcome);
}

static int
again_counts(struct wire_in *in, struct wire_out *out)
{
	enum wire_type type = in->type;
	struct feed_counts counts;
	enum feed_kind feed;

	if (wire_get_counts(in, &feed, &counts) < 0)
		return -EBADMSG;
	return wire_add_counts(out, type, feed, &counts);
}

static int
again_guard(struct wire_in *in, struct wire_out *out)
{
	struct guard_figure figure;

	if (wire_get_guard(in, &figure) < 0)
		return -EBADMSG;
	CHECK(guard_name(figure.guard) != NULL);
	return wire_add_guard(out, &figure);
}

static int
again_shape(struct wire_in *in, struct wire_out *out)
{
	struct feed_shape shape;
	enum feed_kind feed;

	if (wire_get_shape(in, &feed, &shape) < 0)
		return -EBADMSG;
	return wire_add_shape(out, feed, &shape);
}

static int
again_listing(struct wire_in *in, struct wire_out *out)
{
	enum wire_type type = in->type;
	size_t size;
	const char *name = wire_get_string(in, LIMIT_FILE_NAME, &size);
	uint64_t bytes = wire_get_u64(in);
	int64_t mtime = wire_get_i64(in);

	CHECK(name != NULL || size == 0);
	if (wire_finish(in) < 0)
		return -EBADMSG;
	wire_begin(out, type);
	wire_put_string(out, name, size);
	wire_put_u64(out, bytes);
	wire_put_i64(out, mtime);
	return wire_end(out);
}

static const struct {
	enum wire_type type;
	int (*again)(struct wire_in *in, struct wire_out *out);
} kinds[] = {
	{ WIRE_FAILURE, again_failure },
	{ WIRE_OUTCOME, again_outcome },
	{ WIRE_COUNTS, again_counts },
	{ WIRE_PLAN, again_counts },
	{ WIRE_GUARD, again_guard },
	{ WIRE_SHAPE, again_shape },
	{ WIRE_LISTING, again_listing },
};

static void
check_frame(struct wire_in *in)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const uint8_t *at = in->at;
	size_t size = (size_t)(in->end - in->at);

	CHECK(wire_type_name(in->type) != NULL && size <= LIMIT_FRAME);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].type != in->type || kinds[i].again(in, &out) < 0)
			continue;
		CHECK(out.buf.size == WIRE_HEADER_SIZE + size);
		CHECK(memcmp(out.buf.bytes + WIRE_HEADER_SIZE, at, size) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	size_t step;
	struct wire_in in;
	int r = 0;

	if (size == 0)
		return 0;
	step = data[0] == 0 ? 65536 : data[0];
	data++;
	size--;
	while (size > 0 && r >= 0) {
		size_t n = step < size ? step : size;

		/* as wire_read does it */
		buf_drop(&reader.buf, reader.used);
		reader.last = 0;
		reader.used = 0;
		CHECK(buf_add(&reader.buf, data, n) == 0);
		data += n;
		size -= n;
		do {
			r = wire_next(&reader, &in);
			if (r == 1)
				check_frame(&in);
		} while (r == 1);
	}
	return 0;
}
