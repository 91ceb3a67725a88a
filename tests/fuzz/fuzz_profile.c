/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a profile's file says, it is refused with a text, or is one that can be asked. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile *profile = NULL;
	struct config_error error = { .text = "" };
	int r = profile_parse(&profile, (const char *)data, size, &error);

	if ((r < 0) != (profile == NULL) || (r < 0 && error.text[0] == '\0'))
		abort();
	for (size_t feed = 0; profile != NULL && feed < FEED_KIND_MAX; feed++) {
		const struct profile_table *table = &profile->tables[feed];

		if (!table->given)
			continue;
		if (profile_column(table, COLUMN_KEY) == NULL || table->file == 0)
			abort();
		for (size_t i = 0; i < table->column_count; i++) {
			const struct profile_column *column = &table->columns[i];

			if (column->names.count > 0 && table->columns[i].what != COLUMN_OTHER) {
				const char *name = profile->words[column->names.first];

				if (!profile_is_name(profile, column, name, strlen(name)))
					abort();
			}
		}
	}
	profile = profile_free(profile);
	return 0;
}
