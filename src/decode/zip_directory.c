/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zip's end record, central directory and local headers (APPNOTE.TXT 6.3, sections 4.3 and 4.4), read strictly. */

#include "decode/zip_directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SIGNATURE_END 0x06054b50U
#define SIGNATURE_END64 0x06064b50U
#define SIGNATURE_LOCATOR64 0x07064b50U
#define SIGNATURE_CENTRAL 0x02014b50U
#define SIGNATURE_LOCAL 0x04034b50U
#define SIGNATURE_DESCRIPTOR 0x08074b50U

#define END_SIZE 22U
#define END64_SIZE 56U
#define END64_LEAD 12U /* signature and size, which the size does not count */
#define LOCATOR64_SIZE 20U
#define CENTRAL_SIZE 46U
#define LOCAL_SIZE 30U
#define DESCRIPTOR_MAX 24U
#define COMMENT_MAX 65535U
#define WINDOW_SIZE (256U << 10) /* holds a central header with the longest name and extra field */

#define MAX16 0xffffU
#define MAX32 0xffffffffU
#define EXTRA_ZIP64 0x0001U
#define EXTRA_AES 0x9901U
#define EXTRA_AES_SIZE 7U
#define METHOD_AES 99U
#define FLAG_STRONG 0x0040U
#define FLAG_UTF8 0x0800U
#define FLAG_HIDDEN 0x2000U /* the directory itself is encrypted */
#define FLAGS_COMPARED (ZIP_FLAG_ENCRYPTED | ZIP_FLAG_DESCRIPTOR | FLAG_STRONG | FLAG_UTF8 | FLAG_HIDDEN)
#define HOST_UNIX 3U
#define HOST_DARWIN 19U

