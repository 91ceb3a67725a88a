/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store of records: what goes in comes out, and nothing out of order goes in. */

#include "testkit.h"

#include <errno.h>

#include "plankit.h"

static void
test_refusals(void **state)
{
	static const struct kit_row row = { FEED_STUDENT, REASON_NONE, "123456", "SMITH", "ANN", "2010-05-17", 0 };
	struct record first = kit_record(&row, 1), third = kit_record(&row, 3), again = kit_record(&row, 1);
	const uint32_t none[FEED_KIND_MAX] = { 0, 0 }, staff[FEED_KIND_MAX] = { 1, 1 }, right[FEED_KIND_MAX] = { 1, 0 };
	struct rows *rows;

	(void)state;
	assert_int_equal(rows_new(&rows), 0);
	assert_int_equal(rows_add(rows, &third), -EBADMSG);
	assert_int_equal(rows_add(rows, &first), 0);
	assert_int_equal(rows_add(rows, &again), -EBADMSG);
	assert_int_equal(rows_finish(rows, none), -EBADMSG);
	assert_int_equal(rows_finish(rows, staff), -EBADMSG);
	assert_int_equal(rows_finish(rows, right), 0);
	(void)rows_free(rows);
}

static void
assert_text(const struct text *text, const char *bytes, size_t size)
{
	assert_int_equal(text->size, size);
	if (size > 0)
		assert_memory_equal(text->bytes, bytes, size);
}

static void
test_back(void **state)
{
	static const struct kit_row list[] = {
		{ FEED_STUDENT, REASON_NONE, "123456", "SMITH", "ANN", "2010-05-17", 0 },
		{ FEED_STUDENT, REASON_INACTIVE, "123457", NULL, NULL, NULL, 12 },
		{ FEED_STAFF, REASON_NONE, "1234567890", "JONES", "", NULL, 0 },
		{ FEED_STUDENT, REASON_SHAPE, "", NULL, NULL, NULL, 0 },
		{ FEED_STAFF, REASON_OPTED_OUT, "77", NULL, NULL, NULL, 0 },
	};
	static const size_t order[] = { 0, 1, 3, 2, 4 }; /* students, then staff */
	struct rows *rows = kit_rows(list, COUNT(list));

	(void)state;
	assert_int_equal(rows_total(rows), COUNT(list));
	assert_int_equal(rows_count(rows, FEED_STUDENT), 3);
	assert_int_equal(rows_count(rows, FEED_STAFF), 2);
	for (row_ref ref = 0; ref < COUNT(list); ref++) {
		const struct kit_row *from = &list[order[ref]];
		struct record record, wanted = kit_record(from, ref < 3 ? ref + 1 : ref - 2);

		rows_get(rows, ref, &record);
		assert_int_equal(record.feed, wanted.feed);
		assert_int_equal(record.row, wanted.row);
		assert_int_equal(record.verdict, wanted.verdict);
		assert_int_equal(record.status, wanted.status);
		assert_int_equal(record.birth_date, wanted.birth_date);
		for (size_t i = 0; i < RECORD_FIELD_MAX; i++)
			assert_text(&record.fields[i], wanted.fields[i].bytes, wanted.fields[i].size);
	}
	(void)rows_free(rows);
}

/* Every length of a text, over the bounds of its one- and two-byte form and of a piece of the arena. */
static void
test_lengths(void **state)
{
	static const size_t lengths[] = { 0, 1, 127, 128, 129, 255, 256, 1025, LIMIT_EMAILS };
	static char bytes[LIMIT_EMAILS];
	const uint32_t count = 400;
	uint32_t trailer[FEED_KIND_MAX] = { count, 0 };
	struct rows *rows;

	(void)state;
	assert_int_equal(rows_new(&rows), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)('a' + i % 26);
	for (uint32_t n = 0; n < count; n++) {
		struct record record = { .feed = FEED_STUDENT, .row = n + 1, .status = RECORD_NO_STATUS };

		record.fields[RECORD_KEY] = (struct text){ bytes, 6 };
		record.fields[RECORD_STREET] = (struct text){ bytes + 1, lengths[n % (COUNT(lengths) - 1)] };
		record.fields[RECORD_EMAILS] = (struct text){ bytes, lengths[n % COUNT(lengths)] };
		assert_int_equal(rows_add(rows, &record), 0);
	}
	assert_int_equal(rows_finish(rows, trailer), 0);
	for (uint32_t n = 0; n < count; n++) {
		struct record record;

		rows_get(rows, n, &record);
		assert_text(&record.fields[RECORD_STREET], bytes + 1, lengths[n % (COUNT(lengths) - 1)]);
		assert_text(&record.fields[RECORD_EMAILS], bytes, lengths[n % COUNT(lengths)]);
	}
	assert_true(rows_memory(rows) > 400 * 1000);
	(void)rows_free(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
