/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_DECODE_INSPECT_H
#define DECODE_DECODE_INSPECT_H

/* What a zip is, told by its directory alone: no password, nothing unpacked. And which entries are feeds. */

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/fd.h"
#include "decode/zip_unpack.h"
#include "patrond/failure.h"

#define SHA256_SIZE 32U

struct inspection {
	enum zip_verdict verdict;
	unsigned int kinds; /* FEED_BIT of those that an entry is named for */
	uint8_t sha256[SHA256_SIZE]; /* of the whole descriptor */
};

/*
 * The kinds of feed that an entry is named for: the last component of its name against each pattern, case included,
 * dot files never. A folder is none.
 */
unsigned int decode_kinds(const struct config_feed feeds[FEED_KIND_MAX], const struct zip_entry *entry);

/* True where the last component of an entry's name fits a pattern, case included; dot files and folders never do. */
bool decode_name_fits(const struct zip_entry *entry, const char *pattern);

/*
 * Inspects what is in a descriptor. tick: told of the bytes that were hashed; may be NULL. Returns 0, a positive enum
 * failure_code where it is over a limit, -ECANCELED, or another negative errno.
 */
int decode_inspect(int fd, const struct config_feed feeds[FEED_KIND_MAX], zip_tick_fn *tick, void *data,
    struct inspection *ret) WARN_UNUSED;

/* Touches what libcrypto loads lazily, before the walls. Returns 0 or -ENOSYS. */
int decode_inspect_warm(void) WARN_UNUSED;

#endif
