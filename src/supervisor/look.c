/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking at the sources: which feeds there are, which is the newest of its kind, and running those. */

#include "supervisor/look_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/errand.h"
#include "supervisor/forget.h"
#include "supervisor/history.h"
#include "supervisor/idle.h"
#include "supervisor/journal.h"
#include "supervisor/put_away.h"
#include "supervisor/report.h"
#include "supervisor/sentence.h"
#include "supervisor/status.h"
#include "supervisor/workspace.h"

#define CANCEL_PATIENCE (5 * USEC_PER_SEC)
#define SETTLE_ROUNDS 3  /* a file that goes on growing must not keep the others waiting */

static void next_source(struct look *look);

enum program
look_source_program(enum source_kind source)
{
	return source == SOURCE_SHARE ? PROGRAM_SHARE : PROGRAM_FETCH;
}

struct look *
look_free(struct look *look)
{
	if (look == NULL)
		return NULL;
	look->errand = errand_free(look->errand);
	look->load = load_free(look->load);
	sd_event_source_disable_unref(look->timer);
	look->feed_fd = workspace_wipe(look->feed_fd);
	for (size_t i = 0; i < look->run_count; i++)
		look->runs[i].fd = workspace_wipe(look->runs[i].fd);
	free(look->candidates);
	if (look->request.dry_run)
		memory_free(look->memory);
	free(look);
	return NULL;
}

const struct load *
look_load(const struct look *look)
{
	return look->load;
}

bool
look_is_dry(const struct look *look)
{
	return look->request.dry_run;
}

int64_t
look_begun(const struct look *look)
{
	return look->begun;
}

void
look_cancel(struct look *look)
{
	usec_t patience;

	look->cancelled = true;
	if (look->load != NULL)
		load_cancel(look->load);
	errand_cancel(look->errand);
	/* One that hangs in a mount is not waited for as long as at other times: somebody wants to stop. */
	patience = manager_share_timeout(look->manager);
	errand_set_timeout(look->errand, patience < CANCEL_PATIENCE ? patience : CANCEL_PATIENCE);
	if (look->timer != NULL) /* waits for a file to stand still: not any more */
		(void)sd_event_source_set_time_relative(look->timer, 0);
}

void
look_put_away_over(struct look *look)
{
	struct manager *manager = look->manager;

	if (manager->once && !look->ran && manager->worst == 0) {
		struct entry entry;

		entry_begin(&entry, 6, MESSAGE_NOTHING_NEW, FEED_KIND_INVALID, NULL, "Nothing new in %zu file%s.",
		    look->candidate_count, look->candidate_count == 1 ? "" : "s");
		entry_send(&entry);
	}
	if (!look->request.dry_run)
		manager_save(manager);
	manager_look_over(manager); /* frees the look */
}

static void
over(struct look *look)
{
	/* at the end: by now a renamed feed is known to be the same */
	if (!look->cancelled && !look->request.dry_run)
		forget_gone(look->manager, look->listed);
	look->at = 0;
	put_away_next(look);
}

void
look_tell_failure(struct look *look, enum source_kind source, enum program program, const struct failure *failure,
    const char *what)
{
	struct entry entry;
	char text[1024];

	sentence_failure(program, failure, text, sizeof(text));
	entry_begin(&entry, 3, MESSAGE_SOURCE_FAILED, FEED_KIND_INVALID, NULL, "%s: %s", what, text);
	entry_field(&entry, "SOURCE", "%s", source == SOURCE_SHARE ? "share" : "sftp");
	entry_field(&entry, "REASON", "%s", failure_word(failure->code));
	entry_send(&entry);
	status_set("FAILED: %s", text);
	manager_source_error(look->manager, source, NULL, text);
	manager_count_status(look->manager, sentence_exit_status(failure));
}

/* --- listing --- */

static enum source_kind
lowest(unsigned int sources)
{
	return (sources & (1U << SOURCE_SHARE)) != 0 ? SOURCE_SHARE : SOURCE_SFTP;
}

static int
on_listing(struct wire_in *in, void *userdata)
{
	struct look *look = userdata;

	if (in->type == WIRE_PROGRESS)
		return 0;
	return source_take(&look->manager->sources[lowest(look->sources)], in, manager_now(look->manager));
}

