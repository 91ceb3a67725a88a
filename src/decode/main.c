/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * patrond-decode: a zip in a descriptor becomes records on a pipe. It has no network, no file system and one secret, the
 * zip's password. All that is foreign is read behind the walls.
 */

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "common/record.h"
#include "common/shape.h"
#include "common/stage.h"
#include "common/winzip_aes.h"
#include "decode/decode_inspect.h"
#include "decode/decode_records.h"
#include "decode/plaintext.h"

#define SECONDS_PER_DAY 86400
#define PROGRESS_STEP (2U << 20) /* raw bytes: some 64,000 rows */

struct progress {
	struct stage *stage;
	uint64_t done, told, total;
};

/* Tells the supervisor that there is life, and hears whether it wants none. */
static int
tick(void *data, uint64_t bytes)
{
	struct progress *progress = data;

	progress->done += bytes;
	if (progress->done - progress->told < PROGRESS_STEP)
		return 0;
	progress->told = progress->done;
	/* AES is read twice, so done may pass what the file has: the total grows with it. */
	if (progress->total < progress->done)
		progress->total = progress->done;
	if (wire_add_progress(&progress->stage->out, PHASE_RETRIEVING, progress->done, progress->total) < 0 ||
	    stage_send(progress->stage) < 0)
		return -1;
	return stage_cancelled(progress->stage) ? -1 : 0;
}

/* The feed must be a file: pread on anything else would block or fail halfway. Its size comes along. */
static int
check_feed(int fd, uint64_t *ret_size)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0)
		return -EBADMSG;
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

static int
check_records(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) ? 0 : -EBADMSG;
}

static int
fail(struct stage *stage, enum failure_code code, int number)
{
	struct failure failure = failure_of(code, number);

	return stage_fail(stage, &failure);
}

/* For the shape alone: no birth date lies after today, and a day more or less does not matter. */
static int32_t
today_utc(void)
{
	return (int32_t)(time(NULL) / SECONDS_PER_DAY) + 1;
}

/* The district's files are described by the administrator's: read before the walls, as the configuration is. */
static int
read_profiles(struct stage *stage, struct profiles *ret)
{
	struct config_error error;
	int r = profiles_read(ret, &stage->config, config_path(), &error);

	return r < 0 ? fail(stage, FAILURE_CONFIG, -r) : 0;
}

static int
answer_inspect(struct stage *stage, const struct wire_in *in, const struct profiles *profiles)
{
	_cleanup_fd_ int zip = wire_take_fd(&stage->reader);
	struct progress progress = { .stage = stage };
	struct inspection inspection;
	bool shaped;
	int r;

	if (wire_finish(in) < 0 || check_feed(zip, &progress.total) < 0)
		return fail(stage, FAILURE_PROTOCOL, 0);
	r = decode_inspect(zip, stage->config.feed, tick, &progress, &inspection);
	if (r > 0)
		return fail(stage, (enum failure_code)r, 0);
	if (r == -ECANCELED)
		return fail(stage, FAILURE_CANCELLED, 0);
	if (r < 0)
		return fail(stage, r == -ENOMEM ? FAILURE_MEMORY : FAILURE_INTERNAL, -r);
	if (inspection.verdict == ZIP_VERDICT_UNREADABLE) {
		r = plaintext_is_feed(zip, stage->config.feed, profiles, stage->config.match.barcode_pattern, today_utc(), &shaped);
		if (r < 0)
			return fail(stage, r == -ENOMEM ? FAILURE_MEMORY : FAILURE_INTERNAL, -r);
		inspection.verdict = shaped ? ZIP_VERDICT_SHAPED : ZIP_VERDICT_UNREADABLE;
	}
	wire_begin(&stage->out, WIRE_INSPECTED);
	wire_put_u8(&stage->out, (uint8_t)inspection.verdict);
	wire_put_u8(&stage->out, (uint8_t)inspection.kinds);
	wire_put_bytes(&stage->out, inspection.sha256, sizeof(inspection.sha256));
	r = wire_end(&stage->out);
	return r < 0 ? r : stage_done(stage);
}

