/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Newest to oldest: each candidate is copied and inspected until every kind of feed is covered. */

#include "supervisor/look_private.h"

#include <errno.h>
#include <string.h>

#include "supervisor/journal.h"
#include "supervisor/sentence.h"
#include "supervisor/status.h"
#include "supervisor/workspace.h"

static void
tell_file(const struct shown_file *file, const char *message_id, const char *what)
{
	struct entry entry;
	char name[1100];

	journal_escape(file->name, strlen(file->name), name, sizeof(name));
	entry_begin(&entry, 6, message_id, FEED_KIND_INVALID, NULL, "%s %s", name, what);
	entry_field(&entry, "FILE", "%s", name);
	entry_send(&entry);
}

static void
tell_superseded(const struct shown_file *file)
{
	tell_file(file, MESSAGE_SUPERSEDED, "is older than the newest feed and is left alone.");
}

/* What became of a file stays the source's error until a look finds it otherwise. */
static void
file_error(struct look *look, const struct shown_file *file, enum program program, const struct failure *failure,
    const char *also)
{
	char name[SOURCE_NOTE_FILE], sentence[1024], text[1100];

	journal_escape(file->name, strlen(file->name), name, sizeof(name));
	sentence_failure(program, failure, sentence, sizeof(sentence));
	(void)snprintf(text, sizeof(text), "%s%s", sentence, also);
	manager_source_error(look->manager, file->source, name, text);
}

static bool
to_be_run(const struct look *look, const struct content *content)
{
	const struct circumstances c = look_circumstances(look);

	return choose_run(content, &c);
}

static uint32_t
kinds_left(const struct look *look, const struct content *content)
{
	return choose_kinds(look->memory, content, look->covered);
}

/* It was not run to its end, for whatever reason, and may be once nothing is in its way any more. */
static bool
waits(const struct content *content)
{
	return content->state == CONTENT_SEEN || content->state == CONTENT_DUE || content->state == CONTENT_HELD;
}

/*
 * A refused file may be, or is but for its encryption, the newest feed of these kinds: an older one might bring back a child whom
 * it opts out. But that one is not overtaken, as by a feed: should the refused file go, it is the newest.
 */
static void
block(struct look *look, const struct content *content)
{
	const uint32_t kinds = kinds_left(look, content);

	if (kinds == 0)
		return;
	look->blocked |= kinds;
	look->blocker = look->at;
	look->blocker_verdict = content->verdict;
}

static void
tell_blocker(struct look *look, const struct shown_file *file, enum zip_verdict verdict)
{
	const struct failure failure = failure_of(choose_refusal(verdict), 0);

	manager_count_status(look->manager, 2);
	file_error(look, file, PROGRAM_DECODE, &failure, " Older feeds wait until it is replaced or removed.");
}

/* True where a file before it in this look has the same content: that does not overtake itself. */
static bool
was_shown(const struct look *look, const struct content *content)
{
	for (size_t i = 0; i < look->at; i++) {
		const struct known_file *entry = look_known(look, &look->candidates[i]);

		if (entry != NULL && !entry->unread && memcmp(entry->fingerprint, content->fingerprint, FINGERPRINT_SIZE) == 0)
			return true;
	}
	return false;
}

static bool
was_at(const struct memory *memory, const struct content *content, unsigned int sources)
{
	for (size_t i = 0; i < memory->file_count; i++) {
		const struct known_file *file = &memory->files[i];

		if ((sources & (1U << file->source)) != 0 && !file->unread &&
		    memcmp(file->fingerprint, content->fingerprint, FINGERPRINT_SIZE) == 0)
			return true;
	}
	return false;
}

/* Of the last listing of a source that cannot be listed now: a newer file that nobody has read. */
static bool
unread_at(const struct look *look, const struct content *content, unsigned int sources)
{
	for (size_t s = 0; s < SOURCE_MAX; s++) {
		const struct source *source = &look->manager->sources[s];

		for (size_t i = 0; (sources & (1U << s)) != 0 && i < source->count; i++)
			if (source->files[i].mtime > content->mtime && look_known(look, &source->files[i]) == NULL)
				return true;
	}
	return false;
}

