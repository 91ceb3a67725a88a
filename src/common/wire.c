/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames: typed puts and gets, and the two ends of a connection. */

#include "common/wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BLOCK 65536U
#define FEED_NONE 255U

struct frame_rule {
	uint16_t type;
	uint32_t min, max;
	const char *name;
};

static const struct frame_rule frame_rules[] = {
#define FRAME_RULE(name_, number, min_, max_) { (number), (min_), (max_), #name_ },
	WIRE_FRAMES(FRAME_RULE)
#undef FRAME_RULE
};

static const struct frame_rule *
frame_rule(unsigned int type)
{
	for (size_t i = 0; i < sizeof(frame_rules) / sizeof(frame_rules[0]); i++)
		if (frame_rules[i].type == type)
			return &frame_rules[i];
	return NULL;
}

const char *
wire_type_name(enum wire_type type)
{
	const struct frame_rule *rule = frame_rule((unsigned int)type);

	return rule != NULL ? rule->name : NULL;
}

/* --- writing --- */

void
wire_out_done(struct wire_out *out)
{
	buf_done(&out->buf);
}

void
wire_put_bytes(struct wire_out *out, const void *bytes, size_t size)
{
	if (out->error == 0)
		out->error = buf_add(&out->buf, bytes, size);
}

static void
put_le(struct wire_out *out, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	wire_put_bytes(out, bytes, size);
}

void
wire_begin(struct wire_out *out, enum wire_type type)
{
	out->error = 0;
	out->start = out->buf.size;
	out->type = type;
	put_le(out, 0, 4);
	put_le(out, (uint64_t)type, 2);
	put_le(out, 0, 2);
}

void
wire_put_u8(struct wire_out *out, uint8_t value)
{
	put_le(out, value, 1);
}
void
wire_put_u16(struct wire_out *out, uint16_t value)
{
	put_le(out, value, 2);
}
void
wire_put_u32(struct wire_out *out, uint32_t value)
{
	put_le(out, value, 4);
}
void
wire_put_u64(struct wire_out *out, uint64_t value)
{
	put_le(out, value, 8);
}
void
wire_put_i32(struct wire_out *out, int32_t value)
{
	put_le(out, (uint32_t)value, 4);
}
void
wire_put_i64(struct wire_out *out, int64_t value)
{
	put_le(out, (uint64_t)value, 8);
}

void
wire_put_string(struct wire_out *out, const char *bytes, size_t size)
{
	if (size > LIMIT_FRAME) {
		out->error = out->error < 0 ? out->error : -EMSGSIZE;
		return;
	}
	wire_put_u32(out, (uint32_t)size);
	wire_put_bytes(out, bytes, size);
}

int
wire_end(struct wire_out *out)
{
	const struct frame_rule *rule = frame_rule((unsigned int)out->type);
	size_t length;

	if (out->error == 0) {
		length = out->buf.size - out->start - WIRE_HEADER_SIZE;
		if (rule == NULL || length < rule->min || length > rule->max)
			out->error = -EMSGSIZE;
		else
			for (size_t i = 0; i < 4; i++)
				out->buf.bytes[out->start + i] = (char)(uint8_t)(length >> (8 * i));
	}
	if (out->error < 0 && out->buf.size > out->start) {
		/* half a frame is never sent */
		explicit_bzero(out->buf.bytes + out->start, out->buf.size - out->start);
		out->buf.size = out->start;
	}
	return out->error;
}

int
wire_add_room(struct wire_out *out, enum wire_type type, size_t size, uint8_t **ret_payload)
{
	const struct frame_rule *rule = frame_rule((unsigned int)type);
	uint8_t *at;
	int r;

	if (rule == NULL || size < rule->min || size > rule->max)
		return -EMSGSIZE;
	r = buf_reserve(&out->buf, WIRE_HEADER_SIZE + size);
	if (r < 0)
		return r;
	at = (uint8_t *)out->buf.bytes + out->buf.size;
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(size >> (8 * i));
	at[4] = (uint8_t)type;
	at[5] = (uint8_t)((unsigned int)type >> 8);
	at[6] = at[7] = 0;
	out->buf.size += WIRE_HEADER_SIZE + size;
	out->buf.bytes[out->buf.size] = '\0';
	*ret_payload = at + WIRE_HEADER_SIZE;
	return 0;
}

int
wire_add_empty(struct wire_out *out, enum wire_type type)
{
	wire_begin(out, type);
	return wire_end(out);
}

