/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/date.h"
#include "patrond/limits.h"
#include "report/job.h"
#include "report/rows.h"

static void
put_cleanup(struct wire_out *out, uint64_t patron, unsigned int class, int32_t expiration, const char *field, size_t size)
{
	wire_begin(out, WIRE_REPORT_CLEANUP);
	wire_put_u64(out, patron);
	wire_put_u8(out, (uint8_t)class);
	wire_put_i32(out, expiration);
	wire_put_string(out, field, size);
	assert_int_equal(wire_end(out), 0);
}

static void
put_outcome(struct wire_out *out, enum wire_type type, unsigned int feed, uint32_t row, unsigned int reason)
{
	wire_begin(out, type);
	wire_put_u8(out, (uint8_t)feed);
	wire_put_u32(out, row);
	wire_put_u8(out, (uint8_t)reason);
	if (type == WIRE_REPORT_HELD)
		wire_put_u64(out, 0);
	assert_int_equal(wire_end(out), 0);
}

static void
put_trailer(struct wire_out *out, uint32_t cleanup, uint32_t held, uint32_t rejected)
{
	wire_begin(out, WIRE_REPORT_TRAILER);
	wire_put_u32(out, cleanup);
	wire_put_u32(out, held);
	wire_put_u32(out, rejected);
	wire_put_u32(out, 0);
	assert_int_equal(wire_end(out), 0);
}

/* Gives the frames in out to rows, up to the first refusal. */
static int
take(struct rows *rows, struct wire_out *out)
{
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct wire_in in;
	int r;

	assert_int_equal(buf_add(&reader.buf, out->buf.bytes, out->buf.size), 0);
	buf_clear(&out->buf);
	for (;;) {
		r = wire_next(&reader, &in);
		if (r <= 0)
			return r;
		r = rows_take(rows, &in);
		if (r < 0)
			return r;
	}
}

static void
impossible_cleanups(void **state)
{
	static const struct {
		uint64_t patron;
		unsigned int class;
		int32_t expiration;
		const char *field;
		size_t size;
	} bad[] = {
		{ 0, 0, DATE_NONE, "x", 1 },
		{ 1, CLEANUP_CLASS_MAX, DATE_NONE, "x", 1 },
		{ 1, 255, DATE_NONE, "x", 1 },
		{ 1, 0, DATE_NONE + 1, "x", 1 },
		{ 1, 0, -719163, "x", 1 },
		{ 1, 0, 2932897, "x", 1 },
		{ 1, 0, INT32_MAX, "x", 1 },
		{ 1, 0, DATE_NONE, "", 0 },
		{ 1, 0, DATE_NONE, "\xe9", 1 },
		{ 1, 0, DATE_NONE, "\xc0\x80", 2 },
		{ 1, 0, DATE_NONE, "\xed\xa0\x80", 3 },
		{ 1, 0, DATE_NONE, "\xf4\x90\x80\x80", 4 },
		{ 1, 0, DATE_NONE, "x\xc3", 2 },
	};
	_cleanup_tables_ struct tables tables;
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;

	(void)state;
	tables_init(&tables, 4096);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct rows rows = { .tables = &tables };

		put_cleanup(&out, bad[i].patron, bad[i].class, bad[i].expiration, bad[i].field, bad[i].size);
		assert_int_equal(take(&rows, &out), -EBADMSG);
	}
	assert_true(tables_empty(&tables));
}

/* Every feed, reason and kind: the domain's pairs pass and no others, shown or not. */
static void
reasons_of_rows(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	int passed = 0;

	(void)state;
	for (unsigned int with_rows = 0; with_rows < 2; with_rows++)
		for (unsigned int kind = 0; kind < 2; kind++)
			for (unsigned int feed = 0; feed < 4; feed++)
				for (unsigned int reason = 0; reason < 256; reason++) {
					_cleanup_tables_ struct tables tables;
					struct rows rows = { .tables = &tables, .with_rows = with_rows != 0 };
					int r;

					tables_init(&tables, 4096);
					put_outcome(&out, kind == 0 ? WIRE_REPORT_HELD : WIRE_REPORT_REJECTED, feed, 1, reason);
					r = take(&rows, &out);
					assert_true(r == 0 || r == -EBADMSG);
					assert_int_equal(tables_empty(&tables), r < 0 || with_rows == 0);
					passed += r == 0;
				}
	assert_int_equal(passed, 2 * 2 * (4 + 5));
}

