/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is about to leave by mail: any bytes. Those that are taken must begin with a local header and have no byte in the
 * clear but the report's own names: a second, lazier walk over the local headers comes out at the directory.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail/zip_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t
get(const uint8_t *bytes, size_t count)
{
	uint32_t value = 0;

	for (size_t i = 0; i < count; i++)
		value |= (uint32_t)bytes[i] << 8 * i;
	return value;
}

static void
walk(const uint8_t *data, size_t size)
{
	size_t directory = get(data + size - 6, 4), at = 0;
	unsigned int entries = get(data + size - 12, 2);

	for (unsigned int i = 0; i < entries; i++) {
		const uint8_t *local = data + at;

		if (at + 30 > directory || memcmp(local, "PK\3\4", 4) != 0 || (local[6] & 1) == 0 || get(local + 8, 2) != 99)
			abort();
		if ((local[6] & 8) != 0)
			return; /* its size stands behind it */
		at += 30 + get(local + 26, 2) + get(local + 28, 2) + (size_t)get(local + 18, 4);
	}
	if (at != directory || memcmp(data + at, "PK\1\2", 4) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	uint64_t told = 0;

	if (fd < 0)
		fd = memfd_create("zip", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (zip_check(fd, &told) == 0) {
		if (told != size)
			abort();
		walk(data, size);
	}
	return 0;
}
