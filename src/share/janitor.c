/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sweeping and cleaning. */

#include "share/janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/feed_name.h"
#include "patrond/limits.h"
#include "share/aside.h"

#define BLOCK 65536U
#define RANDOM_AT_ONCE 256U /* what getrandom gives without fail */
#define ZIP_END ".zip"

/* How files begin that are encrypted whatever their name says. */
#define MAGIC_SIZE 32U
static const struct {
	const char *bytes;
	size_t size;
} encrypted[] = {
#define MAGIC(bytes_) { bytes_, sizeof(bytes_) - 1 }
	MAGIC("-----BEGIN PGP MESSAGE"), MAGIC("age-encryption.org/"), MAGIC("Salted__"), MAGIC("7z\xbc\xaf\x27\x1c"),
	MAGIC("\x85\x01"), MAGIC("\x85\x02"), MAGIC("\x8c\x0d\x04"), /* OpenPGP, binary */
};

/* --- names --- */

bool
janitor_name_fits(const char *name, const char *patterns)
{
	char pattern[LIMIT_CONFIG_LINE];

	for (const char *at = patterns + strspn(patterns, " \t"); *at != '\0'; at += strspn(at, " \t")) {
		size_t size = strcspn(at, " \t");

		if (size < sizeof(pattern)) {
			memcpy(pattern, at, size);
			pattern[size] = '\0';
			if (fnmatch(pattern, name, FNM_CASEFOLD | FNM_PERIOD) == 0)
				return true;
		}
		at += size;
	}
	return false;
}

static bool
is_known_zip(const char *name, const char *patterns)
{
	static const char *const ends[] = { "", ".csv", ".txt" };
	size_t size = strlen(name), end = strlen(ZIP_END);
	char stem[LIMIT_FILE_NAME + sizeof(".csv")];

	if (size <= end || size > LIMIT_FILE_NAME || strcasecmp(name + size - end, ZIP_END) != 0)
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(stem, sizeof(stem), "%.*s%s", (int)(size - end), name, ends[i]);
		if (janitor_name_fits(stem, patterns))
			return true;
	}
	return false;
}

enum plaintext
janitor_name(const char *name, const struct janitor_rules *rules)
{
	if (report_name_date(name, strlen(name)) >= 0)
		return PLAINTEXT_MAX;
	if (janitor_name_fits(name, rules->patterns))
		return PLAINTEXT_KNOWN;
	if (is_known_zip(name, rules->patterns))
		return PLAINTEXT_KNOWN_ZIP;
	return janitor_name_fits(name, rules->inspect) ? PLAINTEXT_UNKNOWN : PLAINTEXT_MAX;
}

/* --- sweeping --- */

/* What a file of a known name is, by how it begins. What cannot be read is taken for plaintext: an unknown is never a no. */
static enum plaintext
look_inside(const struct folder *folder, const char *name)
{
	_cleanup_fd_ int fd = folder_open_file(folder, name, O_RDONLY, 0);
	char bytes[MAGIC_SIZE];
	ssize_t n = fd >= 0 ? fd_pread_all(fd, bytes, sizeof(bytes), 0) : -1;

	if (n >= 4 && memcmp(bytes, "PK", 2) == 0 && (bytes[2] == 3 || bytes[2] == 5))
		return PLAINTEXT_KNOWN_ZIP;
	for (size_t i = 0; i < sizeof(encrypted) / sizeof(encrypted[0]); i++)
		if (n >= (ssize_t)encrypted[i].size && memcmp(bytes, encrypted[i].bytes, encrypted[i].size) == 0)
			return PLAINTEXT_MAX;
	return PLAINTEXT_KNOWN;
}

struct sweeping {
	const struct janitor_rules *rules;
	int (*take)(const struct found *found, void *userdata);
	void *userdata;
	bool known; /* this pass */
	unsigned int count;
	bool too_long;
	int refused;
};