static void
rows_out_of_range(void **state)
{
	static const uint32_t bad[] = { 0, LIMIT_ROWS + 1, UINT32_MAX };
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	_cleanup_tables_ struct tables tables;

	(void)state;
	tables_init(&tables, 4096);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct rows rows = { .tables = &tables, .with_rows = true };

		put_outcome(&out, WIRE_REPORT_HELD, FEED_STAFF, bad[i], REASON_CONFLICT);
		assert_int_equal(take(&rows, &out), -EBADMSG);
		put_outcome(&out, WIRE_REPORT_REJECTED, FEED_STAFF, bad[i], REASON_SHAPE);
		assert_int_equal(take(&rows, &out), -EBADMSG);
	}
	assert_true(tables_empty(&tables));
}

static void
trailers(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;

	(void)state;
	for (uint32_t cleanup = 0; cleanup < 3; cleanup++)
		for (uint32_t held = 0; held < 3; held++)
			for (uint32_t rejected = 0; rejected < 3; rejected++) {
				_cleanup_tables_ struct tables tables;
				struct rows rows = { .tables = &tables };
				bool true_one = cleanup == 1 && held == 1 && rejected == 1;

				tables_init(&tables, 4096);
				put_cleanup(&out, 1, CLEANUP_NOTE, DATE_NONE, "1 x", 3);
				put_outcome(&out, WIRE_REPORT_HELD, FEED_STUDENT, 1, REASON_CONFLICT);
				put_outcome(&out, WIRE_REPORT_REJECTED, FEED_STUDENT, 2, REASON_SHAPE);
				put_trailer(&out, cleanup, held, rejected);
				assert_int_equal(take(&rows, &out), true_one ? 0 : -EBADMSG);
				assert_int_equal(rows.complete, true_one);
				if (!true_one)
					continue;
				put_trailer(&out, 1, 1, 1);
				assert_int_equal(take(&rows, &out), -EBADMSG);
			}
}

static void
frames_of_others(void **state)
{
	static const enum wire_type others[] = { WIRE_CANCEL, WIRE_DONE, WIRE_FETCH_LIST };
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		struct rows rows = { .tables = NULL };

		assert_int_equal(wire_add_empty(&out, others[i]), 0);
		assert_int_equal(take(&rows, &out), -EBADMSG);
	}
}

/* A report that outgrows its memory is told as that, not as a lie of load. */
static void
job_over_its_size(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct report_job job = { .zip_fd = -EBADF, .today = 0, .password = "x", .password_size = 1, .max = 1000 };
	struct report_result result;
	struct failure failure;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	for (uint32_t i = 0; i < 100; i++)
		put_cleanup(&out, i + 1, CLEANUP_NOTE, DATE_NONE, "12345678 x", 10);
	put_trailer(&out, 100, 0, 0);
	assert_int_equal(wire_send(ends[1], &out, NULL, 0), 0);
	job.pipe_fd = ends[0];
	assert_int_equal(report_job_run(&job, &result, &failure), -1);
	assert_int_equal(failure.code, FAILURE_REPORT_SIZE);
	(void)fd_close(ends[0]);
	(void)fd_close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(impossible_cleanups),
		cmocka_unit_test(reasons_of_rows),
		cmocka_unit_test(rows_out_of_range),
		cmocka_unit_test(trailers),
		cmocka_unit_test(frames_of_others),
		cmocka_unit_test(job_over_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
