/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer to POST token, and the credential that asks for one: either becomes a header line, and nothing in it may
 * start another. A refused answer leaves the older token as it was.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "load/token.h"

#define OLDER "{\"access_token\":\"older\",\"token_type\":\"bearer\",\"expires_in\":3600}"
#define ASKED (1000 * USEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const char *line, const char *begins)
{
	if (strncmp(line, begins, strlen(begins)) != 0)
		abort();
	for (; *line != '\0'; line++)
		if ((unsigned char)*line < ' ' || *line == 0x7f)
			abort();
}

static void
check_token(const char *bytes, size_t size)
{
	struct token token = { 0 };

	if (token_take(&token, OLDER, strlen(OLDER), ASKED) < 0)
		abort();
	if (token_take(&token, bytes, size, ASKED) == 0) {
		if (token.generation != 2 || strlen(token.header) > TOKEN_SIZE_MAX + 64)
			abort();
	} else if (token.generation != 1 || strcmp(token.header, "Authorization: Bearer older") != 0)
		abort();
	check_line(token.header, "Authorization: Bearer ");
	if (token.expires_at < ASKED || token.renew_at > token.expires_at)
		abort();
	token_done(&token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size + 1), *basic = NULL;

	if (bytes == NULL)
		return 0;
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	check_token(bytes, size);
	if (token_basic(bytes, size, &basic) == 0) {
		check_line(basic, "Authorization: Basic ");
		if (memchr(bytes, ':', size) == NULL)
			abort();
	}
	token_wipe(&basic);
	free(bytes);
	return 0;
}