static uint64_t
le(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

static uint16_t le16(const uint8_t *bytes) { return (uint16_t)le(bytes, 2); }
static uint32_t le32(const uint8_t *bytes) { return (uint32_t)le(bytes, 4); }
static uint64_t le64(const uint8_t *bytes) { return le(bytes, 8); }

static int
read_at(int fd, uint64_t offset, void *bytes, size_t size)
{
	ssize_t n = offset > INT64_MAX ? 0 : fd_pread_all(fd, bytes, size, (off_t)offset);

	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : FAILURE_ZIP_CORRUPT;
}

/* --- the end record --- */

struct end {
	uint64_t at;     /* where the end records begin: the directory ends there */
	uint64_t count;  /* entries */
	uint64_t size;   /* bytes of the directory */
	uint64_t offset; /* of the directory */
};

/* The last end record whose comment reaches exactly to the file's end. */
static int
find_end(int fd, uint64_t file_size, uint8_t ret_end[static END_SIZE], uint64_t *ret_at)
{
	uint8_t *tail = NULL;
	size_t size = file_size < END_SIZE + COMMENT_MAX ? (size_t)file_size : END_SIZE + COMMENT_MAX;
	uint64_t base = file_size - size;
	int r = FAILURE_NOT_A_ZIP;

	if (size < END_SIZE)
		return r;
	tail = malloc(size);
	if (tail == NULL)
		return -ENOMEM;
	r = read_at(fd, base, tail, size);
	if (r == 0) {
		r = FAILURE_NOT_A_ZIP;
		for (size_t at = size - END_SIZE + 1; at-- > 0;) {
			if (le32(tail + at) != SIGNATURE_END || le16(tail + at + 20) != size - END_SIZE - at)
				continue;
			memcpy(ret_end, tail + at, END_SIZE);
			*ret_at = base + at;
			r = 0;
			break;
		}
	}
	free(tail);
	return r;
}

/* The 64-bit end record, where there is one: whatever the old record has room for must say the same. */
static int
read_end64(int fd, const uint8_t end[static END_SIZE], struct end *ret)
{
	uint8_t locator[LOCATOR64_SIZE], end64[END64_SIZE];
	uint64_t at;
	int r;

	if (ret->at < LOCATOR64_SIZE)
		return 0;
	r = read_at(fd, ret->at - LOCATOR64_SIZE, locator, sizeof(locator));
	if (r != 0)
		return r;
	if (le32(locator) != SIGNATURE_LOCATOR64)
		return 0;
	at = le64(locator + 8);
	if (le32(locator + 4) != 0 || le32(locator + 16) != 1 || at > ret->at)
		return FAILURE_ZIP_CORRUPT;
	r = read_at(fd, at, end64, sizeof(end64));
	if (r != 0)
		return r;
	if (le32(end64) != SIGNATURE_END64 || at + END64_LEAD + le64(end64 + 4) != ret->at - LOCATOR64_SIZE ||
	    le64(end64 + 4) < END64_SIZE - END64_LEAD || le32(end64 + 16) != 0 || le32(end64 + 20) != 0 ||
	    le64(end64 + 24) != le64(end64 + 32))
		return FAILURE_ZIP_CORRUPT;
	if ((le16(end + 10) != MAX16 && le16(end + 10) != le64(end64 + 32)) ||
	    (le32(end + 12) != MAX32 && le32(end + 12) != le64(end64 + 40)) ||
	    (le32(end + 16) != MAX32 && le32(end + 16) != le64(end64 + 48)))
		return FAILURE_ZIP_CORRUPT;
	*ret = (struct end){ .at = at, .count = le64(end64 + 32), .size = le64(end64 + 40), .offset = le64(end64 + 48) };
	return 0;
}

static int
read_end(int fd, struct end *ret)
{
	uint8_t bytes[END_SIZE];
	struct end end = { 0 };
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (uint64_t)st.st_size > LIMIT_ZIP_SIZE)
		return FAILURE_ZIP_SIZE;
	r = find_end(fd, (uint64_t)st.st_size, bytes, &end.at);
	if (r != 0)
		return r;
	end.count = le16(bytes + 10);
	end.size = le32(bytes + 12);
	end.offset = le32(bytes + 16);
	/* Zips in several volumes ended with the floppy disk. */
	if (le16(bytes + 4) != 0 || le16(bytes + 6) != 0 || le16(bytes + 8) != le16(bytes + 10))
		return FAILURE_ZIP_CORRUPT;
	r = read_end64(fd, bytes, &end);
	if (r != 0)
		return r;
	if (end.offset > end.at || end.size != end.at - end.offset)
		return FAILURE_ZIP_CORRUPT;
	*ret = end;
	return 0;
}

/* --- entries --- */

/* What the extra field says; the 64-bit values are in the order of those fields that are full in the header itself. */
static int
read_extra(const uint8_t *extra, size_t size, bool central, struct zip_entry *entry)
{
	bool zip64_seen = false, aes_seen = false;

	while (size > 0) {
		uint16_t id, length;
		const uint8_t *at = extra + 4, *end;

		if (size < 4)
			return FAILURE_ZIP_CORRUPT;
		id = le16(extra);
		length = le16(extra + 2);
		if (length > size - 4)
			return FAILURE_ZIP_CORRUPT;
		end = at + length;
		if ((id == EXTRA_ZIP64 && zip64_seen) || (id == EXTRA_AES && (aes_seen || length != EXTRA_AES_SIZE)))
			return FAILURE_ZIP_CORRUPT;
		if (id == EXTRA_ZIP64) {
			uint64_t *const full[] = { &entry->size, &entry->packed, central ? &entry->local : NULL };

			zip64_seen = true;
			for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++) {
				if (full[i] == NULL || *full[i] != MAX32)
					continue;
				if (end - at < 8)
					return FAILURE_ZIP_CORRUPT;
				*full[i] = le64(at);
				at += 8;
			}
		}
		if (id == EXTRA_AES) {
			aes_seen = true;
			entry->aes_version = le16(at);
			entry->aes_strength = at[4];
			entry->method = le16(at + 5);
			if (memcmp(at + 2, "AE", 2) != 0)
				entry->aes_version = 0;
		}
		extra = end;
		size -= 4U + length;
	}
	return 0;
}

