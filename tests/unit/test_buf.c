/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <string.h>

#include "common/buf.h"

static void
over_the_maximum(void **state)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(10);

	(void)state;
	assert_int_equal(buf_add(&buf, "12345678901", 11), -ENOBUFS);
	assert_int_equal(buf.size, 0);
	assert_int_equal(buf_add(&buf, "1234567890", 10), 0);
	assert_int_equal(buf_add(&buf, "1", 1), -ENOBUFS);
	assert_int_equal(buf_reserve(&buf, SIZE_MAX), -ENOBUFS);
	assert_int_equal(buf_addf(&buf, "%d", 1), -ENOBUFS);
	assert_int_equal(buf_add(&buf, NULL, 0), 0);
	assert_int_equal(buf.size, 10);
	assert_string_equal(buf.bytes, "1234567890");
}

static void
a_maximum_is_mandatory(void **state)
{
	_cleanup_buf_ struct buf none = BUF_INIT(0), boundless = BUF_INIT(SIZE_MAX);

	(void)state;
	assert_int_equal(buf_add(&none, "a", 1), -ENOBUFS);
	assert_int_equal(buf_reserve(&boundless, SIZE_MAX / 2), -ENOBUFS);
	assert_int_equal(buf_add(&boundless, "a", 1), -ENOBUFS);
}

static void
grows(void **state)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(100000);

	(void)state;
	for (unsigned int i = 0; i < 10000; i++) {
		assert_int_equal(buf_addf(&buf, "%04u", i), 0);
		assert_int_equal(buf.size, 4 * (i + 1));
		assert_true(buf.room > buf.size);
		assert_int_equal(buf.bytes[buf.size], '\0');
	}
	for (unsigned int i = 0; i < 10000; i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%04u", i);
		assert_memory_equal(buf.bytes + 4 * i, text, 4);
	}
}

/* To the byte: each size up to a few doublings, added at once and byte by byte. */
static void
every_size(void **state)
{
	static const char bytes[1100];

	(void)state;
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		_cleanup_buf_ struct buf buf = BUF_INIT(size);

		assert_int_equal(buf_add(&buf, bytes, size), 0);
		assert_int_equal(buf.bytes[size], '\0');
		assert_int_equal(buf_add(&buf, bytes, 1), -ENOBUFS);
	}
}

static void
drops_and_wipes(void **state)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(64);

	(void)state;
	buf_drop(&buf, 0);
	buf_clear(&buf);
	assert_int_equal(buf_add_text(&buf, "secret and the rest"), 0);
	buf_drop(&buf, 0);
	buf_drop(&buf, 7);
	assert_string_equal(buf.bytes, "and the rest");
	for (size_t i = buf.size; i < 19; i++)
		assert_int_equal(buf.bytes[i], 0); /* what moved is not left behind */
	buf_drop(&buf, buf.size);
	assert_int_equal(buf.size, 0);
	assert_int_equal(buf_add_text(&buf, "again"), 0);
	buf_clear(&buf);
	assert_int_equal(buf.size, 0);
	for (size_t i = 0; i < 19; i++)
		assert_int_equal(buf.bytes[i], 0);
}

static void
usable_after_done(void **state)
{
	struct buf buf = BUF_INIT(64);

	(void)state;
	assert_int_equal(buf_add_text(&buf, "a"), 0);
	buf_done(&buf);
	buf_done(&buf);
	assert_null(buf.bytes);
	assert_int_equal(buf_add_text(&buf, "b"), 0);
	assert_string_equal(buf.bytes, "b");
	buf_done(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_the_maximum),
		cmocka_unit_test(a_maximum_is_mandatory),
		cmocka_unit_test(grows),
		cmocka_unit_test(every_size),
		cmocka_unit_test(drops_and_wipes),
		cmocka_unit_test(usable_after_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
