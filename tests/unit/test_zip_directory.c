/* SPDX-License-Identifier: GPL-3.0-or-later */
/* End record, directory and local headers: each field that lies is refused, and honest ones are read as they stand. */

#include "test_decode_kit.h"

#include "decode/zip_directory.h"

static struct bytes zip;

/* Which header of the zip a change is made in. */
enum place { LOCAL, CENTRAL, END };

static size_t
find_signature(const char *signature, size_t nth)
{
	for (size_t at = 0; at + 4 <= zip.size; at++)
		if (memcmp(zip.data + at, signature, 4) == 0 && nth-- == 0)
			return at;
	fail_msg("no such header");
	return 0;
}

static size_t
offset_of(enum place place, size_t nth)
{
	static const char *const signatures[] = { "PK\x03\x04", "PK\x01\x02", "PK\x05\x06" };

	return find_signature(signatures[place], nth);
}

static int
read_and_check(struct zip_directory *directory)
{
	_cleanup_fd_ int fd = fd_of(zip.data, zip.size);
	int r = zip_directory_read(fd, directory);

	return r == 0 ? zip_directory_check(fd, directory) : r;
}

struct change {
	const char *name;
	const char *file;
	enum place place;
	size_t nth, offset;
	uint8_t mask;
	int result;
};

