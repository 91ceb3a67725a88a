/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A round: sweep; ask decode of what it alone can tell; report; clean what is due; sleep until the next. */

#include "supervisor/janitor_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/manager.h"
#include "supervisor/workday.h"
#include "supervisor/workspace.h"

#define ASKS_MAX 32U                   /* of a round: other work comes between */
#define ASK_PAUSE USEC_PER_SEC
#define TRY_FIRST (5 * 60 * USEC_PER_SEC)
#define TRY_MAX (6 * 3600 * USEC_PER_SEC)
#define CLOCK_SET ((int64_t)(60 * USEC_PER_SEC)) /* more than a clock gains between two sweeps */

static void next(struct janitor *janitor);

static bool
is_on(const struct janitor *janitor)
{
	return janitor->manager->config.janitor.policy != JANITOR_OFF &&
	       manager_source_configured(janitor->manager, SOURCE_SHARE);
}

static int64_t
last_close(const struct janitor *janitor)
{
	const struct config *config = &janitor->manager->config;

	return workday_last_close(manager_realtime(janitor->manager), config->janitor.close_of_business,
	    config->janitor.days);
}

size_t
janitor_plaintext(const struct janitor *janitor)
{
	size_t count = 0;

	if (janitor == NULL || !is_on(janitor))
		return 0; /* what was found then may be gone long since */
	for (size_t i = 0; i < janitor->count; i++)
		count += janitor->findings[i].plain && !janitor->findings[i].gone;
	return count;
}

/* --- the end of a round --- */

static int
on_time(sd_event_source *source, uint64_t at, void *userdata);

static void
set_timer(struct janitor *janitor, usec_t delay)
{
	struct manager *manager = janitor->manager;
	usec_t at = manager_now(manager) + delay;
	uint64_t before = UINT64_MAX;
	int enabled = SD_EVENT_OFF;

	if (janitor->timer == NULL) {
		(void)sd_event_add_time(manager->event, &janitor->timer, CLOCK_MONOTONIC, at, 0, on_time, janitor);
		return;
	}
	(void)sd_event_source_get_time(janitor->timer, &before);
	(void)sd_event_source_get_enabled(janitor->timer, &enabled);
	if (enabled != SD_EVENT_OFF && before <= at)
		return;
	(void)sd_event_source_set_time(janitor->timer, at);
	(void)sd_event_source_set_enabled(janitor->timer, SD_EVENT_ONESHOT);
}

/* Never longer than a poll: the clock may be set, and inotify may miss something. */
static void
sleep_on(struct janitor *janitor, bool asks_left)
{
	const struct config *config = &janitor->manager->config;
	int64_t now = manager_realtime(janitor->manager);
	int64_t close = workday_next_close(now, config->janitor.close_of_business, config->janitor.days);
	usec_t pause = config->share.poll_interval;

	if (close - now < (int64_t)pause)
		pause = (usec_t)(close - now);
	if (asks_left && pause > ASK_PAUSE)
		pause = ASK_PAUSE;
	set_timer(janitor, janitor->again ? ASK_PAUSE : pause);
	janitor->again = false;
}

static void
over(struct janitor *janitor, bool asks_left)
{
	size_t kept = 0;

	for (size_t i = 0; i < janitor->count; i++)
		if (!janitor->findings[i].gone)
			janitor->findings[kept++] = janitor->findings[i];
	janitor->count = kept;
	janitor->running = false;
	if (janitor->on_over != NULL) {
		janitor->on_over(janitor->manager);
		return;
	}
	sleep_on(janitor, asks_left);
	manager_tell_idle(janitor->manager);
}

/* --- cleaning --- */

static int
on_clean_answer(struct wire_in *in, void *userdata)
{
	struct janitor *janitor = userdata;
	uint8_t result;

	if (in->type == WIRE_PROGRESS)
		return 0;
	result = wire_get_u8(in);
	if (wire_finish(in) < 0 || janitor->cleaned || result >= CLEAN_RESULT_MAX)
		return -EBADMSG;
	janitor->result = (enum clean_result)result;
	janitor->cleaned = true;
	return 0;
}

