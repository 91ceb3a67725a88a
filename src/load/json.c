/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cJSON, made strict and wiping. */

#include "load/json.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

/* Doubles hold whole numbers exactly up to here. */
#define WHOLE_MAX 9007199254740991.0

static void
free_wiped(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void
json_begin(void)
{
	cJSON_Hooks hooks = { .malloc_fn = malloc, .free_fn = free_wiped };

	cJSON_InitHooks(&hooks);
}

/* The escape of NUL; a backslash before it that is itself escaped makes it plain text. */
static bool
has_nul_escape(const char *bytes, size_t size)
{
	static const char escape[] = "\\u0000";
	const char *at = bytes;

	for (;;) {
		size_t backslashes = 0;

		at = memmem(at, size - (size_t)(at - bytes), escape, sizeof(escape) - 1);
		if (at == NULL)
			return false;
		for (const char *back = at; back > bytes && back[-1] == '\\'; back--)
			backslashes++;
		if (backslashes % 2 == 0)
			return true;
		at++;
	}
}

int
json_parse(const char *bytes, size_t size, cJSON **ret)
{
	cJSON *json;

	if (size == 0 || memchr(bytes, '\0', size) != NULL || !text_is_utf8(bytes, size) || has_nul_escape(bytes, size))
		return -EBADMSG;
	/* With the NUL counted in, cJSON checks that nothing stands between the value and it. */
	json = cJSON_ParseWithLengthOpts(bytes, size + 1, NULL, 1);
	if (json == NULL)
		return -EBADMSG;
	*ret = json;
	return 0;
}

cJSON *
json_free(cJSON *json)
{
	cJSON_Delete(json);
	return NULL;
}

void
json_freep(cJSON **json)
{
	*json = json_free(*json);
}

const cJSON *
json_get(const cJSON *object, const char *key, bool *ret_twice)
{
	const cJSON *found = NULL, *item;

	cJSON_ArrayForEach(item, object) {
		if (item->string == NULL || strcmp(item->string, key) != 0)
			continue;
		if (found != NULL) {
			*ret_twice = true;
			break;
		}
		found = item;
	}
	return found;
}

static int
whole_of_text(const char *text, uint64_t *ret)
{
	size_t size = strlen(text);
	uint64_t value = 0;

	if (size == 0 || size > 15 || strspn(text, "0123456789") != size)
		return -EBADMSG;
	for (size_t i = 0; i < size; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	*ret = value;
	return 0;
}

int
json_whole(const cJSON *item, uint64_t *ret)
{
	if (cJSON_IsString(item))
		return whole_of_text(item->valuestring, ret);
	/* A NaN fails the comparisons; infinity, which cJSON makes of 1e999, is above the maximum. */
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= WHOLE_MAX) ||
	    item->valuedouble != (double)(uint64_t)item->valuedouble)
		return -EBADMSG;
	*ret = (uint64_t)item->valuedouble;
	return 0;
}
