/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/wire.h"

static const struct {
	enum wire_type type;
	uint32_t min, max;
} frames[] = {
#define FRAME(name, number, min_, max_) { WIRE_##name, (min_), (max_) },
	WIRE_FRAMES(FRAME)
#undef FRAME
};

/* Puts raw bytes into a reader, as if they had come. */
static void
feed(struct wire_reader *reader, const void *bytes, size_t size)
{
	assert_int_equal(buf_add(&reader->buf, bytes, size), 0);
}

static void
feed_header(struct wire_reader *reader, uint32_t length, unsigned int type, unsigned int zero)
{
	const uint8_t header[WIRE_HEADER_SIZE] = {
		(uint8_t)length,
		(uint8_t)(length >> 8),
		(uint8_t)(length >> 16),
		(uint8_t)(length >> 24),
		(uint8_t)type,
		(uint8_t)(type >> 8),
		(uint8_t)zero,
		(uint8_t)(zero >> 8),
	};

	feed(reader, header, sizeof(header));
}

/* --- refusals --- */

static void
bad_headers(void **state)
{
	static const struct {
		uint32_t length;
		unsigned int type, zero;
	} table[] = {
		{ 0, 0, 0 }, /* no such type */
		{ 0, 0x06, 0 },
		{ 0, 0xFFFF, 0 },
		{ 0, WIRE_DONE, 1 }, /* the reserved field */
		{ 0, WIRE_DONE, 0x0100 },
		{ 1, WIRE_DONE, 0 },	 /* too long */
		{ 14, WIRE_FAILURE, 0 }, /* too short */
		{ 16, WIRE_FAILURE, 0 },
		{ UINT32_MAX, WIRE_RECORD, 0 },
		{ 0x80000000U, WIRE_RECORD, 0 },
		{ 51, WIRE_RECORD, 0 },
		{ LIMIT_FRAME + 1, WIRE_RECORD, 0 },
		{ 0, WIRE_DONE | 0x0100, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
		struct wire_in in = { .type = WIRE_TYPE_INVALID };

		feed_header(&reader, table[i].length, table[i].type, table[i].zero);
		/* refused by the header alone: nothing is waited for or allocated */
		if (wire_next(&reader, &in) != -EBADMSG || in.type != WIRE_TYPE_INVALID)
			fail_msg("row %zu was taken", i);
		assert_int_equal(wire_next(&reader, &in), -EBADMSG); /* and for good */
	}
}

static void
bounds_of_every_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(frames); i++)
		for (int64_t length = (int64_t)frames[i].min - 1; length <= (int64_t)frames[i].max + 1; length++) {
			_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
			struct wire_in in;
			bool inside = length >= (int64_t)frames[i].min && length <= (int64_t)frames[i].max;

			if (length < 0 || (length > (int64_t)frames[i].min + 1 && length < (int64_t)frames[i].max - 1))
				continue;
			feed_header(&reader, (uint32_t)length, (unsigned int)frames[i].type, 0);
			assert_int_equal(wire_next(&reader, &in), !inside ? -EBADMSG : length == 0 ? 1 : 0);
		}
}

static void
every_frame_fits_the_reader(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(frames); i++) {
		assert_true(frames[i].max <= LIMIT_FRAME);
		assert_true(frames[i].min <= frames[i].max);
		assert_non_null(wire_type_name(frames[i].type));
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(frames[i].type, frames[j].type);
	}
	assert_null(wire_type_name(WIRE_TYPE_INVALID));
	assert_null(wire_type_name((enum wire_type)0));
}

static void
gets_past_the_end(void **state)
{
	static const uint8_t bytes[7] = { 1, 2, 3, 4, 5, 6, 7 };
	struct wire_in in = { .at = bytes, .end = bytes + sizeof(bytes) };
	size_t size = 99;

	(void)state;
	assert_int_equal(wire_get_u64(&in), 0);
	assert_true(in.bad);
	assert_int_equal(wire_get_u8(&in), 0); /* once bad, nothing more is given out */
	assert_null(wire_get_bytes(&in, 0));
	assert_null(wire_get_string(&in, 10, &size));
	assert_int_equal(size, 0);
	assert_int_equal(wire_finish(&in), -EBADMSG);
	in = (struct wire_in){ .at = bytes, .end = bytes + sizeof(bytes) };
	assert_null(wire_get_bytes(&in, SIZE_MAX));
	in = (struct wire_in){ .at = bytes, .end = bytes + sizeof(bytes) };
	assert_int_equal(wire_get_u32(&in), 0x04030201);
	assert_int_equal(wire_finish(&in), -EBADMSG); /* not used up */
}

