/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The answer to a create: an id is read from the link's end and from nowhere else, and nothing makes it be sent again. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/answers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_id(const char *bytes, uint64_t id)
{
	char digits[32];

	if (id == 0)
		abort();
	(void)snprintf(digits, sizeof(digits), "%" PRIu64, id);
	/* unless it is written in escapes */
	if (strchr(bytes, '\\') == NULL && strstr(bytes, digits) == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size + 1);
	uint64_t id = 0;

	if (bytes == NULL)
		return 0;
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	if (answer_link_id(bytes, size, &id) == 0)
		check_id(bytes, id);
	for (int status = 200; status < 600; status += status < 204 || (status >= 400 && status < 430) ? 1 : 33) {
		enum answer answer = answer_classify(CALL_CREATE, EXCHANGE_ANSWERED, status, bytes, size);
		struct verdict verdict = answer_verdict(answer, CALL_CREATE);

		if (verdict.action == ACTION_RETRY || verdict.action == ACTION_PAUSE || verdict.action == ACTION_INVALID)
			abort();
		if (verdict.action == ACTION_TAKE && status / 100 != 2)
			abort();
	}
	free(bytes);
	return 0;
}
