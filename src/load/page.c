/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an answer's JSON to struct patron. */

#include "load/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load/json.h"
#include "patrond/limits.h"

struct page {
	struct json *json;
	struct patron *patrons;
	size_t count;
	struct text *texts; /* of all patrons, one after the other */
	size_t text_count;
	size_t text_room;
};

/* How many texts the entries have at most, so that one block holds them all and no pointer into it moves. */
static size_t
count_texts(const cJSON *entry)
{
	const cJSON *item;
	size_t count = 0;

	cJSON_ArrayForEach(item, entry)
		if (cJSON_IsArray(item) && item->string != NULL &&
		    (strcmp(item->string, "barcodes") == 0 || strcmp(item->string, "names") == 0))
			count += (size_t)cJSON_GetArraySize(item);
	return count;
}

/* Absent, null and [] are alike; anything but texts in it makes the entry unreadable: a number may have lost digits. */
static int
read_texts(struct page *page, const cJSON *entry, const char *key, const struct text **ret, size_t *ret_count)
{
	bool twice = false;
	const cJSON *array = json_get(entry, key, &twice), *item;
	size_t first = page->text_count;

	*ret = NULL;
	*ret_count = 0;
	if (twice)
		return -EBADMSG;
	if (array == NULL || cJSON_IsNull(array))
		return 0;
	if (!cJSON_IsArray(array))
		return -EBADMSG;
	cJSON_ArrayForEach(item, array) {
		size_t size;

		if (!cJSON_IsString(item) || page->text_count >= page->text_room)
			return -EBADMSG;
		size = strlen(item->valuestring);
		if (size > LIMIT_BARCODE_FIELD)
			return -EBADMSG;
		page->texts[page->text_count++] = (struct text){ .bytes = item->valuestring, .size = size };
	}
	*ret = page->texts + first;
	*ret_count = page->text_count - first;
	return 0;
}

/* A date alone, or with a time behind it, as Sierra renders dates elsewhere: a later date must not be taken for none. */
static int32_t
date_of(const char *text)
{
	size_t size = strlen(text);
	int32_t days;

	if (size >= DATE_TEXT_SIZE && (text[DATE_TEXT_SIZE - 1] == 'T' || text[DATE_TEXT_SIZE - 1] == ' '))
		size = DATE_TEXT_SIZE - 1;
	return date_parse_iso(text, size, &days) == 0 ? days : DATE_NONE;
}

/* A date that is missing or unreadable is none: the domain renews such a patron and compares without it. */
static int
read_date(const cJSON *entry, const char *key, int32_t *ret)
{
	bool twice = false;
	const cJSON *item = json_get(entry, key, &twice);

	*ret = DATE_NONE;
	if (twice)
		return -EBADMSG;
	if (cJSON_IsString(item))
		*ret = date_of(item->valuestring);
	return 0;
}

static int
read_flag(const cJSON *entry, const char *key, bool *ret)
{
	bool twice = false;
	const cJSON *item = json_get(entry, key, &twice);

	*ret = cJSON_IsTrue(item);
	return twice || (item != NULL && !cJSON_IsBool(item) && !cJSON_IsNull(item)) ? -EBADMSG : 0;
}

static int
read_patron(struct page *page, const cJSON *entry)
{
	struct patron *patron = &page->patrons[page->count];
	bool twice = false;
	int r;

	if (!cJSON_IsObject(entry))
		return -EBADMSG;
	if (json_whole(json_get(entry, "id", &twice), &patron->id) < 0 || twice || patron->id == 0)
		return -EBADMSG;
	r = read_flag(entry, "deleted", &patron->deleted);
	if (r == 0)
		r = read_date(entry, "expirationDate", &patron->expiration);
	if (r == 0)
		r = read_date(entry, "birthDate", &patron->birth_date);
	if (r == 0)
		r = read_texts(page, entry, "barcodes", &patron->barcodes, &patron->barcode_count);
	if (r == 0)
		r = read_texts(page, entry, "names", &patron->names, &patron->name_count);
	if (r == 0)
		page->count++;
	return r;
}

static int
page_new(const char *bytes, size_t size, struct page **ret)
{
	struct page *page = calloc(1, sizeof(*page));
	int r;

	if (page == NULL)
		return -ENOMEM;
	r = json_parse(bytes, size, &page->json);
	if (r < 0) {
		free(page);
		return r;
	}
	*ret = page;
	return 0;
}

static int
make_room(struct page *page, size_t patrons, size_t texts)
{
	/* One more than needed: calloc(0) may answer with NULL. */
	page->patrons = calloc(patrons + 1, sizeof(page->patrons[0]));
	page->texts = calloc(texts + 1, sizeof(page->texts[0]));
	page->text_room = texts;
	return page->patrons == NULL || page->texts == NULL ? -ENOMEM : 0;
}

static int
read_entries(struct page *page)
{
	bool twice = false;
	const cJSON *root = json_root(page->json), *entries = json_get(root, "entries", &twice), *entry;
	size_t count = 0, texts = 0;
	int r;

	/* Without entries it is no page: an error body taken for the end of the list would leave a hole in the index. */
	if (!cJSON_IsObject(root) || !cJSON_IsArray(entries) || json_get(root, "httpStatus", &twice) != NULL || twice)
		return -EBADMSG;
	cJSON_ArrayForEach(entry, entries) {
		count++;
		texts += count_texts(entry);
	}
	r = make_room(page, count, texts);
	if (r < 0)
		return r;
	cJSON_ArrayForEach(entry, entries) {
		r = read_patron(page, entry);
		if (r < 0)
			return r;
	}
	return 0;
}

int
page_parse_list(const char *bytes, size_t size, struct page **ret)
{
	_cleanup_page_ struct page *page = NULL;
	int r;

	r = page_new(bytes, size, &page);
	if (r == 0)
		r = read_entries(page);
	if (r == 0)
		*ret = TAKE_PTR(page);
	return r;
}

int
page_parse_patron(const char *bytes, size_t size, struct page **ret)
{
	_cleanup_page_ struct page *page = NULL;
	int r;

	r = page_new(bytes, size, &page);
	if (r == 0)
		r = make_room(page, 1, count_texts(json_root(page->json)));
	if (r == 0)
		r = read_patron(page, json_root(page->json));
	if (r == 0)
		*ret = TAKE_PTR(page);
	return r;
}

size_t
page_count(const struct page *page)
{
	return page->count;
}

const struct patron *
page_patron(const struct page *page, size_t n)
{
	return &page->patrons[n];
}

struct page *
page_free(struct page *page)
{
	if (page == NULL)
		return NULL;
	page->json = json_free(page->json);
	free(page->patrons);
	free(page->texts);
	free(page);
	return NULL;
}

void
page_freep(struct page **page)
{
	*page = page_free(*page);
}
