/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bearer token's life. */

#include "load/token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load/json.h"

/* Renewed so long before its end, at most: working clients use 10 to 60 s. */
#define MARGIN_MAX (60 * USEC_PER_SEC)
#define LIFETIME_MAX (24 * 3600 * USEC_PER_SEC)
/* Where the answer does not say: a tenth of Sierra's documented hour. */
#define LIFETIME_UNSAID (6 * 60 * USEC_PER_SEC)

void
token_wipe(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void
token_done(struct token *token)
{
	token_wipe(&token->header);
}

/* Visible ASCII alone: a line break in it would be a second header. */
static bool
is_visible(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~')
			return false;
	return size > 0;
}

/* A credential goes through base64, so any character may stand in it; a control character is a damaged file. */
static bool
has_control(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f)
			return true;
	return false;
}

static char *
join(const char *prefix, const char *value, size_t size)
{
	size_t first = strlen(prefix);
	char *text = malloc(first + size + 1);

	if (text == NULL)
		return NULL;
	memcpy(text, prefix, first);
	memcpy(text + first, value, size);
	text[first + size] = '\0';
	return text;
}

static usec_t
read_lifetime(const cJSON *root, bool *twice)
{
	uint64_t seconds;

	if (json_whole(json_get(root, "expires_in", twice), &seconds) < 0)
		return LIFETIME_UNSAID;
	if (seconds == 0)
		return USEC_PER_SEC; /* one that is never usable would be asked for without end */
	return seconds < LIFETIME_MAX / USEC_PER_SEC ? seconds * USEC_PER_SEC : LIFETIME_MAX;
}

int
token_take(struct token *token, const char *bytes, size_t size, usec_t asked)
{
	_cleanup_json_ struct json *json = NULL;
	bool twice = false;
	const cJSON *root, *value, *type;
	usec_t lifetime, margin;
	char *header;
	int r;

	r = json_parse(bytes, size, &json);
	if (r < 0)
		return r;
	root = json_root(json);
	if (!cJSON_IsObject(root))
		return -EBADMSG;
	value = json_get(root, "access_token", &twice);
	type = json_get(root, "token_type", &twice);
	lifetime = read_lifetime(root, &twice);
	if (twice || !cJSON_IsString(value) || strlen(value->valuestring) > TOKEN_SIZE_MAX ||
	    !is_visible(value->valuestring, strlen(value->valuestring)))
		return -EBADMSG;
	/* "bearer" and "Bearer" are both seen. */
	if (type != NULL && !(cJSON_IsString(type) && strcasecmp(type->valuestring, "bearer") == 0))
		return -EBADMSG;
	header = join("Authorization: Bearer ", value->valuestring, strlen(value->valuestring));
	if (header == NULL)
		return -ENOMEM;
	margin = lifetime / 4 < MARGIN_MAX ? lifetime / 4 : MARGIN_MAX;
	token_wipe(&token->header);
	token->header = header;
	token->expires_at = asked + lifetime;
	token->renew_at = token->expires_at - margin;
	token->generation++;
	return 0;
}

bool
token_refuse(struct token *token, uint64_t generation)
{
	if (token->header == NULL || token->generation != generation)
		return false;
	token_wipe(&token->header);
	return true;
}

bool
token_usable(const struct token *token, usec_t now)
{
	return token->header != NULL && now < token->expires_at;
}

bool
token_due(const struct token *token, usec_t now)
{
	return token->header == NULL || now >= token->renew_at;
}

static void
base64(const unsigned char *bytes, size_t size, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		unsigned int group = (unsigned int)bytes[i] << 16;

		group |= left > 1 ? (unsigned int)bytes[i + 1] << 8 : 0;
		group |= left > 2 ? (unsigned int)bytes[i + 2] : 0;
		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[group & 63] : '=';
	}
	*out = '\0';
}

int
token_basic(const char *credential, size_t size, char **ret)
{
	const char *colon = memchr(credential, ':', size);
	char *encoded;

	if (colon == NULL || colon == credential || colon == credential + size - 1 || has_control(credential, size))
		return -EINVAL;
	encoded = malloc((size + 2) / 3 * 4 + 1);
	if (encoded == NULL)
		return -ENOMEM;
	base64((const unsigned char *)credential, size, encoded);
	*ret = join("Authorization: Basic ", encoded, strlen(encoded));
	token_wipe(&encoded);
	return *ret != NULL ? 0 : -ENOMEM;
}
