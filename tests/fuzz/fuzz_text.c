/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes become a cell; a cell stays what it is. */

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define MAXIMUM (1U << 20)
#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf once = BUF_INIT(MAXIMUM), twice = BUF_INIT(MAXIMUM);
	const char *bytes = (const char *)data;

	if (size > MAXIMUM / 4)
		return 0;
	CHECK(text_add_cell(&once, bytes, size) == 0);
	CHECK(text_is_cell(once.bytes, once.size));
	CHECK(text_is_utf8(once.bytes, once.size));
	CHECK(text_add_cell(&twice, once.bytes, once.size) == 0);
	CHECK(once.size == twice.size && (once.size == 0 || memcmp(once.bytes, twice.bytes, once.size) == 0));
	if (text_is_cell(bytes, size))
		CHECK(once.size == size && memcmp(once.bytes, bytes, size) == 0);
	if (text_is_utf8(bytes, size))
		CHECK(once.size <= size); /* what is valid is never made longer */
	return 0;
}