static int
say_shapes(struct stage *stage, const struct feed_shape *shapes)
{
	for (unsigned int kind = 0; kind < FEED_KIND_MAX; kind++) {
		int r = shapes[kind].rows == 0 ? 0 : wire_add_shape(&stage->out, (enum feed_kind)kind, &shapes[kind]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int
answer_records(struct stage *stage, struct wire_in *in, const struct profiles *profiles)
{
	unsigned int kinds = wire_get_u8(in);
	int32_t today = wire_get_i32(in);
	_cleanup_fd_ int zip = wire_take_fd(&stage->reader);
	_cleanup_fd_ int records = wire_take_fd(&stage->reader);
	struct progress progress = { .stage = stage };
	struct feed_shape shapes[FEED_KIND_MAX] = { 0 };
	struct decode_job job = {
		.zip = zip,
		.records = records,
		.feeds = stage->config.feed,
		.profiles = profiles,
		.barcode_pattern = stage->config.match.barcode_pattern,
		.passwords = &stage->secret,
		.kinds = kinds,
		.today = today,
		.tick = tick,
		.data = &progress,
		.shapes = shapes,
	};
	struct failure failure;
	int r;

	if (wire_finish(in) < 0 || kinds == 0 || (kinds & ~FEED_BITS_ALL) != 0 ||
	    check_feed(zip, &progress.total) < 0 || check_records(records) < 0)
		return fail(stage, FAILURE_PROTOCOL, 0);
	if (decode_records(&job, &failure) < 0)
		return stage_fail(stage, &failure);
	r = say_shapes(stage, shapes);
	return r < 0 ? r : stage_done(stage);
}

/* A terminal is a device. Whether it is one at all was the supervisor's to ask: behind the walls no device is asked. */
static int
check_terminal(int fd)
{
	struct stat st;

	return fd < 0 || (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode)) ? 0 : -EBADMSG;
}

static int
answer_explain(struct stage *stage, struct wire_in *in, const struct profiles *profiles)
{
	int32_t today = wire_get_i32(in);
	_cleanup_fd_ int zip = wire_take_fd(&stage->reader);
	_cleanup_fd_ int terminal = wire_take_fd(&stage->reader);
	_cleanup_show_rows_ struct show_rows show = SHOW_ROWS_INIT(terminal);
	struct progress progress = { .stage = stage };
	struct feed_shape shapes[FEED_KIND_MAX] = { 0 };
	struct decode_job job = {
		.zip = zip,
		.records = -EBADF,
		.feeds = stage->config.feed,
		.profiles = profiles,
		.barcode_pattern = stage->config.match.barcode_pattern,
		.passwords = &stage->secret,
		.kinds = FEED_BITS_ALL,
		.today = today,
		.tick = tick,
		.data = &progress,
		.show = &show,
		.shapes = shapes,
	};
	struct failure failure;
	int r, told;

	if (wire_finish(in) < 0 || check_feed(zip, &progress.total) < 0 || check_terminal(terminal) < 0)
		return fail(stage, FAILURE_PROTOCOL, 0);
	r = decode_records(&job, &failure);
	told = say_shapes(stage, shapes);
	if (told < 0)
		return told;
	return r < 0 ? stage_fail(stage, &failure) : stage_done(stage);
}

static int
run(struct stage *stage)
{
	_cleanup_profiles_ struct profiles profiles = { { NULL } };
	const struct sandbox_options options = { 0 };
	struct wire_in in;
	int r;

	r = read_profiles(stage, &profiles);
	if (r < 0 || profiles.of[FEED_STUDENT] == NULL)
		return r;

	/* libcrypto opens files and loads algorithms when first used: behind the walls it could not. */
	if (winzip_aes_warm() < 0 || decode_inspect_warm() < 0)
		return fail(stage, FAILURE_INTERNAL, ENOSYS);
	r = stage_walls(stage, &options);
	if (r < 0)
		return r;
	r = stage_request(stage, &in);
	if (r <= 0)
		return r;
	switch (in.type) {
	case WIRE_DECODE_INSPECT:
		return answer_inspect(stage, &in, &profiles);
	case WIRE_DECODE_RECORDS:
		return answer_records(stage, &in, &profiles);
	case WIRE_DECODE_EXPLAIN:
		return answer_explain(stage, &in, &profiles);
	default:
		return fail(stage, FAILURE_PROTOCOL, 0);
	}
}

int
main(void)
{
	struct stage stage;
	int r = stage_begin(&stage, PROGRAM_DECODE);

	if (r == 0)
		r = run(&stage);
	return stage_end(&stage, r);
}
