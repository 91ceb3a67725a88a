/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volatile memory of feeds: fingerprints, states and counts, no more. */

#include "supervisor/memory.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_FILE_MAX (4U << 20)
#define MEMORY_VERSION 1

static void
cjson_freep(cJSON **json)
{
	cJSON_Delete(*json);
}

#define _cleanup_json_ __attribute__((cleanup(cjson_freep)))

/* Returns 1 with the path of the file, 0 where there is no place for one. */
static int
file_path(char *path, size_t size, const char *suffix)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");

	if (runtime == NULL || *runtime == '\0')
		return 0;
	return (size_t)snprintf(path, size, "%.*s/state%s", (int)strcspn(runtime, ":"), runtime, suffix) < size;
}

/* --- reading: our own file, and still checked --- */

static bool
get_number(const cJSON *object, const char *key, double low, double high, double *ret)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!cJSON_IsNumber(item) || !(item->valuedouble >= low && item->valuedouble <= high))
		return false;
	*ret = item->valuedouble;
	return true;
}

#define EXACT 9007199254740992.0 /* 2^53: up to there a double is a whole number */

static bool
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

static bool
get_text(const cJSON *object, const char *key, char *text, size_t size)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!cJSON_IsString(item) || strlen(item->valuestring) >= size)
		return false;
	memcpy(text, item->valuestring, strlen(item->valuestring) + 1);
	return true;
}

static bool
read_guards(const cJSON *list, struct guard_figure *guards, uint32_t *ret_count)
{
	const cJSON *item;

	*ret_count = 0;
	cJSON_ArrayForEach(item, list) {
		double guard, feed, value, basis, limit;

		if (*ret_count == MEMORY_GUARDS_MAX || !get_number(item, "guard", 0, GUARD_MAX - 1, &guard) ||
		    !get_number(item, "feed", FEED_KIND_INVALID, FEED_KIND_MAX - 1, &feed) ||
		    !get_number(item, "value", 0, EXACT, &value) || !get_number(item, "basis", 0, EXACT, &basis) ||
		    !get_number(item, "limit", 0, UINT32_MAX, &limit))
			return false;
		guards[(*ret_count)++] = (struct guard_figure){
			.guard = (enum guard)(int)guard,
			.feed = feed < 0 ? FEED_KIND_INVALID : (enum feed_kind)(int)feed,
			.value = (uint64_t)value,
			.basis = (uint64_t)basis,
			.limit_percent = (uint32_t)limit,
		};
	}
	return true;
}

static bool
read_content(const cJSON *item, struct content *content)
{
	double state, verdict, kinds, mtime, failure, attempts, next_try;

	memset(content, 0, sizeof(*content));
	if (!get_hex(item, "sha256", content->fingerprint, FINGERPRINT_SIZE) ||
	    !get_number(item, "state", 0, CONTENT_STATE_MAX - 1, &state) ||
	    !get_number(item, "verdict", 0, ZIP_VERDICT_MAX - 1, &verdict) ||
	    !get_number(item, "kinds", 0, FEED_BITS_ALL, &kinds) || !get_number(item, "mtime", -EXACT, EXACT, &mtime) ||
	    !get_number(item, "failure", 0, UINT32_MAX, &failure) ||
	    !get_number(item, "attempts", 0, UINT32_MAX, &attempts) ||
	    !get_number(item, "next_try", 0, EXACT, &next_try) ||
	    !get_text(item, "load", content->load_id, sizeof(content->load_id)) ||
	    !read_guards(cJSON_GetObjectItemCaseSensitive(item, "guards"), content->guards, &content->guard_count) ||
	    !read_guards(cJSON_GetObjectItemCaseSensitive(item, "approved"), content->approved, &content->approved_count))
		return false;
	content->state = (enum content_state)(int)state;
	content->verdict = (enum zip_verdict)(int)verdict;
	content->kinds = (uint32_t)kinds;
	content->mtime = (int64_t)mtime;
	content->failure = (uint32_t)failure;
	content->attempts = (uint32_t)attempts;
	content->next_try = (int64_t)next_try;
	return true;
}

/* A name need not be UTF-8, which JSON must be: it is kept in hexadecimal. */
static bool
read_file(const cJSON *item, struct known_file *file)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");
	double source, size, mtime, unread;

	memset(file, 0, sizeof(*file));
	if (!cJSON_IsString(name) || strlen(name->valuestring) % 2 != 0 ||
	    strlen(name->valuestring) / 2 > LIMIT_FILE_NAME ||
	    !get_hex(item, "name", (uint8_t *)file->name, strlen(name->valuestring) / 2) ||
	    !get_number(item, "source", 0, SOURCE_MAX - 1, &source) || !get_number(item, "size", 0, EXACT, &size) ||
	    !get_number(item, "mtime", -EXACT, EXACT, &mtime) || !get_number(item, "unread", 0, 1, &unread) ||
	    !get_hex(item, "sha256", file->fingerprint, FINGERPRINT_SIZE))
		return false;
	file->source = (enum source_kind)(int)source;
	file->size = (uint64_t)size;
	file->mtime = (int64_t)mtime;
	file->unread = unread > 0;
	return true;
}

