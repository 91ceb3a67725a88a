/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listings of a source, compared with the one before. */

#include "supervisor/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
source_done(struct source *source)
{
	source_abort(source);
	free(source->files);
	source->files = NULL;
	source->count = 0;
}

int
source_begin(struct source *source)
{
	source_abort(source);
	source->listing = calloc(LIMIT_LISTING, sizeof(*source->listing));
	return source->listing != NULL ? 0 : -ENOMEM;
}

void
source_abort(struct source *source)
{
	free(source->listing);
	source->listing = NULL;
	source->listing_count = 0;
}

int
source_take(struct source *source, struct wire_in *in, usec_t now)
{
	struct shown_file *file;
	const char *name;
	size_t size;

	if (source->listing == NULL || source->listing_count == LIMIT_LISTING)
		return -EBADMSG;
	file = &source->listing[source->listing_count];
	name = wire_get_string(in, LIMIT_FILE_NAME, &size);
	file->size = wire_get_u64(in);
	file->mtime = wire_get_i64(in);
	if (wire_finish(in) < 0 || size == 0 || memchr(name, '/', size) != NULL || memchr(name, '\0', size) != NULL ||
	    (size == 1 && name[0] == '.') || (size == 2 && memcmp(name, "..", 2) == 0))
		return -EBADMSG;
	memcpy(file->name, name, size);
	file->name[size] = '\0';
	file->source = source->kind;
	file->order = file->mtime;
	file->since = now;
	source->listing_count++;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct shown_file *)a)->name, ((const struct shown_file *)b)->name);
}

void
source_end(struct source *source)
{
	if (source->listing == NULL)
		return;
	qsort(source->listing, source->listing_count, sizeof(*source->listing), by_name);
	for (size_t i = 0; i < source->listing_count; i++) {
		struct shown_file *now = &source->listing[i];
		const struct shown_file *before = NULL;

		if (source->count > 0)
			before = bsearch(now, source->files, source->count, sizeof(*now), by_name);
		if (before != NULL && before->size == now->size && before->mtime == now->mtime)
			now->since = before->since;
	}
	free(source->files);
	source->files = source->listing;
	source->count = source->listing_count;
	source->listing = NULL;
	source->listing_count = 0;
}
