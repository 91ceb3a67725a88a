/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls in, replies out. */

#include "supervisor/varlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "patrond/limits.h"

/*
 * Before the parser sees it: the depth, since it recurses, and escaped NULs, since its strings would end there and
 * "Run\u0000x" would be Run.
 */
static bool
looks_sane(const char *bytes, size_t size)
{
	unsigned int depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];

		if (quoted && c == '\\') {
			if (size - i >= 6 && memcmp(bytes + i, "\\u0000", 6) == 0)
				return false;
			i++;
		} else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[')) {
			depth++;
			if (depth > LIMIT_CONTROL_DEPTH)
				return false;
		} else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return memchr(bytes, '\0', size) == NULL;
}

static int
get_flag(const cJSON *item, bool *ret)
{
	if (!cJSON_IsBool(item) && !cJSON_IsNull(item))
		return -EBADMSG;
	*ret = cJSON_IsTrue(item) != 0;
	return 0;
}

static int
take_member(struct varlink_call *call, const cJSON *item)
{
	if (strcmp(item->string, "method") == 0) {
		if (call->method != NULL || !cJSON_IsString(item))
			return -EBADMSG;
		call->method = item->valuestring;
		return 0;
	}
	if (strcmp(item->string, "parameters") == 0) {
		if (call->parameters != NULL || (!cJSON_IsObject(item) && !cJSON_IsNull(item)))
			return -EBADMSG;
		call->parameters = cJSON_IsObject(item) ? item : NULL;
		return 0;
	}
	if (strcmp(item->string, "more") == 0)
		return get_flag(item, &call->more);
	if (strcmp(item->string, "oneway") == 0)
		return get_flag(item, &call->oneway);
	if (strcmp(item->string, "upgrade") == 0)
		return get_flag(item, &call->upgrade);
	return -EBADMSG; /* "paramters" must not become a Run without any */
}

int
varlink_parse(struct varlink_call *call, const char *bytes, size_t size)
{
	const char *end = NULL;
	const cJSON *item;
	int r = 0;

	*call = VARLINK_CALL_INIT;
	if (size > LIMIT_CONTROL_MESSAGE || !looks_sane(bytes, size) || !text_is_utf8(bytes, size))
		return -EBADMSG;
	call->root = cJSON_ParseWithLengthOpts(bytes, size, &end, false);
	if (call->root == NULL)
		return -EBADMSG;
	while (end < bytes + size && strchr(" \t\r\n", *end) != NULL)
		end++;
	if (!cJSON_IsObject(call->root) || end != bytes + size)
		r = -EBADMSG;
	cJSON_ArrayForEach(item, call->root)
		if (r == 0)
			r = take_member(call, item);
	if (r == 0 && (call->method == NULL || (call->more && call->oneway)))
		r = -EBADMSG;
	if (r < 0)
		varlink_call_done(call);
	return r;
}

void
varlink_call_done(struct varlink_call *call)
{
	cJSON_Delete(call->root);
	*call = VARLINK_CALL_INIT;
}

static bool
take_value(const struct varlink_parameter *parameter, const cJSON *item)
{
	if (cJSON_IsNull(item))
		return parameter->nullable;
	switch (parameter->type) {
	case VARLINK_BOOL:
		if (!cJSON_IsBool(item))
			return false;
		*(bool *)parameter->value = cJSON_IsTrue(item) != 0;
		return true;
	case VARLINK_STRING:
		if (!cJSON_IsString(item))
			return false;
		*(const char **)parameter->value = item->valuestring;
		return true;
	}
	return false;
}

const char *
varlink_parameters(const struct varlink_call *call, const struct varlink_parameter *table, size_t count)
{
	uint32_t given = 0;
	const cJSON *item;

	cJSON_ArrayForEach(item, call->parameters) {
		size_t i = 0;

		while (i < count && strcmp(table[i].name, item->string) != 0)
			i++;
		if (i == count || (given & (1U << i)) != 0 || !take_value(&table[i], item))
			return item->string;
		given |= 1U << i;
	}
	for (size_t i = 0; i < count; i++)
		if ((given & (1U << i)) == 0 && !table[i].nullable)
			return table[i].name;
	return NULL;
}

/* Takes message, whether or not it is whole. */
static int
add_message(struct buf *out, cJSON *message, bool whole)
{
	_cleanup_free_ char *text = whole ? cJSON_PrintUnformatted(message) : NULL;

	cJSON_Delete(message);
	return text == NULL ? -ENOMEM : buf_add(out, text, strlen(text) + 1);
}

/* An empty object where there are no parameters: clients take their absence for a broken reply. Takes parameters. */
static bool
add_parameters(cJSON *message, cJSON *parameters)
{
	if (parameters == NULL)
		return cJSON_AddObjectToObject(message, "parameters") != NULL;
	if (cJSON_AddItemToObject(message, "parameters", parameters))
		return true;
	cJSON_Delete(parameters);
	return false;
}

int
varlink_add_reply(struct buf *out, cJSON *parameters, bool continues)
{
	cJSON *message = cJSON_CreateObject();
	bool whole = add_parameters(message, parameters);

	if (continues)
		whole = whole && cJSON_AddTrueToObject(message, "continues") != NULL;
	return add_message(out, message, whole);
}

int
varlink_add_error(struct buf *out, const char *error, cJSON *parameters)
{
	cJSON *message = cJSON_CreateObject();
	bool whole = cJSON_AddStringToObject(message, "error", error) != NULL;

	return add_message(out, message, add_parameters(message, parameters) && whole);
}

const char *
varlink_method_of(const char *method, const char *interface)
{
	size_t length = strlen(interface);

	return strncmp(method, interface, length) == 0 && method[length] == '.' && strchr(method + length + 1, '.') == NULL
	           ? method + length + 1
	           : NULL;
}
