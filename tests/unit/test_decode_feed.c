/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One feed from text to records: failures with their place, batches, the limit of rows. */

#include "test_decode_kit.h"

#include <fcntl.h>
#include <signal.h>

#include "common/record.h"
#include "decode/decode_feed.h"

#define MEMBER "Active,2000000001,Grace,Hopper,2 Oak St,Carrboro,NC,27510,1,2,g@x.org,T,304,S\n"

static struct config_feed feeds[FEED_KIND_MAX];
static struct key_rule *keys;
static struct profile *chccs;

static struct decode_feed *
feed_of(enum feed_kind kind, struct record_pipe *pipe)
{
	struct decode_feed *feed = NULL;

	const struct layout_options options = {
		.kinds = FEED_BIT(kind),
		.profile = chccs,
		.feeds = feeds,
		.keys = keys,
		.today = 20000,
	};

	assert_int_equal(decode_feed_new(&feed, &options, pipe), 0);
	return feed;
}

static void
test_failures(void **state)
{
	static const struct {
		enum feed_kind kind;
		const char *text;
		struct failure failure;
	} cases[] = {
		{ FEED_STAFF, "", { FAILURE_FEED_EMPTY, FEED_STAFF, 0, 0, 0 } },
		{ FEED_STUDENT, "\n \n", { FAILURE_FEED_EMPTY, FEED_STUDENT, 0, 0, 0 } },
		{ FEED_STAFF, "UIDStaffID\n", { FAILURE_HEADER, FEED_STAFF, 0, 1, 0 } },
		{ FEED_STAFF, MEMBER "\n" MEMBER "a,\"b\n", { FAILURE_QUOTE_OPEN, FEED_STAFF, 3, 2, 4 } },
		{ FEED_STAFF, MEMBER "\"a\"b\n", { FAILURE_QUOTE_TEXT, FEED_STAFF, 2, 1, 2 } },
		{ FEED_STUDENT, "\n\n\"a\nb\",\"c\"d", { FAILURE_QUOTE_TEXT, FEED_STUDENT, 1, 2, 4 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_record_pipe_ struct record_pipe pipe = RECORD_PIPE_INIT(-EBADF);
		_cleanup_decode_feed_ struct decode_feed *feed = feed_of(cases[i].kind, &pipe);
		int r = decode_feed_text(feed, cases[i].text, strlen(cases[i].text));
		struct failure got;

		if (r == 0)
			r = decode_feed_finish(feed);
		assert_int_equal(r, -1);
		got = decode_feed_failure(feed);
		if (got.code != cases[i].failure.code || got.feed != cases[i].failure.feed || got.row != cases[i].failure.row ||
		    got.column != cases[i].failure.column || got.number != cases[i].failure.number)
			fail_msg("case %zu: %s, row %u, column %u, number %d", i, failure_word(got.code), got.row, got.column,
			    got.number);
	}
}

/* Records are kept back until there is a batch of them, and none is lost between. */
static void
test_batches(void **state)
{
	_cleanup_fd_ int fd = memfd_create("records", MFD_CLOEXEC);
	_cleanup_record_pipe_ struct record_pipe pipe = RECORD_PIPE_INIT(fd);
	_cleanup_decode_feed_ struct decode_feed *feed = feed_of(FEED_STAFF, &pipe);
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	struct wire_in in;

	(void)state;
	for (uint32_t rows = 1; rows <= 2000; rows++) {
		off_t before = lseek(fd, 0, SEEK_CUR), written;

		assert_int_equal(decode_feed_text(feed, MEMBER, sizeof(MEMBER) - 1), 0);
		assert_int_equal(decode_feed_rows(feed, FEED_STAFF), rows);
		written = lseek(fd, 0, SEEK_CUR) - before;
		/* no small pieces, and each fits the pipe that Linux makes */
		assert_true(written == 0 || (written >= 61440 && written <= 65536));
	}
	assert_int_equal(decode_feed_finish(feed), 0);
	assert_int_equal(record_pipe_flush(&pipe), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	for (uint32_t row = 1; row <= 2000; row++) {
		struct record record;

		assert_int_equal(wire_receive(&reader, fd, &in), 1);
		assert_int_equal(record_get(&in, 20000, &record), 0);
		assert_int_equal(record.row, row);
	}
	assert_int_equal(wire_receive(&reader, fd, &in), 0);
}

static void
test_too_many_rows(void **state)
{
	/* the shortest rows: rejected, but rows */
	static char text[1U << 16];
	_cleanup_fd_ int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	_cleanup_record_pipe_ struct record_pipe pipe = RECORD_PIPE_INIT(fd);
	_cleanup_decode_feed_ struct decode_feed *feed = feed_of(FEED_STAFF, &pipe);
	uint32_t rows = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "a\n", 2);
	while (rows + sizeof(text) / 2 <= LIMIT_ROWS) {
		assert_int_equal(decode_feed_text(feed, text, sizeof(text)), 0);
		rows += sizeof(text) / 2;
	}
	assert_int_equal(decode_feed_text(feed, text, 2 * (size_t)(LIMIT_ROWS - rows)), 0);
	assert_int_equal(decode_feed_rows(feed, FEED_STAFF), LIMIT_ROWS);
	assert_int_equal(decode_feed_text(feed, "a\n", 2), -1);
	assert_int_equal(decode_feed_failure(feed).code, FAILURE_TOO_MANY_ROWS);
}

static void
test_pipe_gone(void **state)
{
	int ends[2], r = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	(void)fd_close(ends[0]);
	{
		_cleanup_record_pipe_ struct record_pipe pipe = RECORD_PIPE_INIT(ends[1]);
		_cleanup_decode_feed_ struct decode_feed *feed = feed_of(FEED_STAFF, &pipe);

		for (uint32_t rows = 0; rows < 2000 && r == 0; rows++)
			r = decode_feed_text(feed, MEMBER, sizeof(MEMBER) - 1);
		assert_int_equal(r, -1);
		assert_int_equal(decode_feed_failure(feed).code, FAILURE_RECORDS);
		assert_int_equal(decode_feed_failure(feed).number, EPIPE);
	}
	(void)fd_close(ends[1]);
}

static int
set_up(void **state)
{
	(void)state;
	chccs = shipped_profile("chccs");
	default_feeds(feeds);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -1;
	return key_rule_new(&keys, "[0-9]+");
}

static int
tear_down(void **state)
{
	(void)state;
	chccs = profile_free(chccs);
	keys = key_rule_free(keys);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_too_many_rows),
		cmocka_unit_test(test_pipe_gone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
