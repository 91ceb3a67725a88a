/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail/message.h"

#define TODAY 20416 /* 2025-11-24 */
#define NOW 1764000000 /* Mon, 24 Nov 2025 16:00:00 */

static struct message_options
options(void)
{
	return (struct message_options){
		.from = "patrond@library.example",
		.recipients = "anna@example.org, bert@example.org cleo@example.org",
		.today = TODAY,
		.kinds = FEED_BITS_ALL,
		.now = NOW,
		.classes = { 1, 0, 0, 20, 0, 3 },
		.held = 4,
		.rejected = 5,
		.zip_fd = -EBADF,
	};
}

static int
zip_of(size_t size)
{
	int fd = memfd_create("zip", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(i * 31 + i / 256 * 7);

		assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
	}
	return fd;
}

/* Reads it in pieces of a size; the text is the caller's. */
static char *
read_all(struct message *message, size_t piece)
{
	size_t size = (size_t)message_size(message), used = 0;
	char *text = calloc(1, size + piece + 1);

	assert_non_null(text);
	for (;;) {
		ssize_t n = message_read(message, text + used, piece);

		assert_true(n >= 0);
		if (n == 0)
			break;
		used += (size_t)n;
		assert_true(used <= size);
	}
	assert_int_equal(used, size);
	return text;
}

static void
nothing_that_could_be_an_injection(void **state)
{
	static const char *const bad[] = { "a@b\r\nBcc: eve@x", "a@b\nX: y", "a b@c", "<a@b>", "a", "", "a@b>" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct message_options o = options();
		struct message message;

		o.from = bad[i];
		assert_int_equal(message_make(&message, &o), -EINVAL);
		o = options();
		o.recipients = bad[i];
		/* what a blank parts are two addresses, neither of which may be bad */
		assert_int_equal(message_make(&message, &o), -EINVAL);
	}
}

static void
nobody_and_no_time(void **state)
{
	struct message_options o = options();
	struct message message;

	(void)state;
	o.skip = 7;
	assert_int_equal(message_make(&message, &o), -EINVAL);
	o = options();
	o.now = -1;
	assert_int_equal(message_make(&message, &o), -EINVAL);
	o.now = INT64_MAX;
	assert_int_equal(message_make(&message, &o), -EINVAL);
}

static void
a_zip_that_shrinks(void **state)
{
	struct message_options o = options();
	struct message message;
	char bytes[4096];
	ssize_t n;

	(void)state;
	o.zip_fd = zip_of(1000);
	o.zip_size = 2000;
	assert_int_equal(message_make(&message, &o), 0);
	do
		n = message_read(&message, bytes, sizeof(bytes));
	while (n > 0);
	assert_int_equal(n, -EIO);
	assert_int_equal(message_read(&message, bytes, 0), -EINVAL);
	message_done(&message);
	close(o.zip_fd);
}

static void
the_notice(void **state)
{
	static const char expected[] = "Date: Mon, 24 Nov 2025 16:00:00 +0000\r\n"
	                               "From: patrond@library.example\r\n"
	                               "To: anna@example.org,\r\n cleo@example.org\r\n"
	                               "Message-ID: <000102030405060708090a0b0c0d0e0f@library.example>\r\n"
	                               "Subject: Barcode clean-up report of 2025-11-24\r\n"
	                               "MIME-Version: 1.0\r\n"
	                               "Auto-Submitted: auto-generated\r\n"
	                               "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
	                               "The patron load has made a new clean-up report on 2025-11-24.\r\n\r\n"
	                               "Barcode fields in need of clean-up: 24\r\n"
	                               "         1  several barcodes in one field (several)\r\n"
	                               "        20  letters in the barcode (letters)\r\n"
	                               "         3  one barcode on several patrons (ambiguous)\r\n"
	                               "Rows of the feed held for a person: 4\r\n"
	                               "Rows of the feed rejected: 5\r\n\r\n";
	struct message_options o = options();
	struct message message;
	char *text;

	(void)state;
	for (uint8_t i = 0; i < MESSAGE_RANDOM; i++)
		o.random[i] = i;
	o.skip = 2;
	assert_int_equal(message_make(&message, &o), 0);
	text = read_all(&message, 7);
	assert_memory_equal(text, expected, strlen(expected));
	assert_non_null(strstr(text, "barcode_errors-20251124.zip"));
	assert_null(strstr(text, "bert"));
	free(text);
	message_done(&message);
}

