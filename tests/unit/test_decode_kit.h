/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TEST_DECODE_KIT_H
#define TEST_DECODE_KIT_H

/* What the tests of decode's zip layer share: real zips from the fuzz corpus, in descriptors as the workspace's. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/date.h"
#include "common/fd.h"
#include "common/secret.h"
#include "common/wire.h"
#include "decode/decode_records.h"
#include "profilekit.h"

#define PASSWORD "correct horse"
#define ZIP_MAX (1U << 20)

struct bytes {
	uint8_t data[ZIP_MAX];
	size_t size;
};

/* A zip of tests/fuzz/corpus/zip (see make_zip_corpus.py there). */
static inline void
load_zip(const char *name, struct bytes *ret)
{
	char path[512];
	_cleanup_file_ FILE *file = NULL;

	(void)snprintf(path, sizeof(path), "%s/%s", ZIP_CORPUS, name);
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("%s cannot be read", path);
	ret->size = fread(ret->data, 1, sizeof(ret->data), file);
	assert_true(ret->size < sizeof(ret->data));
}

/* A new nameless descriptor with these bytes. */
static inline int
fd_of(const void *bytes, size_t size)
{
	int fd = memfd_create("zip", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_pwrite_all(fd, bytes, size, 0), 0);
	return fd;
}

static inline void
default_feeds(struct config_feed feeds[static FEED_KIND_MAX])
{
	feeds[FEED_STUDENT] = (struct config_feed){
		.profile = "chccs", .pattern = "CHCCS_Students_upload.csv", .statuses = "0 1", .opt_out = OPT_OUT_PROFILE
	};
	feeds[FEED_STAFF] = (struct config_feed){
		.profile = "chccs", .pattern = "CHCCS_staff.csv", .statuses = "", .opt_out = OPT_OUT_PROFILE
	};
}

/* Read once for all tests: a flip of every byte of a zip is a job each. */
static inline const struct profiles *
default_profiles(void)
{
	static struct profiles profiles;

	for (size_t feed = 0; feed < FEED_KIND_MAX; feed++)
		if (profiles.of[feed] == NULL)
			profiles.of[feed] = shipped_profile("chccs");
	return &profiles;
}

/* A secret of these lines; the bytes stay the caller's. */
static inline struct secret
secret_of(const char *lines)
{
	return (struct secret){ .bytes = (char *)(uintptr_t)lines, .size = strlen(lines) };
}

/*
 * Does the job of a load on a zip in a descriptor. The records are written to a memfd, whose descriptor is returned in
 * ret_records where that is not NULL. Returns FAILURE_NONE or the failure's code.
 */
static inline enum failure_code
decode_fd(int zip, const char *passwords, unsigned int kinds, struct failure *ret_failure, int *ret_records)
{
	struct config_feed feeds[FEED_KIND_MAX];
	struct secret secret = secret_of(passwords);
	_cleanup_fd_ int records = memfd_create("records", MFD_CLOEXEC);
	struct decode_job job = {
		.zip = zip,
		.records = records,
		.feeds = feeds,
		.profiles = default_profiles(),
		.barcode_pattern = "[0-9]+",
		.passwords = &secret,
		.kinds = kinds,
		.today = date_to_days((struct date){ 2026, 8, 15 }),
	};
	struct failure failure = { 0 };

	default_feeds(feeds);
	assert_true(records >= 0);
	if (decode_records(&job, &failure) < 0)
		assert_int_not_equal(failure.code, FAILURE_NONE);
	else
		failure.code = FAILURE_NONE;
	if (ret_failure != NULL)
		*ret_failure = failure;
	if (ret_records != NULL)
		*ret_records = TAKE_FD(records);
	return failure.code;
}

static inline enum failure_code
decode_bytes(const struct bytes *zip, const char *passwords, unsigned int kinds, struct failure *ret_failure,
    int *ret_records)
{
	_cleanup_fd_ int fd = fd_of(zip->data, zip->size);

	return decode_fd(fd, passwords, kinds, ret_failure, ret_records);
}

#endif
