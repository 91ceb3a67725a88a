/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_TOKEN_H
#define LOAD_TOKEN_H

/* The bearer token: read from Sierra's answer, kept as the header line that carries it, renewed early, wiped. */

#include <stdbool.h>

#include "common/config.h"

#define TOKEN_SIZE_MAX 4096U /* bytes; Sierra's have about 107 */

struct token {
	char *header; /* "Authorization: Bearer …", NULL before the first */
	usec_t renew_at;
	usec_t expires_at;
	uint64_t generation; /* counts the tokens: who was refused with an older one need not renew it */
};

/*
 * Takes a new token from the answer to POST token, which was asked for at that time. A NUL must follow the bytes.
 * Returns 0; -EBADMSG where there is no token in it, or one that is no header value or not a bearer's; -ENOMEM. The
 * old token stays then.
 */
int token_take(struct token *token, const char *bytes, size_t size, usec_t asked) WARN_UNUSED;

/* Forgets a token that was refused, where it is still that one. Returns true where it was. */
bool token_refuse(struct token *token, uint64_t generation);

bool token_usable(const struct token *token, usec_t now);
bool token_due(const struct token *token, usec_t now); /* it is time to renew it, usable or not */

/*
 * The header line that asks for a token: "Authorization: Basic …" of key:secret. Returns 0 with a text of the caller's
 * (token_wipe), -EINVAL where the credential is not key:secret or has control characters, or -ENOMEM.
 */
int token_basic(const char *credential, size_t size, char **ret) WARN_UNUSED;

/* Wipes and frees a text; sets it to NULL. */
void token_wipe(char **text);
void token_done(struct token *token);

#endif