static const struct change changes[] = {
	{ "local signature", "good_zipcrypto_7z.zip", LOCAL, 0, 0, 1, FAILURE_ZIP_CORRUPT },
	{ "local flag: encrypted", "good_zipcrypto_7z.zip", LOCAL, 0, 6, 1, FAILURE_ZIP_CORRUPT },
	{ "local flag: descriptor", "good_zipcrypto_7z.zip", LOCAL, 0, 6, 8, FAILURE_ZIP_CORRUPT },
	{ "local flag: strong", "good_zipcrypto_7z.zip", LOCAL, 0, 6, 0x40, FAILURE_ZIP_CORRUPT },
	{ "local flag: UTF-8", "good_zipcrypto_7z.zip", LOCAL, 0, 7, 8, FAILURE_ZIP_CORRUPT },
	{ "local method", "good_zipcrypto_7z.zip", LOCAL, 0, 8, 8, FAILURE_ZIP_CORRUPT },
	{ "local time", "good_zipcrypto_7z.zip", LOCAL, 0, 10, 1, FAILURE_ZIP_CORRUPT },
	{ "local date", "good_zipcrypto_7z.zip", LOCAL, 0, 12, 1, FAILURE_ZIP_CORRUPT },
	{ "local CRC", "good_zipcrypto_7z.zip", LOCAL, 1, 14, 1, FAILURE_ZIP_CORRUPT },
	{ "local packed size", "good_zipcrypto_7z.zip", LOCAL, 1, 18, 1, FAILURE_ZIP_CORRUPT },
	{ "local size", "good_zipcrypto_7z.zip", LOCAL, 1, 22, 1, FAILURE_ZIP_CORRUPT },
	{ "local name's size", "good_zipcrypto_7z.zip", LOCAL, 0, 26, 1, FAILURE_ZIP_CORRUPT },
	{ "local extra field's size", "good_zipcrypto_7z.zip", LOCAL, 0, 28, 1, FAILURE_ZIP_CORRUPT },
	{ "local name", "good_zipcrypto_7z.zip", LOCAL, 0, 30, 1, FAILURE_ZIP_CORRUPT },
	{ "local AES strength", "good_aes256.zip", LOCAL, 0, 30 + 25 + 8, 2, FAILURE_ZIP_CORRUPT },
	{ "local AES version", "good_aes256.zip", LOCAL, 0, 30 + 25 + 4, 3, FAILURE_ZIP_CORRUPT },
	{ "local AES method", "good_aes256.zip", LOCAL, 0, 30 + 25 + 9, 8, FAILURE_ZIP_CORRUPT },
	{ "AES extra field's size", "good_aes256.zip", LOCAL, 0, 30 + 25 + 2, 1, FAILURE_ZIP_CORRUPT },
	{ "descriptor's CRC", "good_zipcrypto_descriptor.zip", CENTRAL, 0, (size_t)-12, 1, FAILURE_ZIP_CORRUPT },
	{ "descriptor's packed size", "good_zipcrypto_descriptor.zip", CENTRAL, 0, (size_t)-8, 1, FAILURE_ZIP_CORRUPT },
	{ "descriptor's size", "good_zipcrypto_descriptor.zip", CENTRAL, 0, (size_t)-4, 1, FAILURE_ZIP_CORRUPT },
	{ "local size beside a descriptor", "good_zipcrypto_descriptor.zip", LOCAL, 0, 22, 1, FAILURE_ZIP_CORRUPT },
	{ "central signature", "good_aes256.zip", CENTRAL, 1, 0, 1, FAILURE_ZIP_CORRUPT },
	{ "central flags", "good_aes256.zip", CENTRAL, 0, 8, 1, FAILURE_ZIP_CORRUPT },
	{ "central name's size", "good_aes256.zip", CENTRAL, 0, 28, 1, FAILURE_ZIP_CORRUPT },
	{ "central name over the limit", "good_aes256.zip", CENTRAL, 0, 29, 0x80, FAILURE_ZIP_CORRUPT },
	{ "central comment's size", "good_aes256.zip", CENTRAL, 1, 32, 1, FAILURE_ZIP_CORRUPT },
	{ "central volume", "good_aes256.zip", CENTRAL, 0, 34, 1, FAILURE_ZIP_CORRUPT },
	{ "central offset", "good_aes256.zip", CENTRAL, 0, 42, 1, FAILURE_ZIP_CORRUPT },
	{ "central offset past the end", "good_aes256.zip", CENTRAL, 0, 45, 0x80, FAILURE_ZIP_CORRUPT },
	{ "end: volume", "good_aes256.zip", END, 0, 4, 1, FAILURE_ZIP_CORRUPT },
	{ "end: directory's volume", "good_aes256.zip", END, 0, 6, 1, FAILURE_ZIP_CORRUPT },
	{ "end: entries here", "good_aes256.zip", END, 0, 8, 1, FAILURE_ZIP_CORRUPT },
	{ "end: entries", "good_aes256.zip", END, 0, 10, 1, FAILURE_ZIP_CORRUPT },
	{ "end: directory's size", "good_aes256.zip", END, 0, 12, 1, FAILURE_ZIP_CORRUPT },
	{ "end: directory's offset", "good_aes256.zip", END, 0, 16, 1, FAILURE_ZIP_CORRUPT },
	{ "end: comment's size", "good_aes256.zip", END, 0, 20, 1, FAILURE_NOT_A_ZIP },
	{ "end: signature", "good_aes256.zip", END, 0, 3, 1, FAILURE_NOT_A_ZIP },
	/* what says nothing of the text may differ */
	{ "version to extract", "good_aes256.zip", CENTRAL, 0, 6, 1, 0 },
	{ "attributes", "good_aes256.zip", CENTRAL, 0, 38, 1, 0 },
	{ "AE-2's CRC", "good_aes256.zip", CENTRAL, 0, 16, 1, 0 },
	{ "local CRC beside a descriptor", "good_zipcrypto_descriptor.zip", LOCAL, 0, 14, 1, 0 },
};

static void
test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *c = &changes[i];
		_cleanup_zip_directory_ struct zip_directory directory = { 0 };
		int r;

		load_zip(c->file, &zip);
		assert_int_equal(read_and_check(&directory), 0);
		zip_directory_done(&directory);
		zip.data[offset_of(c->place, c->nth) + c->offset] ^= c->mask;
		r = read_and_check(&directory);
		if (r != c->result)
			fail_msg("%s: %d (%s)", c->name, r, r > 0 ? failure_word((enum failure_code)r) : "none");
	}
}

