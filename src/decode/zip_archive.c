/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libzip over a descriptor that shares its offset with others: every read says where. */

#include "decode/zip_archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zip.h>

struct zip_archive {
	int fd;
	int read_error; /* errno of the last read that failed: libzip hands on only that one did */
	uint64_t size;
	uint64_t at; /* of libzip's reading */
	zip_error_t error;
	struct zip_directory directory;
	zip_t *zip;
};

struct zip_raw {
	struct zip_archive *archive;
	zip_file_t *file;
};

static zip_int64_t
source_read(struct zip_archive *archive, void *bytes, uint64_t size)
{
	ssize_t n = fd_pread_all(archive->fd, bytes, (size_t)size, (off_t)archive->at);

	if (n < 0) {
		archive->read_error = (int)-n;
		zip_error_set(&archive->error, ZIP_ER_READ, (int)-n);
		return -1;
	}
	archive->at += (uint64_t)n;
	return n;
}

static zip_int64_t
source_seek(struct zip_archive *archive, void *arguments, uint64_t size)
{
	zip_int64_t offset = zip_source_seek_compute_offset(archive->at, archive->size, arguments, size, &archive->error);

	if (offset < 0)
		return -1;
	archive->at = (uint64_t)offset;
	return 0;
}

static zip_int64_t
source_stat(const struct zip_archive *archive, void *bytes, uint64_t size)
{
	zip_stat_t *stat = bytes;

	if (size < sizeof(*stat))
		return -1;
	zip_stat_init(stat);
	stat->valid = ZIP_STAT_SIZE;
	stat->size = archive->size;
	return (zip_int64_t)sizeof(*stat);
}

static zip_int64_t
source(void *data, void *bytes, zip_uint64_t size, zip_source_cmd_t command)
{
	struct zip_archive *archive = data;

	switch (command) {
	case ZIP_SOURCE_OPEN:
		archive->at = 0;
		return 0;
	case ZIP_SOURCE_READ:
		return source_read(archive, bytes, size);
	case ZIP_SOURCE_SEEK:
		return source_seek(archive, bytes, size);
	case ZIP_SOURCE_TELL:
		return (zip_int64_t)archive->at;
	case ZIP_SOURCE_STAT:
		return source_stat(archive, bytes, size);
	case ZIP_SOURCE_ERROR:
		return zip_error_to_data(&archive->error, bytes, size);
	case ZIP_SOURCE_CLOSE:
	case ZIP_SOURCE_FREE:
		return 0;
	case ZIP_SOURCE_SUPPORTS:
		return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
		    ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, -1);
	default:
		zip_error_set(&archive->error, ZIP_ER_OPNOTSUPP, 0);
		return -1;
	}
}

static int
open_libzip(struct zip_archive *archive)
{
	zip_error_t error;
	zip_source_t *from;
	int code;

	zip_error_init(&error);
	from = zip_source_function_create(source, archive, &error);
	if (from != NULL)
		archive->zip = zip_open_from_source(from, ZIP_RDONLY, &error);
	code = zip_error_code_zip(&error);
	zip_error_fini(&error);
	if (archive->zip != NULL)
		return 0;
	if (from != NULL)
		zip_source_free(from);
	if (code == ZIP_ER_MEMORY)
		return -ENOMEM;
	return archive->read_error != 0 ? -archive->read_error : FAILURE_ZIP_CORRUPT;
}

static enum zip_cipher
cipher_of(uint16_t method)
{
	switch (method) {
	case ZIP_EM_NONE:
		return ZIP_CIPHER_NONE;
	case ZIP_EM_TRAD_PKWARE:
		return ZIP_CIPHER_TRADITIONAL;
	case ZIP_EM_AES_128:
	case ZIP_EM_AES_192:
	case ZIP_EM_AES_256:
		return ZIP_CIPHER_WINZIP_AES;
	default:
		return ZIP_CIPHER_UNKNOWN;
	}
}

/* Two readers of one directory must not see two different zips. */
static bool
libzip_agrees(zip_t *zip, const struct zip_directory *directory)
{
	const zip_uint64_t wanted = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD |
	    ZIP_STAT_ENCRYPTION_METHOD;

	if ((zip_uint64_t)zip_get_num_entries(zip, 0) != directory->count)
		return false;
	for (size_t i = 0; i < directory->count; i++) {
		const struct zip_entry *entry = &directory->entries[i];
		const char *name = zip_get_name(zip, i, ZIP_FL_ENC_RAW);
		zip_stat_t stat;

		if (name == NULL || strcmp(name, entry->name) != 0 || zip_stat_index(zip, i, 0, &stat) < 0)
			return false;
		if ((stat.valid & wanted) != wanted || stat.size != entry->size || stat.comp_size != entry->packed)
			return false;
		if (cipher_of(stat.encryption_method) != entry->cipher || stat.comp_method != entry->method)
			return false;
	}
	return true;
}

