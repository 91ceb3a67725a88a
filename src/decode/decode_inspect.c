/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a zip is: fingerprint, directory, names. */

#include "decode/decode_inspect.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define HASH_BLOCK (256U << 10)

bool
decode_name_fits(const struct zip_entry *entry, const char *pattern)
{
	const char *slash = strrchr(entry->name, '/');
	const char *name = slash != NULL ? slash + 1 : entry->name;

	/* FNM_PERIOD: `*.csv` must not take the dot files that archivers of other systems leave beside the feed. */
	return name[0] != '\0' && fnmatch(pattern, name, FNM_PERIOD) == 0;
}

unsigned int
decode_kinds(const struct config_feed feeds[FEED_KIND_MAX], const struct zip_entry *entry)
{
	unsigned int kinds = 0;

	for (unsigned int kind = 0; kind < FEED_KIND_MAX; kind++)
		if (decode_name_fits(entry, feeds[kind].pattern))
			kinds |= FEED_BIT(kind);
	return kinds;
}

struct looking {
	const struct config_feed *feeds;
	unsigned int kinds;
	bool plain;
};

static int
look(void *data, const struct zip_entry *entry)
{
	struct looking *looking = data;

	looking->kinds |= decode_kinds(looking->feeds, entry);
	if (entry->cipher == ZIP_CIPHER_NONE && !entry->directory)
		looking->plain = true;
	return 0;
}

static int
hash(int fd, EVP_MD_CTX *context, uint8_t *block, zip_tick_fn *tick, void *data, uint8_t ret[static SHA256_SIZE])
{
	off_t at = 0;
	ssize_t n;

	if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return -EIO;
	do {
		n = fd_pread_all(fd, block, HASH_BLOCK, at);
		if (n < 0)
			return (int)n;
		if (EVP_DigestUpdate(context, block, (size_t)n) != 1)
			return -EIO;
		at += n;
		if (tick != NULL && tick(data, (uint64_t)n) != 0)
			return -ECANCELED;
	} while (n == (ssize_t)HASH_BLOCK);
	return EVP_DigestFinal_ex(context, ret, NULL) == 1 ? 0 : -EIO;
}

static int
fingerprint(int fd, zip_tick_fn *tick, void *data, uint8_t ret[static SHA256_SIZE])
{
	_cleanup_free_ uint8_t *block = malloc(HASH_BLOCK);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int r = -ENOMEM;

	if (block != NULL && context != NULL)
		r = hash(fd, context, block, tick, data, ret);
	EVP_MD_CTX_free(context);
	return r;
}

int
decode_inspect(int fd, const struct config_feed feeds[FEED_KIND_MAX], zip_tick_fn *tick, void *data,
    struct inspection *ret)
{
	struct inspection inspection = { .verdict = ZIP_VERDICT_UNREADABLE };
	struct looking looking = { .feeds = feeds };
	int r = fingerprint(fd, tick, data, inspection.sha256);

	if (r < 0)
		return r;
	r = zip_directory_walk(fd, look, &looking, NULL);
	if (r < 0 || (r != 0 && r != FAILURE_NOT_A_ZIP && r != FAILURE_ZIP_CORRUPT))
		return r;
	if (r == 0) {
		inspection.kinds = looking.kinds;
		inspection.verdict = looking.plain ? ZIP_VERDICT_PLAIN
		    : looking.kinds == 0           ? ZIP_VERDICT_NO_FEED
		                                   : ZIP_VERDICT_WHOLE;
	}
	*ret = inspection;
	return 0;
}

int
decode_inspect_warm(void)
{
	uint8_t sum[SHA256_SIZE];

	return EVP_Digest("", 0, sum, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOSYS;
}
