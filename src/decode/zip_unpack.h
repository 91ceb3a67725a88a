/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_ZIP_UNPACK_H
#define DECODE_ZIP_UNPACK_H

/*
 * One entry of a zip, from its raw bytes to verified text: password, decryption, inflating, limits, verification.
 *
 *   new (what it claims is within the limits) ─▶ unlock (a password fits; AES: its MAC holds) ─▶ run ─▶ free
 *
 * Text is given out before its end is verified: nothing of it counts unless run returns 0.
 */

#include <stdint.h>

#include "common/fd.h"
#include "common/secret.h"
#include "decode/zip_archive.h"

/* The function that was given the text stopped; the entry itself is sound, as far as it can be told. */
#define ZIP_UNPACK_STOPPED ((int)FAILURE_MAX)

struct zip_unpack;

/* Takes text. Returns 0 to go on, anything else to stop. */
typedef int zip_text_fn(void *data, const char *bytes, size_t size);

/* Told of raw bytes that were worked on. Returns 0 to go on, anything else to cancel. */
typedef int zip_tick_fn(void *data, uint64_t bytes);

/*
 * Begins with an entry. The archive outlives it. tick may be NULL. Returns 0; FAILURE_ZIP_PLAIN, _ENCRYPTION, _METHOD,
 * _SIZE, _RATIO, _CORRUPT; or a negative errno.
 */
int zip_unpack_new(struct zip_unpack **ret, struct zip_archive *archive, size_t index, zip_tick_fn *tick, void *data)
    WARN_UNUSED;

/*
 * Finds the password of the entry among the lines of a secret, which outlives it. Returns 0; FAILURE_ZIP_PASSWORD where
 * none fits; FAILURE_ZIP_CORRUPT where one fits and the entry is not what its owner wrote; -ECANCELED by tick; or
 * another negative errno.
 */
int zip_unpack_unlock(struct zip_unpack *unpack, const struct secret *passwords) WARN_UNUSED;

/*
 * Gives out the text. Returns 0 where all of it was given out and is verified, ZIP_UNPACK_STOPPED, FAILURE_ZIP_CORRUPT,
 * FAILURE_ZIP_PASSWORD (traditional encryption tells so late), -ECANCELED, or another negative errno.
 */
int zip_unpack_run(struct zip_unpack *unpack, zip_text_fn *fn, void *data) WARN_UNUSED;

/* Wipes and frees. Accepts NULL, returns NULL. */
struct zip_unpack *zip_unpack_free(struct zip_unpack *unpack);
void zip_unpack_freep(struct zip_unpack **unpack);

#define _cleanup_zip_unpack_ __attribute__((cleanup(zip_unpack_freep)))

#endif