/*
 * True where a source cannot be listed that never was since the memory began, at a first start or after a reboot: what it
 * holds may be newer than all that is seen, and nobody could tell.
 */
static bool
never_listed(const struct look *look)
{
	return (manager_sources(look->manager) & ~look->listed & ~look->memory->listed) != 0;
}

/*
 * True where a newer feed of its kinds waits at a source that cannot be listed: whether it still lies there nobody knows, and
 * the older one could bring back a child whom it opts out.
 */
static bool
newer_out_of_sight(const struct look *look, const struct content *content)
{
	const struct memory *memory = look->memory;
	const unsigned int silent = manager_sources(look->manager) & ~look->listed;
	const uint32_t left = kinds_left(look, content);

	if (silent == 0)
		return false;
	if (never_listed(look))
		return true;
	for (size_t i = 0; i < memory->content_count; i++) {
		const struct content *other = &memory->contents[i];
		bool counts = waits(other) || other->state == CONTENT_REFUSED || other->renamed;

		if (counts && other->mtime > content->mtime && (kinds_left(look, other) & left) != 0 && was_at(memory, other, silent))
			return true;
	}
	return unread_at(look, content, silent);
}

static void
tell_out_of_sight(const struct look *look, const struct shown_file *file)
{
	tell_file(file, MESSAGE_FEED_WAITS,
	    never_listed(look) ? "waits: a source that could never be listed since patrond's memory began may have a newer feed."
	                       : "waits: a newer feed was seen at a source that cannot be listed now.");
}

/* True where a feed that would be run must not be: what is newer is refused, or out of sight. That is told. */
static bool
must_not_run(struct look *look, const struct shown_file *file, const struct content *content)
{
	if ((kinds_left(look, content) & look->blocked) != 0) {
		tell_file(file, MESSAGE_FEED_WAITS, "waits: a newer file was refused, and may be the newest feed of its kind.");
		tell_blocker(look, &look->candidates[look->blocker], look->blocker_verdict);
		return true;
	}
	if (!newer_out_of_sight(look, content))
		return false;
	tell_out_of_sight(look, file);
	return true;
}

static void
queue_run(struct look *look, const struct content *content, uint32_t kinds)
{
	struct run *run = &look->runs[look->run_count];

	if (look->run_count == RUNS_MAX)
		return; /* cannot be: each run covers a kind */
	run->fd = TAKE_FD(look->feed_fd);
	run->kinds = kinds;
	memcpy(run->fingerprint, content->fingerprint, FINGERPRINT_SIZE);
	look->run_count++;
}

static void
supersede(const struct shown_file *file, struct content *content)
{
	if (waits(content))
		content->state = CONTENT_SUPERSEDED;
	tell_superseded(file);
}

/* A candidate's content is known now, and its bytes, where it was copied, are in feed_fd. */
static void
decide(struct look *look, const struct shown_file *file, struct content *content)
{
	uint32_t kinds = kinds_left(look, content);

	if (content->verdict != ZIP_VERDICT_WHOLE) {
		struct failure failure = failure_of(choose_refusal(content->verdict), 0);
		char name[1100];

		journal_escape(file->name, strlen(file->name), name, sizeof(name));
		look_tell_failure(look, file->source, PROGRAM_DECODE, &failure, name);
		file_error(look, file, PROGRAM_DECODE, &failure, "");
		/* An unreadable one may still be under way, and comes back as another content; the others are final. */
		content->state = CONTENT_REFUSED;
		content->failure = failure.code;
		block(look, content);
	} else if (kinds == 0) {
		if (!was_shown(look, content))
			supersede(file, content);
	} else if (look->feed_fd >= 0 && !must_not_run(look, file, content) &&
	    (look->request.take & (1U << file->source)) != 0)
		queue_run(look, content, kinds); /* of another source it only covers the older ones */
	else if (content->state == CONTENT_HELD)
		manager_count_status(look->manager, 4);
	if (content->verdict == ZIP_VERDICT_WHOLE)
		look->covered |= content->kinds;
	look->feed_fd = workspace_wipe(look->feed_fd);
}

/*
 * Feeds may have other names since a content was inspected first. What was refused may have a feed now; one that is done, or
 * overtaken, a feed of a kind that nobody saw in it. Else it stays what it was.
 */