static void
put_feed(struct wire_out *out, enum feed_kind feed)
{
	wire_put_u8(out, feed >= 0 && feed < FEED_KIND_MAX ? (uint8_t)feed : FEED_NONE);
}

int
wire_add_failure(struct wire_out *out, const struct failure *failure)
{
	wire_begin(out, WIRE_FAILURE);
	wire_put_u16(out, (uint16_t)failure->code);
	put_feed(out, failure->feed);
	wire_put_u32(out, failure->row);
	wire_put_u32(out, failure->column);
	wire_put_i32(out, failure->number);
	return wire_end(out);
}

int
wire_add_progress(struct wire_out *out, enum phase phase, uint64_t done, uint64_t total)
{
	wire_begin(out, WIRE_PROGRESS);
	wire_put_u8(out, (uint8_t)phase);
	wire_put_u64(out, done);
	wire_put_u64(out, total);
	return wire_end(out);
}

int
wire_add_outcome(struct wire_out *out, const struct outcome *outcome)
{
	wire_begin(out, WIRE_OUTCOME);
	put_feed(out, outcome->feed);
	wire_put_u32(out, outcome->row);
	/* OUTCOME_KIND_INVALID stands for reading back, which is no outcome of its own. */
	wire_put_u8(out, outcome->kind >= 0 ? (uint8_t)outcome->kind : FEED_NONE);
	wire_put_u8(out, (uint8_t)outcome->reason);
	wire_put_u64(out, outcome->patron_id);
	return wire_end(out);
}

int
wire_add_counts(struct wire_out *out, enum wire_type type, enum feed_kind feed, const struct feed_counts *counts)
{
	wire_begin(out, type);
	put_feed(out, feed);
	wire_put_u32(out, counts->rows);
	for (size_t i = 0; i < OUTCOME_KIND_MAX; i++)
		wire_put_u32(out, counts->by_outcome[i]);
	for (size_t i = 0; i < REASON_MAX; i++)
		wire_put_u32(out, counts->by_reason[i]);
	for (size_t i = 0; i < STATUS_VALUES; i++)
		wire_put_u32(out, counts->inactive_status[i]);
	wire_put_u32(out, counts->verified);
	wire_put_u32(out, counts->different);
	return wire_end(out);
}

int
wire_add_guard(struct wire_out *out, const struct guard_figure *figure)
{
	wire_begin(out, WIRE_GUARD);
	wire_put_u8(out, (uint8_t)figure->guard);
	put_feed(out, figure->feed);
	wire_put_u64(out, figure->value);
	wire_put_u64(out, figure->basis);
	wire_put_u32(out, figure->limit_percent);
	return wire_end(out);
}

