/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record that lies is refused: each test begins with one that is good, changes one thing, and puts it by hand. */
#include "testkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"

#define TODAY 20000 /* 2024-10-04 */
#define BORN 16000

/* What crosses the wire, without record_put's own care. */
struct raw {
	uint8_t feed;
	uint32_t row;
	uint8_t verdict, status, key_fits;
	int32_t birth_date;
	const char *fields[RECORD_FIELD_MAX];
};

static const struct raw student = {
	.feed = FEED_STUDENT,
	.row = 1,
	.verdict = REASON_NONE,
	.status = RECORD_NO_STATUS,
	.key_fits = 1,
	.birth_date = BORN,
	.fields = { "1234567", "Zo\xC3\xAB", "O'Brien", "1 Main St Apt 2", "Chapel Hill", "NC", "27514",
	    "a@b.org c@d.org", "919-555-0100", "" },
};

static const struct raw staff = {
	.feed = FEED_STAFF,
	.row = LIMIT_ROWS,
	.verdict = REASON_NONE,
	.status = RECORD_NO_STATUS,
	.key_fits = 1,
	.birth_date = RECORD_NO_DATE,
	.fields = { "A1", "", "Solo", "", "", "", "", "", "", "919-555-0101" },
};

/* A row with a verdict: nothing but its key. */
static const struct raw opted_out = {
	.feed = FEED_STUDENT,
	.row = 3,
	.verdict = REASON_OPTED_OUT,
	.status = RECORD_NO_STATUS,
	.key_fits = 1,
	.birth_date = RECORD_NO_DATE,
	.fields = { "1234567", "", "", "", "", "", "", "", "", "" },
};

static void
put_raw(struct wire_out *out, const struct raw *raw)
{
	wire_begin(out, WIRE_RECORD);
	wire_put_u8(out, raw->feed);
	wire_put_u32(out, raw->row);
	wire_put_u8(out, raw->verdict);
	wire_put_u8(out, raw->status);
	wire_put_u8(out, raw->key_fits);
	wire_put_i32(out, raw->birth_date);
	for (size_t i = 0; i < RECORD_FIELD_MAX; i++)
		wire_put_string(out, raw->fields[i], raw->fields[i] != NULL ? strlen(raw->fields[i]) : 0);
	assert_int_equal(wire_end(out), 0);
}

static struct wire_in
frame_of(const struct wire_out *out)
{
	const uint8_t *bytes = (const uint8_t *)out->buf.bytes;

	return (struct wire_in){ .type = WIRE_RECORD, .at = bytes + WIRE_HEADER_SIZE, .end = bytes + out->buf.size };
}

static int
get_raw(const struct raw *raw)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct record record = { .row = 99 };
	struct wire_in in;
	int r;

	put_raw(&out, raw);
	in = frame_of(&out);
	r = record_get(&in, TODAY, &record);
	if (r < 0)
		assert_int_equal(record.row, 99); /* untouched */
	return r;
}

static void
good_ones(void **state)
{
	(void)state;
	assert_int_equal(get_raw(&student), 0);
	assert_int_equal(get_raw(&staff), 0);
	assert_int_equal(get_raw(&opted_out), 0);
}

#define BAD(from, ...)                                                                                                 \
	do {                                                                                                           \
		struct raw raw = (from);                                                                               \
		__VA_ARGS__;                                                                                           \
		assert_int_equal(get_raw(&raw), -EBADMSG);                                                             \
	} while (0)
#define GOOD(from, ...)                                                                                                \
	do {                                                                                                           \
		struct raw raw = (from);                                                                               \
		__VA_ARGS__;                                                                                           \
		assert_int_equal(get_raw(&raw), 0);                                                                    \
	} while (0)