static void
take_verdict(const struct look *look, struct content *content)
{
	const bool settled = content->state == CONTENT_DONE || content->state == CONTENT_SUPERSEDED;
	const bool more = look->verdict == ZIP_VERDICT_WHOLE && (look->kinds & ~content->kinds) != 0;

	content->renamed = false;
	if (settled && !more && !to_be_run(look, content))
		return; /* one that is to be run once more is what it is by today's names */
	if (more && (settled || content->state == CONTENT_REFUSED)) {
		content->state = CONTENT_SEEN;
		content->approved_count = 0; /* whoever let it go has not seen this feed of it */
	}
	content->verdict = look->verdict;
	content->kinds = look->kinds;
}

static void
inspected(struct look *look)
{
	const struct shown_file *file = &look->candidates[look->at];
	struct memory *memory = look->memory;
	struct content *content = memory_content(memory, look->fingerprint);
	struct known_file *entry;

	if (content == NULL) {
		content = memory_add_content(memory, look->fingerprint);
		content->mtime = file->order;
		content->state = CONTENT_SEEN;
	}
	look->again = file->order > content->mtime;
	take_verdict(look, content);
	entry = look_known(look, file);
	if (entry == NULL)
		entry = memory_add_file(memory, file->source, file->name, file->size, file->mtime);
	memcpy(entry->fingerprint, look->fingerprint, FINGERPRINT_SIZE);
	trouble_clear(&look->manager->unread, file);
	if (look->again)
		return; /* the same bytes were shown before, at an earlier time: their place is further back */
	if (content->verdict == ZIP_VERDICT_WHOLE && !to_be_run(look, content))
		look->feed_fd = workspace_wipe(look->feed_fd); /* the same bytes under another name: done, or waiting */
	decide(look, file, content);
}

static int
on_inspect_answer(struct wire_in *in, void *userdata)
{
	struct look *look = userdata;
	uint8_t verdict, kinds;
	const uint8_t *fingerprint;

	if (in->type == WIRE_PROGRESS)
		return 0;
	verdict = wire_get_u8(in);
	kinds = wire_get_u8(in);
	fingerprint = wire_get_bytes(in, FINGERPRINT_SIZE);
	if (wire_finish(in) < 0 || look->inspected || verdict >= ZIP_VERDICT_MAX || kinds > FEED_BITS_ALL)
		return -EBADMSG;
	/* a plain zip has kinds as well, where there is a feed in it */
	if (verdict != ZIP_VERDICT_PLAIN && (verdict == ZIP_VERDICT_WHOLE) != (kinds != 0))
		return -EBADMSG;
	look->verdict = (enum zip_verdict)verdict;
	look->kinds = kinds;
	memcpy(look->fingerprint, fingerprint, FINGERPRINT_SIZE);
	look->inspected = true;
	return 0;
}

/* A file that changed is looked at again once it may stand still; any other failure comes back after growing pauses. */
static void
come_back(struct look *look, const struct shown_file *file, enum program program, const struct failure *failure)
{
	struct manager *manager = look->manager;
	const struct config *config = &manager->config;
	struct trouble *trouble;
	usec_t pause = file->source == SOURCE_SHARE ? config->share.settle : config->sftp.settle;

	if (failure->code == FAILURE_CANCELLED)
		return;
	if (failure->code != FAILURE_FEED_CHANGED)
		pause = trouble_add(&manager->unread, file, manager_now(manager), config->load.retry_pause,
		    config->load.retry_pause_max);
	trouble = trouble_find(&manager->unread, file);
	if (trouble != NULL) {
		trouble->program = program;
		trouble->failure = *failure;
	}
	manager_look_soon(manager, file->source, pause);
}

static void
candidate_failed(struct look *look, enum program program, const struct failure *failure)
{
	const struct shown_file *file = &look->candidates[look->at];
	char name[1100];

	journal_escape(file->name, strlen(file->name), name, sizeof(name));
	look_tell_failure(look, file->source, program, failure, name);
	file_error(look, file, program, failure, "");
	look->feed_fd = workspace_wipe(look->feed_fd);
	come_back(look, file, program, failure);
	/*
	 * What could not be read may be the newest feed: no older one is taken in this look, lest it bring back a child
	 * who has opted out since.
	 */
	look->at = look->candidate_count;
	look_next_candidate(look);
}

