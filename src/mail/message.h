/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

/*
 * The message: header and text of numbers alone, then the zip in base64, made while it is read. Nothing of what it says
 * comes from a feed, nor from another program but as a number; the addresses are the configuration's, looked through.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "patrond/outcome.h"

#define MESSAGE_RANDOM 16U

struct message_options {
	const char *from;
	const char *recipients;  /* the configured list */
	uint32_t skip;           /* bits: those of it who are not addressed */
	int32_t today;           /* the report's day, days since 1970 */
	uint32_t kinds;          /* of the load's feeds: they are in the report's name */
	int64_t now;             /* seconds since 1970 */
	uint32_t classes[CLEANUP_CLASS_MAX], held, rejected;
	int zip_fd;              /* read by offset; -EBADF: a notice alone */
	uint64_t zip_size;
	uint8_t random[MESSAGE_RANDOM]; /* for the message's id and its boundary */
};

struct message {
	struct buf head, tail; /* around the zip */
	int zip_fd;
	uint64_t zip_size;
	uint64_t at;           /* bytes read so far */
};

#define MESSAGE_INIT ((struct message){ .zip_fd = -EBADF })
#define _cleanup_message_ __attribute__((cleanup(message_done)))

/* Makes header and text. Returns 0, -EINVAL for an address that must not go into a header, or -ENOMEM, -ENOBUFS. */
int message_make(struct message *message, const struct message_options *options) WARN_UNUSED;

/* Bytes of the whole message. */
uint64_t message_size(const struct message *message);

/*
 * Reads on, lines ended by CRLF. Returns the bytes read, 0 at the end, or a negative errno (-EIO where the zip has become
 * shorter than it was).
 */
ssize_t message_read(struct message *message, char *bytes, size_t size) WARN_UNUSED;

/* Wipes and frees. */
void message_done(struct message *message);

#endif