static void
lines(void **state)
{
	struct message_options o = options();
	struct message message;
	char *text, *at;

	(void)state;
	o.zip_fd = zip_of(500);
	o.zip_size = 500;
	assert_int_equal(message_make(&message, &o), 0);
	text = read_all(&message, 4096);
	/* CRLF and nothing else, no line over RFC 5322's 78, ASCII, no dot at a line's begin */
	for (at = text; *at != '\0';) {
		char *end = strstr(at, "\r\n");

		assert_non_null(end);
		assert_true(end - at <= 78);
		assert_false(at[0] == '.');
		for (; at < end; at++)
			assert_true(*at >= ' ' && *at <= '~');
		at = end + 2;
	}
	free(text);
	message_done(&message);
	close(o.zip_fd);
}

static int
value_of(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(alphabet, c);

	return at != NULL && c != '\0' ? (int)(at - alphabet) : -1;
}

/* A decoder of the test's own. Returns the bytes of the attachment. */
static size_t
decode(const char *text, uint8_t *ret)
{
	const char *at = strstr(strstr(text, "base64\r\n"), "\r\n\r\n");
	unsigned int bits = 0, count = 0;
	size_t size = 0;

	for (at += 4; *at != '-'; at++) {
		if (*at == '\r' || *at == '\n' || *at == '=')
			continue;
		assert_true(value_of(*at) >= 0);
		bits = bits << 6 | (unsigned int)value_of(*at);
		count += 6;
		if (count >= 8) {
			count -= 8;
			ret[size++] = (uint8_t)(bits >> count);
		}
	}
	return size;
}

static void
attachments_of_each_size(void **state)
{
	static const size_t pieces[] = { 1, 2, 77, 78, 79, 1000, 65536 };
	uint8_t got[1000], wanted[1000];

	(void)state;
	for (size_t size = 1; size < 360; size += size < 130 ? 1 : 37) {
		struct message_options o = options();
		struct message message;
		char *text;

		o.zip_fd = zip_of(size);
		o.zip_size = size;
		assert_int_equal(message_make(&message, &o), 0);
		text = read_all(&message, pieces[size % COUNT(pieces)]);
		assert_int_equal(decode(text, got), size);
		assert_int_equal(pread(o.zip_fd, wanted, size, 0), (ssize_t)size);
		assert_memory_equal(got, wanted, size);
		assert_non_null(strstr(text, "filename=\"barcode_errors-20251124.zip\""));
		assert_string_equal(text + strlen(text) - 4, "--\r\n");
		free(text);
		message_done(&message);
		close(o.zip_fd);
	}
}

static void
days_of_the_week(void **state)
{
	static const struct {
		int64_t now;
		const char *date;
	} cases[] = {
		{ 0, "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n" },
		{ 951827696, "Date: Tue, 29 Feb 2000 12:34:56 +0000\r\n" },
		{ 4102444799, "Date: Thu, 31 Dec 2099 23:59:59 +0000\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message_options o = options();
		struct message message;

		o.now = cases[i].now;
		assert_int_equal(message_make(&message, &o), 0);
		assert_memory_equal(message.head.bytes, cases[i].date, strlen(cases[i].date));
		message_done(&message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_that_could_be_an_injection),
		cmocka_unit_test(nobody_and_no_time),
		cmocka_unit_test(a_zip_that_shrinks),
		cmocka_unit_test(the_notice),
		cmocka_unit_test(lines),
		cmocka_unit_test(attachments_of_each_size),
		cmocka_unit_test(days_of_the_week),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