static enum zip_cipher
cipher_of(const struct zip_entry *entry)
{
	if ((entry->flags & (FLAG_STRONG | FLAG_HIDDEN)) != 0)
		return ZIP_CIPHER_UNKNOWN;
	if ((entry->flags & ZIP_FLAG_ENCRYPTED) == 0)
		return ZIP_CIPHER_NONE;
	if (entry->raw_method != METHOD_AES)
		return ZIP_CIPHER_TRADITIONAL;
	if (entry->aes_version < 1 || entry->aes_version > 2 || entry->aes_strength < 1 || entry->aes_strength > 3)
		return ZIP_CIPHER_UNKNOWN;
	return ZIP_CIPHER_WINZIP_AES;
}

static bool
is_link(const uint8_t *header)
{
	uint8_t host = header[5];

	return (host == HOST_UNIX || host == HOST_DARWIN) && S_ISLNK(le32(header + 38) >> 16);
}

/* A central header with its name and extra field behind it. */
static int
read_central(const uint8_t *header, struct zip_entry *entry)
{
	uint16_t name_size = le16(header + 28), extra_size = le16(header + 30);
	int r;

	if (name_size == 0 || name_size > LIMIT_ZIP_NAME || memchr(header + CENTRAL_SIZE, '\0', name_size) != NULL)
		return FAILURE_ZIP_NAME;
	*entry = (struct zip_entry){
		.name_size = name_size,
		.flags = le16(header + 8),
		.raw_method = le16(header + 10),
		.method = le16(header + 10),
		.time = le16(header + 12),
		.date = le16(header + 14),
		.crc = le32(header + 16),
		.packed = le32(header + 20),
		.size = le32(header + 24),
		.local = le32(header + 42),
		.link = is_link(header),
	};
	memcpy(entry->name, header + CENTRAL_SIZE, name_size);
	r = read_extra(header + CENTRAL_SIZE + name_size, extra_size, true, entry);
	if (r != 0)
		return r;
	if (le16(header + 34) != 0)
		return FAILURE_ZIP_CORRUPT; /* on another volume */
	entry->cipher = cipher_of(entry);
	entry->directory = entry->name[name_size - 1] == '/' && entry->size == 0 && entry->packed == 0 &&
	    entry->cipher == ZIP_CIPHER_NONE;
	return 0;
}

/* A piece of the directory in memory. */
struct window {
	int fd;
	uint64_t base;
	size_t size;
	uint8_t bytes[WINDOW_SIZE];
};

/* Makes size bytes at an offset, which end at `limit` at the latest, readable. */
static int
window_at(struct window *window, uint64_t offset, size_t size, uint64_t limit, const uint8_t **ret)
{
	if (offset > limit || size > limit - offset)
		return FAILURE_ZIP_CORRUPT;
	if (offset < window->base || offset + size > window->base + window->size) {
		uint64_t left = limit - offset;
		int r;

		window->base = offset;
		window->size = left < sizeof(window->bytes) ? (size_t)left : sizeof(window->bytes);
		r = read_at(window->fd, offset, window->bytes, window->size);
		if (r != 0) {
			window->size = 0;
			return r;
		}
	}
	*ret = window->bytes + (offset - window->base);
	return 0;
}

static int
walk(struct window *window, const struct end *end, zip_entry_fn *fn, void *data)
{
	uint64_t at = end->offset;
	struct zip_entry entry;

	for (uint64_t i = 0; i < end->count; i++) {
		const uint8_t *header;
		size_t size;
		int r = window_at(window, at, CENTRAL_SIZE, end->at, &header);

		if (r != 0)
			return r;
		if (le32(header) != SIGNATURE_CENTRAL)
			return FAILURE_ZIP_CORRUPT;
		size = CENTRAL_SIZE + le16(header + 28) + le16(header + 30);
		r = window_at(window, at, size, end->at, &header);
		if (r == 0)
			r = read_central(header, &entry);
		if (r == 0)
			r = fn(data, &entry);
		if (r != 0)
			return r;
		at += size + le16(header + 32);
	}
	/* Bytes left over would be entries that the count hides. */
	return at == end->at ? 0 : FAILURE_ZIP_CORRUPT;
}

