/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volatile memory of feeds: fingerprints, states and counts, no more. */

#include "supervisor/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/state_file.h"

#define MEMORY_FILE "state"
#define MEMORY_VERSION 1

/* --- reading: our own file, and still checked --- */

static bool
read_content(const cJSON *item, struct content *content)
{
	double state, verdict, kinds, mtime, failure, attempts, next_try, renamed = 0;

	memset(content, 0, sizeof(*content));
	if (!get_hex(item, "sha256", content->fingerprint, FINGERPRINT_SIZE) ||
	    !get_number(item, "state", 0, CONTENT_STATE_MAX - 1, &state) ||
	    !get_number(item, "verdict", 0, ZIP_VERDICT_MAX - 1, &verdict) ||
	    !get_number(item, "kinds", 0, FEED_BITS_ALL, &kinds) || !get_number(item, "mtime", -GET_EXACT, GET_EXACT, &mtime) ||
	    !get_number(item, "failure", 0, UINT32_MAX, &failure) ||
	    !get_number(item, "attempts", 0, UINT32_MAX, &attempts) ||
	    !get_number(item, "next_try", 0, GET_EXACT, &next_try) ||
	    !get_text(item, "load", content->load_id, sizeof(content->load_id)) ||
	    !state_get_guards(cJSON_GetObjectItemCaseSensitive(item, "guards"), content->guards, &content->guard_count) ||
	    !state_get_guards(cJSON_GetObjectItemCaseSensitive(item, "approved"), content->approved, &content->approved_count))
		return false;
	content->state = (enum content_state)(int)state;
	content->verdict = (enum zip_verdict)(int)verdict;
	content->kinds = (uint32_t)kinds;
	content->mtime = (int64_t)mtime;
	content->failure = (uint32_t)failure;
	content->attempts = (uint32_t)attempts;
	content->next_try = (int64_t)next_try;
	content->renamed = get_number(item, "renamed", 0, 1, &renamed) && renamed > 0; /* older states have none */
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
	    !get_number(item, "source", 0, SOURCE_MAX - 1, &source) || !get_number(item, "size", 0, GET_EXACT, &size) ||
	    !get_number(item, "mtime", -GET_EXACT, GET_EXACT, &mtime) || !get_number(item, "unread", 0, 1, &unread) ||
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
	double patrons, listed, writing;

	for (int i = 0; i < FEED_KIND_MAX; i++) {
		const cJSON *last = cJSON_GetObjectItemCaseSensitive(root, feed_kind_name((enum feed_kind)i));
		double rows, mtime;

		if (!get_number(last, "rows", 0, UINT32_MAX, &rows) || !get_number(last, "mtime", -GET_EXACT, GET_EXACT, &mtime))
			return false;
		/* what cannot be read is as good as none: the next feed is the first to compare with */
		if (!state_get_shape(last, "shape", &memory->last_shape[i]))
			memset(&memory->last_shape[i], 0, sizeof(memory->last_shape[i]));
		memory->last_rows[i] = (uint32_t)rows;
		memory->last_mtime[i] = (int64_t)mtime;
	}
	if (!get_number(root, "patrons", 0, GET_EXACT, &patrons) || !get_number(root, "writing", 0, 1, &writing) ||
	    !get_number(root, "listed", 0, (1U << SOURCE_MAX) - 1, &listed))
		return false;
	memory->last_patrons = (uint64_t)patrons;
	memory->listed = (uint32_t)listed;
	memory->writing = writing > 0;
	return true;
}

/* Where there is none nothing was mailed. */
static bool
read_mailed(const cJSON *item, struct mailed *mailed)
{
	uint8_t list[sizeof(mailed->list)];
	double done;

	if (item == NULL)
		return true;
	if (!get_hex(item, "digest", mailed->digest, sizeof(mailed->digest)) || !get_hex(item, "list", list, sizeof(list)) ||
	    !get_number(item, "done", 0, UINT32_MAX, &done))
		return false;
	memcpy(&mailed->list, list, sizeof(list));
	mailed->done = (uint32_t)done;
	mailed->known = true;
	return true;
}

static bool
read_root(const cJSON *root, struct memory *memory)
{
	const cJSON *item;
	double version;

	if (!get_number(root, "version", MEMORY_VERSION, MEMORY_VERSION, &version) || !read_last(root, memory) ||
	    !read_mailed(cJSON_GetObjectItemCaseSensitive(root, "mailed"), &memory->mailed))
		return false;
	(void)get_hex(root, "names", (uint8_t *)&memory->names, sizeof(memory->names)); /* else they are new */
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "contents"))
		if (memory->content_count == LIMIT_FEEDS_REMEMBERED ||
		    !read_content(item, &memory->contents[memory->content_count++]))
			return false;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "files")) {
		if (memory->file_count == LIMIT_FILES_REMEMBERED)
			return false;
		/* without its entry a file is looked at once more, and its content is known again: no reason to lose the rest */
		memory->file_count += read_file(item, &memory->files[memory->file_count]);
	}
	return true;
}