/* What stays is tried again, and told again, after growing pauses: until it is gone. */
static void
try_later(const struct janitor *janitor, struct finding *finding, usec_t first, usec_t longest)
{
	usec_t pause = first;

	for (uint32_t i = 0; i < finding->attempts && pause < longest; i++)
		pause *= 2;
	if (pause > longest)
		pause = longest;
	finding->attempts++;
	finding->next_try = manager_realtime(janitor->manager) + (int64_t)pause;
}

static void
on_clean_end(const struct failure *failure, void *userdata)
{
	struct janitor *janitor = userdata;
	struct finding *finding = &janitor->findings[janitor->at];

	janitor->errand = NULL;
	if (failure != NULL || !janitor->cleaned) {
		struct failure lie = failure_of(FAILURE_PROTOCOL, WIRE_SHARE_CLEANED);

		janitor_tell_failure(finding, PROGRAM_SHARE, failure != NULL ? failure : &lie);
		try_later(janitor, finding, TRY_FIRST, TRY_MAX);
	} else {
		janitor_tell_result(finding, janitor->result);
		if (janitor->result == CLEAN_STAYS)
			try_later(janitor, finding, TRY_FIRST, TRY_MAX);
		else
			finding->gone = true;
		/* another file has its name: it is found by the next sweep */
		janitor->again = janitor->again || janitor->result == CLEAN_CHANGED;
	}
	janitor->at++;
	next(janitor);
}

static int
clean(struct janitor *janitor, const struct finding *finding)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct errand_options options = {
		.program = PROGRAM_SHARE,
		.out = &out,
		.timeout = manager_share_timeout(janitor->manager),
		.on_answer = on_clean_answer,
		.on_end = on_clean_end,
		.userdata = janitor,
	};
	int r;

	janitor->cleaned = false;
	wire_begin(&out, WIRE_SHARE_CLEAN);
	wire_put_string(&out, finding->file.name, strlen(finding->file.name));
	wire_put_u64(&out, finding->file.size);
	wire_put_i64(&out, finding->file.mtime);
	wire_put_u64(&out, finding->device);
	wire_put_u64(&out, finding->inode);
	r = wire_end(&out);
	return r < 0 ? r : errand_run(&janitor->errand, janitor->manager, &options);
}

/* --- asking decode --- */

static void
take_verdict(struct finding *finding, enum zip_verdict verdict, uint32_t kinds)
{
	finding->asked = true;
	finding->unanswered = false;
	finding->attempts = 0; /* those to clean it are counted anew */
	finding->next_try = 0;
	/* A zip of a known name need hold nothing that is named like a feed; one of another name is other people's then. */
	finding->plain = verdict == ZIP_VERDICT_SHAPED ||
	                 (verdict == ZIP_VERDICT_PLAIN && (finding->what == PLAINTEXT_KNOWN_ZIP || kinds != 0));
}

static int
on_ask_answer(struct wire_in *in, void *userdata)
{
	struct janitor *janitor = userdata;
	uint8_t verdict, kinds;

	if (in->type != WIRE_INSPECTED)
		return 0; /* PROGRESS, or COPIED */
	verdict = wire_get_u8(in);
	kinds = wire_get_u8(in);
	(void)wire_get_bytes(in, FINGERPRINT_SIZE);
	if (wire_finish(in) < 0 || janitor->answered || verdict >= ZIP_VERDICT_MAX || kinds > FEED_BITS_ALL)
		return -EBADMSG;
	janitor->answered = true;
	janitor->verdict = (enum zip_verdict)verdict;
	janitor->kinds = kinds;
	return 0;
}

/* No answer is no "no": the file is asked about again, and what went wrong told again, after growing pauses. */
static void
ask_later(const struct janitor *janitor, struct finding *finding)
{
	const struct config *config = &janitor->manager->config;

	finding->asked = true;
	finding->unanswered = true;
	try_later(janitor, finding, config->load.retry_pause, config->load.retry_pause_max);
}

static void
not_answered(struct janitor *janitor, enum program program, const struct failure *failure)
{
	struct finding *finding = &janitor->findings[janitor->at];

	ask_later(janitor, finding);
	/* One that changed meanwhile is another finding in the next sweep, as a rule: a mode alone makes none. */
	if (failure->code != FAILURE_FEED_CHANGED && failure->code != FAILURE_SHARE_FILE)
		janitor_tell_failure(finding, program, failure);
	janitor->fd = workspace_wipe(janitor->fd);
	next(janitor);
}

