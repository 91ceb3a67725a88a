/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parser of the configuration: no bytes break it, and what it accepts it prints and reads back the same. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *
print(const struct config *config, size_t *ret_size)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, ret_size);

	if (to == NULL || config_print(config, SECTIONS_ALL, to) < 0 || fclose(to) != 0)
		abort();
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config, again;
	struct config_error error = { .line = 0 };
	char *first, *second;
	size_t first_size, second_size;

	memset(&error, 0, sizeof(error));
	config_defaults(&config);
	if (config_parse((const char *)data, size, SECTIONS_ALL, &config, &error) < 0) {
		if (error.text[0] == '\0' || error.line == 0)
			abort(); /* a refusal without a word */
		return 0;
	}
	first = print(&config, &first_size);
	config_defaults(&again);
	if (config_parse(first, first_size, SECTIONS_ALL, &again, &error) < 0)
		abort();
	second = print(&again, &second_size);
	if (first_size != second_size || memcmp(first, second, first_size) != 0)
		abort();
	free(first);
	free(second);
	return 0;
}