static void
on_listed(const struct failure *failure, void *userdata)
{
	struct look *look = userdata;
	enum source_kind source = lowest(look->sources);

	look->errand = NULL;
	look->sources &= ~(1U << source);
	look->manager->source_failures[source] = failure != NULL ? *failure : failure_of(FAILURE_NONE, 0);
	if (failure == NULL) {
		source_end(&look->manager->sources[source]);
		manager_source_error(look->manager, source, NULL, NULL);
		look->listed |= 1U << source;
		look->memory->listed |= 1U << source;
	} else {
		source_abort(&look->manager->sources[source]);
		look_tell_failure(look, source, look_source_program(source), failure,
		    source == SOURCE_SHARE ? "The share" : "The SFTP drop");
	}
	next_source(look);
}

static int
list(struct look *look, enum source_kind source)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct errand_options options = {
		.program = look_source_program(source),
		.out = &out,
		.timeout = source == SOURCE_SHARE ? manager_share_timeout(look->manager)
		                                  : look->manager->config.load.stage_timeout,
		.on_answer = on_listing,
		.on_end = on_listed,
		.userdata = look,
	};
	int r = source_begin(&look->manager->sources[source]);

	manager_source_looked(look->manager, source);
	if (r == 0) {
		wire_begin(&out, source == SOURCE_SHARE ? WIRE_SHARE_LIST : WIRE_FETCH_LIST);
		if (source == SOURCE_SHARE)
			wire_put_u8(&out, look->request.dry_run); /* then old reports stay, too */
		r = wire_end(&out);
	}
	return r < 0 ? r : errand_run(&look->errand, look->manager, &options);
}

static int
newest_first(const void *a, const void *b)
{
	const struct shown_file *x = a, *y = b;

	if (x->order != y->order)
		return x->order > y->order ? -1 : 1;
	return -strcmp(x->name, y->name); /* of equal times the later name, since names often carry dates */
}

/*
 * By what the newest is told. A content that is known has the time at which it was shown first: touching an old feed, or
 * sending it again, does not make it the newest. And a clock that goes wrong must not make a feed the newest for a year: a
 * time in the future counts as that of the look.
 */
static int64_t
order_of(const struct look *look, const struct shown_file *file)
{
	const struct known_file *entry = look_known(look, file);
	const struct content *content =
	    entry != NULL && !entry->unread ? memory_content(look->memory, entry->fingerprint) : NULL;
	int64_t now = manager_realtime(look->manager);

	if (content != NULL)
		return content->mtime;
	return file->mtime <= now ? file->mtime : now;
}

int
look_gather(struct look *look)
{
	const struct manager *manager = look->manager;
	size_t count = 0;

	for (size_t s = 0; s < SOURCE_MAX; s++)
		count += (look->listed & (1U << s)) != 0 ? manager->sources[s].count : 0;
	free(look->candidates);
	look->candidates = calloc(count + 1, sizeof(*look->candidates));
	if (look->candidates == NULL)
		return -ENOMEM;
	look->candidate_count = 0;
	look->at = 0;
	for (size_t s = 0; s < SOURCE_MAX; s++)
		if ((look->listed & (1U << s)) != 0 && manager->sources[s].count > 0) {
			memcpy(look->candidates + look->candidate_count, manager->sources[s].files,
			    manager->sources[s].count * sizeof(*look->candidates));
			look->candidate_count += manager->sources[s].count;
		}
	for (size_t s = 0; s < SOURCE_MAX; s++)
		if ((look->listed & (1U << s)) != 0) {
			trouble_keep(&look->manager->unread, (enum source_kind)s, look->candidates, look->candidate_count);
			trouble_keep(&look->manager->left, (enum source_kind)s, look->candidates, look->candidate_count);
		}
	for (size_t i = 0; i < look->candidate_count; i++)
		look->candidates[i].order = order_of(look, &look->candidates[i]);
	qsort(look->candidates, look->candidate_count, sizeof(*look->candidates), newest_first);
	return 0;
}

struct known_file *
look_known(const struct look *look, const struct shown_file *file)
{
	return memory_file(look->memory, file->source, file->name, file->size, file->mtime);
}

static usec_t
settle_time(const struct look *look, const struct shown_file *file)
{
	const struct config *config = &look->manager->config;

	return file->source == SOURCE_SHARE ? config->share.settle : config->sftp.settle;
}

/* How long until the file has stood still for long enough; 0: it has, or it was known before. */
usec_t
look_unsettled_for(const struct look *look, const struct shown_file *file)
{
	usec_t until = file->since + settle_time(look, file);
	usec_t now = manager_now(look->manager);

	return look_known(look, file) != NULL || until <= now ? 0 : until - now;
}

static int
on_settled(sd_event_source *source, uint64_t now, void *userdata)
{
	struct look *look = userdata;

	(void)source;
	(void)now;
	look->timer = sd_event_source_disable_unref(look->timer);
	look->sources = look->listed;
	look->listed = 0;
	next_source(look);
	return 0;
}

