/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Newest wins, and what becomes of a feed after a run. */

#include "supervisor/choose.h"

#include <string.h>

uint32_t
choose_kinds(const struct memory *memory, const struct content *content, uint32_t covered)
{
	/* of one that is unreadable no kinds are known: half an upload of the newest feed of any, as far as anyone can tell */
	const bool unknown = content->verdict == ZIP_VERDICT_UNREADABLE || content->renamed;
	uint32_t kinds = (unknown ? FEED_BITS_ALL : content->kinds) & ~covered;

	for (int i = 0; i < FEED_KIND_MAX; i++)
		if (memory->last_mtime[i] > content->mtime)
			kinds &= ~FEED_BIT(i);
	return kinds;
}

/* A time that no pause can reach is of a clock that was once ahead: kept to, the feed would never come back. */
static bool
is_paused(const struct content *content, const struct circumstances *c)
{
	return content->next_try > c->now && content->next_try - c->now <= (int64_t)c->config->load.retry_pause_max;
}

bool
choose_run(const struct content *content, const struct circumstances *c)
{
	if (content->verdict != ZIP_VERDICT_WHOLE)
		return false;
	if (c->dry_run)
		return true;
	switch (content->state) {
	case CONTENT_SEEN:
		return true;
	case CONTENT_DUE:
		return c->once || !is_paused(content, c);
	case CONTENT_HELD:
		return c->again || content->approved_count > 0;
	case CONTENT_DONE:
		return c->again;
	default:
		return false;
	}
}

enum failure_code
choose_refusal(enum zip_verdict verdict)
{
	if (verdict == ZIP_VERDICT_PLAIN || verdict == ZIP_VERDICT_SHAPED)
		return FAILURE_ZIP_PLAIN;
	return verdict == ZIP_VERDICT_NO_FEED ? FAILURE_NO_FEED : FAILURE_NOT_A_ZIP;
}

static void
make_due(struct content *content, enum failure_code code, const struct circumstances *c)
{
	usec_t pause = c->config->load.retry_pause;

	content->state = CONTENT_DUE;
	content->failure = code;
	if (c->stopping) {
		content->next_try = c->now;
		return;
	}
	for (uint32_t i = 0; i < content->attempts && pause < c->config->load.retry_pause_max; i++)
		pause *= 2;
	if (pause > c->config->load.retry_pause_max)
		pause = c->config->load.retry_pause_max;
	content->attempts++;
	content->next_try = c->now + (int64_t)pause;
}

/* "The last" of the guards is a load whose guards passed or that was let go. */
static void
remember_counts(struct memory *memory, const struct content *content, uint32_t kinds, const struct load_result *result)
{
	for (int i = 0; i < FEED_KIND_MAX; i++) {
		if ((kinds & FEED_BIT(i)) == 0)
			continue;
		memory->last_mtime[i] = content->mtime;
		if ((result->plan_kinds & FEED_BIT(i)) != 0)
			memory->last_rows[i] = result->plan[i].rows;
		if (result->shapes[i].rows > 0)
			memory->last_shape[i] = result->shapes[i];
	}
	memory->last_patrons = result->patrons;
}

static void
supersede_waiting(struct memory *memory)
{
	for (size_t i = 0; i < memory->content_count; i++) {
		struct content *content = &memory->contents[i];

		if ((content->state == CONTENT_DUE || content->state == CONTENT_HELD) && content->kinds != 0 &&
		    choose_kinds(memory, content, 0) == 0)
			content->state = CONTENT_SUPERSEDED;
	}
}

void
choose_remember(struct memory *memory, struct content *content, uint32_t kinds, const struct load_result *result,
    const struct circumstances *c)
{
	if (c->dry_run)
		return;
	if (result->guards_passed)
		remember_counts(memory, content, kinds, result);
	switch (result->end) {
	case LOAD_HELD:
		content->state = CONTENT_HELD;
		memcpy(content->guards, result->guards, sizeof(content->guards));
		content->guard_count = result->guard_count;
		content->approved_count = 0;
		break;
	case LOAD_FAILED:
		make_due(content, result->failure.code, c);
		break;
	case LOAD_COMPLETE:
		content->approved_count = 0;
		if (result->due)
			make_due(content, FAILURE_NONE, c);
		else {
			content->state = CONTENT_DONE;
			content->attempts = 0;
		}
		break;
	}
	supersede_waiting(memory);
}
