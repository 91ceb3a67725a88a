/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The payload of a RECORD or RECORD_TRAILER frame: what is accepted is written back byte for byte. */

#include <stdlib.h>
#include <string.h>

#include "common/record.h"
#include "common/text.h"

#define TODAY 20000
#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct wire_in
frame(enum wire_type type, const uint8_t *data, size_t size)
{
	return (struct wire_in){ .type = type, .at = data, .end = data + size };
}

static void
check_same(const struct wire_out *out, const uint8_t *data, size_t size)
{
	CHECK(out->buf.size == WIRE_HEADER_SIZE + size);
	CHECK(memcmp(out->buf.bytes + WIRE_HEADER_SIZE, data, size) == 0);
}

static void
check_record(const struct record *record)
{
	bool named = record->fields[RECORD_FIRST].size + record->fields[RECORD_LAST].size > 0;

	CHECK(named == (record->verdict == REASON_NONE));
	for (size_t i = 0; i < RECORD_FIELD_MAX; i++)
		CHECK(text_is_cell(record->fields[i].bytes, record->fields[i].size));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	struct wire_in in = frame(WIRE_RECORD, data, size);
	uint32_t rows[FEED_KIND_MAX];
	struct record record;

	if (record_get(&in, TODAY, &record) == 0) {
		check_record(&record);
		CHECK(record_put(&out, &record) == 0);
		check_same(&out, data, size);
		buf_clear(&out.buf);
	}
	in = frame(WIRE_RECORD_TRAILER, data, size);
	if (record_get_trailer(&in, rows) == 0) {
		CHECK(record_put_trailer(&out, rows) == 0);
		check_same(&out, data, size);
	}
	return 0;
}