/* From the newest on, with what is known now. Bounded by COPIES_MAX. */
static void
begin_again(struct look *look)
{
	look->again = false;
	look->covered = 0;
	look->blocked = 0;
	look->feed_fd = workspace_wipe(look->feed_fd);
	while (look->run_count > 0) {
		look->run_count--;
		look->runs[look->run_count].fd = workspace_wipe(look->runs[look->run_count].fd);
	}
	if (look_gather(look) < 0)
		look->candidate_count = 0;
}

static void
on_inspect_end(const struct failure *failure, void *userdata)
{
	struct look *look = userdata;
	struct failure lie = failure_of(FAILURE_PROTOCOL, WIRE_INSPECTED);

	look->errand = NULL;
	if (failure == NULL && !look->inspected)
		failure = &lie;
	if (failure != NULL) {
		candidate_failed(look, PROGRAM_DECODE, failure);
		return;
	}
	inspected(look);
	look->at++;
	if (look->again)
		begin_again(look);
	look_next_candidate(look);
}

static int
inspect(struct look *look)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct errand_options options = {
		.program = PROGRAM_DECODE,
		.out = &out,
		.fds = &look->feed_fd,
		.fd_count = 1,
		.timeout = look->manager->config.load.stage_timeout,
		.on_answer = on_inspect_answer,
		.on_end = on_inspect_end,
		.userdata = look,
	};
	int r = wire_add_empty(&out, WIRE_DECODE_INSPECT);

	look->inspected = false;
	return r < 0 ? r : errand_run(&look->errand, look->manager, &options);
}

static int
on_copy_answer(struct wire_in *in, void *userdata)
{
	struct look *look = userdata;
	uint64_t done, total;

	if (in->type == WIRE_COPIED) {
		done = wire_get_u64(in);
		return wire_finish(in) < 0 || done != look->candidates[look->at].size ? -EBADMSG : 0;
	}
	if (wire_get_u8(in) != PHASE_RETRIEVING)
		return -EBADMSG;
	done = wire_get_u64(in);
	total = wire_get_u64(in);
	if (wire_finish(in) < 0)
		return -EBADMSG;
	status_phase(PHASE_RETRIEVING, done, total, look->copy_since);
	return 0;
}

static void
on_copied(const struct failure *failure, void *userdata)
{
	struct look *look = userdata;
	struct failure own;
	int r;

	look->errand = NULL;
	if (failure != NULL) {
		candidate_failed(look, look_source_program(look->candidates[look->at].source), failure);
		return;
	}
	r = inspect(look); /* fetch has ended: nobody else holds the descriptor */
	if (r < 0) {
		own = failure_of(FAILURE_INTERNAL, r);
		candidate_failed(look, PROGRAM_DECODE, &own);
	}
}

static int
copy(struct look *look)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct shown_file *file = &look->candidates[look->at];
	const struct errand_options options = {
		.program = look_source_program(file->source),
		.out = &out,
		.fds = &look->feed_fd,
		.fd_count = 1,
		.timeout = file->source == SOURCE_SHARE ? manager_share_timeout(look->manager)
		                                        : look->manager->config.load.stage_timeout,
		.on_answer = on_copy_answer,
		.on_end = on_copied,
		.userdata = look,
	};
	int r;

	look->feed_fd = workspace_new();
	if (look->feed_fd < 0)
		return look->feed_fd;
	look->copies++;
	look->copy_since = manager_now(look->manager);
	wire_begin(&out, file->source == SOURCE_SHARE ? WIRE_SHARE_COPY : WIRE_FETCH_COPY);
	wire_put_string(&out, file->name, strlen(file->name));
	wire_put_u64(&out, file->size);
	wire_put_i64(&out, file->mtime);
	r = wire_end(&out);
	return r < 0 ? r : errand_run(&look->errand, look->manager, &options);
}

/*
 * A refused file was told when it was seen first; but while nothing newer has come it stays a refused feed. Of an unreadable
 * one that is older than what was loaded of one kind, the other may never come: it is told where an older feed waits for it.
 */
