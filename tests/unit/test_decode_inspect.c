/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a zip is, told without a password. */

#include "test_decode_kit.h"

#include <openssl/evp.h>

#include "decode/decode_inspect.h"

static struct bytes zip;

static void
test_verdicts(void **state)
{
	static const struct {
		const char *file;
		enum zip_verdict verdict;
		unsigned int kinds;
	} cases[] = {
		{ "empty_file.zip", ZIP_VERDICT_UNREADABLE, 0 },
		{ "truncated.zip", ZIP_VERDICT_UNREADABLE, 0 },
		{ "cut_end_record.zip", ZIP_VERDICT_UNREADABLE, 0 },
		{ "junk_before.zip", ZIP_VERDICT_UNREADABLE, 0 },
		{ "junk_after.zip", ZIP_VERDICT_UNREADABLE, 0 },
		{ "count_hides_an_entry.zip", ZIP_VERDICT_UNREADABLE, 0 },
		{ "plain.zip", ZIP_VERDICT_PLAIN, FEED_BITS_ALL },
		{ "plain_feed_among_encrypted.zip", ZIP_VERDICT_PLAIN, FEED_BITS_ALL },
		{ "plain_note_among_encrypted.zip", ZIP_VERDICT_PLAIN, FEED_BITS_ALL },
		{ "no_entries.zip", ZIP_VERDICT_NO_FEED, 0 },
		{ "no_feed.zip", ZIP_VERDICT_NO_FEED, 0 },
		{ "entries_65.zip", ZIP_VERDICT_NO_FEED, 0 },
		{ "good_student_alone.zip", ZIP_VERDICT_WHOLE, FEED_BIT(FEED_STUDENT) },
		{ "good_staff_alone.zip", ZIP_VERDICT_WHOLE, FEED_BIT(FEED_STAFF) },
		{ "good_aes256.zip", ZIP_VERDICT_WHOLE, FEED_BITS_ALL },
		{ "good_zipcrypto.zip", ZIP_VERDICT_WHOLE, FEED_BITS_ALL },
		{ "good_folders.zip", ZIP_VERDICT_WHOLE, FEED_BITS_ALL },
		{ "good_zip64_end.zip", ZIP_VERDICT_WHOLE, FEED_BITS_ALL },
		/* what is wrong with these a load says, in words */
		{ "strong_encryption.zip", ZIP_VERDICT_WHOLE, FEED_BITS_ALL },
		{ "dotdot_name.zip", ZIP_VERDICT_WHOLE, FEED_BITS_ALL },
		{ "two_students.zip", ZIP_VERDICT_WHOLE, FEED_BIT(FEED_STUDENT) },
		{ "bomb.zip", ZIP_VERDICT_WHOLE, FEED_BIT(FEED_STUDENT) },
	};
	struct config_feed feeds[FEED_KIND_MAX];

	(void)state;
	default_feeds(feeds);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_fd_ int fd = -EBADF;
		struct inspection inspection;
		uint8_t sum[SHA256_SIZE];

		load_zip(cases[i].file, &zip);
		fd = fd_of(zip.data, zip.size);
		assert_int_equal(decode_inspect(fd, feeds, NULL, NULL, &inspection), 0);
		if (inspection.verdict != cases[i].verdict || inspection.kinds != cases[i].kinds)
			fail_msg("%s: verdict %d, kinds %u", cases[i].file, (int)inspection.verdict, inspection.kinds);
		assert_int_equal(EVP_Digest(zip.data, zip.size, sum, NULL, EVP_sha256(), NULL), 1);
		assert_memory_equal(inspection.sha256, sum, sizeof(sum));
	}
}

static void
test_kinds(void **state)
{
	static const struct {
		const char *student, *staff, *name;
		unsigned int kinds;
	} cases[] = {
		{ "a.csv", "b.csv", "c.csv", 0 },
		{ "a.csv", "b.csv", "A.csv", 0 },
		{ "a.csv", "b.csv", "a.csv/", 0 },
		{ "a.csv", "b.csv", "a.csv/c", 0 },
		{ "a.csv", "b.csv", "xa.csv", 0 },
		{ "*.csv", "b", ".a.csv", 0 },
		{ "*.csv", "b", "x/._a.csv", 0 },
		{ "a.csv", "b.csv", "a.csv", FEED_BIT(FEED_STUDENT) },
		{ "a.csv", "b.csv", "x/y/b.csv", FEED_BIT(FEED_STAFF) },
		{ "a-[0-9]*.csv", "b.csv", "x/a-2026.csv", FEED_BIT(FEED_STUDENT) },
		{ "*.csv", "s*.csv", "staff.csv", FEED_BITS_ALL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_feed feeds[FEED_KIND_MAX] = { 0 };
		struct zip_entry entry = { .name_size = strlen(cases[i].name) };

		(void)snprintf(feeds[FEED_STUDENT].pattern, CONFIG_TEXT, "%s", cases[i].student);
		(void)snprintf(feeds[FEED_STAFF].pattern, CONFIG_TEXT, "%s", cases[i].staff);
		(void)snprintf(entry.name, sizeof(entry.name), "%s", cases[i].name);
		if (decode_kinds(feeds, &entry) != cases[i].kinds)
			fail_msg("case %zu", i);
	}
}

static int
tick(void *data, uint64_t bytes)
{
	*(uint64_t *)data += bytes;
	return *(uint64_t *)data > 400000;
}

static void
test_ticks(void **state)
{
	struct config_feed feeds[FEED_KIND_MAX];
	_cleanup_fd_ int fd = fd_of(zip.data, 300000);
	struct inspection inspection;
	uint64_t bytes = 0;

	(void)state;
	default_feeds(feeds);
	assert_int_equal(decode_inspect(fd, feeds, tick, &bytes, &inspection), 0);
	assert_int_equal(bytes, 300000);
	assert_int_equal(decode_inspect(fd, feeds, tick, &bytes, &inspection), -ECANCELED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
