/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking at the sources: which feeds there are, which is the newest of its kind, and running those. */

#include "supervisor/look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/errand.h"
#include "supervisor/journal.h"
#include "supervisor/load.h"
#include "supervisor/sentence.h"
#include "supervisor/status.h"
#include "supervisor/workspace.h"

#define SETTLE_ROUNDS 3  /* a file that goes on growing must not keep the others waiting */
#define COPIES_MAX 16    /* of one look: a folder of strangers' zips must not be copied whole */
#define RUNS_MAX FEED_KIND_MAX

/* A feed in the workspace that is to be run. */
struct run {
	int fd;
	uint32_t kinds;
	uint8_t fingerprint[FINGERPRINT_SIZE];
};

struct look {
	struct manager *manager;
	unsigned int sources;   /* still to be listed */
	unsigned int listed;    /* listed well */
	int round;
	struct errand *errand;
	sd_event_source *timer;
	struct load *load;
	bool cancelled;
	struct shown_file *candidates; /* newest first */
	size_t candidate_count, at;
	unsigned int copies;
	uint32_t covered;       /* kinds of which a newer feed is known */
	int feed_fd;            /* the candidate that is being copied and inspected */
	bool inspected;
	enum zip_verdict verdict;
	uint32_t kinds;
	uint8_t fingerprint[FINGERPRINT_SIZE];
	struct run runs[RUNS_MAX];
	size_t run_count;
};

static void next_source(struct look *look);
static void next_candidate(struct look *look);
static void next_run(struct look *look);

static enum program
source_program(enum source_kind source)
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
	free(look);
	return NULL;
}

void
look_cancel(struct look *look)
{
	look->cancelled = true;
	if (look->load != NULL)
		load_cancel(look->load);
	errand_cancel(look->errand);
}

static void
over(struct look *look)
{
	struct manager *manager = look->manager;

	if (!manager->dry_run && memory_save(manager->memory) < 0) {
		struct entry entry;

		entry_begin(&entry, 4, MESSAGE_MEMORY, FEED_KIND_INVALID, NULL,
		    "The memory of feeds could not be saved in the runtime directory; after a restart feeds may be run again.");
		entry_send(&entry);
	}
	manager_look_over(manager); /* frees the look */
}

static void
tell_failure(struct look *look, enum source_kind source, const struct failure *failure, const char *what)
{
	enum program program = source_program(source);
	struct entry entry;
	char text[1024];

	sentence_failure(program, failure, text, sizeof(text));
	entry_begin(&entry, 3, MESSAGE_SOURCE_FAILED, FEED_KIND_INVALID, NULL, "%s: %s", what, text);
	entry_field(&entry, "SOURCE", "%s", source == SOURCE_SHARE ? "share" : "sftp");
	entry_field(&entry, "REASON", "%s", failure_word(failure->code));
	entry_send(&entry);
	status_set("FAILED: %s", text);
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
	if (failure == NULL) {
		source_end(&look->manager->sources[source]);
		look->listed |= 1U << source;
	} else {
		source_abort(&look->manager->sources[source]);
		tell_failure(look, source, failure, source == SOURCE_SHARE ? "The share" : "The SFTP drop");
	}
	next_source(look);
}

static int
list(struct look *look, enum source_kind source)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct errand_options options = {
		.program = source_program(source),
		.out = &out,
		.timeout = look->manager->config.load.stage_timeout,
		.on_answer = on_listing,
		.on_end = on_listed,
		.userdata = look,
	};
	int r = source_begin(&look->manager->sources[source]);

	if (r == 0)
		r = wire_add_empty(&out, source == SOURCE_SHARE ? WIRE_SHARE_LIST : WIRE_FETCH_LIST);
	return r < 0 ? r : errand_run(&look->errand, look->manager, &options);
}

static int
newest_first(const void *a, const void *b)
{
	const struct shown_file *x = a, *y = b;

	if (x->mtime != y->mtime)
		return x->mtime > y->mtime ? -1 : 1;
	return -strcmp(x->name, y->name); /* of equal times the later name, since names often carry dates */
}

static int
gather(struct look *look)
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
	qsort(look->candidates, look->candidate_count, sizeof(*look->candidates), newest_first);
	return 0;
}

static struct known_file *
known(const struct look *look, const struct shown_file *file)
{
	return memory_file(look->manager->memory, file->source, file->name, file->size, file->mtime);
}

static usec_t
settle_time(const struct look *look, const struct shown_file *file)
{
	const struct config *config = &look->manager->config;

	return file->source == SOURCE_SHARE ? config->share.settle : config->sftp.settle;
}

