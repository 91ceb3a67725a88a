/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What libzip alone needs to read a feed: decrypts, inflates and checks every entry of an encrypted zip, and throws it
 * away. bench-zip-read ZIP PASSWORD-FILE; prints the bytes.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zip.h>

#define PIECE (256U << 10) /* what decode inflates at a time */

static int
read_entry(zip_t *zip, zip_uint64_t index, const char *password, uint64_t *bytes)
{
	static char piece[PIECE];
	zip_file_t *file = zip_fopen_index_encrypted(zip, index, 0, password);
	zip_int64_t n;

	if (file == NULL)
		return -1;
	while ((n = zip_fread(file, piece, sizeof(piece))) > 0)
		*bytes += (uint64_t)n;
	return zip_fclose(file) != 0 || n < 0 ? -1 : 0;
}

int
main(int argc, char **argv)
{
	char password[256] = "";
	FILE *file = argc == 3 ? fopen(argv[2], "r") : NULL;
	zip_t *zip = argc == 3 ? zip_open(argv[1], ZIP_RDONLY, NULL) : NULL;
	uint64_t bytes = 0;

	if (file == NULL || zip == NULL || fgets(password, sizeof(password), file) == NULL) {
		fprintf(stderr, "usage: bench-zip-read ZIP PASSWORD-FILE\n");
		return 1;
	}
	fclose(file);
	password[strcspn(password, "\n")] = '\0';
	for (zip_int64_t i = 0; i < zip_get_num_entries(zip, 0); i++)
		if (read_entry(zip, (zip_uint64_t)i, password, &bytes) < 0) {
			fprintf(stderr, "bench-zip-read: %s\n", zip_strerror(zip));
			return 1;
		}
	printf("%llu\n", (unsigned long long)bytes);
	zip_discard(zip);
	return 0;
}
