/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zip becomes records: every refusal, every kind of zip of real tools, and a flip of every byte. */

#include "test_decode_kit.h"

#include <signal.h>

#include "common/record.h"

static struct bytes zip;

struct refusal {
	const char *file;
	enum failure_code code;
	enum feed_kind feed;
};

static const struct refusal refusals[] = {
	{ "empty_file.zip", FAILURE_NOT_A_ZIP, FEED_KIND_INVALID },
	{ "truncated.zip", FAILURE_NOT_A_ZIP, FEED_KIND_INVALID },
	{ "cut_end_record.zip", FAILURE_NOT_A_ZIP, FEED_KIND_INVALID },
	{ "junk_after.zip", FAILURE_NOT_A_ZIP, FEED_KIND_INVALID },
	{ "junk_before.zip", FAILURE_ZIP_CORRUPT, FEED_KIND_INVALID },
	{ "directory_offset_past_end.zip", FAILURE_ZIP_CORRUPT, FEED_KIND_INVALID },
	{ "count_hides_an_entry.zip", FAILURE_ZIP_CORRUPT, FEED_KIND_INVALID },
	{ "local_name_differs.zip", FAILURE_ZIP_CORRUPT, FEED_KIND_INVALID },
	{ "local_says_plain.zip", FAILURE_ZIP_CORRUPT, FEED_KIND_INVALID },
	{ "size_lie_central.zip", FAILURE_ZIP_CORRUPT, FEED_KIND_INVALID },
	{ "zip64_end_differs.zip", FAILURE_ZIP_CORRUPT, FEED_KIND_INVALID },
	{ "entries_overlap.zip", FAILURE_ZIP_CORRUPT, FEED_KIND_INVALID },
	{ "entries_65.zip", FAILURE_ZIP_ENTRIES, FEED_KIND_INVALID },
	{ "plain.zip", FAILURE_ZIP_PLAIN, FEED_KIND_INVALID },
	{ "plain_feed_among_encrypted.zip", FAILURE_ZIP_PLAIN, FEED_KIND_INVALID },
	{ "plain_note_among_encrypted.zip", FAILURE_ZIP_PLAIN, FEED_KIND_INVALID },
	{ "strong_encryption.zip", FAILURE_ZIP_ENCRYPTION, FEED_KIND_INVALID },
	{ "hidden_directory.zip", FAILURE_ZIP_ENCRYPTION, FEED_KIND_INVALID },
	{ "aes_version_3.zip", FAILURE_ZIP_ENCRYPTION, FEED_KIND_INVALID },
	{ "dotdot_name.zip", FAILURE_ZIP_NAME, FEED_KIND_INVALID },
	{ "dotdot_inside_name.zip", FAILURE_ZIP_NAME, FEED_KIND_INVALID },
	{ "absolute_name.zip", FAILURE_ZIP_NAME, FEED_KIND_INVALID },
	{ "backslash_name.zip", FAILURE_ZIP_NAME, FEED_KIND_INVALID },
	{ "drive_name.zip", FAILURE_ZIP_NAME, FEED_KIND_INVALID },
	{ "control_in_name.zip", FAILURE_ZIP_NAME, FEED_KIND_INVALID },
	{ "nul_in_name.zip", FAILURE_ZIP_NAME, FEED_KIND_INVALID },
	{ "link.zip", FAILURE_ZIP_NAME, FEED_KIND_INVALID },
	{ "no_entries.zip", FAILURE_NO_FEED, FEED_KIND_INVALID },
	{ "no_feed.zip", FAILURE_NO_FEED, FEED_KIND_INVALID },
	{ "two_students.zip", FAILURE_TWO_OF_A_KIND, FEED_STUDENT },
	{ "method_bzip2.zip", FAILURE_ZIP_METHOD, FEED_STUDENT },
	{ "method_lzma.zip", FAILURE_ZIP_METHOD, FEED_STUDENT },
	{ "size_over_limit.zip", FAILURE_ZIP_SIZE, FEED_STUDENT },
	{ "bomb.zip", FAILURE_ZIP_RATIO, FEED_STUDENT },
	{ "bomb_zipcrypto.zip", FAILURE_ZIP_RATIO, FEED_STUDENT },
	{ "bomb_that_lies.zip", FAILURE_ZIP_CORRUPT, FEED_STUDENT },
	{ "bomb_zipcrypto_that_lies.zip", FAILURE_ZIP_CORRUPT, FEED_STUDENT },
	{ "size_lie_both.zip", FAILURE_ZIP_CORRUPT, FEED_STUDENT },
	{ "crc_differs.zip", FAILURE_ZIP_CORRUPT, FEED_STUDENT },
	{ "aes1_crc_differs.zip", FAILURE_ZIP_CORRUPT, FEED_STUDENT },
	{ "mac_cut.zip", FAILURE_ZIP_CORRUPT, FEED_STAFF },
};