static bool
read_last(const cJSON *root, struct memory *memory)
{
	double patrons, writing;

	for (int i = 0; i < FEED_KIND_MAX; i++) {
		const cJSON *last = cJSON_GetObjectItemCaseSensitive(root, feed_kind_name((enum feed_kind)i));
		double rows, mtime;

		if (!get_number(last, "rows", 0, UINT32_MAX, &rows) || !get_number(last, "mtime", -EXACT, EXACT, &mtime))
			return false;
		memory->last_rows[i] = (uint32_t)rows;
		memory->last_mtime[i] = (int64_t)mtime;
	}
	if (!get_number(root, "patrons", 0, EXACT, &patrons) || !get_number(root, "writing", 0, 1, &writing))
		return false;
	memory->last_patrons = (uint64_t)patrons;
	memory->writing = writing > 0;
	return true;
}

static bool
read_root(const cJSON *root, struct memory *memory)
{
	const cJSON *item;
	double version;

	if (!get_number(root, "version", MEMORY_VERSION, MEMORY_VERSION, &version) || !read_last(root, memory))
		return false;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "contents"))
		if (memory->content_count == LIMIT_FEEDS_REMEMBERED ||
		    !read_content(item, &memory->contents[memory->content_count++]))
			return false;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "files"))
		if (memory->file_count == LIMIT_FEEDS_REMEMBERED || !read_file(item, &memory->files[memory->file_count++]))
			return false;
	return true;
}

int
memory_new(struct memory **ret)
{
	_cleanup_free_ char *bytes = NULL;
	_cleanup_json_ cJSON *root = NULL;
	struct memory *memory = calloc(1, sizeof(*memory));
	char path[1024];
	size_t size;
	int r;

	if (memory == NULL)
		return -ENOMEM;
	*ret = memory;
	if (file_path(path, sizeof(path), "") == 0)
		return 0;
	r = fd_read_file(path, MEMORY_FILE_MAX, &bytes, &size);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		root = cJSON_ParseWithLength(bytes, size);
	if (root != NULL && read_root(root, memory))
		return 0;
	memset(memory, 0, sizeof(*memory));
	return 1;
}

struct memory *
memory_free(struct memory *memory)
{
	free(memory);
	return NULL;
}

void
memory_freep(struct memory **memory)
{
	*memory = memory_free(*memory);
}

/* --- writing --- */