static void
enums_and_rows(void **state)
{
	(void)state;
	BAD(student, raw.feed = FEED_KIND_MAX);
	BAD(student, raw.feed = 255);
	BAD(student, raw.row = 0);
	BAD(student, raw.row = LIMIT_ROWS + 1);
	BAD(student, raw.row = UINT32_MAX);
	BAD(student, raw.key_fits = 2);
	BAD(opted_out, raw.verdict = 255);
	BAD(opted_out, raw.verdict = REASON_MAX);
	/* what only load and Sierra can say */
	BAD(opted_out, raw.verdict = REASON_DUPLICATE);
	BAD(opted_out, raw.verdict = REASON_AMBIGUOUS);
	BAD(opted_out, raw.verdict = REASON_NEEDS_CLEANUP);
	BAD(opted_out, raw.verdict = REASON_IDENTITY_MISMATCH);
	BAD(opted_out, raw.verdict = REASON_CONFLICT);
	BAD(opted_out, raw.verdict = REASON_REFUSED);
	BAD(opted_out, raw.verdict = REASON_UNCLEAR);
	BAD(opted_out, raw.verdict = REASON_DIFFERS);
}

static void
verdicts(void **state)
{
	static const enum reason both[] = { REASON_OPTED_OUT, REASON_SHAPE, REASON_STATUS, REASON_KEY, REASON_NAME };

	(void)state;
	for (size_t i = 0; i < COUNT(both); i++) {
		GOOD(opted_out, raw.verdict = (uint8_t)both[i]);
		GOOD(opted_out, raw.verdict = (uint8_t)both[i], raw.feed = FEED_STAFF);
	}
	GOOD(opted_out, raw.verdict = REASON_BIRTH_DATE);
	BAD(opted_out, raw.verdict = REASON_BIRTH_DATE, raw.feed = FEED_STAFF); /* the staff feed has none */
	/* tests that come after the key's cannot have been reached without a key */
	BAD(opted_out, raw.verdict = REASON_NAME, raw.key_fits = 0);
	BAD(opted_out, raw.verdict = REASON_BIRTH_DATE, raw.key_fits = 0);
	BAD(student, raw.key_fits = 0);
	GOOD(opted_out, raw.verdict = REASON_KEY, raw.key_fits = 0);
	GOOD(opted_out, raw.verdict = REASON_SHAPE, raw.key_fits = 0, raw.fields[RECORD_KEY] = "");
}

/* Of a row with a verdict nothing but the key may come: above all no name of a child who has opted out. */
static void
a_verdict_has_a_key_alone(void **state)
{
	(void)state;
	for (size_t field = RECORD_KEY + 1; field < RECORD_FIELD_MAX; field++)
		BAD(opted_out, raw.fields[field] = "x");
	BAD(opted_out, raw.birth_date = BORN);
	BAD(opted_out, raw.birth_date = 0);
}

static void
statuses(void **state)
{
	(void)state;
	GOOD(opted_out, raw.verdict = REASON_INACTIVE, raw.status = 0);
	GOOD(opted_out, raw.verdict = REASON_INACTIVE, raw.status = STATUS_VALUES - 1);
	BAD(opted_out, raw.verdict = REASON_INACTIVE, raw.status = STATUS_VALUES);
	GOOD(opted_out, raw.verdict = REASON_INACTIVE, raw.status = RECORD_NO_STATUS);
	BAD(opted_out, raw.verdict = REASON_INACTIVE, raw.status = RECORD_NO_STATUS - 1);
	GOOD(opted_out, raw.verdict = REASON_INACTIVE, raw.feed = FEED_STAFF);
	BAD(opted_out, raw.verdict = REASON_INACTIVE, raw.feed = FEED_STAFF, raw.status = 1);
	BAD(student, raw.status = 0);
	BAD(opted_out, raw.status = 2);
	BAD(staff, raw.status = 0);
}

