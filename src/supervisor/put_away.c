/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One SHARE_DONE a feed that was loaded. */

#include "supervisor/put_away.h"

#include <errno.h>
#include <string.h>

#include "supervisor/journal.h"
#include "supervisor/look_private.h"
#include "supervisor/manager.h"
#include "supervisor/sentence.h"

static int
on_answer(struct wire_in *in, void *userdata)
{
	(void)userdata;
	return in->type == WIRE_PROGRESS ? 0 : -EBADMSG;
}

static void
tell(const struct look *look, const struct shown_file *file, const struct failure *failure)
{
	const struct config *config = &look->manager->config;
	bool moved = config->share.after_load == AFTER_LOAD_MOVE;
	struct entry entry;
	char name[1100], text[1024];

	journal_escape(file->name, strlen(file->name), name, sizeof(name));
	if (failure == NULL) {
		entry_begin(&entry, 6, MESSAGE_FEED_PUT_AWAY, FEED_KIND_INVALID, NULL, "%s was loaded and is %s.", name,
		    moved ? "moved to the folder of done feeds" : "deleted from the share");
	} else {
		sentence_failure(PROGRAM_SHARE, failure, text, sizeof(text));
		entry_begin(&entry, 4, MESSAGE_FEED_PUT_AWAY, FEED_KIND_INVALID, NULL,
		    "%s was loaded, but could not be %s: %s", name, moved ? "moved" : "deleted", text);
		entry_field(&entry, "REASON", "%s", failure_word(failure->code));
	}
	entry_field(&entry, "FILE", "%s", name);
	entry_send(&entry);
}

static void
on_end(const struct failure *failure, void *userdata)
{
	struct look *look = userdata;
	struct manager *manager = look->manager;
	const struct shown_file *file = &look->candidates[look->at];

	look->errand = NULL;
	tell(look, file, failure);
	if (failure == NULL)
		trouble_clear(&manager->left, file);
	else
		(void)trouble_add(&manager->left, file, manager_now(manager), manager->config.load.retry_pause,
		    manager->config.load.retry_pause_max);
	look->at++;
	put_away_next(look);
}

static bool
is_to_go(const struct look *look, const struct shown_file *file)
{
	struct manager *manager = look->manager;
	const struct known_file *known = look_known(look, file);
	const struct content *content =
	    known != NULL && !known->unread ? memory_content(manager->memory, known->fingerprint) : NULL;

	return file->source == SOURCE_SHARE && content != NULL && content->state == CONTENT_DONE &&
	       (manager->once || trouble_pause(&manager->left, file, manager_now(manager)) == 0);
}

static int
ask(struct look *look, const struct shown_file *file)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	bool move = look->manager->config.share.after_load == AFTER_LOAD_MOVE;
	const struct errand_options options = {
		.program = PROGRAM_SHARE,
		.out = &out,
		.timeout = manager_share_timeout(look->manager),
		.on_answer = on_answer,
		.on_end = on_end,
		.userdata = look,
	};
	int r;

	wire_begin(&out, WIRE_SHARE_DONE);
	wire_put_string(&out, file->name, strlen(file->name));
	wire_put_u64(&out, file->size);
	wire_put_i64(&out, file->mtime);
	wire_put_u8(&out, move ? SHARE_ACTION_MOVE : SHARE_ACTION_DELETE);
	r = wire_end(&out);
	return r < 0 ? r : errand_run(&look->errand, look->manager, &options);
}

void
put_away_next(struct look *look)
{
	const struct manager *manager = look->manager;
	bool wanted = manager->config.share.after_load != AFTER_LOAD_KEEP && !look->request.dry_run;

	for (; wanted && !look->cancelled && look->at < look->candidate_count; look->at++)
		if (is_to_go(look, &look->candidates[look->at]) && ask(look, &look->candidates[look->at]) == 0)
			return;
	look_put_away_over(look);
}
