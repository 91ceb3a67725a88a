/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loop: timers for looks, signals, reload, and the way out. */

#include "supervisor/manager.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "common/config_check.h"
#include "common/feed_name.h"
#include "supervisor/errand.h"
#include "supervisor/history.h"
#include "supervisor/idle.h"
#include "supervisor/janitor.h"
#include "supervisor/journal.h"
#include "supervisor/look.h"
#include "supervisor/mailer.h"
#include "supervisor/methods.h"
#include "supervisor/report.h"
#include "supervisor/sentence.h"
#include "supervisor/status.h"
#include "supervisor/watch.h"
#include "supervisor/workspace.h"

#define SWEEP_DELAY USEC_PER_SEC /* files come in flocks */
#define CLOCK_SLACK (10 * USEC_PER_MSEC) /* the timer's clock and that of the pauses do not run quite alike */

static int schedule(struct manager *manager);

static void
sierra_may_be_at_work(struct manager *manager)
{
	const usec_t late = manager->config.sierra.late_commit, timeout = manager->config.sierra.request_timeout;

	/* as load waits where an answer was given up: Sierra is no quicker than a request may take */
	manager->not_before = manager_now(manager) + (late > timeout ? late : timeout);
}

void
manager_writing_begins(struct manager *manager)
{
	if (manager->memory->writing)
		return;
	manager->memory->writing = true;
	(void)!memory_save(manager->memory); /* without a place for it the next process cannot know, as after a reboot */
}

void
manager_writing_ended(struct manager *manager, bool clean)
{
	if (!manager->memory->writing)
		return;
	manager->memory->writing = !clean;
	if (!clean)
		sierra_may_be_at_work(manager);
}

bool
manager_source_configured(const struct manager *manager, enum source_kind kind)
{
	const struct config *config = &manager->config;

	if (kind == SOURCE_SHARE)
		return (config->sections & SECTION_BIT(SECTION_SHARE)) != 0;
	return (config->sections & SECTION_BIT(SECTION_SFTP)) != 0;
}

usec_t
manager_now(const struct manager *manager)
{
	uint64_t now = 0;

	(void)sd_event_now(manager->event, CLOCK_MONOTONIC, &now);
	return now;
}

int64_t
manager_realtime(const struct manager *manager)
{
	uint64_t now = 0;

	(void)sd_event_now(manager->event, CLOCK_REALTIME, &now);
	return (int64_t)now;
}

void
manager_count_status(struct manager *manager, int status)
{
	/* the worst of all in the order 1, 2, 4, 3, 0 */
	static const int rank[] = { [0] = 0, [3] = 1, [4] = 2, [2] = 3, [1] = 4 };

	if (rank[status] > rank[manager->worst])
		manager->worst = status;
	if (rank[status] > rank[manager->look_status])
		manager->look_status = status;
}

unsigned int
manager_sources(const struct manager *manager)
{
	unsigned int sources = 0;

	for (size_t i = 0; i < SOURCE_MAX; i++)
		sources |= manager_source_configured(manager, (enum source_kind)i) ? 1U << i : 0;
	return sources;
}

void
manager_source_looked(struct manager *manager, enum source_kind source)
{
	manager->source_notes[source].last_look = manager_realtime(manager);
}

void
manager_source_error(struct manager *manager, enum source_kind source, const char *file, const char *error)
{
	struct source_note *note = &manager->source_notes[source];

	(void)snprintf(note->error, sizeof(note->error), "%s", error != NULL ? error : "");
	(void)snprintf(note->file, sizeof(note->file), "%s", file != NULL ? file : "");
}

void
manager_save(const struct manager *manager)
{
	struct entry entry;

	if (memory_save(manager->memory) >= 0 && history_save(manager->history) >= 0)
		return;
	entry_begin(&entry, 4, MESSAGE_MEMORY, FEED_KIND_INVALID, NULL,
	    "The memory of feeds could not be saved in the runtime directory; after a restart feeds may be run again.");
	entry_send(&entry);
}

void
manager_look_soon(struct manager *manager, enum source_kind kind, usec_t delay)
{
	usec_t at = manager_now(manager) + delay;

	if (manager->once || manager->stopping || at >= manager->next_look[kind] || manager->next_look[kind] == UINT64_MAX)
		return;
	manager->next_look[kind] = at;
	if (manager->look == NULL && manager->delivery == NULL && schedule(manager) < 0)
		(void)sd_event_exit(manager->event, 2);
}

usec_t
manager_share_timeout(const struct manager *manager)
{
	const struct config *config = &manager->config;

	return config->share.stall_timeout < config->load.stage_timeout ? config->share.stall_timeout
	                                                                : config->load.stage_timeout;
}