static void
add_hex(cJSON *object, const char *key, const uint8_t *bytes, size_t size)
{
	char text[2 * (LIMIT_FILE_NAME + 1) + 1];

	text[0] = '\0';
	for (size_t i = 0; i < size; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	(void)cJSON_AddStringToObject(object, key, text);
}

static void
add_guards(cJSON *object, const char *key, const struct guard_figure *guards, uint32_t count)
{
	cJSON *list = cJSON_AddArrayToObject(object, key);

	for (uint32_t i = 0; i < count; i++) {
		cJSON *item = cJSON_CreateObject();

		(void)cJSON_AddNumberToObject(item, "guard", guards[i].guard);
		(void)cJSON_AddNumberToObject(item, "feed", guards[i].feed);
		(void)cJSON_AddNumberToObject(item, "value", (double)guards[i].value);
		(void)cJSON_AddNumberToObject(item, "basis", (double)guards[i].basis);
		(void)cJSON_AddNumberToObject(item, "limit", guards[i].limit_percent);
		(void)cJSON_AddItemToArray(list, item);
	}
}

static cJSON *
content_json(const struct content *content)
{
	cJSON *item = cJSON_CreateObject();

	add_hex(item, "sha256", content->fingerprint, FINGERPRINT_SIZE);
	(void)cJSON_AddNumberToObject(item, "state", content->state);
	(void)cJSON_AddNumberToObject(item, "verdict", content->verdict);
	(void)cJSON_AddNumberToObject(item, "kinds", content->kinds);
	(void)cJSON_AddNumberToObject(item, "mtime", (double)content->mtime);
	(void)cJSON_AddNumberToObject(item, "failure", content->failure);
	(void)cJSON_AddNumberToObject(item, "attempts", content->attempts);
	(void)cJSON_AddNumberToObject(item, "next_try", (double)content->next_try);
	(void)cJSON_AddStringToObject(item, "load", content->load_id);
	add_guards(item, "guards", content->guards, content->guard_count);
	add_guards(item, "approved", content->approved, content->approved_count);
	return item;
}

static cJSON *
file_json(const struct known_file *file)
{
	cJSON *item = cJSON_CreateObject();

	(void)cJSON_AddNumberToObject(item, "source", file->source);
	add_hex(item, "name", (const uint8_t *)file->name, strlen(file->name));
	(void)cJSON_AddNumberToObject(item, "size", (double)file->size);
	(void)cJSON_AddNumberToObject(item, "mtime", (double)file->mtime);
	(void)cJSON_AddNumberToObject(item, "unread", file->unread);
	add_hex(item, "sha256", file->fingerprint, FINGERPRINT_SIZE);
	return item;
}

static cJSON *
memory_json(const struct memory *memory)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *contents, *files;

	(void)cJSON_AddNumberToObject(root, "version", MEMORY_VERSION);
	for (int i = 0; i < FEED_KIND_MAX; i++) {
		cJSON *last = cJSON_AddObjectToObject(root, feed_kind_name((enum feed_kind)i));

		(void)cJSON_AddNumberToObject(last, "rows", memory->last_rows[i]);
		(void)cJSON_AddNumberToObject(last, "mtime", (double)memory->last_mtime[i]);
	}
	(void)cJSON_AddNumberToObject(root, "patrons", (double)memory->last_patrons);
	(void)cJSON_AddNumberToObject(root, "writing", memory->writing);
	contents = cJSON_AddArrayToObject(root, "contents");
	for (size_t i = 0; i < memory->content_count; i++)
		(void)cJSON_AddItemToArray(contents, content_json(&memory->contents[i]));
	files = cJSON_AddArrayToObject(root, "files");
	for (size_t i = 0; i < memory->file_count; i++)
		(void)cJSON_AddItemToArray(files, file_json(&memory->files[i]));
	return root;
}

int
memory_save(const struct memory *memory)
{
	_cleanup_json_ cJSON *root = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = -EBADF;
	char path[1024], temporary[1024];
	int r;

	if (file_path(path, sizeof(path), "") == 0 || file_path(temporary, sizeof(temporary), ".new") == 0)
		return 0;
	root = memory_json(memory);
	text = root != NULL ? cJSON_PrintUnformatted(root) : NULL;
	if (text == NULL)
		return -ENOMEM;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, strlen(text));
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

/* --- finding and adding --- */

struct content *
memory_content(struct memory *memory, const uint8_t fingerprint[static FINGERPRINT_SIZE])
{
	for (size_t i = 0; i < memory->content_count; i++)
		if (memcmp(memory->contents[i].fingerprint, fingerprint, FINGERPRINT_SIZE) == 0)
			return &memory->contents[i];
	return NULL;
}

struct known_file *
memory_file(struct memory *memory, enum source_kind source, const char *name, uint64_t size, int64_t mtime)
{
	for (size_t i = 0; i < memory->file_count; i++) {
		struct known_file *file = &memory->files[i];

		if (file->source == source && file->size == size && file->mtime == mtime && strcmp(file->name, name) == 0)
			return file;
	}
	return NULL;
}

struct content *
memory_add_content(struct memory *memory, const uint8_t fingerprint[static FINGERPRINT_SIZE])
{
	struct content *content;
	size_t at = 0;

	if (memory->content_count == LIMIT_FEEDS_REMEMBERED) {
		while (at < memory->content_count - 1 &&
		    (memory->contents[at].state == CONTENT_DUE || memory->contents[at].state == CONTENT_HELD))
			at++;
		memory->content_count--;
		memmove(&memory->contents[at], &memory->contents[at + 1],
		    (memory->content_count - at) * sizeof(memory->contents[0]));
	}
	content = &memory->contents[memory->content_count++];
	memset(content, 0, sizeof(*content));
	memcpy(content->fingerprint, fingerprint, FINGERPRINT_SIZE);
	return content;
}

struct known_file *
memory_add_file(struct memory *memory, enum source_kind source, const char *name, uint64_t size, int64_t mtime)
{
	struct known_file *file;

	if (memory->file_count == LIMIT_FEEDS_REMEMBERED) {
		memory->file_count--;
		memmove(&memory->files[0], &memory->files[1], memory->file_count * sizeof(memory->files[0]));
	}
	file = &memory->files[memory->file_count++];
	memset(file, 0, sizeof(*file));
	file->source = source;
	(void)snprintf(file->name, sizeof(file->name), "%s", name);
	file->size = size;
	file->mtime = mtime;
	return file;
}