static void
birth_dates(void **state)
{
	(void)state;
	GOOD(student, raw.birth_date = TODAY);
	GOOD(student, raw.birth_date = -25567); /* 1900-01-01 */
	BAD(student, raw.birth_date = TODAY + 1);
	BAD(student, raw.birth_date = -25568);
	BAD(student, raw.birth_date = RECORD_NO_DATE);
	BAD(student, raw.birth_date = INT32_MAX);
	BAD(staff, raw.birth_date = BORN);
}

static void
keys(void **state)
{
	(void)state;
	BAD(student, raw.fields[RECORD_KEY] = "");
	BAD(student, raw.fields[RECORD_KEY] = "12 34");
	BAD(student, raw.fields[RECORD_KEY] = "12-34");
	BAD(student, raw.fields[RECORD_KEY] = "12$34");
	BAD(opted_out, raw.fields[RECORD_KEY] = ""); /* what is not there cannot fit */
	BAD(opted_out, raw.fields[RECORD_KEY] = "12$34");
	GOOD(opted_out, raw.fields[RECORD_KEY] = "12$34", raw.key_fits = 0, raw.verdict = REASON_KEY);
	BAD(opted_out, raw.fields[RECORD_KEY] = "12\n34", raw.key_fits = 0);
	BAD(opted_out, raw.fields[RECORD_KEY] = "12 34", raw.key_fits = 0);
}

static void
texts(void **state)
{
	static const char *const bad[] = {
		"\xFF",
		"Jos\xE9",
		"\xED\xA0\x80",
		"a\tb",
		"a\nb",
		"a\x7F",
		"a\xC2\x85"
		"b",
		"a\xC2\xA0"
		"b",
		" a",
		"a ",
		"a  b",
		"$",
		"a $ b",
		" ",
	};

	(void)state;
	for (size_t field = RECORD_FIRST; field < RECORD_FIELD_MAX; field++)
		for (size_t i = 0; i < COUNT(bad); i++)
			BAD(student, raw.fields[field] = bad[i]);
	BAD(student, raw.fields[RECORD_FIRST] = "", raw.fields[RECORD_LAST] = ""); /* that would have been a verdict */
	GOOD(student, raw.fields[RECORD_FIRST] = "");
	GOOD(student, raw.fields[RECORD_LAST] = "");
}

static void
field_sizes(void **state)
{
	static const size_t sizes[RECORD_FIELD_MAX] = {
		LIMIT_KEY,
		LIMIT_NAME,
		LIMIT_NAME,
		2 * LIMIT_TEXT + 1,
		LIMIT_TEXT,
		LIMIT_TEXT,
		LIMIT_TEXT,
		LIMIT_EMAILS,
		LIMIT_TEXT,
		LIMIT_TEXT,
	};

	(void)state;
	for (size_t field = 0; field < RECORD_FIELD_MAX; field++) {
		char *text = malloc(sizes[field] + 2);
		struct record record = {
			.feed = FEED_STAFF, .row = 1, .verdict = REASON_NONE, .status = RECORD_NO_STATUS
		};
		_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;

		assert_non_null(text);
		memset(text, '7', sizes[field] + 1);
		text[sizes[field] + 1] = '\0';
		BAD(staff, raw.fields[field] = text);
		record.fields[field] = (struct text){ text, sizes[field] + 1 };
		assert_int_equal(record_put(&out, &record), -EMSGSIZE);
		assert_int_equal(out.buf.size, 0);
		text[sizes[field]] = '\0';
		GOOD(staff, raw.fields[field] = text);
		record.fields[field].size--;
		assert_int_equal(record_put(&out, &record), 0);
		free(text);
	}
}

/* Cut at every byte, and with one too many. */
static void
cut(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct record record;
	struct wire_in whole;

	(void)state;
	put_raw(&out, &student);
	whole = frame_of(&out);
	for (const uint8_t *end = whole.at; end < whole.end; end++) {
		size_t size = (size_t)(end - whole.at);
		uint8_t *exact = malloc(size > 0 ? size : 1); /* so that a read past the end is seen */
		struct wire_in in = { .type = WIRE_RECORD, .at = exact, .end = exact + size };

		assert_non_null(exact);
		memcpy(exact, whole.at, size);
		assert_int_equal(record_get(&in, TODAY, &record), -EBADMSG);
		free(exact);
	}
	whole.end++; /* the buffer's NUL */
	assert_int_equal(record_get(&whole, TODAY, &record), -EBADMSG);
}