/* How long until the file has stood still for long enough; 0: it has, or it was known before. */
static usec_t
unsettled_for(const struct look *look, const struct shown_file *file)
{
	usec_t until = file->since + settle_time(look, file);
	usec_t now = manager_now(look->manager);

	return known(look, file) != NULL || until <= now ? 0 : until - now;
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

/* Waits for files to stand still, then lists again: what is shown twice alike is whole as far as a listing can tell. */
static bool
wait_to_settle(struct look *look)
{
	usec_t longest = 0;

	if (look->cancelled || look->round == SETTLE_ROUNDS)
		return false;
	for (size_t i = 0; i < look->candidate_count; i++) {
		usec_t wait = unsettled_for(look, &look->candidates[i]);

		longest = wait > longest ? wait : longest;
	}
	if (longest == 0)
		return false;
	look->round++;
	status_set("Waiting for a file to stand still.");
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
		tell_failure(look, source, &failure, "Listing");
		look->sources &= ~(1U << source);
	}
	if (gather(look) < 0)
		look->candidate_count = 0;
	if (!wait_to_settle(look))
		next_candidate(look);
}

/* --- copying and inspecting --- */

static void
tell_superseded(struct look *look, const struct shown_file *file)
{
	struct entry entry;
	char name[1100];

	journal_escape(file->name, strlen(file->name), name, sizeof(name));
	entry_begin(&entry, 6, MESSAGE_SUPERSEDED, FEED_KIND_INVALID, NULL, "%s is older than the newest feed and is left alone.",
	    name);
	entry_field(&entry, "FILE", "%s", name);
	entry_send(&entry);
	(void)look;
}

/* The kinds of a content that no newer feed has overtaken. */
static uint32_t
kinds_left(const struct look *look, const struct content *content, uint32_t kinds)
{
	const struct memory *memory = look->manager->memory;

	kinds &= ~look->covered;
	for (int i = 0; i < FEED_KIND_MAX; i++)
		if (memory->last_mtime[i] > content->mtime)
			kinds &= ~FEED_BIT(i);
	return kinds;
}

/* With a settled verdict: is this content to be run in this look? */
static bool
to_be_run(const struct look *look, const struct content *content)
{
	if (content->verdict != ZIP_VERDICT_WHOLE)
		return false;
	if (look->manager->dry_run)
		return true;
	switch (content->state) {
	case CONTENT_SEEN:
		return true;
	case CONTENT_DUE:
		return look->manager->once || content->next_try <= manager_realtime(look->manager);
	case CONTENT_HELD:
		return content->approved_count > 0;
	default:
		return false;
	}
}

/* What stands in the way of a zip that is no feed. */
static enum failure_code
verdict_failure(enum zip_verdict verdict)
{
	return verdict == ZIP_VERDICT_PLAIN    ? FAILURE_ZIP_PLAIN
	       : verdict == ZIP_VERDICT_NO_FEED ? FAILURE_NO_FEED
	                                        : FAILURE_NOT_A_ZIP;
}

