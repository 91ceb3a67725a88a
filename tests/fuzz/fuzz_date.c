/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is taken for a date is one, and is written back as it was read. */

#include <stdlib.h>
#include <string.h>

#include "common/date.h"

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	char text[DATE_TEXT_SIZE];
	int32_t days;

	if (date_parse_iso(bytes, size, &days) == 0) {
		date_format(days, text);
		CHECK(size == DATE_TEXT_SIZE - 1 && memcmp(text, bytes, size) == 0);
	}
	if (date_parse_us(bytes, size, &days) == 0) {
		struct date date = date_from_days(days);

		CHECK(size >= sizeof("M/D/YYYY") - 1 && size <= sizeof("MM/DD/YYYY") - 1);
		CHECK(date_to_days(date) == days);
		CHECK(date.year >= 1 && date.year <= 9999);
		CHECK(bytes[size - 1] == '0' + date.year % 10);
	}
	return 0;
}