static void
pass_refused(struct look *look, const struct shown_file *file, const struct content *content)
{
	if (content->verdict == ZIP_VERDICT_UNREADABLE ? choose_kinds(look->memory, content, 0) == FEED_BITS_ALL
	                                               : kinds_left(look, content) != 0) {
		tell_blocker(look, file, content->verdict);
		if (look->manager->once)
			tell_file(file, MESSAGE_FEED_WAITS,
			    "was refused and is the newest still: older feeds wait until it is replaced or removed.");
	}
	block(look, content);
}

/* Whether the next candidate must be copied. Where not, it is dealt with here. */
static bool
needs_copy(struct look *look, const struct shown_file *file)
{
	struct memory *memory = look->memory;
	struct known_file *entry = look_known(look, file);
	struct content *content = entry != NULL && !entry->unread ? memory_content(memory, entry->fingerprint) : NULL;

	if (look_unsettled_for(look, file) > 0) {
		tell_file(file, MESSAGE_SETTLING, "does not stand still yet and is left alone.");
		manager_look_soon(look->manager, file->source, look_unsettled_for(look, file));
		/* It will be the newest feed in a moment: an older one must not slip in before it. */
		look->at = look->candidate_count - 1;
		return false;
	}
	if (look->blocked == FEED_BITS_ALL) {
		look->at = look->candidate_count - 1; /* nothing older can be run */
		return false;
	}
	if (look->covered == FEED_BITS_ALL) {
		if (content != NULL && waits(content))
			decide(look, file, content);
		else if (entry == NULL) {
			tell_superseded(file);
			if (!look->request.dry_run)
				memory_add_file(memory, file->source, file->name, file->size, file->mtime)->unread = true;
		}
		return false;
	}
	if (entry != NULL && entry->unread)
		return look->request.dry_run; /* was superseded unread once, and stays so */
	if (content == NULL || content->renamed)
		return true;
	if (content->verdict != ZIP_VERDICT_WHOLE) {
		pass_refused(look, file, content);
		return false;
	}
	if (look->request.dry_run)
		return true;
	if (to_be_run(look, content) && kinds_left(look, content) != 0) {
		if (!must_not_run(look, file, content))
			return true;
		look->covered |= content->kinds;
		return false;
	}
	if (waits(content) && kinds_left(look, content) == 0) {
		decide(look, file, content); /* a newer one of its kind has overtaken it */
		return false;
	}
	if (content->state == CONTENT_HELD) {
		manager_count_status(look->manager, 4);
		tell_file(file, MESSAGE_FEED_WAITS, "is still held by a guard; see \"Held loads\" in the README.");
	}
	look->covered |= content->kinds;
	return false;
}

/* True for a file that could not be read and is not tried again yet: the look that will is made sure of. */
static bool
must_wait(struct look *look, const struct shown_file *file)
{
	struct manager *manager = look->manager;
	const struct trouble *trouble;
	/* a person who asks has perhaps just mended it */
	usec_t pause = manager->once || look->request.once ? 0 : trouble_pause(&manager->unread, file, manager_now(manager));

	if (pause == 0)
		return false;
	trouble = trouble_find(&manager->unread, file);
	manager_count_status(manager, 2);
	if (trouble != NULL)
		file_error(look, file, trouble->program, &trouble->failure, " It is tried again after growing pauses.");
	manager_look_soon(manager, file->source, pause);
	return true;
}

void
look_next_candidate(struct look *look)
{
	while (!look->cancelled && look->at < look->candidate_count) {
		int r;

		if (look->copies == COPIES_MAX || !needs_copy(look, &look->candidates[look->at])) {
			look->at++;
			continue;
		}
		if (must_wait(look, &look->candidates[look->at])) {
			look->at = look->candidate_count; /* as when it failed: nothing older is taken */
			continue;
		}
		r = copy(look);
		if (r < 0) {
			struct failure failure =
			    failure_of(r == -ENOSPC ? FAILURE_WORKSPACE_FULL : FAILURE_INTERNAL, r);

			candidate_failed(look, look_source_program(look->candidates[look->at].source), &failure);
		}
		return;
	}
	look_next_run(look);
}
