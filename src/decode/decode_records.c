/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zip becomes records: refusals by the directory first, then passwords and MACs, then text. */

#include "decode/decode_records.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/record.h"
#include "decode/decode_feed.h"
#include "decode/decode_inspect.h"
#include "decode/decode_join.h"

/* A file of the zip that holds one feed or, told by role, both; and those that are joined to it. */
struct file {
	size_t entry;
	unsigned int kinds;
	const struct profile *profile;
	struct zip_unpack *unpack;
	struct zip_unpack *joins[PROFILE_JOINS_MAX]; /* NULL: not there, and need not be */
};

struct work {
	const struct decode_job *job;
	struct failure *failure;
	struct zip_archive *archive;
	struct key_rule *keys;
	struct file files[FEED_KIND_MAX];
	size_t file_count;
	uint64_t total; /* bytes of all entries that are read */
	struct record_pipe pipe;
	uint32_t rows[FEED_KIND_MAX];
};

static void
work_done(struct work *work)
{
	for (size_t i = 0; i < work->file_count; i++) {
		struct file *file = &work->files[i];

		file->unpack = zip_unpack_free(file->unpack);
		for (size_t j = 0; j < PROFILE_JOINS_MAX; j++)
			file->joins[j] = zip_unpack_free(file->joins[j]);
	}
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

/* Whose failure one of a whole file is. */
static enum feed_kind
kind_of(const struct file *file)
{
	return (file->kinds & FEED_BIT(FEED_STUDENT)) != 0 ? FEED_STUDENT : FEED_STAFF;
}

/* --- finding --- */

/* One file may hold both feeds where one profile says so. */
static bool
tells_by_role(const struct decode_job *job)
{
	return job->profiles->of[FEED_STUDENT]->by_role && job->profiles->of[FEED_STAFF]->by_role &&
	    strcmp(job->feeds[FEED_STUDENT].profile, job->feeds[FEED_STAFF].profile) == 0;
}

static void
add_file(struct work *work, size_t entry, unsigned int kinds)
{
	struct file *file = &work->files[work->file_count++];

	*file = (struct file){ .entry = entry, .kinds = kinds & work->job->kinds };
	file->profile = work->job->profiles->of[kind_of(file)];
}

/* The one entry of each kind; one of both kinds (but for roles), or two of one, cannot be told apart. */
static int
find_feeds(struct work *work)
{
	size_t entries[FEED_KIND_MAX] = { 0 };
	unsigned int found = 0, wanted = work->job->kinds;

	for (size_t i = 0; i < zip_archive_count(work->archive); i++) {
		const struct zip_entry *entry = zip_archive_entry(work->archive, i);
		unsigned int kinds = decode_kinds(work->job->feeds, entry);

		if (kinds == 0)
			continue;
		if ((found & kinds) != 0 || (kinds == FEED_BITS_ALL && !tells_by_role(work->job)))
			return fail(work, FAILURE_TWO_OF_A_KIND,
			    (kinds & FEED_BIT(FEED_STUDENT)) != 0 ? FEED_STUDENT : FEED_STAFF);
		found |= kinds;
		for (unsigned int kind = 0; kind < FEED_KIND_MAX; kind++)
			if ((kinds & FEED_BIT(kind)) != 0)
				entries[kind] = i;
		if (entry->link)
			return fail(work, FAILURE_ZIP_NAME, FEED_KIND_INVALID);
	}
	if ((found & wanted) == 0)
		return fail(work, FAILURE_NO_FEED, FEED_KIND_INVALID);
	if (found == FEED_BITS_ALL && entries[FEED_STUDENT] == entries[FEED_STAFF]) {
		add_file(work, entries[FEED_STUDENT], FEED_BITS_ALL);
		return 0;
	}
	for (unsigned int kind = 0; kind < FEED_KIND_MAX; kind++)
		if ((found & wanted & FEED_BIT(kind)) != 0)
			add_file(work, entries[kind], FEED_BIT(kind));
	return 0;
}

/* Returns 1 with the one entry of a joined file, 0 where there is none, or -1 with the failure. */
static int
find_join(struct work *work, const struct profile *profile, size_t i, size_t *ret)
{
	int found = 0;

	for (size_t at = 0; at < zip_archive_count(work->archive); at++) {
		const struct zip_entry *entry = zip_archive_entry(work->archive, at);

		if (!decode_name_fits(entry, profile->words[profile->joins[i].file]))
			continue;
		if (entry->link)
			return fail(work, FAILURE_ZIP_NAME, FEED_KIND_INVALID);
		if (found++ > 0)
			return fail(work, FAILURE_TWO_OF_A_KIND, FEED_KIND_INVALID);
		*ret = at;
	}
	return found;
}

/* --- opening --- */

static int
open_entry(struct work *work, size_t entry, enum feed_kind feed, struct zip_unpack **ret)
{
	int r = zip_unpack_new(ret, work->archive, entry, work->job->tick, work->job->data);

	work->total += zip_archive_entry(work->archive, entry)->size;
	if (r == 0 && work->total > LIMIT_TOTAL_SIZE)
		r = FAILURE_ZIP_SIZE;
	if (r == 0)
		return 0;
	(void)fail(work, r, feed);
	if (r == FAILURE_ZIP_METHOD)
		work->failure->number = zip_archive_entry(work->archive, entry)->method;
	return -1;
}

static int
open_joins(struct work *work, struct file *file)
{
	for (size_t i = 0; i < file->profile->join_count; i++) {
		size_t entry = 0;
		int found = find_join(work, file->profile, i, &entry);

		if (found < 0)
			return -1;
		if (found == 0 && !file->profile->joins[i].join.optional) {
			*work->failure = failure_of(FAILURE_JOIN_MISSING, (int)i + 1);
			return -1;
		}
		if (found > 0 && open_entry(work, entry, FEED_KIND_INVALID, &file->joins[i]) < 0)
			return -1;
	}
	return 0;
}

static int
unlock(struct work *work, struct zip_unpack *unpack, enum feed_kind feed)
{
	int r = unpack != NULL ? zip_unpack_unlock(unpack, work->job->passwords) : 0;

	return r != 0 ? fail(work, r, feed) : 0;
}

/* All are opened before a row of the first is read: what can be refused is refused first. */
static int
open_files(struct work *work)
{
	if (find_feeds(work) < 0)
		return -1;
	for (size_t i = 0; i < work->file_count; i++) {
		struct file *file = &work->files[i];

		if (open_entry(work, file->entry, kind_of(file), &file->unpack) < 0 || open_joins(work, file) < 0)
			return -1;
	}
	for (size_t i = 0; i < work->file_count; i++) {
		struct file *file = &work->files[i];

		if (unlock(work, file->unpack, kind_of(file)) < 0)
			return -1;
		for (size_t j = 0; j < PROFILE_JOINS_MAX; j++)
			if (unlock(work, file->joins[j], FEED_KIND_INVALID) < 0)
				return -1;
	}
	return 0;
}

/* --- reading --- */

static int
read_join(struct work *work, struct file *file, size_t i, struct joins *joins)
{
	_cleanup_decode_join_ struct decode_join *join = NULL;
	int r = decode_join_new(&join, file->profile, i, joins);

	if (r < 0)
		return fail(work, r, FEED_KIND_INVALID);
	r = zip_unpack_run(file->joins[i], decode_join_text, join);
	if (r == 0)
		r = decode_join_finish(join) < 0 ? ZIP_UNPACK_STOPPED : 0;
	if (r == ZIP_UNPACK_STOPPED) {
		*work->failure = decode_join_failure(join);
		return -1;
	}
	return r != 0 ? fail(work, r, FEED_KIND_INVALID) : 0;
}

/* Before the file that they are joined to: a row must be whole when it is read. */
static int
read_joins(struct work *work, struct file *file, struct joins **ret)
{
	bool no_opt_out = (file->kinds & FEED_BIT(FEED_STUDENT)) != 0 &&
	    work->job->feeds[FEED_STUDENT].opt_out == OPT_OUT_NONE;
	int r;

	if (file->profile->join_count == 0)
		return 0;
	r = joins_new(ret, file->profile, no_opt_out);
	if (r < 0)
		return fail(work, r, FEED_KIND_INVALID);
	for (size_t i = 0; i < file->profile->join_count; i++)
		if (file->joins[i] != NULL && read_join(work, file, i, *ret) < 0)
			return -1;
	return 0;
}

/* Also of a file that could not be read to its end: the shape of what came before shows why. */
static void
keep_figures(struct work *work, const struct file *file, const struct decode_feed *feed)
{
	for (unsigned int kind = 0; kind < FEED_KIND_MAX; kind++) {
		if ((file->kinds & FEED_BIT(kind)) == 0)
			continue;
		work->rows[kind] = decode_feed_rows(feed, (enum feed_kind)kind);
		if (work->job->shapes != NULL)
			decode_feed_shape(feed, (enum feed_kind)kind, &work->job->shapes[kind]);
	}
}

static int
read_file(struct work *work, struct file *file)
{
	_cleanup_joins_ struct joins *joins = NULL;
	_cleanup_decode_feed_ struct decode_feed *feed = NULL;
	struct layout_options options = {
		.kinds = file->kinds,
		.profile = file->profile,
		.feeds = work->job->feeds,
		.keys = work->keys,
		.today = work->job->today,
	};
	int r;

	if (read_joins(work, file, &joins) < 0)
		return -1;
	options.joins = joins;
	r = decode_feed_new(&feed, &options, &work->pipe);
	if (r < 0)
		return fail(work, r, kind_of(file));
	r = zip_unpack_run(file->unpack, decode_feed_text, feed);
	if (r == 0)
		r = decode_feed_finish(feed) < 0 ? ZIP_UNPACK_STOPPED : 0;
	keep_figures(work, file, feed);
	if (r == ZIP_UNPACK_STOPPED) {
		*work->failure = decode_feed_failure(feed);
		return -1;
	}
	return r == 0 ? 0 : fail(work, r, kind_of(file));
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
	if (open_files(work) < 0)
		return -1;
	for (size_t i = 0; i < work->file_count; i++)
		if (read_file(work, &work->files[i]) < 0)
			return -1;
	return send_trailer(work);
}

int
decode_records(const struct decode_job *job, struct failure *ret_failure)
{
	struct work work = { .job = job, .failure = ret_failure, .pipe = RECORD_PIPE_INIT(job->records) };
	int r;

	work.pipe.show = job->show;
	*ret_failure = failure_of(FAILURE_INTERNAL, 0);
	r = do_work(&work);
	work_done(&work);
	return r;
}
