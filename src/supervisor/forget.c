/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Feeds that were taken away before they could be loaded, and those that were told by other names. */

#include "supervisor/forget.h"

#include <string.h>

#include "supervisor/journal.h"

static bool
is_file(const struct known_file *file, const struct shown_file *shown)
{
	return file->size == shown->size && file->mtime == shown->mtime && strcmp(file->name, shown->name) == 0;
}

/*
 * Whether a listing shows the file, or one of its size that nobody has read yet: that may be the same feed, renamed or
 * sent again.
 */
static bool
may_be_shown(struct manager *manager, const struct known_file *file, unsigned int listed)
{
	for (size_t s = 0; s < SOURCE_MAX; s++) {
		const struct source *source = &manager->sources[s];

		for (size_t i = 0; (listed & (1U << s)) != 0 && i < source->count; i++) {
			const struct shown_file *shown = &source->files[i];

			if (file->source == shown->source && is_file(file, shown))
				return true;
			if (file->size == shown->size &&
			    memory_file(manager->memory, shown->source, shown->name, shown->size, shown->mtime) == NULL)
				return true;
		}
	}
	return false;
}

/* Only where each place in which it was seen has been looked at. A source that is configured no more shows nothing. */
static bool
is_gone(struct manager *manager, const struct content *content, unsigned int listed)
{
	const struct memory *memory = manager->memory;
	const unsigned int silent = manager_sources(manager) & ~listed;
	size_t known = 0;

	for (size_t i = 0; i < memory->file_count; i++) {
		const struct known_file *file = &memory->files[i];

		if (file->unread || memcmp(file->fingerprint, content->fingerprint, FINGERPRINT_SIZE) != 0)
			continue;
		if ((silent & (1U << file->source)) != 0 || may_be_shown(manager, file, listed))
			return false;
		known++;
	}
	return known > 0;
}

static void
let_go(struct content *content)
{
	struct entry entry;

	entry_begin(&entry, 5, MESSAGE_FEED_GONE, FEED_KIND_INVALID, content->load_id,
	    "The feed of load %s is gone from its source: it is not waited for any more.", content->load_id);
	entry_send(&entry);
	content->state = CONTENT_SEEN;
	content->failure = 0;
	content->attempts = 0;
	content->next_try = 0;
	content->guard_count = 0;
	content->approved_count = 0; /* whoever let it go did so for what lay there then */
}

void
forget_gone(struct manager *manager, unsigned int listed)
{
	struct memory *memory = manager->memory;

	for (size_t i = 0; i < memory->content_count; i++) {
		struct content *content = &memory->contents[i];

		if ((content->state == CONTENT_DUE || content->state == CONTENT_HELD) && is_gone(manager, content, listed))
			let_go(content);
	}
}

/* FNV-1a over the names, each with its NUL. */
static uint64_t
names_of_feeds(const struct config *config)
{
	uint64_t sum = 0xcbf29ce484222325ULL;

	for (int kind = 0; kind < FEED_KIND_MAX; kind++) {
		const char *pattern = config->feed[kind].pattern;

		for (size_t i = 0; i <= strlen(pattern); i++)
			sum = (sum ^ (uint8_t)pattern[i]) * 0x100000001b3ULL;
	}
	return sum;
}

void
forget_renamed(struct memory *memory, const struct config *config)
{
	const uint64_t names = names_of_feeds(config);

	if (memory->names == names)
		return;
	memory->names = names;
	for (size_t i = 0; i < memory->content_count; i++)
		if (memory->contents[i].verdict != ZIP_VERDICT_UNREADABLE)
			memory->contents[i].renamed = true;
}
