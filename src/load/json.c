/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cJSON, made strict and wiping. */

#include "load/json.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

/* Doubles hold whole numbers exactly up to here. */
#define WHOLE_MAX 9007199254740991.0

/* cJSON's values take about eight times the text. */
#define GROWTH 8U
#define CHUNK_MIN 4096U
#define CHUNK_MAX (4U << 20)

struct chunk {
	struct chunk *next;
	size_t used, room;
	alignas(max_align_t) char bytes[];
};

/*
 * A document's values lie one after the other in few chunks: nothing is freed one by one (a page has 20,000 of them),
 * and nothing of an answer, which holds names and birth dates, is left in freed memory.
 */
struct json {
	cJSON *root;
	struct chunk *chunks;
	size_t chunk_room;
};

/* The document that is being parsed: cJSON's hooks know no other way. */
static struct json *parsing;

static void *
take(size_t size)
{
	const size_t align = alignof(max_align_t);
	struct chunk *chunk = parsing->chunks;
	void *bytes;

	if (size > SIZE_MAX - sizeof(*chunk) - align)
		return NULL;
	size = (size + align - 1) / align * align;
	if (chunk == NULL || chunk->room - chunk->used < size) {
		size_t room = size > parsing->chunk_room ? size : parsing->chunk_room;

		chunk = malloc(sizeof(*chunk) + room);
		if (chunk == NULL)
			return NULL;
		*chunk = (struct chunk){ .next = parsing->chunks, .room = room };
		parsing->chunks = chunk;
	}
	bytes = chunk->bytes + chunk->used;
	chunk->used += size;
	return bytes;
}

static void
leave(void *p)
{
	(void)p; /* all goes at once */
}

static cJSON *
parse(struct json *json, const char *bytes, size_t size)
{
	cJSON_Hooks hooks = { .malloc_fn = take, .free_fn = leave };
	cJSON *root;

	json->chunk_room = size < CHUNK_MAX / GROWTH ? size * GROWTH : CHUNK_MAX;
	if (json->chunk_room < CHUNK_MIN)
		json->chunk_room = CHUNK_MIN;
	parsing = json;
	cJSON_InitHooks(&hooks);
	/* With the NUL counted in, cJSON checks that nothing stands between the value and it. */
	root = cJSON_ParseWithLengthOpts(bytes, size + 1, NULL, 1);
	cJSON_InitHooks(NULL);
	parsing = NULL;
	return root;
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
json_parse(const char *bytes, size_t size, struct json **ret)
{
	_cleanup_json_ struct json *json = NULL;

	if (size == 0 || memchr(bytes, '\0', size) != NULL || !text_is_utf8(bytes, size) || has_nul_escape(bytes, size))
		return -EBADMSG;
	json = calloc(1, sizeof(*json));
	if (json == NULL)
		return -ENOMEM;
	json->root = parse(json, bytes, size);
	if (json->root == NULL)
		return -EBADMSG;
	*ret = TAKE_PTR(json);
	return 0;
}

const cJSON *
json_root(const struct json *json)
{
	return json->root;
}

struct json *
json_free(struct json *json)
{
	if (json == NULL)
		return NULL;
	while (json->chunks != NULL) {
		struct chunk *chunk = json->chunks;

		json->chunks = chunk->next;
		explicit_bzero(chunk->bytes, chunk->used);
		free(chunk);
	}
	free(json);
	return NULL;
}

void
json_freep(struct json **json)
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