static void
remember_failure(struct look *look, struct content *content, enum failure_code code)
{
	const struct config *config = &look->manager->config;
	usec_t pause = config->load.retry_pause;

	content->state = CONTENT_DUE;
	content->failure = code;
	for (uint32_t i = 0; i < content->attempts && pause < config->load.retry_pause_max; i++)
		pause *= 2;
	if (pause > config->load.retry_pause_max)
		pause = config->load.retry_pause_max;
	content->attempts++;
	content->next_try = manager_realtime(look->manager) + (int64_t)pause;
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

/* A candidate's content is known now, and its bytes, where it was copied, are in feed_fd. */
static void
decide(struct look *look, const struct shown_file *file, struct content *content)
{
	uint32_t kinds = kinds_left(look, content, content->kinds);

	if (content->verdict != ZIP_VERDICT_WHOLE) {
		struct failure failure = failure_of(verdict_failure(content->verdict), 0);
		char name[1100];

		journal_escape(file->name, strlen(file->name), name, sizeof(name));
		tell_failure(look, file->source, &failure, name);
		/* An unreadable one may still be under way, and comes back as another content; the others are final. */
		content->state = CONTENT_REFUSED;
		content->failure = failure.code;
	} else if (kinds == 0) {
		if (content->state == CONTENT_SEEN || content->state == CONTENT_DUE || content->state == CONTENT_HELD)
			content->state = CONTENT_SUPERSEDED;
		tell_superseded(look, file);
	} else if (look->feed_fd >= 0)
		queue_run(look, content, kinds);
	else if (content->state == CONTENT_HELD)
		manager_count_status(look->manager, 4);
	if (content->verdict == ZIP_VERDICT_WHOLE)
		look->covered |= content->kinds;
	look->feed_fd = workspace_wipe(look->feed_fd);
}

static void
inspected(struct look *look)
{
	const struct shown_file *file = &look->candidates[look->at];
	struct memory *memory = look->manager->memory;
	struct content *content = memory_content(memory, look->fingerprint);
	struct known_file *entry;

	if (content == NULL) {
		content = memory_add_content(memory, look->fingerprint);
		content->mtime = file->mtime;
		content->state = CONTENT_SEEN;
	}
	content->verdict = look->verdict;
	content->kinds = look->kinds;
	entry = known(look, file);
	if (entry == NULL)
		entry = memory_add_file(memory, file->source, file->name, file->size, file->mtime);
	memcpy(entry->fingerprint, look->fingerprint, FINGERPRINT_SIZE);
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
	if (wire_finish(in) < 0 || look->inspected || verdict >= ZIP_VERDICT_MAX || kinds > FEED_BITS_ALL ||
	    (verdict == ZIP_VERDICT_WHOLE) != (kinds != 0))
		return -EBADMSG;
	look->verdict = (enum zip_verdict)verdict;
	look->kinds = kinds;
	memcpy(look->fingerprint, fingerprint, FINGERPRINT_SIZE);
	look->inspected = true;
	return 0;
}

static void
candidate_failed(struct look *look, const struct failure *failure)
{
	const struct shown_file *file = &look->candidates[look->at];
	char name[1100];

	journal_escape(file->name, strlen(file->name), name, sizeof(name));
	tell_failure(look, file->source, failure, name);
	look->feed_fd = workspace_wipe(look->feed_fd);
	/*
	 * What could not be read may be the newest feed: no older one is taken in this look, lest it bring back a child
	 * who has opted out since.
	 */
	look->at = look->candidate_count;
	next_candidate(look);
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
		candidate_failed(look, failure);
		return;
	}
	inspected(look);
	look->at++;
	next_candidate(look);
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
	status_phase(PHASE_RETRIEVING, done, total, manager_now(look->manager));
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
		candidate_failed(look, failure);
		return;
	}
	r = inspect(look); /* fetch has ended: nobody else holds the descriptor */
	if (r < 0) {
		own = failure_of(FAILURE_INTERNAL, r);
		candidate_failed(look, &own);
	}
}

static int
copy(struct look *look)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct shown_file *file = &look->candidates[look->at];
	const struct errand_options options = {
		.program = source_program(file->source),
		.out = &out,
		.fds = &look->feed_fd,
		.fd_count = 1,
		.timeout = look->manager->config.load.stage_timeout,
		.on_answer = on_copy_answer,
		.on_end = on_copied,
		.userdata = look,
	};
	int r;

	look->feed_fd = workspace_new();
	if (look->feed_fd < 0)
		return look->feed_fd;
	look->copies++;
	wire_begin(&out, file->source == SOURCE_SHARE ? WIRE_SHARE_COPY : WIRE_FETCH_COPY);
	wire_put_string(&out, file->name, strlen(file->name));
	wire_put_u64(&out, file->size);
	wire_put_i64(&out, file->mtime);
	r = wire_end(&out);
	return r < 0 ? r : errand_run(&look->errand, look->manager, &options);
}

/* Whether the next candidate must be copied. Where not, it is dealt with here. */
static bool
needs_copy(struct look *look, const struct shown_file *file)
{
	struct memory *memory = look->manager->memory;
	struct known_file *entry = known(look, file);
	struct content *content = entry != NULL && !entry->unread ? memory_content(memory, entry->fingerprint) : NULL;

	if (unsettled_for(look, file) > 0) {
		struct entry log;
		char name[1100];

		journal_escape(file->name, strlen(file->name), name, sizeof(name));
		entry_begin(&log, 6, MESSAGE_SETTLING, FEED_KIND_INVALID, NULL, "%s does not stand still yet and is left alone.",
		    name);
		entry_field(&log, "FILE", "%s", name);
		entry_send(&log);
		return false;
	}
	if (look->covered == FEED_BITS_ALL) {
		if (content != NULL && (content->state == CONTENT_DUE || content->state == CONTENT_HELD))
			decide(look, file, content);
		else if (entry == NULL) {
			tell_superseded(look, file);
			if (!look->manager->dry_run)
				memory_add_file(memory, file->source, file->name, file->size, file->mtime)->unread = true;
		}
		return false;
	}
	if (entry != NULL && entry->unread)
		return look->manager->dry_run; /* was superseded unread once, and stays so */
	if (content == NULL)
		return true;
	if (look->manager->dry_run)
		return content->verdict == ZIP_VERDICT_WHOLE;
	if (content->verdict != ZIP_VERDICT_WHOLE)
		return false; /* told when it was seen first */
	if (to_be_run(look, content) && kinds_left(look, content, content->kinds) != 0)
		return true;
	if (content->state == CONTENT_HELD)
		manager_count_status(look->manager, 4);
	look->covered |= content->kinds;
	return false;
}

