/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON out and in, over cJSON. */

#include "supervisor/json_put.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/config.h"
#include "common/text.h"

cJSON *
put_new(struct put *put)
{
	cJSON *object = cJSON_CreateObject();

	put->failed = put->failed || object == NULL;
	return object;
}

static void
take(struct put *put, const cJSON *added)
{
	put->failed = put->failed || added == NULL;
}

void
put_text(struct put *put, cJSON *object, const char *key, const char *text)
{
	_cleanup_free_ char *copy = NULL;

	if (text == NULL)
		return;
	if (!text_is_utf8(text, strlen(text))) {
		/* a path of the command line need not be UTF-8, which JSON must be */
		copy = strdup(text);
		for (char *at = copy; at != NULL && *at != '\0'; at++)
			if (((unsigned char)*at & 0x80) != 0)
				*at = '?';
		text = copy;
	}
	take(put, text != NULL ? cJSON_AddStringToObject(object, key, text) : NULL);
}

void
put_number(struct put *put, cJSON *object, const char *key, uint64_t number)
{
	take(put, cJSON_AddNumberToObject(object, key, (double)(number < PUT_NUMBER_MAX ? number : PUT_NUMBER_MAX)));
}

void
put_signed(struct put *put, cJSON *object, const char *key, int64_t number)
{
	double exact = (double)number;

	if (exact > GET_EXACT)
		exact = GET_EXACT;
	else if (exact < -GET_EXACT)
		exact = -GET_EXACT;
	take(put, cJSON_AddNumberToObject(object, key, exact));
}

void
put_bool(struct put *put, cJSON *object, const char *key, bool value)
{
	take(put, cJSON_AddBoolToObject(object, key, value));
}

cJSON *
put_object(struct put *put, cJSON *object, const char *key)
{
	cJSON *added = cJSON_AddObjectToObject(object, key);

	take(put, added);
	return added;
}

cJSON *
put_array(struct put *put, cJSON *object, const char *key)
{
	cJSON *added = cJSON_AddArrayToObject(object, key);

	take(put, added);
	return added;
}

cJSON *
put_item(struct put *put, cJSON *array)
{
	cJSON *item = cJSON_CreateObject();

	if (item == NULL || !cJSON_AddItemToArray(array, item)) {
		cJSON_Delete(item);
		put->failed = true;
		return NULL;
	}
	return item;
}

void
put_time(struct put *put, cJSON *object, const char *key, int64_t time)
{
	time_t seconds = (time_t)(time / (int64_t)USEC_PER_SEC);
	char text[32];
	struct tm utc;

	if (time <= 0 || gmtime_r(&seconds, &utc) == NULL || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		return;
	put_text(put, object, key, text);
}

cJSON *
put_end(struct put *put, cJSON *object)
{
	if (!put->failed)
		return object;
	cJSON_Delete(object);
	return NULL;
}

bool
get_number(const cJSON *object, const char *key, double low, double high, double *ret)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!cJSON_IsNumber(item) || !(item->valuedouble >= low && item->valuedouble <= high))
		return false;
	*ret = item->valuedouble;
	return true;
}

bool
get_hex(const cJSON *object, const char *key, uint8_t *bytes, size_t size)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!cJSON_IsString(item) || strlen(item->valuestring) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		const char pair[] = { item->valuestring[2 * i], item->valuestring[2 * i + 1], '\0' };

		if (strspn(pair, "0123456789abcdef") != 2)
			return false;
		bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

bool
get_text(const cJSON *object, const char *key, char *text, size_t size)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!cJSON_IsString(item) || strlen(item->valuestring) >= size)
		return false;
	memcpy(text, item->valuestring, strlen(item->valuestring) + 1);
	return true;
}