static void
on_inspect_end(const struct failure *failure, void *userdata)
{
	struct janitor *janitor = userdata;
	struct failure lie = failure_of(FAILURE_PROTOCOL, WIRE_INSPECTED);

	janitor->errand = NULL;
	if (failure != NULL || !janitor->answered) {
		not_answered(janitor, PROGRAM_DECODE, failure != NULL ? failure : &lie);
		return;
	}
	janitor->fd = workspace_wipe(janitor->fd);
	take_verdict(&janitor->findings[janitor->at], janitor->verdict, janitor->kinds);
	next(janitor);
}

static int
ask(struct janitor *janitor, enum program program, enum wire_type request, errand_end_fn on_end)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct finding *finding = &janitor->findings[janitor->at];
	const struct errand_options options = {
		.program = program,
		.out = &out,
		.fds = &janitor->fd,
		.fd_count = 1,
		.timeout = program == PROGRAM_SHARE ? manager_share_timeout(janitor->manager)
		                                    : janitor->manager->config.load.stage_timeout,
		.on_answer = on_ask_answer,
		.on_end = on_end,
		.userdata = janitor,
	};
	int r;

	janitor->answered = false;
	wire_begin(&out, request);
	if (request == WIRE_SHARE_COPY) {
		wire_put_string(&out, finding->file.name, strlen(finding->file.name));
		wire_put_u64(&out, finding->file.size);
		wire_put_i64(&out, finding->file.mtime);
	}
	r = wire_end(&out);
	return r < 0 ? r : errand_run(&janitor->errand, janitor->manager, &options);
}

static void
on_copied(const struct failure *failure, void *userdata)
{
	struct janitor *janitor = userdata;
	struct failure own;
	int r;

	janitor->errand = NULL;
	if (failure != NULL) {
		not_answered(janitor, PROGRAM_SHARE, failure);
		return;
	}
	r = ask(janitor, PROGRAM_DECODE, WIRE_DECODE_INSPECT, on_inspect_end);
	if (r < 0) {
		own = failure_of(FAILURE_INTERNAL, r);
		not_answered(janitor, PROGRAM_DECODE, &own);
	}
}

/* Returns true where an errand was begun; false where the finding was dealt with here. */
static bool
begin_asking(struct janitor *janitor, struct finding *finding)
{
	struct memory *memory = janitor->manager->memory;
	const struct known_file *known = memory_file(memory, SOURCE_SHARE, finding->file.name, finding->file.size,
	    finding->file.mtime);
	const struct content *content = known != NULL && !known->unread ? memory_content(memory, known->fingerprint) : NULL;
	struct failure failure = failure_of(FAILURE_FEED_TOO_LARGE, 0);
	int r;

	if (content != NULL) {
		take_verdict(finding, content->verdict, content->kinds); /* a look has asked already */
		return false;
	}
	finding->asked = true;
	if (finding->file.size <= LIMIT_ASK_SIZE) {
		janitor->asks++;
		janitor->fd = workspace_new();
		r = janitor->fd < 0 ? janitor->fd : ask(janitor, PROGRAM_SHARE, WIRE_SHARE_COPY, on_copied);
		if (r == 0)
			return true;
		janitor->fd = workspace_wipe(janitor->fd);
		failure = failure_of(r == -ENOSPC ? FAILURE_WORKSPACE_FULL : FAILURE_INTERNAL, r);
		ask_later(janitor, finding);
	}
	janitor_tell_failure(finding, PROGRAM_SHARE, &failure);
	return false;
}

/* --- one finding after another --- */

static bool
is_due(const struct janitor *janitor, const struct finding *finding, int64_t close)
{
	const struct manager *manager = janitor->manager;

	return manager->config.janitor.policy == JANITOR_DELETE && finding->what != PLAINTEXT_UNKNOWN && !manager->dry_run &&
	       finding->first_seen < close && finding->next_try <= manager_realtime(manager);
}