void
manager_share_changed(struct manager *manager)
{
	janitor_wake(manager->janitor, SWEEP_DELAY);
}

/* A share that is gone comes back under walls of its own, and with other settings another watch is needed. */
static void
rewatch(struct manager *manager)
{
	manager->watch = watch_free(manager->watch);
	if (watch_new(&manager->watch, manager) < 0)
		(void)sd_event_exit(manager->event, 2);
}

/* --- looks --- */

int
manager_read_config(const struct manager *manager, struct config *config, struct config_error *error)
{
	const char *missing[CONFIG_MISSING_MAX];
	int r = config_read_whole(manager->config_path, config, error);

	if (r < 0 || config_missing(config, missing) == 0)
		return r;
	(void)snprintf(error->file, sizeof(error->file), "%s", manager->config_path);
	(void)snprintf(error->text, sizeof(error->text), "%s", missing[0]);
	error->line = 0;
	return -EINVAL;
}

/*
 * Of a source that is configured no longer no look will ever tell anything better: what was told of it goes. Without a
 * share the report that is kept has nowhere to go; one that is on its way goes at the errand's end.
 */
static void
forget_sources(struct manager *manager)
{
	for (size_t i = 0; i < SOURCE_MAX; i++)
		if (!manager_source_configured(manager, (enum source_kind)i)) {
			manager->source_failures[i] = failure_of(FAILURE_NONE, 0);
			manager->source_notes[i] = (struct source_note){ .last_look = 0 };
		}
	if (!manager_source_configured(manager, SOURCE_SHARE) && manager->delivery == NULL)
		manager_keep_report(manager, -EBADF, "");
}

int
manager_reload(struct manager *manager, struct config_error *error)
{
	struct config config;
	struct entry entry;
	int r;

	manager->reload = false;
	journal_look();
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)manager_now(manager));
	r = manager_read_config(manager, &config, error);
	if (r < 0) {
		char line[16] = "";

		if (error->line > 0) /* what is missing stands in none */
			(void)snprintf(line, sizeof(line), "%u:", error->line);
		entry_begin(&entry, 3, MESSAGE_RELOADED, FEED_KIND_INVALID, NULL,
		    "The new configuration is wrong and the old one stays: %s:%s %s", error->file, line, error->text);
	} else {
		manager->config = config;
		for (size_t i = 0; i < SOURCE_MAX; i++)
			manager->next_look[i] =
			    manager_source_configured(manager, (enum source_kind)i) ? manager_now(manager) : UINT64_MAX;
		forget_sources(manager);
		rewatch(manager);
		janitor_wake(manager->janitor, 0);
		entry_begin(&entry, 5, MESSAGE_RELOADED, FEED_KIND_INVALID, NULL, "Configuration read anew.");
	}
	entry_send(&entry);
	(void)sd_notify(0, "READY=1");
	/* refused or not: where a look has just ended the timer has run out */
	if (schedule(manager) < 0)
		(void)sd_event_exit(manager->event, 2);
	return r;
}

void
manager_load_over(struct manager *manager, const struct load_note *note)
{
	methods_load_over(manager, note);
}

void
manager_tell_idle(struct manager *manager)
{
	if (manager->look == NULL && manager->delivery == NULL && !manager->stopping)
		idle_status(manager);
}

/* The end of the process. One that stays was asked to stop: that is no failure, whatever its loads came to. */
static void
leave(struct manager *manager)
{
	if (!mailer_wait(manager->mailer, leave))
		(void)sd_event_exit(manager->event, manager->once ? manager->worst : 0);
}

/*
 * A load that is due again waits for its own pause, which may end long before an interval does, or did end while this look
 * was at another load. One whose pause was over when the look began could not be run, and waits for the next like all else.
 */
static void
look_when_due(struct manager *manager, int64_t begun)
{
	const struct memory *memory = manager->memory;
	const int64_t now = manager_realtime(manager);

	for (size_t i = 0; i < memory->content_count; i++) {
		const int64_t at = memory->contents[i].next_try;

		for (size_t k = 0; memory->contents[i].state == CONTENT_DUE && k < SOURCE_MAX; k++)
			if (at > begun)
				manager_look_soon(manager, (enum source_kind)k, at > now ? (usec_t)(at - now) + CLOCK_SLACK : 0);
	}
}

