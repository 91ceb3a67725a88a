/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growing pauses, file by file. */

#include "testkit.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/trouble.h"

static struct shown_file
file(enum source_kind source, const char *name, uint64_t size, int64_t mtime)
{
	struct shown_file shown = { .source = source, .size = size, .mtime = mtime };

	(void)snprintf(shown.name, sizeof(shown.name), "%s", name);
	return shown;
}

static void
pauses_grow(void **state)
{
	static const usec_t pauses[] = { 5, 10, 20, 40, 50, 50 };
	const struct shown_file a = file(SOURCE_SHARE, "a", 1, 1);
	struct troubles *troubles = calloc(1, sizeof(*troubles));

	(void)state;
	assert_non_null(troubles);
	assert_int_equal(trouble_pause(troubles, &a, 100), 0);
	for (size_t i = 0; i < COUNT(pauses); i++) {
		assert_int_equal(trouble_add(troubles, &a, 100, 5, 50), pauses[i]);
		assert_int_equal(trouble_pause(troubles, &a, 100), pauses[i]);
		assert_int_equal(trouble_pause(troubles, &a, 100 + pauses[i]), 0);
	}
	assert_int_equal(troubles->count, 1);
	trouble_clear(troubles, &a);
	assert_int_equal(trouble_add(troubles, &a, 100, 5, 50), 5);
	free(troubles);
}

static void
another_file_is_not_meant(void **state)
{
	const struct shown_file a = file(SOURCE_SHARE, "a", 1, 1);
	const struct shown_file others[] = { file(SOURCE_SFTP, "a", 1, 1), file(SOURCE_SHARE, "b", 1, 1),
		file(SOURCE_SHARE, "a", 2, 1), file(SOURCE_SHARE, "a", 1, 2) };
	struct troubles *troubles = calloc(1, sizeof(*troubles));

	(void)state;
	assert_non_null(troubles);
	(void)trouble_add(troubles, &a, 100, 5, 50);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_equal(trouble_pause(troubles, &others[i], 100), 0);
	/* what is not shown any more is forgotten, but of this source alone */
	(void)trouble_add(troubles, &others[0], 100, 5, 50);
	trouble_keep(troubles, SOURCE_SHARE, others, COUNT(others));
	assert_int_equal(troubles->count, 1);
	assert_int_equal(trouble_pause(troubles, &others[0], 100), 5);
	free(troubles);
}

static void
the_oldest_make_room(void **state)
{
	struct troubles *troubles = calloc(1, sizeof(*troubles));

	(void)state;
	assert_non_null(troubles);
	for (uint64_t i = 0; i < TROUBLES_MAX + 3; i++) {
		const struct shown_file one = file(SOURCE_SHARE, "a", i, 1);

		(void)trouble_add(troubles, &one, 100, 5, 50);
	}
	assert_int_equal(troubles->count, TROUBLES_MAX);
	assert_int_equal(troubles->all[0].size, 3);
	free(troubles);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow),
		cmocka_unit_test(another_file_is_not_meant),
		cmocka_unit_test(the_oldest_make_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