int
memory_new(struct memory **ret)
{
	_cleanup_json_ cJSON *root = NULL;
	struct memory *memory = calloc(1, sizeof(*memory));
	int r;

	if (memory == NULL)
		return -ENOMEM;
	*ret = memory;
	r = state_file_read(MEMORY_FILE, &root);
	if (root == NULL || read_root(root, memory))
		return r;
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
put_hex(struct put *put, cJSON *object, const char *key, const uint8_t *bytes, size_t size)
{
	char text[2 * (LIMIT_FILE_NAME + 1) + 1];

	text[0] = '\0';
	for (size_t i = 0; i < size; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	put_text(put, object, key, text);
}

static void
put_content(struct put *put, cJSON *item, const struct content *content)
{
	put_hex(put, item, "sha256", content->fingerprint, FINGERPRINT_SIZE);
	put_number(put, item, "state", (uint64_t)content->state);
	put_number(put, item, "verdict", (uint64_t)content->verdict);
	put_number(put, item, "kinds", content->kinds);
	if (content->renamed)
		put_number(put, item, "renamed", 1);
	put_signed(put, item, "mtime", content->mtime);
	put_number(put, item, "failure", content->failure);
	put_number(put, item, "attempts", content->attempts);
	put_signed(put, item, "next_try", content->next_try);
	put_text(put, item, "load", content->load_id);
	state_put_guards(put, item, "guards", content->guards, content->guard_count);
	state_put_guards(put, item, "approved", content->approved, content->approved_count);
}

/* A share shows any time (1601, 2300): one that JSON cannot hold would name another file when it is read back. */
static bool
is_exact(const struct known_file *file)
{
	return file->size <= PUT_NUMBER_MAX && (double)file->mtime >= -GET_EXACT && (double)file->mtime <= GET_EXACT;
}

static void
put_file(struct put *put, cJSON *item, const struct known_file *file)
{
	put_number(put, item, "source", (uint64_t)file->source);
	put_hex(put, item, "name", (const uint8_t *)file->name, strlen(file->name));
	put_number(put, item, "size", file->size);
	put_signed(put, item, "mtime", file->mtime);
	put_number(put, item, "unread", file->unread);
	put_hex(put, item, "sha256", file->fingerprint, FINGERPRINT_SIZE);
}

static void
put_mailed(struct put *put, cJSON *item, const struct mailed *mailed)
{
	put_hex(put, item, "digest", mailed->digest, sizeof(mailed->digest));
	put_hex(put, item, "list", (const uint8_t *)&mailed->list, sizeof(mailed->list));
	put_number(put, item, "done", mailed->done);
}

static cJSON *
memory_json(const struct memory *memory)
{
	struct put put = { false };
	cJSON *root = put_new(&put), *list;

	put_number(&put, root, "version", MEMORY_VERSION);
	for (int i = 0; i < FEED_KIND_MAX; i++) {
		cJSON *last = put_object(&put, root, feed_kind_name((enum feed_kind)i));

		put_number(&put, last, "rows", memory->last_rows[i]);
		put_signed(&put, last, "mtime", memory->last_mtime[i]);
		if (memory->last_shape[i].rows > 0)
			state_put_shape(&put, last, "shape", &memory->last_shape[i]);
	}
	put_number(&put, root, "patrons", memory->last_patrons);
	put_hex(&put, root, "names", (const uint8_t *)&memory->names, sizeof(memory->names));
	put_number(&put, root, "listed", memory->listed);
	put_number(&put, root, "writing", memory->writing);
	if (memory->mailed.known)
		put_mailed(&put, put_object(&put, root, "mailed"), &memory->mailed);
	list = put_array(&put, root, "contents");
	for (size_t i = 0; i < memory->content_count; i++)
		put_content(&put, put_item(&put, list), &memory->contents[i]);
	list = put_array(&put, root, "files");
	for (size_t i = 0; i < memory->file_count; i++)
		if (is_exact(&memory->files[i]))
			put_file(&put, put_item(&put, list), &memory->files[i]);
	return put_end(&put, root);
}

int
memory_save(const struct memory *memory)
{
	_cleanup_json_ cJSON *root = memory_json(memory);

	return state_file_write(MEMORY_FILE, root);
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

/* Which content is missed least: what is settled before what is not, strangers' and overtaken ones first. */
static int
worth(const struct content *content)
{
	switch (content->state) {
	case CONTENT_SUPERSEDED:
		return 0;
	case CONTENT_REFUSED:
		return content->verdict == ZIP_VERDICT_NO_FEED ? 0 : 2;
	case CONTENT_DONE:
		return 1;
	case CONTENT_DUE:
	case CONTENT_HELD:
		return 3;
	default:
		return 2;
	}
}

/*
 * Forgets the content that is missed least, the oldest of such. Its files stay known, as ones that need not be read: read
 * again they would be taken for new.
 */
static void
forget_one(struct memory *memory)
{
	size_t least = 0;

	for (size_t i = 1; i < memory->content_count; i++) {
		const struct content *a = &memory->contents[i], *b = &memory->contents[least];

		if (worth(a) < worth(b) || (worth(a) == worth(b) && a->mtime < b->mtime))
			least = i;
	}
	for (size_t i = 0; i < memory->file_count; i++)
		if (memcmp(memory->files[i].fingerprint, memory->contents[least].fingerprint, FINGERPRINT_SIZE) == 0)
			memory->files[i].unread = true;
	memory->content_count--;
	memmove(&memory->contents[least], &memory->contents[least + 1],
	    (memory->content_count - least) * sizeof(memory->contents[0]));
}

struct content *
memory_add_content(struct memory *memory, const uint8_t fingerprint[static FINGERPRINT_SIZE])
{
	struct content *content;

	if (memory->content_count == LIMIT_FEEDS_REMEMBERED)
		forget_one(memory);
	content = &memory->contents[memory->content_count++];
	memset(content, 0, sizeof(*content));
	memcpy(content->fingerprint, fingerprint, FINGERPRINT_SIZE);
	return content;
}

struct known_file *
memory_add_file(struct memory *memory, enum source_kind source, const char *name, uint64_t size, int64_t mtime)
{
	struct known_file *file;

	if (memory->file_count == LIMIT_FILES_REMEMBERED) {
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