static void
test_fields(void **state)
{
	static const struct {
		const char *file;
		enum zip_cipher cipher;
		uint8_t strength;
		uint16_t version, method;
	} cases[] = {
		{ "good_aes128.zip", ZIP_CIPHER_WINZIP_AES, 1, 2, ZIP_METHOD_DEFLATED },
		{ "good_aes192.zip", ZIP_CIPHER_WINZIP_AES, 2, 2, ZIP_METHOD_DEFLATED },
		{ "good_aes256.zip", ZIP_CIPHER_WINZIP_AES, 3, 2, ZIP_METHOD_DEFLATED },
		{ "good_aes256_stored.zip", ZIP_CIPHER_WINZIP_AES, 3, 2, ZIP_METHOD_STORED },
		{ "good_aes1.zip", ZIP_CIPHER_WINZIP_AES, 3, 1, ZIP_METHOD_DEFLATED },
		{ "good_zipcrypto.zip", ZIP_CIPHER_TRADITIONAL, 0, 0, ZIP_METHOD_DEFLATED },
		{ "good_zipcrypto_stored.zip", ZIP_CIPHER_TRADITIONAL, 0, 0, ZIP_METHOD_STORED },
		{ "good_zipcrypto_zip64.zip", ZIP_CIPHER_TRADITIONAL, 0, 0, ZIP_METHOD_DEFLATED },
		{ "good_zip64_end.zip", ZIP_CIPHER_TRADITIONAL, 0, 0, ZIP_METHOD_DEFLATED },
		{ "plain.zip", ZIP_CIPHER_NONE, 0, 0, ZIP_METHOD_DEFLATED },
		{ "strong_encryption.zip", ZIP_CIPHER_UNKNOWN, 0, 0, ZIP_METHOD_DEFLATED },
		{ "hidden_directory.zip", ZIP_CIPHER_UNKNOWN, 0, 0, ZIP_METHOD_DEFLATED },
		{ "aes_version_3.zip", ZIP_CIPHER_UNKNOWN, 3, 3, ZIP_METHOD_DEFLATED },
		{ "method_lzma.zip", ZIP_CIPHER_TRADITIONAL, 0, 0, 14 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_zip_directory_ struct zip_directory directory = { 0 };
		const struct zip_entry *entry;

		load_zip(cases[i].file, &zip);
		assert_int_equal(read_and_check(&directory), 0);
		assert_int_equal(directory.count, 2);
		entry = &directory.entries[0];
		if (entry->cipher != cases[i].cipher || entry->aes_strength != cases[i].strength ||
		    entry->aes_version != cases[i].version || entry->method != cases[i].method)
			fail_msg("%s: cipher %d, AE-%u, strength %u, method %u", cases[i].file, (int)entry->cipher,
			    entry->aes_version, entry->aes_strength, entry->method);
		assert_string_equal(entry->name, "CHCCS_Students_upload.csv");
		assert_string_equal(directory.entries[1].name, "CHCCS_staff.csv");
		assert_memory_equal(zip.data + entry->local, "PK\x03\x04", 4);
		assert_true(entry->data > entry->local + 30 && entry->data + entry->packed <= directory.start);
		assert_false(entry->directory || entry->link);
	}
}

static void
test_folders_and_links(void **state)
{
	_cleanup_zip_directory_ struct zip_directory directory = { 0 };
	size_t folders = 0;

	(void)state;
	load_zip("good_folders.zip", &zip);
	assert_int_equal(read_and_check(&directory), 0);
	for (size_t i = 0; i < directory.count; i++) {
		const struct zip_entry *entry = &directory.entries[i];

		folders += entry->directory;
		assert_int_equal(entry->directory, entry->name[entry->name_size - 1] == '/');
		assert_int_equal(entry->cipher, entry->directory ? ZIP_CIPHER_NONE : ZIP_CIPHER_TRADITIONAL);
	}
	assert_int_equal(folders, 3);
	zip_directory_done(&directory);

	load_zip("link.zip", &zip);
	assert_int_equal(read_and_check(&directory), 0);
	assert_int_equal(directory.count, 1);
	assert_true(directory.entries[0].link);
}

/* Streamed by Info-ZIP: sizes of 64 bits in the local header (0) and in the descriptor. */
static void
test_streamed(void **state)
{
	_cleanup_zip_directory_ struct zip_directory directory = { 0 };
	size_t descriptor;

	(void)state;
	load_zip("streamed.zip", &zip);
	assert_int_equal(read_and_check(&directory), 0);
	assert_int_equal(directory.count, 1);
	assert_string_equal(directory.entries[0].name, "-");
	descriptor = (size_t)(directory.entries[0].data + directory.entries[0].packed);
	assert_memory_equal(zip.data + descriptor, "PK\x07\x08", 4);
	assert_int_equal(directory.start - descriptor, 24);
	for (size_t at = descriptor; at < directory.start; at++) {
		_cleanup_zip_directory_ struct zip_directory changed = { 0 };

		zip.data[at] ^= 1;
		assert_int_equal(read_and_check(&changed), FAILURE_ZIP_CORRUPT);
		zip.data[at] ^= 1;
	}
}

/* A folder's name on an entry with data hides nothing. */
static void
test_folder_with_data(void **state)
{
	_cleanup_zip_directory_ struct zip_directory directory = { 0 };

	(void)state;
	load_zip("plain.zip", &zip);
	zip.data[30 + 24] = zip.data[offset_of(CENTRAL, 0) + 46 + 24] = '/';
	assert_int_equal(read_and_check(&directory), 0);
	assert_string_equal(directory.entries[0].name, "CHCCS_Students_upload.cs/");
	assert_false(directory.entries[0].directory);
}

static int
count(void *data, const struct zip_entry *entry)
{
	(void)entry;
	++*(int *)data;
	return 0;
}

static int
stop(void *data, const struct zip_entry *entry)
{
	(void)data;
	return entry->name_size > 0 ? 4711 : 0;
}

/* The walk has no limit of entries, so that inspect can speak of any zip; reading the directory whole has. */
static void
test_walk(void **state)
{
	_cleanup_zip_directory_ struct zip_directory directory = { 0 };
	_cleanup_fd_ int fd = -EBADF;
	int entries = 0;

	(void)state;
	load_zip("entries_65.zip", &zip);
	fd = fd_of(zip.data, zip.size);
	assert_int_equal(zip_directory_walk(fd, count, &entries, NULL), 0);
	assert_int_equal(entries, 65);
	assert_int_equal(zip_directory_walk(fd, stop, NULL, NULL), 4711);
	assert_int_equal(zip_directory_read(fd, &directory), FAILURE_ZIP_ENTRIES);
	assert_null(directory.entries);
}

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		bool plain;
	} cases[] = {
		{ "", false }, { "/a", false }, { "//a", false }, { "..", false }, { "../a", false }, { "a/..", false },
		{ "a/../b", false }, { "a/b/..", false }, { "a\\b", false }, { "..\\a", false }, { "\\a", false }, { "C:a", false },
		{ "C:/a", false }, { "a\nb", false }, { "a\x7f", false }, { "\x1b[2J", false },
		{ "a", true }, { "a/b", true }, { "a/", true }, { "...", true }, { "a..b", true }, { "..a", true }, { "a../b", true },
		{ ".", true }, { "./a", true }, { "a:b", false }, { "ab:c", true }, { "M\xc3\xa4rz/a b.csv", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (zip_name_is_plain(cases[i].name, strlen(cases[i].name)) != cases[i].plain)
			fail_msg("case %zu", i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_folders_and_links),
		cmocka_unit_test(test_streamed),
		cmocka_unit_test(test_folder_with_data),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