static void
bad_strings(void **state)
{
	static const struct {
		uint8_t bytes[8];
		size_t size, max;
	} table[] = {
		{ { 0 }, 0, 10 },
		{ { 1, 0, 0 }, 3, 10 },
		{ { 1, 0, 0, 0 }, 4, 10 }, /* one byte is said to follow */
		{ { 3, 0, 0, 0, 'a', 'b' }, 6, 10 },
		{ { 2, 0, 0, 0, 'a', 'b' }, 6, 1 }, /* over what the reader wants */
		{ { 0xFF, 0xFF, 0xFF, 0xFF, 'a' }, 5, SIZE_MAX },
		{ { 0xFC, 0xFF, 0xFF, 0xFF, 'a' }, 5, 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct wire_in in = { .at = table[i].bytes, .end = table[i].bytes + table[i].size };
		size_t size = 99;

		assert_null(wire_get_string(&in, table[i].max, &size));
		assert_int_equal(size, 0); /* a caller that forgets to look copies nothing */
		assert_true(in.bad);
	}
}

static void
bad_puts(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	static const char bytes[LIMIT_FRAME + 1];

	(void)state;
	assert_int_equal(wire_add_empty(&out, WIRE_DONE), 0);
	wire_begin(&out, WIRE_TYPE_INVALID);
	assert_int_equal(wire_end(&out), -EMSGSIZE);
	wire_begin(&out, WIRE_COPIED); /* too short */
	wire_put_u32(&out, 1);
	assert_int_equal(wire_end(&out), -EMSGSIZE);
	wire_begin(&out, WIRE_COPIED); /* too long */
	wire_put_u64(&out, 1);
	wire_put_u8(&out, 1);
	assert_int_equal(wire_end(&out), -EMSGSIZE);
	wire_begin(&out, WIRE_RECORD);
	wire_put_string(&out, bytes, sizeof(bytes));
	wire_put_u64(&out, 1);
	assert_int_equal(wire_end(&out), -EMSGSIZE);
	/* of all of it nothing but the first is left */
	assert_int_equal(out.buf.size, WIRE_HEADER_SIZE);
	for (size_t i = WIRE_HEADER_SIZE; i < 2 * WIRE_HEADER_SIZE + 9; i++)
		assert_int_equal(out.buf.bytes[i], 0);
}

/* The buffer is full: the frame is taken back whole, those before it stay. */
static void
out_of_room(void **state)
{
	_cleanup_wire_out_ struct wire_out out = { .buf = BUF_INIT(3 * WIRE_HEADER_SIZE + 5) };

	(void)state;
	assert_int_equal(wire_add_empty(&out, WIRE_DONE), 0);
	assert_int_equal(wire_add_empty(&out, WIRE_DONE), 0);
	wire_begin(&out, WIRE_COPIED);
	wire_put_u64(&out, 1);
	assert_int_equal(wire_end(&out), -ENOBUFS);
	assert_int_equal(out.buf.size, 2 * WIRE_HEADER_SIZE);
	assert_int_equal(wire_add_empty(&out, WIRE_DONE), 0);
	assert_int_equal(wire_add_empty(&out, WIRE_DONE), -ENOBUFS);
	assert_int_equal(out.buf.size, 3 * WIRE_HEADER_SIZE);
}

/* --- there and back --- */

/* Gives the only frame of out, as a reader sees it. */
static struct wire_in
read_back(struct wire_reader *reader, struct wire_out *out, enum wire_type type)
{
	struct wire_in in = { 0 };

	buf_clear(&reader->buf);
	reader->last = 0;
	reader->used = 0;
	feed(reader, out->buf.bytes, out->buf.size);
	assert_int_equal(wire_next(reader, &in), 1);
	assert_int_equal(in.type, type);
	buf_clear(&out->buf);
	return in;
}

static void
integers(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct wire_in in;
	size_t size;

	(void)state;
	wire_begin(&out, WIRE_RECORD);
	wire_put_u8(&out, 0xFE);
	wire_put_u16(&out, 0xFEDC);
	wire_put_u32(&out, 0xFEDCBA98U);
	wire_put_u64(&out, 0xFEDCBA9876543210ULL);
	wire_put_i32(&out, INT32_MIN);
	wire_put_i64(&out, INT64_MIN);
	wire_put_i64(&out, -1);
	wire_put_string(&out, "", 0);
	wire_put_string(&out, NULL, 0);
	wire_put_string(&out, "a\0b", 3);
	wire_put_u32(&out, 0);
	assert_int_equal(wire_end(&out), 0);
	assert_int_equal((uint8_t)out.buf.bytes[WIRE_HEADER_SIZE + 1], 0xDC); /* little-endian */
	in = read_back(&reader, &out, WIRE_RECORD);
	assert_int_equal(wire_get_u8(&in), 0xFE);
	assert_int_equal(wire_get_u16(&in), 0xFEDC);
	assert_int_equal(wire_get_u32(&in), 0xFEDCBA98U);
	assert_true(wire_get_u64(&in) == 0xFEDCBA9876543210ULL);
	assert_int_equal(wire_get_i32(&in), INT32_MIN);
	assert_true(wire_get_i64(&in) == INT64_MIN);
	assert_true(wire_get_i64(&in) == -1);
	assert_non_null(wire_get_string(&in, 0, &size));
	assert_int_equal(size, 0);
	assert_non_null(wire_get_string(&in, 0, &size));
	assert_memory_equal(wire_get_string(&in, 3, &size), "a\0b", 3);
	assert_int_equal(size, 3);
	assert_int_equal(wire_finish(&in), -EBADMSG); /* not yet */
	assert_int_equal(wire_get_u32(&in), 0);
	assert_int_equal(wire_finish(&in), 0);
}

static void
whole_frames(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	const struct failure failure = { FAILURE_HEADER, FEED_STAFF, 7, 8, -9 };
	const struct outcome outcome = { FEED_STUDENT, 5, OUTCOME_HELD, REASON_CONFLICT, UINT64_MAX };
	const struct outcome difference = { FEED_STAFF, 5, OUTCOME_KIND_INVALID, REASON_DIFFERS, 1 };
	const struct guard_figure figure = { GUARD_PATRONS, FEED_KIND_INVALID, 1, 2, 3, 0 };
	struct feed_counts counts = { .rows = 9, .verified = 2, .different = 1 }, counts_back;
	struct failure failure_back;
	struct outcome outcome_back;
	struct guard_figure figure_back;
	enum feed_kind feed_back;
	struct wire_in in;

	(void)state;
	assert_int_equal(wire_add_failure(&out, &failure), 0);
	in = read_back(&reader, &out, WIRE_FAILURE);
	assert_int_equal(wire_get_failure(&in, &failure_back), 0);
	assert_memory_equal(&failure, &failure_back, sizeof(failure));
	assert_int_equal(wire_add_outcome(&out, &outcome), 0);
	in = read_back(&reader, &out, WIRE_OUTCOME);
	assert_int_equal(wire_get_outcome(&in, &outcome_back), 0);
	assert_memory_equal(&outcome, &outcome_back, sizeof(outcome));
	assert_int_equal(wire_add_outcome(&out, &difference), 0);
	in = read_back(&reader, &out, WIRE_OUTCOME);
	assert_int_equal(wire_get_outcome(&in, &outcome_back), 0);
	assert_memory_equal(&difference, &outcome_back, sizeof(difference));
	assert_int_equal(wire_add_guard(&out, &figure), 0);
	in = read_back(&reader, &out, WIRE_GUARD);
	assert_int_equal(wire_get_guard(&in, &figure_back), 0);
	assert_int_equal(figure_back.guard, figure.guard);
	assert_int_equal(figure_back.feed, figure.feed);
	assert_int_equal(figure_back.value + 10 * figure_back.basis + 100 * figure_back.limit_percent, 321);
	counts.by_outcome[OUTCOME_SKIPPED] = 4;
	counts.by_outcome[OUTCOME_CREATED] = 5;
	counts.by_reason[REASON_INACTIVE] = 4;
	counts.inactive_status[11] = 4;
	assert_int_equal(wire_add_counts(&out, WIRE_PLAN, FEED_STAFF, &counts), 0);
	in = read_back(&reader, &out, WIRE_PLAN);
	assert_int_equal(wire_get_counts(&in, &feed_back, &counts_back), 0);
	assert_int_equal(feed_back, FEED_STAFF);
	assert_memory_equal(&counts, &counts_back, sizeof(counts));
	assert_int_equal(wire_add_progress(&out, PHASE_INDEXING, 1, 2), 0);
	in = read_back(&reader, &out, WIRE_PROGRESS);
	assert_int_equal(wire_get_u8(&in), PHASE_INDEXING);
}

/* --- frames that lie --- */

static void
lying_outcomes(void **state)
{
	static const uint8_t good[15] = { 0, 5, 0, 0, 0, OUTCOME_HELD, REASON_CONFLICT, 1 };
	static const struct {
		size_t at;
		uint8_t value;
	} table[] = {
		{ 0, FEED_KIND_MAX },
		{ 0, 255 },  /* an outcome is of a feed */
		{ 1, 0 },    /* row 0 */
		{ 4, 0x80 }, /* a row past every limit */
		{ 5, OUTCOME_KIND_MAX },
		{ 5, 254 },
		{ 5, 255 },
		{ 5, OUTCOME_CREATED },
		{ 5, OUTCOME_REJECTED },
		{ 6, REASON_MAX },
		{ 6, 255 },
		{ 6, REASON_NONE },
		{ 6, REASON_DIFFERS },
		{ 6, REASON_OPTED_OUT },
	};
	struct outcome outcome = { .row = 77 };
	struct wire_in in = { .at = good, .end = good + sizeof(good) };

	(void)state;
	assert_int_equal(wire_get_outcome(&in, &outcome), 0);
	outcome.row = 77;
	for (size_t i = 0; i < COUNT(table); i++) {
		uint8_t bytes[sizeof(good)];

		memcpy(bytes, good, sizeof(good));
		bytes[table[i].at] = table[i].value;
		in = (struct wire_in){ .at = bytes, .end = bytes + sizeof(bytes) };
		if (wire_get_outcome(&in, &outcome) != -EBADMSG || outcome.row != 77)
			fail_msg("row %zu was taken", i);
	}
}

static void
lying_failures_and_guards(void **state)
{
	uint8_t failure[15] = { FAILURE_MAX & 0xFF, FAILURE_MAX >> 8, 255 };
	uint8_t figure[22] = { GUARD_MAX, 255 };
	struct failure failure_back;
	struct guard_figure figure_back;
	struct wire_in in = { .at = failure, .end = failure + sizeof(failure) };

	(void)state;
	assert_int_equal(wire_get_failure(&in, &failure_back), -EBADMSG);
	failure[0] = FAILURE_NONE;
	failure[1] = 0;
	in = (struct wire_in){ .at = failure, .end = failure + sizeof(failure) };
	assert_int_equal(wire_get_failure(&in, &failure_back), -EBADMSG);
	failure[0] = FAILURE_INTERNAL;
	failure[2] = FEED_KIND_MAX;
	in = (struct wire_in){ .at = failure, .end = failure + sizeof(failure) };
	assert_int_equal(wire_get_failure(&in, &failure_back), -EBADMSG);
	failure[2] = 255;
	in = (struct wire_in){ .at = failure, .end = failure + sizeof(failure) };
	assert_int_equal(wire_get_failure(&in, &failure_back), 0);
	in = (struct wire_in){ .at = figure, .end = figure + sizeof(figure) };
	assert_int_equal(wire_get_guard(&in, &figure_back), -EBADMSG);
	figure[0] = GUARD_MANUAL;
	figure[1] = 2;
	in = (struct wire_in){ .at = figure, .end = figure + sizeof(figure) };
	assert_int_equal(wire_get_guard(&in, &figure_back), -EBADMSG);
}

static void
lying_counts(void **state)
{
	const struct feed_counts table[] = {
		{ .rows = 1, .by_outcome = { [OUTCOME_CREATED] = 2 } },
		/* a sum that overflows 32 bits to something small */
		{ .rows = 1, .by_outcome = { [OUTCOME_CREATED] = UINT32_MAX, [OUTCOME_RENEWED] = 1 } },
		{ .rows = LIMIT_ROWS + 1 },
		{ .rows = 5, .by_outcome = { [OUTCOME_SKIPPED] = 1 }, .by_reason = { [REASON_INACTIVE] = 2 } },
		{ .rows = 5, .by_outcome = { [OUTCOME_SKIPPED] = 1 }, .by_reason = { [REASON_CONFLICT] = 1 } },
		{ .rows = 5, .inactive_status = { 3, 3 } },
		{ .rows = 5, .verified = 3, .different = 3 },
		{ .rows = 5, .verified = UINT32_MAX, .different = 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
		_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
		struct feed_counts back;
		enum feed_kind feed_back;
		struct wire_in in;

		assert_int_equal(wire_add_counts(&out, WIRE_COUNTS, FEED_STUDENT, &table[i]), 0);
		in = read_back(&reader, &out, WIRE_COUNTS);
		if (wire_get_counts(&in, &feed_back, &back) != -EBADMSG)
			fail_msg("row %zu was taken", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_headers),
		cmocka_unit_test(bounds_of_every_type),
		cmocka_unit_test(every_frame_fits_the_reader),
		cmocka_unit_test(gets_past_the_end),
		cmocka_unit_test(bad_strings),
		cmocka_unit_test(bad_puts),
		cmocka_unit_test(out_of_room),
		cmocka_unit_test(lying_outcomes),
		cmocka_unit_test(lying_failures_and_guards),
		cmocka_unit_test(lying_counts),
		cmocka_unit_test(integers),
		cmocka_unit_test(whole_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
