/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Header, text, and base64 by the line. */

#include "mail/message.h"

#include <errno.h>
#include <string.h>

#include "common/date.h"
#include "common/feed_name.h"
#include "common/mailname.h"

#define HEAD_MAX 16384U
#define SECONDS_A_DAY 86400
#define LINE_BYTES 57U /* of the zip a line: 76 characters, RFC 2045 6.8 */
#define LINE_TEXT 78U  /* those and CRLF */

static const char *const weekdays[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" }; /* of 1970-01-01 on */
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* "3 several" is nothing to a colleague. */
static const char *const class_words[CLEANUP_CLASS_MAX] = {
	[CLEANUP_SEVERAL] = "several barcodes in one field",
	[CLEANUP_NOTE] = "a note behind the barcode",
	[CLEANUP_PUNCTUATION] = "punctuation in the barcode",
	[CLEANUP_LETTERS] = "letters in the barcode",
	[CLEANUP_OTHER] = "anything else",
	[CLEANUP_AMBIGUOUS] = "one barcode on several patrons",
};

/* UTC, so that the header tells nothing of the machine. */
static int
add_date(struct buf *head, int64_t now)
{
	int32_t days = (int32_t)(now / SECONDS_A_DAY);
	int seconds = (int)(now % SECONDS_A_DAY);
	struct date date;

	if (now < 0 || now / SECONDS_A_DAY > 2932896) /* 9999-12-31 */
		return -EINVAL;
	date = date_from_days(days);
	return buf_addf(head, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", weekdays[days % 7], date.day,
	    months[date.month - 1], date.year, seconds / 3600, seconds / 60 % 60, seconds % 60);
}

static int
add_address(struct buf *head, const char *before, const char *address, size_t size)
{
	/* Looked through when the configuration was read; this is the place where it would be an injection. */
	if (!address_valid(address, size))
		return -EINVAL;
	return buf_addf(head, "%s%.*s", before, (int)size, address);
}

static int
add_recipients(struct buf *head, const struct message_options *options)
{
	const char *list = options->recipients, *address;
	unsigned int position = 0;
	bool first = true;
	size_t size;
	int r = 0;

	while (r == 0 && address_next(&list, &address, &size)) {
		if (position++ >= 32)
			return -EINVAL;
		if ((options->skip & (1U << (position - 1))) != 0)
			continue;
		r = add_address(head, first ? "To: " : ",\r\n ", address, size);
		first = false;
	}
	if (r == 0 && first)
		return -EINVAL;
	return r < 0 ? r : buf_add_text(head, "\r\n");
}

/* The domain of the sender, not the machine's name. */
static int
add_id(struct buf *head, const struct message_options *options, const char *random)
{
	const char *at = strchr(options->from, '@');

	return at == NULL ? -EINVAL : buf_addf(head, "Message-ID: <%s%s>\r\n", random, at);
}

static int
add_header(struct buf *head, const struct message_options *options, const char *random, const char *day)
{
	int r = add_date(head, options->now);

	if (r == 0)
		r = add_address(head, "From: ", options->from, strlen(options->from));
	if (r == 0)
		r = buf_add_text(head, "\r\n");
	if (r == 0)
		r = add_recipients(head, options);
	if (r == 0)
		r = add_id(head, options, random);
	return r < 0 ? r
	             : buf_addf(head,
	                   "Subject: Barcode clean-up report of %s\r\n"
	                   "MIME-Version: 1.0\r\n"
	                   "Auto-Submitted: auto-generated\r\n",
	                   day);
}

static int
add_counts(struct buf *head, const struct message_options *options)
{
	uint64_t sum = 0;
	int r;

	for (int i = 0; i < CLEANUP_CLASS_MAX; i++)
		sum += options->classes[i];
	r = buf_addf(head, "Barcode fields in need of clean-up: %llu\r\n", (unsigned long long)sum);
	for (int i = 0; r == 0 && i < CLEANUP_CLASS_MAX; i++)
		if (options->classes[i] > 0)
			r = buf_addf(head, "  %8u  %s (%s)\r\n", options->classes[i], class_words[i],
			    cleanup_class_name((enum cleanup_class)i));
	if (r == 0 && options->held > 0)
		r = buf_addf(head, "Rows of the feed held for a person: %u\r\n", options->held);
	if (r == 0 && options->rejected > 0)
		r = buf_addf(head, "Rows of the feed rejected: %u\r\n", options->rejected);
	return r;
}

static int
add_text(struct buf *head, const struct message_options *options, const char *day, const char *name)
{
	int r = buf_addf(head, "The patron load has made a new clean-up report on %s.\r\n\r\n", day);

	if (r == 0)
		r = add_counts(head, options);
	if (r < 0)
		return r;
	return buf_addf(head,
	    "\r\nThe list itself is %s\r\n%s, which is encrypted (AES-256).\r\n"
	    "Open it with 7-Zip and the report password; unpack it to a place that others\r\n"
	    "cannot read, and delete what you unpacked when you are done.\r\n"
	    "\r\nThis mail was sent by patrond. It holds no personal data, and neither should\r\nan answer to it.\r\n",
	    options->zip_fd >= 0 ? "in the attached" : "on the library's share, in", name);
}

static int
add_parts(struct message *message, const struct message_options *options, const char *random, const char *day)
{
	char name[REPORT_NAME_SIZE];
	int r;

	report_name_make(options->today, options->kinds, name);
	if (options->zip_fd < 0) {
		r = buf_add_text(&message->head, "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
		return r < 0 ? r : add_text(&message->head, options, day, name);
	}
	r = buf_addf(&message->head,
	    "Content-Type: multipart/mixed; boundary=\"=_%s\"\r\n\r\n"
	    "--=_%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
	    random, random);
	if (r == 0)
		r = add_text(&message->head, options, day, name);
	if (r == 0)
		r = buf_addf(&message->head,
		    "\r\n--=_%s\r\nContent-Type: application/zip; name=\"%s\"\r\n"
		    "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"%s\"\r\n\r\n",
		    random, name, name);
	return r < 0 ? r : buf_addf(&message->tail, "--=_%s--\r\n", random);
}

int
message_make(struct message *message, const struct message_options *options)
{
	char random[2 * MESSAGE_RANDOM + 1], day[DATE_TEXT_SIZE];
	int r;

	*message = MESSAGE_INIT;
	message->head = BUF_INIT(HEAD_MAX);
	message->tail = BUF_INIT(HEAD_MAX);
	for (size_t i = 0; i < MESSAGE_RANDOM; i++)
		(void)snprintf(random + 2 * i, 3, "%02x", options->random[i]);
	date_format(options->today, day);
	r = add_header(&message->head, options, random, day);
	if (r == 0)
		r = add_parts(message, options, random, day);
	if (r < 0) {
		message_done(message);
		return r;
	}
	message->zip_fd = options->zip_fd;
	message->zip_size = options->zip_fd >= 0 ? options->zip_size : 0;
	return 0;
}

/* Characters of the zip's lines, CRLFs included. */
static uint64_t
body_size(const struct message *message)
{
	uint64_t rest = message->zip_size % LINE_BYTES;

	return message->zip_size / LINE_BYTES * LINE_TEXT + (rest > 0 ? (rest + 2) / 3 * 4 + 2 : 0);
}

uint64_t
message_size(const struct message *message)
{
	return message->head.size + body_size(message) + message->tail.size;
}

/* One line of the zip. Returns its characters. */
static size_t
encode_line(const uint8_t *bytes, size_t size, char ret[static LINE_TEXT])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t used = 0;

	for (size_t i = 0; i < size; i += 3) {
		uint32_t three = (uint32_t)bytes[i] << 16 | (i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0) |
		                 (i + 2 < size ? bytes[i + 2] : 0U);

		ret[used++] = alphabet[three >> 18];
		ret[used++] = alphabet[three >> 12 & 63];
		ret[used++] = i + 1 < size ? alphabet[three >> 6 & 63] : '=';
		ret[used++] = i + 2 < size ? alphabet[three & 63] : '=';
	}
	ret[used++] = '\r';
	ret[used++] = '\n';
	return used;
}

static ssize_t
read_from_buf(struct message *message, const struct buf *buf, uint64_t from, char *bytes, size_t size)
{
	size_t left = buf->size - (size_t)from;

	size = size < left ? size : left;
	memcpy(bytes, buf->bytes + from, size);
	message->at += size;
	return (ssize_t)size;
}

/* Whole lines while there is room for one, else a piece of one. from: in the characters of the zip's lines. */
static ssize_t
read_from_zip(struct message *message, uint64_t from, char *bytes, size_t size)
{
	size_t used = 0;

	while (used < size && from < body_size(message)) {
		uint64_t line = from / LINE_TEXT, left = message->zip_size - line * LINE_BYTES;
		size_t skip = (size_t)(from % LINE_TEXT), want = left < LINE_BYTES ? (size_t)left : LINE_BYTES, count;
		uint8_t raw[LINE_BYTES];
		char text[LINE_TEXT];
		ssize_t n = fd_pread_all(message->zip_fd, raw, want, (off_t)(line * LINE_BYTES));

		if (n < 0 || (size_t)n < want)
			return n < 0 ? n : -EIO;
		count = encode_line(raw, want, text) - skip;
		count = count < size - used ? count : size - used;
		memcpy(bytes + used, text + skip, count);
		used += count;
		from += count;
	}
	message->at += used;
	return (ssize_t)used;
}

ssize_t
message_read(struct message *message, char *bytes, size_t size)
{
	uint64_t at = message->at, body = body_size(message);

	if (size == 0)
		return -EINVAL;
	if (at < message->head.size)
		return read_from_buf(message, &message->head, at, bytes, size);
	at -= message->head.size;
	if (at < body)
		return read_from_zip(message, at, bytes, size);
	at -= body;
	return at < message->tail.size ? read_from_buf(message, &message->tail, at, bytes, size) : 0;
}

void
message_done(struct message *message)
{
	buf_done(&message->head);
	buf_done(&message->tail);
	message->zip_fd = -EBADF;
	message->zip_size = message->at = 0;
}