void
manager_look_over(struct manager *manager)
{
	struct look *look = manager->look;
	struct config_error error;

	manager->look = NULL;
	look_when_due(manager, look_begun(look));
	look_free(look);
	if (!manager->stopping)
		idle_status(manager);
	methods_look_over(manager);
	if (manager->once && !manager->stopping && !manager->swept) {
		manager->swept = true;
		if (janitor_run(manager->janitor, leave))
			return;
	}
	if (manager->once || manager->stopping) {
		leave(manager);
		return;
	}
	if (manager->reload)
		(void)!manager_reload(manager, &error);
	else if (schedule(manager) < 0)
		(void)sd_event_exit(manager->event, 2);
}

static usec_t
poll_interval(const struct manager *manager, enum source_kind kind)
{
	return kind == SOURCE_SHARE ? manager->config.share.poll_interval : manager->config.sftp.poll_interval;
}

void
manager_keep_report(struct manager *manager, int fd, const char *name)
{
	manager->report_fd = workspace_wipe(manager->report_fd);
	manager->report_fd = fd;
	(void)snprintf(manager->report_name, sizeof(manager->report_name), "%s", name);
}

void
manager_report_on_share(struct manager *manager, const char *name)
{
	const char *kept = manager->report_name;
	const size_t size = strlen(name), kept_size = strlen(kept);

	if (manager->report_fd >= 0 &&
	    (report_name_date(kept, kept_size) < report_name_date(name, size) ||
	        (report_name_kinds(kept, kept_size) & ~report_name_kinds(name, size)) == 0))
		manager_keep_report(manager, -EBADF, "");
}

void
manager_report_tried(struct manager *manager, const struct failure *failure)
{
	manager->delivery = NULL;
	report_tell(NULL, manager->report_name, PROGRAM_SHARE, failure, NULL);
	if (failure == NULL || !manager_source_configured(manager, SOURCE_SHARE))
		manager_keep_report(manager, -EBADF, "");
	if (failure == NULL)
		mailer_on_share(manager->mailer);
}

static int start_look(struct manager *manager);

static void
on_delivered(const struct failure *failure, void *userdata)
{
	struct manager *manager = userdata;

	manager_report_tried(manager, failure);
	if (manager->stopping)
		leave(manager);
	else if (start_look(manager) < 0)
		(void)sd_event_exit(manager->event, 2);
}

static int
on_time(sd_event_source *source, uint64_t at, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)at;
	if (manager->look != NULL || manager->delivery != NULL || manager->stopping)
		return 0;
	if (manager->report_fd >= 0 && report_deliver(&manager->delivery, manager, manager->report_fd,
	        manager->report_name, on_delivered, manager) == 0)
		return 0;
	/* an error that is passed up would switch the timer off for good; a process that ends is begun anew */
	if (start_look(manager) < 0)
		(void)sd_event_exit(manager->event, 2);
	return 0;
}

int
manager_look(struct manager *manager, const struct look_request *request)
{
	usec_t now = manager_now(manager);

	/* a look at all of them that counts: the next one is an interval away */
	for (size_t k = 0; !request->dry_run && k < SOURCE_MAX; k++)
		if (manager->next_look[k] != UINT64_MAX && (request->take & (1U << k)) != 0)
			manager->next_look[k] = now + poll_interval(manager, (enum source_kind)k);
	manager->look_status = 0;
	(void)snprintf(manager->look_id, sizeof(manager->look_id), "look-%u", ++manager->looks);
	if (request->once && !manager->once && !request->dry_run)
		mailer_look(manager->mailer, true);
	return look_start(&manager->look, manager, request);
}

/* Newest wins over all sources, so a look that is due for one goes to all. */
static int
start_look(struct manager *manager)
{
	const struct look_request request = {
		.sources = manager_sources(manager),
		.take = manager_sources(manager),
		.once = manager->once,
		.dry_run = manager->dry_run,
	};
	usec_t now = manager_now(manager);

	mailer_look(manager->mailer, false);
	for (size_t i = 0; i < SOURCE_MAX; i++)
		if (manager->next_look[i] <= now)
			return manager_look(manager, &request);
	return schedule(manager);
}

static int
schedule(struct manager *manager)
{
	usec_t next = UINT64_MAX;
	int r;

	for (size_t i = 0; i < SOURCE_MAX; i++)
		next = manager->next_look[i] < next ? manager->next_look[i] : next;
	if (manager->timer == NULL) {
		r = sd_event_add_time(manager->event, &manager->timer, CLOCK_MONOTONIC, next, 0, on_time, manager);
		return r;
	}
	r = sd_event_source_set_time(manager->timer, next);
	return r < 0 ? r : sd_event_source_set_enabled(manager->timer, SD_EVENT_ONESHOT);
}

/* --- signals --- */

