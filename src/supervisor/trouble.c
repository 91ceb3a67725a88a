/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A short list: of a folder full of files that cannot be read, the oldest entries make room. */

#include "supervisor/trouble.h"

#include <string.h>

static bool
is(const struct trouble *trouble, const struct shown_file *file)
{
	return trouble->source == file->source && trouble->size == file->size && trouble->mtime == file->mtime &&
	       strcmp(trouble->name, file->name) == 0;
}

static void
drop(struct troubles *troubles, size_t at)
{
	troubles->count--;
	memmove(&troubles->all[at], &troubles->all[at + 1], (troubles->count - at) * sizeof(troubles->all[0]));
}

struct trouble *
trouble_find(struct troubles *troubles, const struct shown_file *file)
{
	for (size_t i = 0; i < troubles->count; i++)
		if (is(&troubles->all[i], file))
			return &troubles->all[i];
	return NULL;
}

usec_t
trouble_pause(const struct troubles *troubles, const struct shown_file *file, usec_t now)
{
	for (size_t i = 0; i < troubles->count; i++)
		if (is(&troubles->all[i], file))
			return troubles->all[i].next > now ? troubles->all[i].next - now : 0;
	return 0;
}

usec_t
trouble_add(struct troubles *troubles, const struct shown_file *file, usec_t now, usec_t first, usec_t max)
{
	struct trouble *trouble = trouble_find(troubles, file);
	usec_t pause = first;

	if (trouble == NULL) {
		if (troubles->count == TROUBLES_MAX)
			drop(troubles, 0);
		trouble = &troubles->all[troubles->count++];
		*trouble = (struct trouble){ .source = file->source, .size = file->size, .mtime = file->mtime };
		memcpy(trouble->name, file->name, sizeof(trouble->name));
	}
	for (uint32_t i = 0; i < trouble->attempts && pause < max; i++)
		pause *= 2;
	if (pause > max)
		pause = max;
	trouble->attempts++;
	trouble->next = now + pause;
	return pause;
}

void
trouble_clear(struct troubles *troubles, const struct shown_file *file)
{
	for (size_t i = troubles->count; i-- > 0;)
		if (is(&troubles->all[i], file))
			drop(troubles, i);
}

void
trouble_keep(struct troubles *troubles, enum source_kind source, const struct shown_file *files, size_t count)
{
	for (size_t i = troubles->count; i-- > 0;) {
		bool shown = troubles->all[i].source != source;

		for (size_t k = 0; k < count && !shown; k++)
			shown = is(&troubles->all[i], &files[k]);
		if (!shown)
			drop(troubles, i);
	}
}