static ssize_t
send_some(int fd, const char *bytes, size_t size, const int *fds, size_t fd_count)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(LIMIT_FRAME_FDS * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd_count > 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, fd_count * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

int
wire_send(int fd, struct wire_out *out, const int *fds, size_t fd_count)
{
	size_t done = 0;

	if (fd_count > LIMIT_FRAME_FDS || (fd_count > 0 && out->buf.size == 0))
		return -EINVAL;
	while (done < out->buf.size) {
		size_t left = out->buf.size - done;
		ssize_t n = send_some(fd, out->buf.bytes + done, left, fds, fd_count);

		if (n < 0 && errno == ENOTSOCK && fd_count == 0)
			n = write(fd, out->buf.bytes + done, left);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		fd_count = 0; /* they went with the first byte */
		done += (size_t)n;
	}
	buf_clear(&out->buf);
	return 0;
}

/* --- reading --- */

const uint8_t *
wire_get_bytes(struct wire_in *in, size_t size)
{
	const uint8_t *at = in->at;

	if (in->bad || (size_t)(in->end - in->at) < size) {
		in->bad = true;
		return NULL;
	}
	in->at += size;
	return at;
}

static uint64_t
get_le(struct wire_in *in, size_t size)
{
	const uint8_t *bytes = wire_get_bytes(in, size);
	uint64_t value = 0;

	if (bytes == NULL)
		return 0;
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

uint8_t
wire_get_u8(struct wire_in *in)
{
	return (uint8_t)get_le(in, 1);
}
uint16_t
wire_get_u16(struct wire_in *in)
{
	return (uint16_t)get_le(in, 2);
}
uint32_t
wire_get_u32(struct wire_in *in)
{
	return (uint32_t)get_le(in, 4);
}
uint64_t
wire_get_u64(struct wire_in *in)
{
	return get_le(in, 8);
}
int32_t
wire_get_i32(struct wire_in *in)
{
	return (int32_t)(uint32_t)get_le(in, 4);
}
int64_t
wire_get_i64(struct wire_in *in)
{
	return (int64_t)get_le(in, 8);
}

const char *
wire_get_string(struct wire_in *in, size_t max, size_t *ret_size)
{
	uint32_t size = wire_get_u32(in);
	const uint8_t *bytes = NULL;

	if (size > max)
		in->bad = true;
	if (!in->bad)
		bytes = wire_get_bytes(in, size);
	*ret_size = bytes != NULL ? size : 0;
	return (const char *)bytes;
}

int
wire_finish(const struct wire_in *in)
{
	return in->bad || in->at != in->end ? -EBADMSG : 0;
}

static enum feed_kind
get_feed(struct wire_in *in, bool none_allowed)
{
	uint8_t feed = wire_get_u8(in);

	if (feed < FEED_KIND_MAX)
		return (enum feed_kind)feed;
	if (feed != FEED_NONE || !none_allowed)
		in->bad = true;
	return FEED_KIND_INVALID;
}

int
wire_get_failure(struct wire_in *in, struct failure *ret)
{
	struct failure failure;
	uint16_t code = wire_get_u16(in);

	failure.feed = get_feed(in, true);
	failure.row = wire_get_u32(in);
	failure.column = wire_get_u32(in);
	failure.number = wire_get_i32(in);
	if (wire_finish(in) < 0 || code == FAILURE_NONE || code >= FAILURE_MAX)
		return -EBADMSG;
	failure.code = (enum failure_code)code;
	*ret = failure;
	return 0;
}

int
wire_get_outcome(struct wire_in *in, struct outcome *ret)
{
	struct outcome outcome;
	uint8_t kind, reason;

	outcome.feed = get_feed(in, false);
	outcome.row = wire_get_u32(in);
	kind = wire_get_u8(in);
	reason = wire_get_u8(in);
	outcome.patron_id = wire_get_u64(in);
	if (wire_finish(in) < 0 || outcome.row == 0 || outcome.row > LIMIT_ROWS || reason >= REASON_MAX)
		return -EBADMSG;
	outcome.reason = (enum reason)reason;
	outcome.kind = kind < OUTCOME_KIND_MAX ? (enum outcome_kind)kind : OUTCOME_KIND_INVALID;
	if (kind == FEED_NONE ? outcome.reason != REASON_DIFFERS : !outcome_reason_fits(outcome.kind, outcome.reason))
		return -EBADMSG;
	*ret = outcome;
	return 0;
}

/* Of an outcome's rows no more have its reasons than there are. */
static bool
reasons_hold(const struct feed_counts *counts)
{
	for (int kind = 0; kind < OUTCOME_KIND_MAX; kind++) {
		uint64_t sum = 0;

		for (int reason = REASON_NONE + 1; reason < REASON_MAX; reason++)
			if (outcome_reason_fits((enum outcome_kind)kind, (enum reason)reason))
				sum += counts->by_reason[reason];
		if (sum > counts->by_outcome[kind])
			return false;
	}
	return true;
}

int
wire_get_counts(struct wire_in *in, enum feed_kind *ret_feed, struct feed_counts *ret)
{
	struct feed_counts counts;
	enum feed_kind feed = get_feed(in, false);
	uint64_t outcomes = 0, statuses = 0;

	counts.rows = wire_get_u32(in);
	for (size_t i = 0; i < OUTCOME_KIND_MAX; i++) {
		counts.by_outcome[i] = wire_get_u32(in);
		outcomes += counts.by_outcome[i];
	}
	for (size_t i = 0; i < REASON_MAX; i++)
		counts.by_reason[i] = wire_get_u32(in);
	for (size_t i = 0; i < STATUS_VALUES; i++) {
		counts.inactive_status[i] = wire_get_u32(in);
		statuses += counts.inactive_status[i];
	}
	counts.verified = wire_get_u32(in);
	counts.different = wire_get_u32(in);
	if (wire_finish(in) < 0 || counts.rows > LIMIT_ROWS || outcomes > counts.rows || statuses > counts.rows)
		return -EBADMSG;
	if (!reasons_hold(&counts) || (uint64_t)counts.verified + counts.different > counts.rows)
		return -EBADMSG;
	*ret_feed = feed;
	*ret = counts;
	return 0;
}

int
wire_get_guard(struct wire_in *in, struct guard_figure *ret)
{
	struct guard_figure figure = { .feed = FEED_KIND_INVALID };
	uint8_t guard = wire_get_u8(in);

	figure.feed = get_feed(in, true);
	figure.value = wire_get_u64(in);
	figure.basis = wire_get_u64(in);
	figure.limit_percent = wire_get_u32(in);
	if (wire_finish(in) < 0 || guard >= GUARD_MAX)
		return -EBADMSG;
	figure.guard = (enum guard)guard;
	*ret = figure;
	return 0;
}

void
wire_reader_done(struct wire_reader *reader)
{
	buf_done(&reader->buf);
	for (size_t i = 0; i < reader->fd_count; i++)
		(void)fd_close(reader->fds[i]);
	reader->fd_count = 0;
	reader->last = 0;
	reader->used = 0;
}

/* Keeps the descriptors of a message. Closes what is over the limit and says so: a flood must not use ours up. */
static int
keep_fds(struct wire_reader *reader, struct msghdr *msg)
{
	int r = (msg->msg_flags & MSG_CTRUNC) != 0 ? -EBADMSG : 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t count;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			if (reader->fd_count < LIMIT_FRAME_FDS) {
				reader->fds[reader->fd_count++] = fd;
				continue;
			}
			(void)fd_close(fd);
			r = -EBADMSG;
		}
	}
	return r;
}

