/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listings: names that are no file's, floods, and what stands still. */

#include "testkit.h"

#include <errno.h>
#include <string.h>

#include "supervisor/source.h"

static int
take(struct source *source, const char *name, size_t size, uint64_t bytes, int64_t mtime, usec_t now)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct wire_in in;

	wire_begin(&out, WIRE_LISTING);
	wire_put_string(&out, name, size);
	wire_put_u64(&out, bytes);
	wire_put_i64(&out, mtime);
	assert_int_equal(out.error, 0);
	in = (struct wire_in){
		.type = WIRE_LISTING,
		.at = (const uint8_t *)out.buf.bytes + WIRE_HEADER_SIZE,
		.end = (const uint8_t *)out.buf.bytes + out.buf.size,
	};
	return source_take(source, &in, now);
}

static void
names_that_are_no_files(void **state)
{
	static const struct {
		const char *name;
		size_t size;
	} cases[] = { { "", 0 }, { ".", 1 }, { "..", 2 }, { "a/b", 3 }, { "/etc/passwd", 11 }, { "a\0b", 3 } };
	char name[LIMIT_FILE_NAME + 1];
	struct source source = { .kind = SOURCE_SFTP };

	(void)state;
	assert_int_equal(source_begin(&source), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(take(&source, cases[i].name, cases[i].size, 1, 1, 1), -EBADMSG);
	memset(name, 'x', sizeof(name));
	assert_int_equal(take(&source, name, LIMIT_FILE_NAME + 1, 1, 1, 1), -EBADMSG);
	assert_int_equal(take(&source, name, LIMIT_FILE_NAME, 1, 1, 1), 0);
	assert_int_equal(source.listing_count, 1);
	source_done(&source);
}

static void
a_flood_of_files(void **state)
{
	struct source source = { .kind = SOURCE_SHARE };
	char name[16];

	(void)state;
	assert_int_equal(source_begin(&source), 0);
	for (unsigned int i = 0; i <= LIMIT_LISTING; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(take(&source, name, strlen(name), 1, 1, 1), i < LIMIT_LISTING ? 0 : -EBADMSG);
	}
	source_done(&source);
}

static void
an_answer_without_a_listing(void **state)
{
	struct source source = { .kind = SOURCE_SHARE };

	(void)state;
	assert_int_equal(take(&source, "a", 1, 1, 1, 1), -EBADMSG);
}

static void
what_stands_still(void **state)
{
	struct source source = { .kind = SOURCE_SHARE };

	(void)state;
	assert_int_equal(source_begin(&source), 0);
	assert_int_equal(take(&source, "b.zip", 5, 10, 100, 1000), 0);
	assert_int_equal(take(&source, "a.zip", 5, 10, 100, 1000), 0);
	source_end(&source);
	assert_int_equal(source_begin(&source), 0);
	assert_int_equal(take(&source, "a.zip", 5, 11, 100, 2000), 0); /* grown */
	assert_int_equal(take(&source, "b.zip", 5, 10, 100, 2000), 0);
	assert_int_equal(take(&source, "c.zip", 5, 10, 100, 2000), 0);
	source_end(&source);
	assert_int_equal(source.count, 3);
	assert_int_equal(source.files[0].since, 2000);
	assert_int_equal(source.files[1].since, 1000);
	assert_int_equal(source.files[2].since, 2000);
	/* a look that failed changes nothing */
	assert_int_equal(source_begin(&source), 0);
	source_abort(&source);
	source_end(&source);
	assert_int_equal(source.count, 3);
	source_done(&source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_no_files),
		cmocka_unit_test(a_flood_of_files),
		cmocka_unit_test(an_answer_without_a_listing),
		cmocka_unit_test(what_stands_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
