/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any file that somebody leaves on the share, asked whether it is a feed in plain text: an answer, the same each time. */

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/date.h"
#include "decode/plaintext.h"
#include "feedkit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
ask(int fd)
{
	bool is_feed = false;

	if (plaintext_is_feed(fd, feeds, shipped(), "[0-9]+", date_to_days((struct date){ 2026, 8, 15 }), &is_feed) < 0)
		abort();
	return is_feed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_fd_ int fd = memfd_create("file", MFD_CLOEXEC);
	bool first;

	if (fd < 0 || fd_pwrite_all(fd, data, size, 0) < 0)
		abort();
	first = ask(fd);
	if (ask(fd) != first || (size == 0 && first))
		abort();
	return 0;
}