/* True where a trailer stands in what was written: the one thing that a refused load must never have. */
static bool
has_trailer(int records)
{
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct wire_in in;
	bool found = false;

	assert_int_equal(lseek(records, 0, SEEK_SET), 0);
	for (;;) {
		int r = wire_receive(&reader, records, &in);

		if (r == 0)
			return found;
		assert_int_equal(r, 1);
		assert_false(found); /* nothing comes after it */
		found = in.type == WIRE_RECORD_TRAILER;
	}
}

static void
test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		_cleanup_fd_ int records = -EBADF;
		struct failure failure;

		load_zip(refusals[i].file, &zip);
		(void)decode_bytes(&zip, PASSWORD, FEED_BITS_ALL, &failure, &records);
		if (failure.code != refusals[i].code || failure.feed != refusals[i].feed)
			fail_msg("%s: %s, feed %d", refusals[i].file, failure_word(failure.code), (int)failure.feed);
		assert_false(has_trailer(records));
	}
}

/* The number of a method that is not read is told: it names the tool's setting. */
static void
test_method_number(void **state)
{
	struct failure failure;

	(void)state;
	load_zip("method_lzma.zip", &zip);
	assert_int_equal(decode_bytes(&zip, PASSWORD, FEED_BITS_ALL, &failure, NULL), FAILURE_ZIP_METHOD);
	assert_int_equal(failure.number, 14);
}

static void
test_passwords(void **state)
{
	static const struct {
		const char *file;
		const char *passwords;
		enum failure_code code;
	} cases[] = {
		{ "good_aes256.zip", "wrong horse", FAILURE_ZIP_PASSWORD },
		{ "good_aes128.zip", "wrong horse\nCorrect horse\ncorrect horse ", FAILURE_ZIP_PASSWORD },
		{ "good_aes256.zip", "", FAILURE_ZIP_PASSWORD },
		{ "good_zipcrypto.zip", "", FAILURE_ZIP_PASSWORD },
		{ "good_aes256.zip", "old\n\nolder\r\n" PASSWORD "\nnewest", FAILURE_NONE },
		{ "good_aes256.zip", PASSWORD "\nold", FAILURE_NONE },
		{ "good_zipcrypto.zip", "old\nolder\r\n" PASSWORD "\r\nnewest", FAILURE_NONE },
		{ "good_zipcrypto_stored.zip", "\n" PASSWORD, FAILURE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum failure_code code;

		load_zip(cases[i].file, &zip);
		code = decode_bytes(&zip, cases[i].passwords, FEED_BITS_ALL, NULL, NULL);
		if (code != cases[i].code)
			fail_msg("case %zu: %s", i, code != FAILURE_NONE ? failure_word(code) : "read");
	}
}

/*
 * Traditional encryption lets one wrong password in 256 pass its check. None of them may be read, with the right one
 * after it the zip must be, and nearly all must be told from corruption.
 */
static void
test_wrong_passwords_by_chance(void **state)
{
	static const char *const files[] = { "good_zipcrypto_stored.zip", "good_zipcrypto_descriptor.zip", "good_zipcrypto_7z.zip" };
	unsigned int corrupt = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		load_zip(files[i], &zip);
		for (unsigned int n = 0; n < 700; n++) {
			char passwords[64];
			enum failure_code code;

			(void)snprintf(passwords, sizeof(passwords), "wrong %u", n);
			code = decode_bytes(&zip, passwords, FEED_BITS_ALL, NULL, NULL);
			if (code != FAILURE_ZIP_PASSWORD && code != FAILURE_ZIP_CORRUPT)
				fail_msg("%s, password %u: %s", files[i], n, code != FAILURE_NONE ? failure_word(code) : "read");
			corrupt += code == FAILURE_ZIP_CORRUPT;
			(void)snprintf(passwords, sizeof(passwords), "wrong %u\n" PASSWORD, n);
			assert_int_equal(decode_bytes(&zip, passwords, FEED_BITS_ALL, NULL, NULL), FAILURE_NONE);
		}
	}
	/* both entries' checks passed: about 1 in 65,536, at a descriptor 4 */
	assert_in_range(corrupt, 0, 2);
}

static const char *const good[] = {
	"good_aes128.zip",
	"good_aes192.zip",
	"good_aes256.zip",
	"good_aes256_stored.zip",
	"good_aes1.zip",
	"good_zipcrypto.zip",
	"good_zipcrypto_7z.zip",
	"good_zipcrypto_stored.zip",
	"good_zipcrypto_descriptor.zip",
	"good_zipcrypto_zip64.zip",
	"good_zip64_end.zip",
	"good_folders.zip",
	"good_staff_first.zip",
	"good_student_alone.zip",
	"good_staff_alone.zip",
};

