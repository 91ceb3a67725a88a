/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever Sierra, or a proxy before it, answers to a call: classed, and a create is never repeated for it blindly. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "load/answers.h"
#include "load/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(enum call_kind kind, int status, const char *bytes, size_t size)
{
	enum answer answer = answer_classify(kind, EXCHANGE_ANSWERED, status, bytes, size);
	struct verdict verdict;

	if ((int)answer < 0 || answer >= ANSWER_MAX)
		abort();
	verdict = answer_verdict(answer, kind);
	if (verdict.action == ACTION_INVALID)
		abort();
	/* Only a 401 is known not to have been executed. */
	if (kind == CALL_CREATE && (verdict.action == ACTION_RETRY || verdict.action == ACTION_PAUSE))
		abort();
	if (verdict.action == ACTION_ABSENT && status != 404)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504, 999 };
	struct token token = { 0 };
	char *bytes = malloc(size + 1);
	uint64_t id = 0;

	if (bytes == NULL)
		return 0;
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		for (int kind = 0; kind < CALL_KIND_MAX; kind++)
			check((enum call_kind)kind, statuses[i], bytes, size);
	if (answer_link_id(bytes, size, &id) == 0 && id == 0)
		abort();
	/* A token becomes a header line: nothing in it may start another. */
	if (token_take(&token, bytes, size, 0) == 0 && strpbrk(token.header, "\r\n") != NULL)
		abort();
	token_done(&token);
	free(bytes);
	return 0;
}
