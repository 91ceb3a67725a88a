/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SHARE_JANITOR_H
#define SHARE_JANITOR_H

/*
 * The janitor's hands: finds plaintext on the share by the names that this process and the scripts before it are known to
 * make, and takes it away. When, the supervisor says. Other people's files are never touched: no name but a known one is
 * ever cleaned, whoever asks.
 */

#include <stdbool.h>
#include <stdint.h>

#include "patrond/wire.h"
#include "share/folder.h"

struct janitor_rules {
	const char *patterns; /* known names: shell patterns separated by blanks, letters without case */
	const char *inspect;  /* names of which decode is asked, likewise */
};

struct found {
	const char *name;
	struct stat st;
	enum plaintext what;
};

/* True where a name fits one of the patterns, letters without case. A dot file fits none that does not begin with a dot. */
bool janitor_name_fits(const char *name, const char *patterns);

/*
 * What a name alone says of a file: PLAINTEXT_KNOWN, _KNOWN_ZIP (NAME.zip or NAME.csv.zip for a known NAME.csv),
 * _UNKNOWN (decode is to be asked), or PLAINTEXT_MAX: nothing of ours. Clean-up reports as patrond delivers them are none.
 */
enum plaintext janitor_name(const char *name, const struct janitor_rules *rules);

/*
 * Calls take for what is found, known names first; a negative answer ends it. A known name whose content is plainly
 * encrypted (OpenPGP, age, 7z and the like) is left out; one that cannot be read is not. Returns 0, or -1 with ret_failure
 * filled: LISTING_TOO_LONG over LIMIT_FOUND files.
 */
int janitor_sweep(const struct folder *folder, const struct janitor_rules *rules,
    int (*take)(const struct found *found, void *userdata), void *userdata, struct failure *ret_failure) WARN_UNUSED;

/* What was looked at, and is to be cleaned. */
struct clean {
	const char *name;
	uint64_t size;
	int64_t mtime; /* microseconds since 1970 */
	uint64_t device, inode;
	void (*tick)(void *userdata); /* called between blocks: there is life */
	void *userdata;
};

/*
 * Takes the file aside, compares it with what was looked at, overwrites it where it has a single link, syncs, unlinks.
 * Returns 0 with what became of it, or -1 with ret_failure filled: PROTOCOL for a name that is not a known one, and those
 * of folder_failure where it could not even be put back.
 */
int janitor_clean(const struct folder *folder, const struct janitor_rules *rules, const struct clean *clean,
    enum clean_result *ret, struct failure *ret_failure) WARN_UNUSED;

#endif