/* When it appears, and at every close of business at which it is still there. */
static void
tell(const struct janitor *janitor, struct finding *finding, int64_t close)
{
	const struct manager *manager = janitor->manager;
	bool goes = manager->config.janitor.policy == JANITOR_DELETE && finding->what != PLAINTEXT_UNKNOWN;

	if (finding->told != 0 && finding->told >= close)
		return;
	if (manager->dry_run && goes)
		janitor_tell_would_go(finding);
	else if (finding->told == 0 || !goes)
		janitor_tell_found(janitor, finding, finding->first_seen < close);
	finding->told = manager_realtime(manager);
}

static void
next(struct janitor *janitor)
{
	const int64_t close = last_close(janitor);
	bool asks_left = false;

	for (; janitor->at < janitor->count && !janitor->manager->stopping; janitor->at++) {
		struct finding *finding = &janitor->findings[janitor->at];

		if (finding->what == PLAINTEXT_KNOWN)
			finding->plain = finding->asked = true;
		if (!finding->asked) {
			if (janitor->asks == ASKS_MAX && janitor->on_over == NULL) {
				asks_left = true;
				continue;
			}
			if (begin_asking(janitor, finding))
				return;
		}
		if (!finding->plain)
			continue;
		tell(janitor, finding, close);
		if (is_due(janitor, finding, close) && clean(janitor, finding) == 0)
			return;
	}
	over(janitor, asks_left);
}

/* --- sweeping --- */

static int
by_place(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	return strcmp(x->file.name, y->file.name);
}

static bool
is_same(const struct finding *a, const struct finding *b)
{
	return a->device == b->device && a->inode == b->inode && a->file.size == b->file.size &&
	       a->file.mtime == b->file.mtime && a->what == b->what;
}

void
janitor_clock_set(struct finding *finding, int64_t by, int64_t now)
{
	int64_t *const ours[] = { &finding->told, &finding->next_try, finding->by_clock ? &finding->first_seen : NULL };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (ours[i] != NULL && *ours[i] != 0)
			*ours[i] += by;
	if (finding->first_seen > now)
		finding->first_seen = now;
}

/* How far our clock was set since the last sweep, in microseconds; 0 where it only runs a little fast or slow. */
static int64_t
clock_jump(struct janitor *janitor, int64_t now)
{
	struct timespec since_start;
	int64_t clock, by;

	if (clock_gettime(CLOCK_BOOTTIME, &since_start) < 0)
		return 0;
	clock = now - (since_start.tv_sec * (int64_t)USEC_PER_SEC + since_start.tv_nsec / 1000);
	by = janitor->swept ? clock - janitor->clock : 0;
	janitor->clock = clock;
	return by > CLOCK_SET || by < -CLOCK_SET ? by : 0;
}

/* What was known before keeps what is known of it. */
static void
merge(struct janitor *janitor)
{
	int64_t now = manager_realtime(janitor->manager), jump = clock_jump(janitor, now);

	for (size_t i = 0; i < janitor->fresh_count; i++) {
		struct finding *finding = &janitor->fresh[i];
		const struct finding *before = NULL;

		if (janitor->count > 0)
			before = bsearch(finding, janitor->findings, janitor->count, sizeof(*finding), by_place);
		if (before != NULL && is_same(before, finding)) {
			*finding = *before;
			janitor_clock_set(finding, jump, now);
			if (finding->unanswered && finding->next_try <= now)
				finding->asked = false;
		} else if (janitor->swept || finding->first_seen > now) {
			finding->first_seen = now; /* a server's clock may be ahead, and the file must not stay until then */
			finding->by_clock = true;
		}
	}
	if (janitor->fresh_count > 0)
		qsort(janitor->fresh, janitor->fresh_count, sizeof(*janitor->fresh), by_place);
	free(janitor->findings);
	janitor->findings = janitor->fresh;
	janitor->count = janitor->fresh_count;
	janitor->fresh = NULL;
	janitor->fresh_count = 0;
	janitor->swept = true;
}

