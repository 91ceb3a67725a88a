/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The SHAPE frame: a decode that was taken over may send any figures, and only those that can be true are taken. */

#include "testkit.h"

#include <errno.h>
#include <string.h>

#include "common/shape.h"

/* Ten rows: one opted out, one of a wrong shape, two inactive; three schools. */
static const struct feed_shape good = {
	.rows = 10,
	.understood = 8,
	.delimiter = ',',
	.header = 1,
	.cells_min = 3,
	.cells_max = 17,
	.key_fits = 9,
	.birth_dates = 7,
	.of_age = 6,
	.active = 6,
	.status = { 6, 0, 1 },
	.status_other = 1,
	.reasons = { [REASON_OPTED_OUT] = { 1, 10 }, [REASON_SHAPE] = { 1, 2 }, [REASON_INACTIVE] = { 2, 9 } },
	.columns = { [COLUMN_KEY] = { 2, 8 }, [COLUMN_STATUS] = { 15, 7 } },
	.schools = 3,
	.school_rows = { 4, 2, 2 },
};

static int
through(enum feed_kind feed, const struct feed_shape *shape, struct feed_shape *ret)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	enum feed_kind got = FEED_KIND_INVALID;
	struct wire_in in;
	int r;

	assert_int_equal(wire_add_shape(&out, feed, shape), 0);
	in = (struct wire_in){
		.type = WIRE_SHAPE,
		.at = (const uint8_t *)out.buf.bytes + WIRE_HEADER_SIZE,
		.end = (const uint8_t *)out.buf.bytes + out.buf.size,
	};
	r = wire_get_shape(&in, &got, ret);
	assert_true(r < 0 || got == feed);
	return r;
}

#define LIE(what, change)                                                                                              \
	do {                                                                                                           \
		struct feed_shape lie = good, back;                                                                    \
		change;                                                                                                \
		if (through(FEED_STUDENT, &lie, &back) != -EBADMSG)                                                    \
			fail_msg("taken: %s", what);                                                                   \
	} while (0)

static void
lies(void **state)
{
	(void)state;
	LIE("no rows", (lie = (struct feed_shape){ .delimiter = ',', .cells_min = 1, .cells_max = 1 }));
	LIE("rows that are accounted for nowhere", lie.rows = 11);
	LIE("more rows than a feed has", (lie.rows = LIMIT_ROWS + 3, lie.understood = LIMIT_ROWS + 1));
	LIE("no delimiter", lie.delimiter = 0);
	LIE("a header that is no yes or no", lie.header = 2);
	LIE("cells from more to less", lie.cells_min = 18);
	LIE("no cells", lie.cells_min = 0);
	LIE("more cells than a row has", lie.cells_max = LIMIT_CELLS + 1);
	LIE("more keys than rows", lie.key_fits = 11);
	LIE("more dates than rows that were understood", lie.birth_dates = 9);
	LIE("more of age than dates", lie.of_age = 8);
	LIE("more active than understood", lie.active = 9);
	LIE("more statuses than understood", lie.status[3] = 1);
	LIE("statuses that wrap around", (lie.status[3] = UINT32_MAX, lie.status[4] = 1));
	LIE("a reason that no row alone has", (lie.reasons[REASON_DUPLICATE].rows = 1, lie.reasons[REASON_DUPLICATE].first_row = 1));
	LIE("a reason without a first row", lie.reasons[REASON_SHAPE].first_row = 0);
	LIE("a first row without the reason", lie.reasons[REASON_KEY].first_row = 1);
	LIE("a first row behind the last", lie.reasons[REASON_SHAPE].first_row = 11);
	LIE("two rows from the last on", lie.reasons[REASON_INACTIVE].first_row = 10);
	LIE("a column beyond the cells", lie.columns[COLUMN_KEY].position = LIMIT_CELLS + 1);
	LIE("a column fuller than the feed", lie.columns[COLUMN_KEY].filled = 9);
	LIE("schools out of order", lie.school_rows[2] = 3);
	LIE("more rows of schools than rows", lie.school_rows[0] = 5);
	LIE("more schools than are told", lie.schools = 4);
	LIE("more told than schools", lie.schools = 2);
	LIE("more schools than are counted", lie.schools = LIMIT_SCHOOLS + 1);
}

/* Also the bytes themselves: cut, padded, of no kind, with a count that is none. */
static void
broken_frames(void **state)
{
	static const struct {
		int resize;
		size_t at;
		uint8_t byte;
	} table[] = {
		{ -1, 0, 0 }, { 4, 0, 0 }, { 0, 0, 2 }, { 0, 0, 255 },
		{ 0, 391, 4 },   /* four schools told, three there */
		{ 0, 391, 2 },   /* two, three there */
		{ 0, 392, 2 },   /* 515 */
		{ 0, 393, 0 },   /* a school of no rows */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
		struct feed_shape back;
		enum feed_kind feed;
		uint8_t bytes[500] = { 0 };
		struct wire_in in = { .type = WIRE_SHAPE, .at = bytes };

		assert_int_equal(wire_add_shape(&out, FEED_STUDENT, &good), 0);
		assert_int_equal(out.buf.size, WIRE_HEADER_SIZE + 393 + 3 * 4);
		memcpy(bytes, out.buf.bytes + WIRE_HEADER_SIZE, out.buf.size - WIRE_HEADER_SIZE);
		in.end = bytes + (int)(out.buf.size - WIRE_HEADER_SIZE) + table[i].resize;
		if (table[i].resize == 0)
			bytes[table[i].at] = table[i].byte;
		if (wire_get_shape(&in, &feed, &back) != -EBADMSG)
			fail_msg("frame %zu was taken", i);
	}
}

static void
whole(void **state)
{
	struct feed_shape shape = good, back;

	(void)state;
	assert_int_equal(through(FEED_STUDENT, &good, &back), 0);
	assert_memory_equal(&back, &good, sizeof(good));
	assert_int_equal(through(FEED_STAFF, &good, &back), 0);
	/* as many schools as are told, and one more that is only counted */
	shape.rows += SHAPE_SCHOOLS;
	shape.understood += SHAPE_SCHOOLS;
	shape.schools = SHAPE_SCHOOLS + 1;
	for (size_t i = 0; i < SHAPE_SCHOOLS; i++)
		shape.school_rows[i] = 1;
	assert_int_equal(through(FEED_STUDENT, &shape, &back), 0);
	assert_memory_equal(&back, &shape, sizeof(shape));
}

static void
words(void **state)
{
	(void)state;
	assert_null(feed_column_name(COLUMN_INVALID));
	assert_null(feed_column_name(COLUMN_PROFILE_MAX));
	for (int i = 0; i < COLUMN_PROFILE_MAX; i++)
		assert_non_null(feed_column_name((enum feed_column)i));
	assert_string_equal(feed_column_name(COLUMN_BIRTH_DATE), "birth-date");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lies),
		cmocka_unit_test(broken_frames),
		cmocka_unit_test(whole),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