static void
there_and_back(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct record record = {
		.feed = FEED_STUDENT,
		.row = 7,
		.verdict = REASON_NONE,
		.status = RECORD_NO_STATUS,
		.key_fits = true,
		.birth_date = BORN,
	};
	struct record back;
	struct wire_in in;

	(void)state;
	for (size_t i = 0; i < RECORD_FIELD_MAX; i++)
		record.fields[i] = (struct text){ student.fields[i], strlen(student.fields[i]) };
	assert_int_equal(record_put(&out, &record), 0);
	in = frame_of(&out);
	assert_int_equal(record_get(&in, TODAY, &back), 0);
	assert_int_equal(back.feed, FEED_STUDENT);
	assert_int_equal(back.row, 7);
	assert_int_equal(back.verdict, REASON_NONE);
	assert_true(back.key_fits);
	assert_int_equal(back.birth_date, BORN);
	for (size_t i = 0; i < RECORD_FIELD_MAX; i++) {
		assert_int_equal(back.fields[i].size, record.fields[i].size);
		assert_memory_equal(back.fields[i].bytes, record.fields[i].bytes, back.fields[i].size);
	}
}

/* A writer that hands over more than a verdict allows: it is left out, not sent. */
static void
put_leaves_out(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct record record = {
		.feed = FEED_STUDENT,
		.row = 7,
		.verdict = REASON_OPTED_OUT,
		.status = RECORD_NO_STATUS,
		.key_fits = true,
		.birth_date = BORN,
	};
	struct record back;
	struct wire_in in;

	(void)state;
	for (size_t i = 0; i < RECORD_FIELD_MAX; i++)
		record.fields[i] = (struct text){ student.fields[i], strlen(student.fields[i]) };
	assert_int_equal(record_put(&out, &record), 0);
	assert_null(memmem(out.buf.bytes, out.buf.size, "O'Brien", 7));
	in = frame_of(&out);
	assert_int_equal(record_get(&in, TODAY, &back), 0);
	assert_int_equal(back.birth_date, RECORD_NO_DATE);
	assert_int_equal(back.fields[RECORD_KEY].size, 7);
	assert_int_equal(back.fields[RECORD_LAST].size, 0);
}

static void
trailers(void **state)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const uint32_t rows[FEED_KIND_MAX] = { 5, LIMIT_ROWS }, many[FEED_KIND_MAX] = { LIMIT_ROWS + 1, 0 };
	uint32_t back[FEED_KIND_MAX] = { 1, 2 };
	struct wire_in in;

	(void)state;
	assert_int_equal(record_put_trailer(&out, many), 0);
	in = frame_of(&out);
	assert_int_equal(record_get_trailer(&in, back), -EBADMSG);
	assert_int_equal(back[0], 1);
	buf_clear(&out.buf);
	assert_int_equal(record_put_trailer(&out, rows), 0);
	in = frame_of(&out);
	assert_int_equal(record_get_trailer(&in, back), 0);
	assert_memory_equal(rows, back, sizeof(rows));
	in = frame_of(&out);
	in.end--;
	assert_int_equal(record_get_trailer(&in, back), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(enums_and_rows),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(a_verdict_has_a_key_alone),
		cmocka_unit_test(statuses),
		cmocka_unit_test(birth_dates),
		cmocka_unit_test(keys),
		cmocka_unit_test(texts),
		cmocka_unit_test(field_sizes),
		cmocka_unit_test(cut),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(put_leaves_out),
		cmocka_unit_test(trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
