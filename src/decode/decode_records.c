/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zip becomes records: refusals by the directory first, then passwords and MACs, then text. */

#include "decode/decode_records.h"

#include <errno.h>
#include <stdbool.h>

#include "common/record.h"
#include "decode/decode_feed.h"
#include "decode/decode_inspect.h"

struct work {
	const struct decode_job *job;
	struct failure *failure;
	struct zip_archive *archive;
	struct key_rule *keys;
	struct zip_unpack *unpacks[FEED_KIND_MAX]; /* NULL: not there or not wanted */
	struct record_pipe pipe;
	uint32_t rows[FEED_KIND_MAX];
};

static void
work_done(struct work *work)
{
	for (size_t kind = 0; kind < FEED_KIND_MAX; kind++)
		work->unpacks[kind] = zip_unpack_free(work->unpacks[kind]);
	work->archive = zip_archive_close(work->archive);
	work->keys = key_rule_free(work->keys);
	record_pipe_done(&work->pipe);
}

/* Keeps what went wrong: a positive code as it is, an errno as the code that it stands for. */
static int
fail(struct work *work, int r, enum feed_kind feed)
{
	enum failure_code code = r > 0 ? (enum failure_code)r
	    : r == -ENOMEM             ? FAILURE_MEMORY
	    : r == -ECANCELED          ? FAILURE_CANCELLED
	                               : FAILURE_INTERNAL;

	*work->failure = failure_of(code, r < 0 && r != -ECANCELED ? -r : 0);
	work->failure->feed = feed;
	return -1;
}

/* The one entry of each kind; an entry of both kinds, or two of one, cannot be told apart. */
static int
find_feeds(struct work *work, size_t ret_index[static FEED_KIND_MAX], unsigned int *ret_kinds)
{
	unsigned int found = 0;

	for (size_t i = 0; i < zip_archive_count(work->archive); i++) {
		const struct zip_entry *entry = zip_archive_entry(work->archive, i);
		unsigned int kinds = decode_kinds(work->job->feeds, entry);

		if (kinds == 0)
			continue;
		if ((found & kinds) != 0 || kinds == FEED_BITS_ALL)
			return fail(work, FAILURE_TWO_OF_A_KIND,
			    (kinds & FEED_BIT(FEED_STUDENT)) != 0 ? FEED_STUDENT : FEED_STAFF);
		found |= kinds;
		ret_index[kinds == FEED_BIT(FEED_STUDENT) ? FEED_STUDENT : FEED_STAFF] = i;
		if (entry->link)
			return fail(work, FAILURE_ZIP_NAME, FEED_KIND_INVALID);
	}
	*ret_kinds = found & work->job->kinds;
	return *ret_kinds != 0 ? 0 : fail(work, FAILURE_NO_FEED, FEED_KIND_INVALID);
}

/* Both feeds are opened before a row of the first is read: what can be refused is refused first. */
static int
open_feeds(struct work *work)
{
	size_t index[FEED_KIND_MAX] = { 0 };
	unsigned int kinds = 0;
	uint64_t total = 0;

	if (find_feeds(work, index, &kinds) < 0)
		return -1;
	for (unsigned int kind = 0; kind < FEED_KIND_MAX; kind++) {
		int r;

		if ((kinds & FEED_BIT(kind)) == 0)
			continue;
		r = zip_unpack_new(&work->unpacks[kind], work->archive, index[kind], work->job->tick, work->job->data);
		total += zip_archive_entry(work->archive, index[kind])->size;
		if (r == 0 && total > LIMIT_TOTAL_SIZE)
			r = FAILURE_ZIP_SIZE;
		if (r != 0) {
			(void)fail(work, r, (enum feed_kind)kind);
			if (r == FAILURE_ZIP_METHOD)
				work->failure->number = zip_archive_entry(work->archive, index[kind])->method;
			return -1;
		}
	}
	for (unsigned int kind = 0; kind < FEED_KIND_MAX; kind++) {
		int r = work->unpacks[kind] != NULL ? zip_unpack_unlock(work->unpacks[kind], work->job->passwords) : 0;

		if (r != 0)
			return fail(work, r, (enum feed_kind)kind);
	}
	return 0;
}

static int
read_feed(struct work *work, enum feed_kind kind)
{
	_cleanup_decode_feed_ struct decode_feed *feed = NULL;
	int r = decode_feed_new(&feed, kind, &work->job->feeds[kind], work->keys, work->job->today, &work->pipe);

	if (r < 0)
		return fail(work, r, kind);
	r = zip_unpack_run(work->unpacks[kind], decode_feed_text, feed);
	if (r == 0)
		r = decode_feed_finish(feed) < 0 ? ZIP_UNPACK_STOPPED : 0;
	if (r == ZIP_UNPACK_STOPPED) {
		*work->failure = decode_feed_failure(feed);
		return -1;
	}
	if (r != 0)
		return fail(work, r, kind);
	work->rows[kind] = decode_feed_rows(feed);
	if (work->job->shapes != NULL)
		decode_feed_shape(feed, &work->job->shapes[kind]);
	return 0;
}

static int
send_trailer(struct work *work)
{
	int r = record_put_trailer(&work->pipe.out, work->rows);

	if (r < 0)
		return fail(work, r, FEED_KIND_INVALID);
	r = record_pipe_flush(&work->pipe);
	if (r == 0)
		return 0;
	*work->failure = failure_of(FAILURE_RECORDS, -r);
	return -1;
}

static int
do_work(struct work *work)
{
	int r = zip_archive_open(&work->archive, work->job->zip);

	if (r != 0)
		return fail(work, r, FEED_KIND_INVALID);
	r = key_rule_new(&work->keys, work->job->barcode_pattern);
	if (r < 0)
		return fail(work, r == -ENOMEM ? r : FAILURE_CONFIG, FEED_KIND_INVALID);
	if (open_feeds(work) < 0)
		return -1;
	for (unsigned int kind = 0; kind < FEED_KIND_MAX; kind++)
		if (work->unpacks[kind] != NULL && read_feed(work, (enum feed_kind)kind) < 0)
			return -1;
	return send_trailer(work);
}

int
decode_records(const struct decode_job *job, struct failure *ret_failure)
{
	struct work work = { .job = job, .failure = ret_failure, .pipe = RECORD_PIPE_INIT(job->records) };
	int r;

	*ret_failure = failure_of(FAILURE_INTERNAL, 0);
	r = do_work(&work);
	work_done(&work);
	return r;
}
