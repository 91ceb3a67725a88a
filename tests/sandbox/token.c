/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Access tokens. */

#include "token.h"

#include <string.h>

#include "text.h"

const char *
tokens_issue(struct tokens *t, uint32_t lifetime_seconds, bool ends_others)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct token *token = &t->live[t->issued % TOKENS_MAX];

	if (ends_others)
		tokens_revoke_all(t);
	t->issued++;
	/* Reproducible on purpose: a test's run must not depend on chance. */
	for (uint64_t i = 0; i < TOKEN_LEN; i++)
		token->text[i] = alphabet[mix64(mix64(t->seed + t->issued) + i) >> 58];
	token->text[TOKEN_LEN] = '\0';
	token->ends_ms = now_ms() + (uint64_t)lifetime_seconds * 1000;
	return token->text;
}

int64_t
tokens_left(const struct tokens *t, const char *text)
{
	uint64_t n = t->issued < TOKENS_MAX ? t->issued : TOKENS_MAX, now = now_ms();

	/* Newest first: it is nearly always the one. */
	for (uint64_t i = 1; i <= n; i++) {
		const struct token *token = &t->live[(t->issued - i) % TOKENS_MAX];

		if (!strcmp(token->text, text))
			return token->ends_ms > now ? (int64_t)((token->ends_ms - now) / 1000) : -1;
	}
	return -1;
}

void
tokens_revoke_all(struct tokens *t)
{
	for (int i = 0; i < TOKENS_MAX; i++)
		t->live[i].ends_ms = 0;
}