static ssize_t
receive_some(struct wire_reader *reader, int fd, char *bytes, size_t size)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(LIMIT_FRAME_FDS * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = bytes, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	int r;

	if (n < 0 && errno == ENOTSOCK)
		n = read(fd, bytes, size);
	else if (n >= 0) {
		r = keep_fds(reader, &msg);
		if (r < 0)
			return r;
	}
	return n < 0 ? -errno : n;
}

ssize_t
wire_read(struct wire_reader *reader, int fd)
{
	ssize_t n;
	int r;

	if (reader->used > 0) {
		buf_drop(&reader->buf, reader->used);
		reader->last = 0;
		reader->used = 0;
	}
	if (reader->buf.max - reader->buf.size < READ_BLOCK)
		return -ENOBUFS; /* the caller has not emptied it */
	r = buf_reserve(&reader->buf, READ_BLOCK);
	if (r < 0)
		return r;
	do
		n = receive_some(reader, fd, reader->buf.bytes + reader->buf.size, READ_BLOCK);
	while (n == -EINTR);
	if (n > 0)
		reader->buf.size += (size_t)n;
	if (n == 0)
		reader->ended = true;
	return n;
}

static uint32_t
read_le(const uint8_t *bytes, size_t size)
{
	uint32_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint32_t)bytes[i] << (8 * i);
	return value;
}

int
wire_next(struct wire_reader *reader, struct wire_in *ret)
{
	const struct frame_rule *rule;
	const uint8_t *frame;
	uint32_t length;
	size_t left = reader->buf.size - reader->used;

	if (reader->used > reader->last)
		explicit_bzero(reader->buf.bytes + reader->last, reader->used - reader->last);
	reader->last = reader->used;
	if (left < WIRE_HEADER_SIZE)
		return 0;
	frame = (const uint8_t *)reader->buf.bytes + reader->used;
	length = read_le(frame, 4);
	rule = frame_rule(read_le(frame + 4, 2));
	if (rule == NULL || length < rule->min || length > rule->max || read_le(frame + 6, 2) != 0)
		return -EBADMSG;
	if (left < WIRE_HEADER_SIZE + length)
		return 0;
	*ret = (struct wire_in){
		.type = (enum wire_type)rule->type,
		.at = frame + WIRE_HEADER_SIZE,
		.end = frame + WIRE_HEADER_SIZE + length,
	};
	reader->used += WIRE_HEADER_SIZE + length;
	return 1;
}

int
wire_receive(struct wire_reader *reader, int fd, struct wire_in *ret)
{
	for (;;) {
		int r = wire_next(reader, ret);
		ssize_t n;

		if (r != 0)
			return r;
		n = wire_read(reader, fd);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return reader->buf.size > 0 ? -EBADMSG : 0;
	}
}

int
wire_take_fd(struct wire_reader *reader)
{
	int fd;

	if (reader->fd_count == 0)
		return -EBADF;
	fd = reader->fds[0];
	reader->fd_count--;
	memmove(reader->fds, reader->fds + 1, reader->fd_count * sizeof(int));
	return fd;
}