static void
tell_waiting(struct look *look, usec_t time)
{
	struct entry entry;

	if (!look->manager->once || look->round > 1 || time < USEC_PER_SEC)
		return;
	entry_begin(&entry, 6, MESSAGE_SETTLING, FEED_KIND_INVALID, NULL,
	    "Waiting %.0f s: new files must stand still for as long as settle says.", (double)time / (double)USEC_PER_SEC);
	entry_send(&entry);
}

/* Waits for files to stand still, then lists again: what is shown twice alike is whole as far as a listing can tell. */
static bool
wait_to_settle(struct look *look)
{
	usec_t longest = 0;

	if (look->cancelled || look->round == SETTLE_ROUNDS)
		return false;
	for (size_t i = 0; i < look->candidate_count; i++) {
		usec_t wait = look_unsettled_for(look, &look->candidates[i]);

		longest = wait > longest ? wait : longest;
	}
	if (longest == 0)
		return false;
	look->round++;
	idle_status_or(look->manager, "Waiting for a file to stand still.");
	tell_waiting(look, longest);
	return sd_event_add_time_relative(look->manager->event, &look->timer, CLOCK_MONOTONIC, longest, 0, on_settled,
	           look) >= 0;
}

static void
next_source(struct look *look)
{
	if (look->cancelled)
		look->sources = 0;
	while (look->sources != 0) {
		enum source_kind source = lowest(look->sources);
		struct failure failure;
		int r = list(look, source);

		if (r == 0)
			return;
		failure = failure_of(FAILURE_INTERNAL, r);
		look_tell_failure(look, source, look_source_program(source), &failure, "Listing");
		look->sources &= ~(1U << source);
	}
	if (look_gather(look) < 0)
		look->candidate_count = 0;
	if (!wait_to_settle(look))
		look_next_candidate(look);
}

/* --- running --- */

struct circumstances
look_circumstances(const struct look *look)
{
	const struct manager *manager = look->manager;

	return (struct circumstances){ &manager->config, manager_realtime(manager), look->request.once,
		look->request.dry_run, look->request.again, manager->stopping };
}

static int
result_status(const struct load_result *result)
{
	if (result->end == LOAD_HELD)
		return 4;
	if (result->end == LOAD_FAILED)
		return sentence_exit_status(&result->failure);
	for (int i = 0; i < FEED_KIND_MAX; i++)
		if ((result->kinds & FEED_BIT(i)) != 0 &&
		    (result->counts[i].by_outcome[OUTCOME_FAILED] > 0 || result->counts[i].different > 0))
			return 3;
	return 0;
}

static void
remember(struct look *look, const struct run *run, const struct load_result *result)
{
	const struct circumstances c = look_circumstances(look);
	struct content *content = memory_content(look->memory, run->fingerprint);

	if (content != NULL)
		choose_remember(look->memory, content, run->kinds, result, &c);
}

static struct load_note
note_of(const struct look *look, const struct run *run, const struct load_result *result)
{
	struct load_note note = {
		.time = manager_realtime(look->manager),
		.dry_run = look->request.dry_run,
		.kinds = run->kinds,
		.result = *result,
	};

	memcpy(note.id, look->load_id, sizeof(note.id));
	memcpy(note.fingerprint, run->fingerprint, sizeof(note.fingerprint));
	return note;
}

/* Before it is told, and before the report is delivered: what was loaded is not to be loaded again after a crash. */
static void
on_load_result(const struct load_result *result, void *userdata)
{
	struct look *look = userdata;
	const struct run *run = &look->runs[look->run_count - 1];
	const struct load_note note = note_of(look, run, result);

	remember(look, run, result);
	if (look->request.dry_run)
		return;
	history_add(look->manager->history, &note);
	manager_save(look->manager);
}

static void
on_load_over(const struct load_result *result, void *userdata)
{
	struct look *look = userdata;
	struct run *run = &look->runs[look->run_count - 1];
	const struct load_note note = note_of(look, run, result);

	look->load = NULL;
	manager_count_status(look->manager, result_status(result));
	manager_load_over(look->manager, &note);
	run->fd = workspace_wipe(run->fd);
	look->run_count--;
	look_next_run(look);
}

/*
 * A load's id: when it began, and four digits of its content. Loads that begin in the same second are told apart by a number,
 * since by its id a person lets a load go.
 */
