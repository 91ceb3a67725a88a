/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errands: a request, its answers, and the end of the stage that did it. */

#include "supervisor/errand.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "supervisor/journal.h"
#include "supervisor/manager.h"
#include "supervisor/sentence.h"

struct errand {
	struct manager *manager;
	struct errand_options options;
	struct link *link;
	bool failed;
	bool walls_told;
	struct failure failure;
	sd_event_source *defer, *deadline;
};

static void
tell_walls(struct errand *errand)
{
	struct entry entry;
	uint32_t walls = link_walls(errand->link);

	if (walls == 0 || errand->walls_told)
		return;
	errand->walls_told = true;
	/* Once in a life, or the log would be of little else; and again where they are not what they were. */
	if (errand->manager->walls_told[errand->options.program] == walls)
		return;
	errand->manager->walls_told[errand->options.program] = walls;
	entry_begin(&entry, 7, MESSAGE_WALLS, FEED_KIND_INVALID, NULL, "patrond-%s entered its sandbox%s%s.",
	    link_program_name(errand->options.program), (walls & WALL_LANDLOCK_NET) != 0 ? ", ports limited" : "",
	    (walls & WALL_LANDLOCK_SCOPE) != 0 ? ", scope limited" : "");
	entry_field(&entry, "STAGE", "%s", link_program_name(errand->options.program));
	entry_field(&entry, "WALLS", "0x%x", walls);
	entry_send(&entry);
}

static void
end(struct errand *errand)
{
	errand_end_fn on_end = errand->options.on_end;
	void *userdata = errand->options.userdata;
	struct failure failure = errand->failure;
	bool failed = errand->failed;

	errand_free(errand);
	on_end(failed ? &failure : NULL, userdata);
}

static int
on_answer(struct link *link, struct wire_in *in, void *userdata)
{
	struct errand *errand = userdata;

	(void)link;
	tell_walls(errand);
	return errand->options.on_answer(in, errand->options.userdata);
}

/* Where it is a child of ours; of another unit's process systemd says by which signal it died. */
static bool
was_killed_by_walls(const struct failure *failure)
{
	return failure->code == FAILURE_STAGE_DIED && failure->number == SIGSYS;
}

static void
tell_compromise(const struct errand *errand)
{
	const char *program = link_program_name(errand->options.program);
	struct entry entry;

	if (errand->failure.code != FAILURE_PROTOCOL && !was_killed_by_walls(&errand->failure))
		return;
	/* A stage that lies may have been taken over: this is for an alarm, whatever becomes of the load. */
	entry_begin(&entry, 2, MESSAGE_PROTOCOL, FEED_KIND_INVALID, NULL, "patrond-%s %s: suspected compromise.", program,
	    errand->failure.code == FAILURE_PROTOCOL ? "broke the protocol and was cut off"
	                                             : "tried what its walls forbid and was killed");
	entry_field(&entry, "STAGE", "%s", program);
	entry_send(&entry);
}

static void
on_event(struct link *link, enum link_event event, const struct failure *failure, void *userdata)
{
	struct errand *errand = userdata;

	tell_walls(errand);
	if (event == LINK_FAILED) {
		errand->failed = true;
		errand->failure = *failure;
		if (failure->code == FAILURE_CANCELLED)
			errand->failure.number = errand->manager->stopping ? CANCELLED_BY_STOP : 0;
		tell_compromise(errand);
	}
	if (event == LINK_ENDED)
		end(errand);
	else
		link_close(link);
}

static const struct link_handler handler = { .on_answer = on_answer, .on_event = on_event };

/* A stage that reports progress for ever is no better than one that is silent. */
static int
on_deadline(sd_event_source *source, uint64_t now, void *userdata)
{
	struct errand *errand = userdata;

	(void)source;
	(void)now;
	errand->failed = true;
	errand->failure = failure_of(FAILURE_DEADLINE, ERRAND_OWN_DEADLINE);
	errand->link = link_free(errand->link);
	end(errand);
	return 0;
}

static int
on_unreachable(sd_event_source *source, void *userdata)
{
	(void)source;
	end(userdata);
	return 0;
}

int
errand_run(struct errand **ret, struct manager *manager, const struct errand_options *options)
{
	struct errand *errand = calloc(1, sizeof(*errand));
	int r;

	if (errand == NULL)
		return -ENOMEM;
	errand->manager = manager;
	errand->options = *options;
	if (manager->stopping && getenv("PATROND_STAGES") != NULL) {
		/* systemd starts no stage any more while it stops patrond */
		errand->failure = failure_of(FAILURE_CANCELLED, CANCELLED_BY_STOP);
		r = -ECANCELED;
	} else
		r = link_open(&errand->link, manager->event, options->program, manager->config_path, &handler, errand,
		    &errand->failure);
	if (r == 0)
		r = link_set_timeout(errand->link, options->timeout);
	if (r == 0)
		/* load keeps the deadline itself; this is for one that does not */
		r = sd_event_add_time_relative(manager->event, &errand->deadline, CLOCK_MONOTONIC,
		    manager->config.load.deadline + manager->config.load.stage_timeout, 0, on_deadline, errand);
	if (r == 0) {
		r = link_request(errand->link, options->out, options->fds, options->fd_count);
		if (r < 0)
			errand->failure = failure_of(FAILURE_INTERNAL, r);
	}
	if (r < 0) {
		errand->failed = true;
		errand->link = link_free(errand->link);
		r = sd_event_add_defer(manager->event, &errand->defer, on_unreachable, errand);
		if (r < 0) {
			errand_free(errand);
			return r;
		}
	}
	errand->options.out = NULL;
	errand->options.fds = NULL;
	*ret = errand;
	return 0;
}

void
errand_let_go(struct errand *errand)
{
	if (errand != NULL && errand->link != NULL)
		(void)link_let_go(errand->link);
}

void
errand_cancel(struct errand *errand)
{
	if (errand != NULL && errand->link != NULL)
		link_cancel(errand->link);
}

int
errand_hold(struct errand *errand)
{
	/* One that has ended, or never came to life, writes nothing either. */
	return errand != NULL && errand->link != NULL ? link_hold(errand->link) : 0;
}

void
errand_set_timeout(struct errand *errand, usec_t timeout)
{
	if (errand != NULL && errand->link != NULL)
		(void)!link_set_timeout(errand->link, timeout);
}

struct errand *
errand_free(struct errand *errand)
{
	if (errand == NULL)
		return NULL;
	sd_event_source_disable_unref(errand->defer);
	sd_event_source_disable_unref(errand->deadline);
	errand->link = link_free(errand->link);
	free(errand);
	return NULL;
}
