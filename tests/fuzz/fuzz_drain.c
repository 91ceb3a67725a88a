/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Load's end of decode's pipe: a stream of frames from a decode that was taken over. It is complete with a true trailer
 * as its last word, or it is refused with a reason; there is nothing between. The first byte says which feeds were
 * asked for.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/date.h"
#include "load/records.h"

#define PIPE_SIZE (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct records *records, const struct rows *rows, int r)
{
	if (r < 0) {
		if (r != -EBADMSG || records->complete)
			abort();
		if (records->failure.code != FAILURE_RECORDS && records->failure.code != FAILURE_RECORDS_CUT &&
		    records->failure.code != FAILURE_MEMORY)
			abort();
		return;
	}
	if (!records->complete || !records->trailed || rows_total(rows) == 0)
		abort();
	for (row_ref ref = 0; ref < rows_total(rows); ref++) {
		struct record record;

		rows_get(rows, ref, &record);
		if ((records->kinds & FEED_BIT(record.feed)) == 0 || record.row == 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_fd_ int read_fd = -EBADF;
	struct records records;
	struct rows *rows = NULL;
	int pair[2], r = 0;

	if (size < 1 || size > PIPE_SIZE / 2)
		return 0;
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0 || rows_new(&rows) < 0)
		abort();
	read_fd = pair[0];
	if (size > 60000)
		(void)fcntl(pair[1], F_SETPIPE_SZ, PIPE_SIZE);
	if (write(pair[1], data + 1, size - 1) != (ssize_t)(size - 1))
		abort();
	(void)close(pair[1]);
	records_init(&records, read_fd, date_to_days((struct date){ 2026, 8, 15 }), (data[0] & 3) != 0 ? data[0] & 3U : 3U, rows);
	while (r == 0 && !records.complete)
		r = records_read(&records);
	check(&records, rows, r);
	records_done(&records);
	rows = rows_free(rows);
	return 0;
}