static int
visit(const struct folder *folder, const char *name, void *userdata)
{
	struct sweeping *sweeping = userdata;
	struct found found = { .name = name, .what = janitor_name(name, sweeping->rules) };
	bool hidden = name[0] == '.';

	if (hidden ? !sweeping->known : found.what == PLAINTEXT_MAX || (found.what != PLAINTEXT_UNKNOWN) != sweeping->known)
		return 0;
	if (fstatat(folder->fd, name, &found.st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(found.st.st_mode))
		return 0;
	if (hidden)
		found.what = aside_is_left(name, &found.st) ? PLAINTEXT_KNOWN : PLAINTEXT_MAX;
	else if (found.what == PLAINTEXT_KNOWN)
		found.what = look_inside(folder, name);
	if (found.what == PLAINTEXT_MAX)
		return 0;
	if (sweeping->count == LIMIT_FOUND) {
		sweeping->too_long = true;
		return -EOVERFLOW;
	}
	sweeping->count++;
	sweeping->refused = sweeping->take(&found, sweeping->userdata);
	return sweeping->refused;
}

int
janitor_sweep(const struct folder *folder, const struct janitor_rules *rules,
    int (*take)(const struct found *found, void *userdata), void *userdata, struct failure *ret_failure)
{
	struct sweeping sweeping = { .rules = rules, .take = take, .userdata = userdata, .known = true };
	int r = folder_each(folder, visit, &sweeping);

	if (r == 0) {
		sweeping.known = false;
		r = folder_each(folder, visit, &sweeping);
	}
	if (r == 0)
		return 0;
	if (sweeping.too_long)
		*ret_failure = failure_of(FAILURE_LISTING_TOO_LONG, 0);
	else if (sweeping.refused < 0)
		*ret_failure = failure_of(FAILURE_INTERNAL, r);
	else
		*ret_failure = folder_failure(FOLDER_READING, r);
	return -1;
}

/* --- cleaning --- */

static int
fill_random(char *block)
{
	for (size_t at = 0; at < BLOCK; at += RANDOM_AT_ONCE)
		if (getrandom(block + at, RANDOM_AT_ONCE, 0) != (ssize_t)RANDOM_AT_ONCE)
			return -EIO;
	return 0;
}

enum overwritten { OVERWRITTEN_NOT, OVERWRITTEN_PARTLY, OVERWRITTEN_WHOLLY };

/*
 * Random bytes over the file's own, and onto the disk. Not where they cannot be written, where it is not what was looked
 * at any more, and where it has a second link: those bytes are somebody else's file, too.
 */
static enum overwritten
overwrite(const struct folder *folder, const char *aside, const struct stat *looked, const struct clean *clean)
{
	_cleanup_fd_ int fd = folder_open_file(folder, aside, O_WRONLY, 0);
	_cleanup_free_ char *block = malloc(BLOCK);
	struct stat st;

	if (fd < 0 || block == NULL || fstat(fd, &st) < 0 || !aside_same(&st, looked) || st.st_nlink != 1 ||
	    fill_random(block) < 0)
		return OVERWRITTEN_NOT;
	for (off_t at = 0; at < st.st_size; at += BLOCK) {
		size_t size = st.st_size - at < (off_t)BLOCK ? (size_t)(st.st_size - at) : BLOCK;

		if (fd_pwrite_all(fd, block, size, at) < 0)
			return OVERWRITTEN_PARTLY;
		if (clean->tick != NULL)
			clean->tick(clean->userdata);
	}
	return fsync(fd) == 0 ? OVERWRITTEN_WHOLLY : OVERWRITTEN_PARTLY;
}

static bool
is_as_found(const struct stat *st, const struct clean *clean)
{
	return S_ISREG(st->st_mode) && (uint64_t)st->st_dev == clean->device && (uint64_t)st->st_ino == clean->inode &&
	       (uint64_t)st->st_size == clean->size && folder_mtime_usec(st) == clean->mtime;
}

/* The last look before the deletion: still what was looked at. Of a file that we wrote to the time is ours. */
static bool
is_still(const struct folder *folder, const char *aside, const struct stat *looked, enum overwritten overwritten)
{
	struct stat st;

	if (fstatat(folder->fd, aside, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return overwritten == OVERWRITTEN_NOT ? aside_same(&st, looked)
	                                      : S_ISREG(st.st_mode) && st.st_dev == looked->st_dev && st.st_ino == looked->st_ino;
}

/* Overwrites and unlinks what was taken aside, or puts it back. Returns 0 with what became of it, or a negative errno. */
static int
delete_aside(const struct folder *folder, const char *aside, const struct stat *looked, const struct clean *clean,
    enum clean_result *ret)
{
	enum overwritten overwritten = overwrite(folder, aside, looked, clean);
	bool still = is_still(folder, aside, looked, overwritten);
	int r;

	if (still && unlinkat(folder->fd, aside, 0) == 0) {
		*ret = overwritten == OVERWRITTEN_WHOLLY ? CLEAN_OVERWRITTEN : CLEAN_UNLINKED;
		return 0;
	}
	*ret = still ? CLEAN_STAYS : CLEAN_CHANGED;
	r = aside_put_back(folder, aside, clean->name);
	return r == -ENOENT ? 0 : r;
}

int
janitor_clean(const struct folder *folder, const struct janitor_rules *rules, const struct clean *clean,
    enum clean_result *ret, struct failure *ret_failure)
{
	enum plaintext what = janitor_name(clean->name, rules);
	char aside[ASIDE_NAME_SIZE];
	struct stat looked;
	int r;

	*ret = CLEAN_CHANGED;
	if (fstatat(folder->fd, clean->name, &looked, AT_SYMLINK_NOFOLLOW) < 0) {
		*ret = errno == ENOENT ? CLEAN_CHANGED : CLEAN_STAYS;
		return 0;
	}
	if (what != PLAINTEXT_KNOWN && what != PLAINTEXT_KNOWN_ZIP && !aside_is_left(clean->name, &looked)) {
		*ret_failure = failure_of(FAILURE_PROTOCOL, -EPERM);
		return -1;
	}
	if (!is_as_found(&looked, clean))
		return 0;
	r = aside_take(folder, clean->name, &looked, aside);
	if (r < 0) {
		*ret = r == -ESTALE ? CLEAN_CHANGED : CLEAN_STAYS;
		return 0;
	}
	r = delete_aside(folder, aside, &looked, clean, ret);
	if (r < 0) {
		*ret_failure = folder_failure(FOLDER_WRITING, r);
		return -1;
	}
	return 0;
}