/* Every entry, whether it will be read or not, must be encrypted in a known way and have a harmless name. */
static int
check_entries(const struct zip_directory *directory)
{
	for (size_t i = 0; i < directory->count; i++) {
		const struct zip_entry *entry = &directory->entries[i];

		if (!zip_name_is_plain(entry->name, entry->name_size))
			return FAILURE_ZIP_NAME;
		if (entry->cipher == ZIP_CIPHER_UNKNOWN)
			return FAILURE_ZIP_ENCRYPTION;
		if (entry->cipher == ZIP_CIPHER_NONE && !entry->directory)
			return FAILURE_ZIP_PLAIN;
	}
	return 0;
}

int
zip_archive_open(struct zip_archive **ret, int fd)
{
	_cleanup_zip_archive_ struct zip_archive *archive = calloc(1, sizeof(*archive));
	struct stat st;
	int r;

	if (archive == NULL)
		return -ENOMEM;
	archive->fd = fd;
	zip_error_init(&archive->error);
	/* Ours first: it bounds what libzip would allocate for the directory. */
	r = zip_directory_read(fd, &archive->directory);
	if (r == 0)
		r = zip_directory_check(fd, &archive->directory);
	if (r == 0)
		r = check_entries(&archive->directory);
	if (r != 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	archive->size = (uint64_t)st.st_size;
	r = open_libzip(archive);
	if (r != 0)
		return r;
	if (!libzip_agrees(archive->zip, &archive->directory))
		return FAILURE_ZIP_CORRUPT;
	*ret = TAKE_PTR(archive);
	return 0;
}

struct zip_archive *
zip_archive_close(struct zip_archive *archive)
{
	if (archive == NULL)
		return NULL;
	if (archive->zip != NULL)
		zip_discard(archive->zip);
	zip_error_fini(&archive->error);
	zip_directory_done(&archive->directory);
	free(archive);
	return NULL;
}

void
zip_archive_closep(struct zip_archive **archive)
{
	*archive = zip_archive_close(*archive);
}

size_t
zip_archive_count(const struct zip_archive *archive)
{
	return archive->directory.count;
}

const struct zip_entry *
zip_archive_entry(const struct zip_archive *archive, size_t index)
{
	return &archive->directory.entries[index];
}

/* The reason why libzip could not go on: the kernel's or memory's trouble is not the zip's fault. */
static int
raw_error(const struct zip_archive *archive, int code)
{
	if (code == ZIP_ER_MEMORY)
		return -ENOMEM;
	return archive->read_error != 0 ? -archive->read_error : FAILURE_ZIP_CORRUPT;
}

int
zip_raw_open(struct zip_raw **ret, struct zip_archive *archive, size_t index)
{
	struct zip_raw *raw = calloc(1, sizeof(*raw));

	if (raw == NULL)
		return -ENOMEM;
	raw->archive = archive;
	raw->file = zip_fopen_index(archive->zip, index, ZIP_FL_ENCRYPTED | ZIP_FL_COMPRESSED);
	if (raw->file == NULL) {
		free(raw);
		return raw_error(archive, zip_error_code_zip(zip_get_error(archive->zip)));
	}
	*ret = raw;
	return 0;
}

int
zip_raw_read(struct zip_raw *raw, void *bytes, size_t size)
{
	char *at = bytes;

	while (size > 0) {
		zip_int64_t n = zip_fread(raw->file, at, size);

		if (n < 0)
			return raw_error(raw->archive, zip_error_code_zip(zip_file_get_error(raw->file)));
		if (n == 0)
			return FAILURE_ZIP_CORRUPT;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

struct zip_raw *
zip_raw_close(struct zip_raw *raw)
{
	/* The answer says nothing of raw bytes: what they are worth, MAC and CRC tell. */
	if (raw != NULL)
		(void)zip_fclose(raw->file);
	free(raw);
	return NULL;
}

void
zip_raw_closep(struct zip_raw **raw)
{
	*raw = zip_raw_close(*raw);
}