static int
on_found(struct wire_in *in, void *userdata)
{
	struct janitor *janitor = userdata;
	struct finding *finding;
	const char *name;
	uint8_t what;
	size_t size;

	if (in->type == WIRE_PROGRESS)
		return 0;
	if (janitor->fresh_count == LIMIT_FOUND)
		return -EBADMSG;
	if (janitor->fresh_count % 64 == 0) {
		finding = reallocarray(janitor->fresh, janitor->fresh_count + 64, sizeof(*finding));
		if (finding == NULL)
			return -EBADMSG;
		janitor->fresh = finding;
	}
	finding = &janitor->fresh[janitor->fresh_count];
	*finding = (struct finding){ .file.source = SOURCE_SHARE };
	name = wire_get_string(in, LIMIT_FILE_NAME, &size);
	finding->file.size = wire_get_u64(in);
	finding->file.mtime = wire_get_i64(in);
	finding->first_seen = wire_get_i64(in);
	finding->device = wire_get_u64(in);
	finding->inode = wire_get_u64(in);
	what = wire_get_u8(in);
	if (wire_finish(in) < 0 || what >= PLAINTEXT_MAX || size == 0 || memchr(name, '/', size) != NULL ||
	    memchr(name, '\0', size) != NULL || (size == 1 && name[0] == '.') || (size == 2 && memcmp(name, "..", 2) == 0))
		return -EBADMSG;
	memcpy(finding->file.name, name, size);
	finding->what = (enum plaintext)what;
	janitor->fresh_count++;
	return 0;
}

static void
drop_fresh(struct janitor *janitor)
{
	free(janitor->fresh);
	janitor->fresh = NULL;
	janitor->fresh_count = 0;
}

static void
on_swept(const struct failure *failure, void *userdata)
{
	struct janitor *janitor = userdata;

	janitor->errand = NULL;
	/* Of too many files the known names came first: those are dealt with. What a look has told is not told again. */
	if (failure != NULL && failure->code != janitor->trouble &&
	    failure->code != janitor->manager->source_failures[SOURCE_SHARE].code)
		janitor_tell_failure(NULL, PROGRAM_SHARE, failure);
	janitor->trouble = failure != NULL ? failure->code : FAILURE_NONE;
	if (failure != NULL && failure->code != FAILURE_LISTING_TOO_LONG) {
		drop_fresh(janitor);
		over(janitor, false);
		return;
	}
	merge(janitor);
	janitor->at = 0;
	janitor->asks = 0;
	next(janitor);
}

static int
sweep(struct janitor *janitor)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct errand_options options = {
		.program = PROGRAM_SHARE,
		.out = &out,
		.timeout = manager_share_timeout(janitor->manager),
		.on_answer = on_found,
		.on_end = on_swept,
		.userdata = janitor,
	};
	int r = wire_add_empty(&out, WIRE_SHARE_SWEEP);

	drop_fresh(janitor);
	if (r == 0)
		r = errand_run(&janitor->errand, janitor->manager, &options);
	janitor->running = r == 0;
	return r;
}

static int
on_time(sd_event_source *source, uint64_t at, void *userdata)
{
	struct janitor *janitor = userdata;

	(void)source;
	(void)at;
	if (janitor->running || janitor->manager->stopping || !is_on(janitor))
		return 0;
	if (sweep(janitor) < 0)
		sleep_on(janitor, false);
	return 0;
}

/* --- life --- */

void
janitor_wake(struct janitor *janitor, usec_t delay)
{
	if (janitor == NULL || janitor->manager->once || !is_on(janitor))
		return;
	if (janitor->running)
		janitor->again = true;
	else
		set_timer(janitor, delay);
}

bool
janitor_run(struct janitor *janitor, void (*on_over)(struct manager *manager))
{
	if (janitor == NULL || janitor->running || !is_on(janitor) ||
	    janitor->manager->source_failures[SOURCE_SHARE].code != FAILURE_NONE)
		return false;
	janitor->on_over = on_over;
	return sweep(janitor) == 0;
}

int
janitor_new(struct janitor **ret, struct manager *manager)
{
	struct janitor *janitor = calloc(1, sizeof(*janitor));

	if (janitor == NULL)
		return -ENOMEM;
	janitor->manager = manager;
	janitor->fd = -EBADF;
	*ret = janitor;
	janitor_wake(janitor, 0);
	return 0;
}

struct janitor *
janitor_free(struct janitor *janitor)
{
	if (janitor == NULL)
		return NULL;
	janitor->errand = errand_free(janitor->errand);
	sd_event_source_disable_unref(janitor->timer);
	janitor->fd = workspace_wipe(janitor->fd);
	free(janitor->findings);
	free(janitor->fresh);
	free(janitor);
	return NULL;
}