static int
on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)info;
	(void)sd_notify(0, "STOPPING=1");
	if (manager->stopping || (manager->look == NULL && manager->delivery == NULL && !mailer_wait(manager->mailer, leave)))
		return sd_event_exit(manager->event, manager->look != NULL || manager->once ? 2 : 0);
	manager->stopping = true;
	if (manager->once)
		manager_count_status(manager, 2);
	status_set("Stopping: finishing what is in flight.");
	mailer_cancel(manager->mailer);
	if (manager->look != NULL)
		look_cancel(manager->look);
	errand_let_go(manager->delivery);
	return 0;
}

static int
on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct manager *manager = userdata;
	struct config_error error;

	(void)source;
	(void)info;
	if (manager->look != NULL)
		manager->reload = true; /* it takes effect between loads */
	else
		(void)!manager_reload(manager, &error);
	return 0;
}

static int
add_signals(struct manager *manager)
{
	static const struct {
		int number;
		sd_event_signal_handler_t handler;
	} signals[] = { { SIGTERM, on_stop }, { SIGINT, on_stop }, { SIGHUP, on_reload } };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaddset(&set, signals[i].number);
	(void)sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int r = sd_event_add_signal(manager->event, NULL, signals[i].number, signals[i].handler, manager);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- life --- */

static int
setup(struct manager *manager)
{
	struct entry entry;
	int r;

	r = sd_event_default(&manager->event);
	if (r < 0)
		return r;
	r = add_signals(manager);
	if (r < 0)
		return r;
	(void)sd_event_set_watchdog(manager->event, 1);
	r = memory_new(&manager->memory);
	if (r == 1) {
		entry_begin(&entry, 4, MESSAGE_MEMORY, FEED_KIND_INVALID, NULL,
		    "The memory of feeds could not be read and is begun anew, as after a reboot.");
		entry_send(&entry);
	}
	if (r >= 0)
		r = history_new(&manager->history);
	if (r < 0)
		return r;
	if (manager->memory->writing)
		sierra_may_be_at_work(manager);
	for (size_t i = 0; i < SOURCE_MAX; i++) {
		manager->sources[i].kind = (enum source_kind)i;
		manager->next_look[i] = manager_source_configured(manager, (enum source_kind)i) ? manager_now(manager) : UINT64_MAX;
	}
	if (!manager->once)
		methods_start(manager);
	r = schedule(manager);
	if (r == 0)
		r = mailer_new(&manager->mailer, manager);
	if (r == 0)
		r = janitor_new(&manager->janitor, manager);
	return r < 0 ? r : watch_new(&manager->watch, manager);
}

int
manager_new(struct manager **ret, const struct manager_options *options, const struct config *config)
{
	struct manager *manager = calloc(1, sizeof(*manager));
	int r;

	if (manager == NULL)
		return -ENOMEM;
	manager->config = *config;
	manager->once = options->once;
	manager->report_fd = -EBADF;
	manager->dry_run = options->dry_run;
	(void)snprintf(manager->config_path, sizeof(manager->config_path), "%s", options->config_path);
	r = setup(manager);
	if (r < 0) {
		manager_free(manager);
		return r;
	}
	*ret = manager;
	return 0;
}

struct manager *
manager_free(struct manager *manager)
{
	if (manager == NULL)
		return NULL;
	methods_stop(manager);
	manager->watch = watch_free(manager->watch);
	manager->janitor = janitor_free(manager->janitor);
	manager->look = look_free(manager->look);
	manager->delivery = errand_free(manager->delivery);
	manager->mailer = mailer_free(manager->mailer);
	manager->report_fd = workspace_wipe(manager->report_fd);
	sd_event_source_disable_unref(manager->timer);
	for (size_t i = 0; i < SOURCE_MAX; i++)
		source_done(&manager->sources[i]);
	manager->memory = memory_free(manager->memory);
	manager->history = history_free(manager->history);
	sd_event_unref(manager->event);
	free(manager);
	return NULL;
}

int
manager_run(struct manager *manager)
{
	struct entry entry;
	int r;

	if (!manager->once) {
		entry_begin(&entry, 6, MESSAGE_STARTED, FEED_KIND_INVALID, NULL, "patrond %s started.", PATROND_VERSION);
		entry_send(&entry);
	}
	(void)sd_notify(0, "READY=1");
	r = sd_event_loop(manager->event);
	if (!manager->once) {
		entry_begin(&entry, 6, MESSAGE_STOPPED, FEED_KIND_INVALID, NULL, "patrond stopped.");
		entry_send(&entry);
	}
	return r;
}
