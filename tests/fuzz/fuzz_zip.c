/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole job on any bytes: a trailer comes with success and never without, and load accepts every record. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/date.h"
#include "common/record.h"
#include "decode/decode_inspect.h"
#include "decode/decode_records.h"
#include "feedkit.h"

#define PASSWORD "correct horse"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the records as load does. Returns whether the trailer came, and whether all was well before it. */
static bool
has_trailer(int fd, int32_t today)
{
	_cleanup_wire_reader_ struct wire_reader reader = WIRE_READER_INIT;
	uint32_t rows[FEED_KIND_MAX] = { 0 }, told[FEED_KIND_MAX];
	struct wire_in in;
	bool trailer = false;
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		abort();
	while ((r = wire_receive(&reader, fd, &in)) == 1) {
		struct record record;

		if (trailer)
			abort();
		trailer = in.type == WIRE_RECORD_TRAILER;
		if (trailer && (record_get_trailer(&in, told) < 0 || memcmp(rows, told, sizeof(rows)) != 0))
			abort();
		if (!trailer && (record_get(&in, today, &record) < 0 || record.row != ++rows[record.feed]))
			abort();
	}
	if (r < 0)
		abort();
	return trailer;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char password[] = "another\n" PASSWORD;
	struct secret secret = { .bytes = password, .size = sizeof(password) - 1 };
	_cleanup_fd_ int zip = memfd_create("zip", MFD_CLOEXEC), records = memfd_create("records", MFD_CLOEXEC);
	struct decode_job job = {
		.zip = zip,
		.records = records,
		.feeds = feeds,
		.profiles = shipped(),
		.barcode_pattern = "[0-9]+",
		.passwords = &secret,
		.kinds = FEED_BITS_ALL,
		.today = date_to_days((struct date){ 2026, 8, 15 }),
	};
	struct inspection inspection;
	struct failure failure = { 0 };
	int r;

	if (zip < 0 || records < 0 || fd_pwrite_all(zip, data, size, 0) < 0)
		abort();
	if (decode_inspect(zip, feeds, NULL, NULL, &inspection) < 0)
		abort();
	r = decode_records(&job, &failure);
	if (has_trailer(records, job.today) != (r == 0))
		abort();
	if (r < 0 && (failure.code <= FAILURE_NONE || failure.code >= FAILURE_MAX || failure.code == FAILURE_INTERNAL))
		abort();
	/* what was read, was a whole encrypted zip with a feed in it */
	if (r == 0 && inspection.verdict != ZIP_VERDICT_WHOLE)
		abort();
	return 0;
}
