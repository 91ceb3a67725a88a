/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs each file named on the command line through a fuzz target once: a corpus as an ordinary test. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0, n;

	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	do {
		uint8_t *more = realloc(data, size + 65536);

		if (more == NULL)
			abort();
		data = more;
		n = fread(data + size, 1, 65536, file);
		size += n;
	} while (n > 0);
	fclose(file);
	/* a copy of the exact size, so that a read past the end is seen */
	uint8_t *exact = malloc(size > 0 ? size : 1);
	if (exact == NULL)
		abort();
	memcpy(exact, data, size);
	free(data);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "no corpus file given\n");
		return 1;
	}
	for (int i = 1; i < argc; i++)
		if (run_file(argv[i]) < 0)
			return 1;
	printf("%d inputs\n", argc - 1);
	return 0;
}
