/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_TOKEN_H
#define STANDIN_TOKEN_H

/* Owns the access tokens: issuing, looking up, revoking. */

#include <stdbool.h>
#include <stdint.h>

enum { TOKEN_LEN = 107, TOKENS_MAX = 1024 };

struct token {
	char text[TOKEN_LEN + 1];
	uint64_t ends_ms; /* monotonic; 0: revoked or never issued */
};

/* The oldest is forgotten when a new one finds no room. */
struct tokens {
	uint64_t seed;
	uint64_t issued;
	struct token live[TOKENS_MAX];
};

/* Issues a token; the text belongs to tokens and lives until TOKENS_MAX later ones. */
const char *tokens_issue(struct tokens *t, uint32_t lifetime_seconds, bool ends_others);

/* Seconds that the token is still valid, or -1. */
int64_t tokens_left(const struct tokens *t, const char *text);

void tokens_revoke_all(struct tokens *t);

#endif