static void
make_id(struct look *look, const struct run *run)
{
	struct manager *manager = look->manager;
	time_t seconds = (time_t)(manager_realtime(manager) / (int64_t)USEC_PER_SEC);
	struct tm local;
	char text[16] = "";

	if (localtime_r(&seconds, &local) != NULL)
		(void)strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &local);
	manager->ids = seconds == manager->last_id ? manager->ids + 1 : 1;
	manager->last_id = seconds;
	if (manager->ids > 1)
		(void)snprintf(look->load_id, sizeof(look->load_id), "%s-%02x%02x-%u", text, run->fingerprint[0],
		    run->fingerprint[1], manager->ids);
	else
		(void)snprintf(look->load_id, sizeof(look->load_id), "%s-%02x%02x", text, run->fingerprint[0],
		    run->fingerprint[1]);
}

static int
on_waited(sd_event_source *source, uint64_t now, void *userdata)
{
	struct look *look = userdata;

	(void)source;
	(void)now;
	look->timer = sd_event_source_disable_unref(look->timer);
	look_next_run(look);
	return 0;
}

/*
 * A load that ended in the middle of writing, or gave a create up, may have left requests behind that Sierra is still at: an
 * index taken now would not show what they create. Returns true where on_waited goes on.
 */
static bool
wait_for_sierra(struct look *look)
{
	const struct manager *manager = look->manager;
	usec_t now = manager_now(manager);
	struct entry entry;

	if (look->request.dry_run || manager->not_before <= now ||
	    sd_event_add_time(manager->event, &look->timer, CLOCK_MONOTONIC, manager->not_before, 0, on_waited, look) < 0)
		return false;
	entry_begin(&entry, 5, MESSAGE_LATE_COMMIT, FEED_KIND_INVALID, NULL,
	    "An earlier load ended in the middle of writing, or with a create that is unclear: waiting %.0f s, so that what Sierra is still at is seen ([sierra] late_commit).",
	    (double)(manager->not_before - now) / (double)USEC_PER_SEC);
	entry_send(&entry);
	status_set("Waiting for Sierra after an unclean end.");
	return true;
}

/* Runs were queued newest first: the oldest, which is last, runs first. */
void
look_next_run(struct look *look)
{
	struct load_options options;
	struct content *content;
	struct failure failure;
	struct run *run;
	int r;

	if (look->cancelled && look->run_count > 0)
		manager_count_status(look->manager, 2);
	if (look->cancelled || look->run_count == 0) {
		over(look);
		return;
	}
	if (wait_for_sierra(look))
		return;
	run = &look->runs[look->run_count - 1];
	content = memory_content(look->memory, run->fingerprint);
	make_id(look, run);
	if (content != NULL)
		memcpy(content->load_id, look->load_id, sizeof(content->load_id));
	options = (struct load_options){
		.feed_fd = run->fd,
		.kinds = run->kinds,
		.id = look->load_id,
		.content = content,
		.memory = look->memory,
		.dry_run = look->request.dry_run,
		.on_result = on_load_result,
		.on_over = on_load_over,
		.userdata = look,
	};
	look->ran = true;
	r = load_start(&look->load, look->manager, &options);
	if (r == 0)
		return;
	failure = failure_of(FAILURE_INTERNAL, r);
	look_tell_failure(look, SOURCE_SHARE, PROGRAM_LOAD, &failure, "The load could not start");
	run->fd = workspace_wipe(run->fd);
	look->run_count--;
	look_next_run(look);
}

static void
on_report_tried(const struct failure *failure, void *userdata)
{
	struct look *look = userdata;

	manager_report_tried(look->manager, failure);
	next_source(look);
}

/* One that a person asks for tries the kept report as well; the others are begun only after it was tried. */
static bool
deliver_kept(struct look *look)
{
	struct manager *manager = look->manager;

	if (!look->request.once || look->request.dry_run || manager->once || manager->report_fd < 0)
		return false;
	return report_deliver(&manager->delivery, manager, manager->report_fd, manager->report_name, on_report_tried, look) == 0;
}

int
look_start(struct look **ret, struct manager *manager, const struct look_request *request)
{
	struct look *look = calloc(1, sizeof(*look));

	if (look == NULL)
		return -ENOMEM;
	look->manager = manager;
	look->request = *request;
	look->begun = manager_realtime(manager);
	look->sources = request->sources;
	look->feed_fd = -EBADF;
	look->memory = manager->memory;
	if (request->dry_run) {
		look->memory = malloc(sizeof(*look->memory));
		if (look->memory == NULL) {
			look_free(look);
			return -ENOMEM;
		}
		*look->memory = *manager->memory;
	}
	forget_renamed(look->memory, &manager->config);
	*ret = look;
	idle_status_or(manager, "Looking for feeds.");
	if (!deliver_kept(look))
		next_source(look);
	return 0;
}