struct expected {
	enum feed_kind feed;
	enum reason verdict;
	const char *key;
	const char *last;
};

/* The rows of the good zips, students first whatever the order in the zip. */
static const struct expected rows[] = {
	{ FEED_STUDENT, REASON_NONE, "100001", "Lovelace" },
	{ FEED_STUDENT, REASON_OPTED_OUT, "100002", "" },
	{ FEED_STUDENT, REASON_INACTIVE, "100003", "" },
	{ FEED_STAFF, REASON_NONE, "2000000001", "Hopper" },
	{ FEED_STAFF, REASON_KEY, "12", "" },
};

static void
check_record(const struct record *record, const struct expected *e, uint32_t row)
{
	assert_int_equal(record->feed, e->feed);
	assert_int_equal(record->row, row);
	assert_int_equal(record->verdict, e->verdict);
	assert_int_equal(record->fields[RECORD_KEY].size, strlen(e->key));
	assert_memory_equal(record->fields[RECORD_KEY].bytes, e->key, strlen(e->key));
	assert_int_equal(record->fields[RECORD_LAST].size, strlen(e->last));
	if (e->last[0] != '\0')
		assert_memory_equal(record->fields[RECORD_LAST].bytes, e->last, strlen(e->last));
}

/* What was written must be exactly the rows of these kinds and their trailer, as load reads them. */
static void
check_records(int records, unsigned int kinds)
{
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	int32_t today = date_to_days((struct date){ 2026, 8, 15 });
	uint32_t counts[FEED_KIND_MAX] = { 0 }, told[FEED_KIND_MAX];
	struct wire_in in;

	assert_int_equal(lseek(records, 0, SEEK_SET), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record record;

		if ((kinds & FEED_BIT(rows[i].feed)) == 0)
			continue;
		assert_int_equal(wire_receive(&reader, records, &in), 1);
		assert_int_equal(in.type, WIRE_RECORD);
		assert_int_equal(record_get(&in, today, &record), 0);
		check_record(&record, &rows[i], ++counts[rows[i].feed]);
	}
	assert_int_equal(wire_receive(&reader, records, &in), 1);
	assert_int_equal(in.type, WIRE_RECORD_TRAILER);
	assert_int_equal(record_get_trailer(&in, told), 0);
	assert_memory_equal(told, counts, sizeof(counts));
	assert_int_equal(wire_receive(&reader, records, &in), 0);
}

static unsigned int
kinds_in(const char *file)
{
	if (strcmp(file, "good_student_alone.zip") == 0)
		return FEED_BIT(FEED_STUDENT);
	return strcmp(file, "good_staff_alone.zip") == 0 ? FEED_BIT(FEED_STAFF) : FEED_BITS_ALL;
}

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		for (unsigned int kinds = 1; kinds <= FEED_BITS_ALL; kinds++) {
			_cleanup_fd_ int records = -EBADF;
			unsigned int there = kinds_in(good[i]) & kinds;
			enum failure_code code;

			load_zip(good[i], &zip);
			code = decode_bytes(&zip, PASSWORD, kinds, NULL, &records);
			if (code != (there != 0 ? FAILURE_NONE : FAILURE_NO_FEED))
				fail_msg("%s, kinds %u: %s", good[i], kinds, code != FAILURE_NONE ? failure_word(code) : "read");
			if (there != 0)
				check_records(records, there);
			else
				assert_false(has_trailer(records));
		}
}

static size_t
read_all(int fd, struct bytes *ret)
{
	ssize_t n = fd_pread_all(fd, ret->data, sizeof(ret->data), 0);

	assert_true(n >= 0 && (size_t)n < sizeof(ret->data));
	ret->size = (size_t)n;
	return ret->size;
}

/* Every single byte changed in turn: refused, or exactly the rows of the zip as it was. */
static void
flip_every_byte(const char *file)
{
	static const uint8_t masks[] = { 0x01, 0x20, 0xff };
	static struct bytes whole, changed;
	_cleanup_fd_ int fd = -EBADF, records = -EBADF;
	unsigned int refused = 0;

	load_zip(file, &zip);
	assert_int_equal(decode_bytes(&zip, PASSWORD, FEED_BITS_ALL, NULL, &records), FAILURE_NONE);
	assert_true(read_all(records, &whole) > 0);
	fd = fd_of(zip.data, zip.size);
	for (size_t at = 0; at < zip.size; at++)
		for (size_t i = 0; i < sizeof(masks); i++) {
			_cleanup_fd_ int now = -EBADF;
			uint8_t byte = zip.data[at] ^ masks[i];

			assert_int_equal(fd_pwrite_all(fd, &byte, 1, (off_t)at), 0);
			if (decode_fd(fd, PASSWORD, FEED_BITS_ALL, NULL, &now) != FAILURE_NONE) {
				refused++;
				assert_false(has_trailer(now));
			} else if (read_all(now, &changed) != whole.size || memcmp(whole.data, changed.data, whole.size) != 0)
				fail_msg("%s: byte %zu ^ %02x read as something else", file, at, masks[i]);
			assert_int_equal(fd_pwrite_all(fd, &zip.data[at], 1, (off_t)at), 0);
		}
	/* nearly every byte of these zips matters: a test that refuses little tests little */
	assert_true(refused > zip.size * sizeof(masks) / 2);
}

