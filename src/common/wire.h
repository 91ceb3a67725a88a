/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

/* Writing and reading the frames of patrond/wire.h. Whatever is read is foreign: bounds first, then memory. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "patrond/failure.h"
#include "patrond/limits.h"
#include "patrond/outcome.h"
#include "patrond/wire.h"

/*
 * Writing. A frame is begun in a buffer, filled by typed puts, and ended; errors stick, so only wire_end's answer needs
 * a look. Several frames may follow one another in one buffer.
 */
struct wire_out {
	struct buf buf;
	size_t start; /* of the frame that is open */
	enum wire_type type;
	int error;
};

#define WIRE_OUT_INIT ((struct wire_out){ .buf = BUF_INIT(4U * LIMIT_FRAME) })
#define _cleanup_wire_out_ __attribute__((cleanup(wire_out_done)))

void wire_out_done(struct wire_out *out);
void wire_begin(struct wire_out *out, enum wire_type type);
void wire_put_u8(struct wire_out *out, uint8_t value);
void wire_put_u16(struct wire_out *out, uint16_t value);
void wire_put_u32(struct wire_out *out, uint32_t value);
void wire_put_u64(struct wire_out *out, uint64_t value);
void wire_put_i32(struct wire_out *out, int32_t value);
void wire_put_i64(struct wire_out *out, int64_t value);
void wire_put_bytes(struct wire_out *out, const void *bytes, size_t size); /* without a length */
void wire_put_string(struct wire_out *out, const char *bytes, size_t size);

/*
 * Adds a whole frame with room for a payload of that size, which the caller writes: one reservation, where many fields
 * are put a million times. Returns 0 with where it begins (valid until the next addition), or the errors of wire_end.
 */
int wire_add_room(struct wire_out *out, enum wire_type type, size_t size, uint8_t **ret_payload) WARN_UNUSED;

/* Closes the frame. Returns 0, or the first error (-EMSGSIZE outside the type's bounds); the frame is taken back then. */
int wire_end(struct wire_out *out) WARN_UNUSED;

/* The frames that several programs write: each adds one whole frame. Return as wire_end. */
int wire_add_empty(struct wire_out *out, enum wire_type type) WARN_UNUSED; /* DONE, CANCEL, a LIST */
int wire_add_failure(struct wire_out *out, const struct failure *failure) WARN_UNUSED;
int wire_add_progress(struct wire_out *out, enum phase phase, uint64_t done, uint64_t total) WARN_UNUSED;
int wire_add_outcome(struct wire_out *out, const struct outcome *outcome) WARN_UNUSED;
int wire_add_counts(struct wire_out *out, enum wire_type type, enum feed_kind feed, const struct feed_counts *counts)
    WARN_UNUSED;
int wire_add_guard(struct wire_out *out, const struct guard_figure *figure) WARN_UNUSED;

/*
 * Sends everything in the buffer over a socket or pipe, blocking, with descriptors on the first byte (sockets only),
 * and clears it. Never raises SIGPIPE on a socket. Returns 0 or a negative errno.
 */
int wire_send(int fd, struct wire_out *out, const int *fds, size_t fd_count) WARN_UNUSED;

/* A received frame's payload, read by typed gets that return zero past the end; wire_finish tells whether all was well. */
struct wire_in {
	enum wire_type type;
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

uint8_t wire_get_u8(struct wire_in *in);
uint16_t wire_get_u16(struct wire_in *in);
uint32_t wire_get_u32(struct wire_in *in);
uint64_t wire_get_u64(struct wire_in *in);
int32_t wire_get_i32(struct wire_in *in);
int64_t wire_get_i64(struct wire_in *in);
const uint8_t *wire_get_bytes(struct wire_in *in, size_t size); /* NULL past the end; lives as long as the frame */

/* A string of at most max bytes, not NUL-terminated, as long-lived as the frame; NULL and bad otherwise. */
const char *wire_get_string(struct wire_in *in, size_t max, size_t *ret_size);

/* Returns 0 when every get was inside and the payload is used up to its end, else -EBADMSG. */
int wire_finish(const struct wire_in *in) WARN_UNUSED;

/* The gets of whole frames: enums and sums are checked. Each returns 0 or -EBADMSG. */
int wire_get_failure(struct wire_in *in, struct failure *ret) WARN_UNUSED;
int wire_get_outcome(struct wire_in *in, struct outcome *ret) WARN_UNUSED;
int wire_get_counts(struct wire_in *in, enum feed_kind *ret_feed, struct feed_counts *ret) WARN_UNUSED;
int wire_get_guard(struct wire_in *in, struct guard_figure *ret) WARN_UNUSED;

/* Receiving: bytes are collected until a frame is whole. Descriptors that came along are kept until taken or freed. */
struct wire_reader {
	struct buf buf;
	int fds[LIMIT_FRAME_FDS];
	size_t fd_count;
	size_t last;    /* where in buf the frame given out last begins */
	size_t used;    /* where it ends: what is before has been given out */
	bool ended;     /* end of file was read */
};

#define WIRE_READER_INIT ((struct wire_reader){ .buf = BUF_INIT(2U * LIMIT_FRAME) })
#define _cleanup_wire_reader_ __attribute__((cleanup(wire_reader_done)))

void wire_reader_done(struct wire_reader *reader);

/*
 * Reads what is there once (recvmsg on sockets, read on pipes). Returns the bytes got, 0 at the end of the stream,
 * -EAGAIN, or another negative errno; -EBADMSG where more descriptors came than a frame may have.
 */
ssize_t wire_read(struct wire_reader *reader, int fd) WARN_UNUSED;

/*
 * Gives out the next whole frame; the one before is wiped. Returns 1 with a frame, 0 where more bytes are needed, or
 * -EBADMSG for an unknown type, a length outside the type's bounds, or a non-zero reserved field.
 */
int wire_next(struct wire_reader *reader, struct wire_in *ret) WARN_UNUSED;

/* Blocking: reads until a frame is whole. Returns 1, 0 at a clean end of the stream, -EBADMSG at one inside a frame. */
int wire_receive(struct wire_reader *reader, int fd, struct wire_in *ret) WARN_UNUSED;

/* Takes the next descriptor that came along. Returns it (the caller's), or -EBADF where there is none left. */
int wire_take_fd(struct wire_reader *reader);

/* Returns the name of a frame type, or NULL where there is none. */
const char *wire_type_name(enum wire_type type);

#endif
