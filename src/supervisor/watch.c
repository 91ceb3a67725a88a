/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One link that lives long, and its return after growing pauses. */

#include "supervisor/watch.h"

#include <errno.h>
#include <stdlib.h>

#include "supervisor/journal.h"
#include "supervisor/link.h"
#include "supervisor/manager.h"
#include "supervisor/sentence.h"

#define PAUSE_FIRST USEC_PER_SEC
#define PAUSE_MAX (60 * USEC_PER_SEC)
#define DEBOUNCE (100 * USEC_PER_MSEC)

struct watch {
	struct manager *manager;
	struct link *link;
	sd_event_source *timer; /* until it is begun again */
	usec_t pause;
	bool watched;           /* it has said that it watches */
	struct failure told;    /* why it is not watched: told once, not at every attempt */
};

static void begin(struct watch *watch);

static int
on_pause_over(sd_event_source *source, uint64_t now, void *userdata)
{
	struct watch *watch = userdata;

	(void)source;
	(void)now;
	watch->timer = sd_event_source_disable_unref(watch->timer);
	begin(watch);
	return 0;
}

static void
again_later(struct watch *watch)
{
	(void)sd_event_add_time_relative(watch->manager->event, &watch->timer, CLOCK_MONOTONIC, watch->pause, 0,
	    on_pause_over, watch);
	watch->pause = watch->pause * 2 < PAUSE_MAX ? watch->pause * 2 : PAUSE_MAX;
}

static void
lost(struct watch *watch, const struct failure *failure)
{
	struct entry entry;
	char text[1024];

	if (watch->watched)
		watch->pause = PAUSE_FIRST;
	watch->watched = false;
	/* The look that follows says what is wrong with the share itself; while it is not watched it is polled. */
	if (watch->told.code != failure->code) {
		sentence_failure(PROGRAM_SHARE, failure, text, sizeof(text));
		entry_begin(&entry, 4, MESSAGE_WATCH, FEED_KIND_INVALID, NULL,
		    "The share is not watched for now, and polled alone: %s", text);
		entry_field(&entry, "REASON", "%s", failure_word(failure->code));
		entry_send(&entry);
		manager_look_soon(watch->manager, SOURCE_SHARE, DEBOUNCE);
	}
	watch->told = *failure;
}

static int
take_watched(struct watch *watch, struct wire_in *in)
{
	uint8_t local = wire_get_u8(in);
	struct entry entry;

	if (wire_finish(in) < 0 || watch->watched || local > 1)
		return -EBADMSG;
	watch->watched = true;
	watch->told = failure_of(FAILURE_NONE, 0);
	entry_begin(&entry, 6, MESSAGE_WATCH, FEED_KIND_INVALID, NULL, "The share is watched%s.",
	    local != 0 ? "" : "; it is not on a local file system, so its listing is compared every remote_poll_interval as well");
	entry_field(&entry, "LOCAL", "%u", local);
	entry_send(&entry);
	/* What came before it was watched has made no event. */
	manager_look_soon(watch->manager, SOURCE_SHARE, DEBOUNCE);
	manager_share_changed(watch->manager);
	return 0;
}

static int
on_answer(struct link *link, struct wire_in *in, void *userdata)
{
	struct watch *watch = userdata;
	uint8_t what;

	(void)link;
	if (in->type == WIRE_PROGRESS)
		return 0;
	if (in->type == WIRE_SHARE_WATCHED)
		return take_watched(watch, in);
	what = wire_get_u8(in);
	if (wire_finish(in) < 0 || !watch->watched || what == 0 || (what & ~SHARE_CHANGE_ALL) != 0)
		return -EBADMSG;
	if ((what & SHARE_CHANGE_FEED) != 0)
		manager_look_soon(watch->manager, SOURCE_SHARE, DEBOUNCE);
	manager_share_changed(watch->manager);
	return 0;
}

static void
on_event(struct link *link, enum link_event event, const struct failure *failure, void *userdata)
{
	struct watch *watch = userdata;
	struct failure unasked = failure_of(FAILURE_STAGE_DIED, 0);

	if (event == LINK_ENDED) {
		watch->link = link_free(link);
		again_later(watch);
		return;
	}
	/* DONE without CANCEL is an end like any other. */
	lost(watch, event == LINK_FAILED ? failure : &unasked);
	link_close(link);
}

static const struct link_handler handler = { .on_answer = on_answer, .on_event = on_event };

static void
begin(struct watch *watch)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct manager *manager = watch->manager;
	struct failure failure = failure_of(FAILURE_INTERNAL, 0);
	int r = link_open(&watch->link, manager->event, PROGRAM_SHARE, manager->config_path, &handler, watch, &failure);

	if (r == 0)
		r = wire_add_empty(&out, WIRE_SHARE_WATCH);
	/* It says at every interval that there is life: its silence is the share's that hangs. */
	if (r == 0)
		r = link_set_timeout(watch->link, manager->config.share.remote_poll_interval + manager_share_timeout(manager));
	if (r == 0)
		r = link_request(watch->link, &out, NULL, 0);
	if (r == 0)
		return;
	watch->link = link_free(watch->link);
	lost(watch, &failure);
	again_later(watch);
}

int
watch_new(struct watch **ret, struct manager *manager)
{
	struct watch *watch;

	*ret = NULL;
	if (manager->once || !manager->config.share.watch || !manager_source_configured(manager, SOURCE_SHARE))
		return 0;
	watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		return -ENOMEM;
	watch->manager = manager;
	watch->pause = PAUSE_FIRST;
	*ret = watch;
	begin(watch);
	return 0;
}

struct watch *
watch_free(struct watch *watch)
{
	if (watch == NULL)
		return NULL;
	sd_event_source_disable_unref(watch->timer);
	watch->link = link_free(watch->link);
	free(watch);
	return NULL;
}