static void
test_flips(void **state)
{
	(void)state;
	flip_every_byte("good_aes256.zip");
	flip_every_byte("good_aes256_stored.zip");
	flip_every_byte("good_aes1.zip");
	flip_every_byte("good_zipcrypto.zip");
	flip_every_byte("good_zipcrypto_stored.zip");
	flip_every_byte("good_zipcrypto_zip64.zip");
	flip_every_byte("good_zipcrypto_descriptor.zip");
	flip_every_byte("good_zip64_end.zip");
}

/* Cut anywhere, or with a byte too many anywhere: refused. */
static void
test_cuts(void **state)
{
	(void)state;
	load_zip("good_zipcrypto_7z.zip", &zip);
	for (size_t size = 0; size < zip.size; size++) {
		_cleanup_fd_ int fd = fd_of(zip.data, size);

		assert_int_not_equal(decode_fd(fd, PASSWORD, FEED_BITS_ALL, NULL, NULL), FAILURE_NONE);
	}
	for (size_t at = 0; at <= zip.size; at++) {
		_cleanup_fd_ int fd = fd_of(zip.data, at);

		assert_int_equal(fd_pwrite_all(fd, "", 1, (off_t)at), 0);
		assert_int_equal(fd_pwrite_all(fd, zip.data + at, zip.size - at, (off_t)at + 1), 0);
		assert_int_not_equal(decode_fd(fd, PASSWORD, FEED_BITS_ALL, NULL, NULL), FAILURE_NONE);
	}
}

static void
test_over_size_limit(void **state)
{
	_cleanup_fd_ int fd = memfd_create("zip", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	/* sparse: no byte of it is ever made */
	assert_int_equal(ftruncate(fd, (off_t)LIMIT_ZIP_SIZE + 1), 0);
	assert_int_equal(decode_fd(fd, PASSWORD, FEED_BITS_ALL, NULL, NULL), FAILURE_ZIP_SIZE);
}

static void
test_records_pipe_gone(void **state)
{
	struct config_feed feeds[FEED_KIND_MAX];
	struct secret secret = secret_of(PASSWORD);
	_cleanup_fd_ int fd = -EBADF;
	struct failure failure;
	int ends[2];

	(void)state;
	default_feeds(feeds);
	load_zip("good_aes256.zip", &zip);
	fd = fd_of(zip.data, zip.size);
	assert_int_equal(pipe(ends), 0);
	(void)fd_close(ends[0]);
	assert_int_equal(decode_records(&(struct decode_job){ .zip = fd, .records = ends[1], .feeds = feeds, .profiles = default_profiles(),
	                     .barcode_pattern = "[0-9]+", .passwords = &secret, .kinds = FEED_BITS_ALL, .today = 20000 },
	                     &failure), -1);
	(void)fd_close(ends[1]);
	assert_int_equal(failure.code, FAILURE_RECORDS);
	assert_int_equal(failure.number, EPIPE);
}

static int
cancel(void *data, uint64_t bytes)
{
	(void)data;
	(void)bytes;
	return 1;
}

static void
test_cancelled(void **state)
{
	static const char *const files[] = { "good_aes256.zip", "good_zipcrypto.zip" };
	struct config_feed feeds[FEED_KIND_MAX];
	struct secret secret = secret_of(PASSWORD);

	(void)state;
	default_feeds(feeds);
	for (size_t i = 0; i < 2; i++) {
		_cleanup_fd_ int fd = -EBADF, records = memfd_create("records", MFD_CLOEXEC);
		struct failure failure;

		load_zip(files[i], &zip);
		fd = fd_of(zip.data, zip.size);
		assert_int_equal(decode_records(&(struct decode_job){ .zip = fd, .records = records, .feeds = feeds, .profiles = default_profiles(),
		                     .barcode_pattern = "[0-9]+", .passwords = &secret, .kinds = FEED_BITS_ALL,
		                     .today = 20000, .tick = cancel }, &failure), -1);
		assert_int_equal(failure.code, FAILURE_CANCELLED);
	}
}

static int
set_up(void **state)
{
	(void)state;
	return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_method_number),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_wrong_passwords_by_chance),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_over_size_limit),
		cmocka_unit_test(test_records_pipe_gone),
		cmocka_unit_test(test_cancelled),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