int
zip_directory_walk(int fd, zip_entry_fn *fn, void *data, uint64_t *ret_start)
{
	_cleanup_free_ struct window *window = NULL;
	struct end end = { 0 };
	int r = read_end(fd, &end);

	if (r != 0)
		return r;
	window = malloc(sizeof(*window));
	if (window == NULL)
		return -ENOMEM;
	window->fd = fd;
	window->base = 0;
	window->size = 0;
	if (ret_start != NULL)
		*ret_start = end.offset;
	return walk(window, &end, fn, data);
}

static int
add_entry(void *data, const struct zip_entry *entry)
{
	struct zip_directory *directory = data;

	if (directory->count == LIMIT_ZIP_ENTRIES)
		return FAILURE_ZIP_ENTRIES;
	directory->entries[directory->count++] = *entry;
	return 0;
}

int
zip_directory_read(int fd, struct zip_directory *ret)
{
	_cleanup_zip_directory_ struct zip_directory directory = { 0 };
	int r;

	directory.entries = calloc(LIMIT_ZIP_ENTRIES, sizeof(directory.entries[0]));
	if (directory.entries == NULL)
		return -ENOMEM;
	r = zip_directory_walk(fd, add_entry, &directory, &directory.start);
	if (r != 0)
		return r;
	*ret = directory;
	directory.entries = NULL;
	return 0;
}

void
zip_directory_done(struct zip_directory *directory)
{
	free(directory->entries);
	*directory = (struct zip_directory){ 0 };
}

/* --- local headers --- */

/* A size of a local header: with a descriptor behind the data it may still be unknown there (0). */
static bool
agrees(uint64_t local, uint64_t central, uint16_t flags)
{
	return local == central || (local == 0 && (flags & ZIP_FLAG_DESCRIPTOR) != 0);
}

/* AE-2 leaves the CRC out (it would tell something of the text), and what stands there means nothing. */
static bool
has_crc(const struct zip_entry *entry)
{
	return entry->cipher != ZIP_CIPHER_WINZIP_AES || entry->aes_version != 2;
}

static bool
headers_agree(const struct zip_entry *local, const struct zip_entry *central)
{
	/* Where a descriptor tells the CRC, Info-ZIP leaves other things in the local header's field. */
	bool crc_told = has_crc(central) && (central->flags & ZIP_FLAG_DESCRIPTOR) == 0;

	return ((local->flags ^ central->flags) & FLAGS_COMPARED) == 0 && local->raw_method == central->raw_method &&
	    local->method == central->method && local->time == central->time && local->date == central->date &&
	    local->aes_version == central->aes_version && local->aes_strength == central->aes_strength &&
	    (!crc_told || local->crc == central->crc) &&
	    agrees(local->packed, central->packed, central->flags) && agrees(local->size, central->size, central->flags);
}

/* The descriptor stands with or without a signature, its sizes in 32 or in 64 bits: one of the four must fit. */
static int
check_descriptor(int fd, const struct zip_entry *entry, uint64_t at, uint64_t limit, size_t *ret_size)
{
	uint8_t bytes[DESCRIPTOR_MAX] = { 0 };
	size_t room = limit - at < sizeof(bytes) ? (size_t)(limit - at) : sizeof(bytes);
	int r = read_at(fd, at, bytes, room);

	if (r != 0)
		return r;
	for (size_t signature = 4;; signature = 0) {
		for (size_t width = 8; width >= 4; width -= 4) {
			const uint8_t *crc = bytes + signature, *sizes = crc + 4;

			if (signature + 4 + 2 * width > room || (signature == 4 && le32(bytes) != SIGNATURE_DESCRIPTOR))
				continue;
			if ((has_crc(entry) && le32(crc) != entry->crc) || le(sizes, width) != entry->packed ||
			    le(sizes + width, width) != entry->size)
				continue;
			*ret_size = signature + 4 + 2 * width;
			return 0;
		}
		if (signature == 0)
			return FAILURE_ZIP_CORRUPT;
	}
}