static void
next_candidate(struct look *look)
{
	while (!look->cancelled && look->at < look->candidate_count) {
		int r;

		if (look->copies == COPIES_MAX || !needs_copy(look, &look->candidates[look->at])) {
			look->at++;
			continue;
		}
		r = copy(look);
		if (r < 0) {
			struct failure failure =
			    failure_of(r == -ENOSPC ? FAILURE_WORKSPACE_FULL : FAILURE_INTERNAL, r);

			candidate_failed(look, &failure);
		}
		return;
	}
	next_run(look);
}

/* --- running --- */

/* Contents that wait, and that this load has overtaken. */
static void
supersede_waiting(struct memory *memory)
{
	for (size_t i = 0; i < memory->content_count; i++) {
		struct content *content = &memory->contents[i];
		uint32_t left = content->kinds;

		if (content->state != CONTENT_DUE && content->state != CONTENT_HELD)
			continue;
		for (int k = 0; k < FEED_KIND_MAX; k++)
			if (memory->last_mtime[k] > content->mtime)
				left &= ~FEED_BIT(k);
		if (left == 0)
			content->state = CONTENT_SUPERSEDED;
	}
}

static void
remember_counts(struct look *look, const struct content *content, uint32_t kinds, const struct load_result *result)
{
	struct memory *memory = look->manager->memory;

	for (int i = 0; i < FEED_KIND_MAX; i++) {
		if ((kinds & FEED_BIT(i)) == 0)
			continue;
		memory->last_mtime[i] = content->mtime;
		if ((result->plan_kinds & FEED_BIT(i)) != 0)
			memory->last_rows[i] = result->plan[i].rows;
	}
	memory->last_patrons = result->patrons;
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
	struct content *content = memory_content(look->manager->memory, run->fingerprint);

	if (content == NULL || look->manager->dry_run)
		return;
	if (result->guards_passed)
		remember_counts(look, content, run->kinds, result);
	switch (result->end) {
	case LOAD_HELD:
		content->state = CONTENT_HELD;
		memcpy(content->guards, result->guards, sizeof(content->guards));
		content->guard_count = result->guard_count;
		content->approved_count = 0;
		break;
	case LOAD_FAILED:
		remember_failure(look, content, result->failure.code);
		break;
	case LOAD_COMPLETE:
		content->state = CONTENT_DONE;
		content->attempts = 0;
		content->approved_count = 0;
		if (result->due)
			remember_failure(look, content, FAILURE_NONE);
		break;
	}
	supersede_waiting(look->manager->memory);
}

static void
on_load_over(const struct load_result *result, void *userdata)
{
	struct look *look = userdata;
	struct run *run = &look->runs[look->run_count - 1];

	look->load = NULL;
	manager_count_status(look->manager, result_status(result));
	remember(look, run, result);
	run->fd = workspace_wipe(run->fd);
	look->run_count--;
	next_run(look);
}

/* A load's id: when it began, and four digits of its content, so that two in a second differ. */
static void
make_id(const struct look *look, const struct run *run, char ret[static LOAD_ID_SIZE])
{
	time_t seconds = (time_t)(manager_realtime(look->manager) / (int64_t)USEC_PER_SEC);
	struct tm local;
	char text[32] = "";

	if (localtime_r(&seconds, &local) != NULL)
		(void)strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &local);
	(void)snprintf(ret, LOAD_ID_SIZE, "%s-%02x%02x", text, run->fingerprint[0], run->fingerprint[1]);
}

/* Runs were queued newest first: the oldest, which is last, runs first. */
static void
next_run(struct look *look)
{
	struct load_options options;
	char id[LOAD_ID_SIZE];
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
	run = &look->runs[look->run_count - 1];
	content = memory_content(look->manager->memory, run->fingerprint);
	make_id(look, run, id);
	if (content != NULL)
		(void)snprintf(content->load_id, sizeof(content->load_id), "%s", id);
	options = (struct load_options){
		.feed_fd = run->fd,
		.kinds = run->kinds,
		.id = id,
		.content = content,
		.on_over = on_load_over,
		.userdata = look,
	};
	r = load_start(&look->load, look->manager, &options);
	if (r == 0)
		return;
	failure = failure_of(FAILURE_INTERNAL, r);
	tell_failure(look, SOURCE_SHARE, &failure, "The load could not start");
	run->fd = workspace_wipe(run->fd);
	look->run_count--;
	next_run(look);
}

int
look_start(struct look **ret, struct manager *manager, unsigned int sources)
{
	struct look *look = calloc(1, sizeof(*look));

	if (look == NULL)
		return -ENOMEM;
	look->manager = manager;
	look->sources = sources;
	look->feed_fd = -EBADF;
	*ret = look;
	status_set("Looking for feeds.");
	next_source(look);
	return 0;
}