static int
read_local(int fd, const struct zip_entry *central, struct zip_entry *ret, uint64_t *ret_data)
{
	uint8_t header[LOCAL_SIZE];
	uint8_t *rest;
	uint16_t name_size, extra_size;
	int r = read_at(fd, central->local, header, sizeof(header));

	if (r != 0)
		return r;
	name_size = le16(header + 26);
	extra_size = le16(header + 28);
	if (le32(header) != SIGNATURE_LOCAL || name_size != central->name_size)
		return FAILURE_ZIP_CORRUPT;
	*ret = (struct zip_entry){
		.flags = le16(header + 6),
		.raw_method = le16(header + 8),
		.method = le16(header + 8),
		.time = le16(header + 10),
		.date = le16(header + 12),
		.crc = le32(header + 14),
		.packed = le32(header + 18),
		.size = le32(header + 22),
	};
	rest = malloc((size_t)name_size + extra_size);
	if (rest == NULL)
		return -ENOMEM;
	r = read_at(fd, central->local + LOCAL_SIZE, rest, (size_t)name_size + extra_size);
	if (r == 0 && memcmp(rest, central->name, name_size) != 0)
		r = FAILURE_ZIP_CORRUPT;
	if (r == 0)
		r = read_extra(rest + name_size, extra_size, false, ret);
	free(rest);
	*ret_data = central->local + LOCAL_SIZE + name_size + extra_size;
	return r;
}

/* Compares one entry. ret_end: where its bytes, the descriptor's included, end. */
static int
check_entry(int fd, struct zip_entry *entry, uint64_t limit, uint64_t *ret_end)
{
	struct zip_entry local;
	size_t descriptor = 0;
	uint64_t data;
	int r;

	if (entry->local >= limit)
		return FAILURE_ZIP_CORRUPT;
	r = read_local(fd, entry, &local, &data);
	if (r != 0)
		return r;
	if (!headers_agree(&local, entry) || data > limit || entry->packed > limit - data)
		return FAILURE_ZIP_CORRUPT;
	if ((entry->flags & ZIP_FLAG_DESCRIPTOR) != 0) {
		r = check_descriptor(fd, entry, data + entry->packed, limit, &descriptor);
		if (r != 0)
			return r;
	}
	entry->data = data;
	*ret_end = data + entry->packed + descriptor;
	return 0;
}

int
zip_directory_check(int fd, struct zip_directory *directory)
{
	uint64_t ends[LIMIT_ZIP_ENTRIES];

	for (size_t i = 0; i < directory->count; i++) {
		struct zip_entry *entry = &directory->entries[i];
		int r = check_entry(fd, entry, directory->start, &ends[i]);

		if (r != 0)
			return r;
		/* Entries that share bytes are how a small zip is made to unpack to a large one. */
		for (size_t j = 0; j < i; j++)
			if (entry->local < ends[j] && directory->entries[j].local < ends[i])
				return FAILURE_ZIP_CORRUPT;
	}
	return 0;
}

bool
zip_name_is_plain(const char *name, size_t size)
{
	size_t start = 0;

	if (size == 0 || name[0] == '/' || (size >= 2 && name[1] == ':'))
		return false;
	for (size_t i = 0; i <= size; i++) {
		if (i < size && ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '\\'))
			return false;
		if (i < size && name[i] != '/')
			continue;
		if (i - start == 2 && memcmp(name + start, "..", 2) == 0)
			return false;
		start = i + 1;
	}
	return true;
}
