/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_INDEX_H
#define LOAD_INDEX_H

/* The barcode index: every live patron of Sierra, by every barcode, and the fields in need of clean-up. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/keyrule.h"
#include "load/names.h"
#include "load/patron.h"
#include "patrond/outcome.h"

struct index;

/* What index_add answers beside 0. */
enum {
	INDEX_E_ORDER = 1,    /* the id is not greater than the one before: the list cannot be trusted */
	INDEX_E_TOO_MANY = 2, /* more than LIMIT_PATRONS */
};

/* The domain's verdict on a key, in the order in which it decides. */
enum index_verdict {
	INDEX_ABSENT,    /* no patron bears it in any way: it may be created */
	INDEX_CLEAN,     /* the clean barcode of exactly one patron */
	INDEX_AMBIGUOUS, /* the clean barcode of two or more */
	INDEX_TAINTED,   /* in a malformed field only */
	INDEX_ZEROS,     /* equal to an indexed one (clean, ambiguous or tainted) but for leading zeros */
};

struct index_hit {
	enum index_verdict verdict;
	uint64_t patron_id; /* 0 where there is not exactly one patron */
	uint32_t patron;    /* with CLEAN: ordinal of the patron, for index_patron */
};

struct index_patron {
	uint64_t id;
	int32_t expiration; /* DATE_NONE where missing or unreadable */
	int32_t birth_date;
};

struct index_cleanup {
	enum cleanup_class class;
	uint64_t patron_id;
	int32_t expiration;
	struct text field; /* trimmed, cut at LIMIT_CLEANUP_FIELD; as long-lived as the index */
};

/* rule: which barcodes are clean; must outlive the index. Returns 0 or a negative errno. */
int index_new(struct index **ret, const struct key_rule *rule) WARN_UNUSED;
struct index *index_free(struct index *index); /* wipes; accepts NULL, returns NULL */
void index_freep(struct index **index);

/*
 * Adds a patron, in ascending order of ids (the order of retrieval). A deleted one is passed over. Nothing of the
 * patron is kept by reference. Returns 0, an INDEX_E code, or -ENOMEM/-ENOBUFS: the index is of no use then.
 */
int index_add(struct index *index, const struct patron *patron) WARN_UNUSED;

/* Ends the adding; what follows is only allowed after it. */
void index_finish(struct index *index);

/* Live patrons so far, and those with a barcode field that is not empty (allowed before index_finish, too). */
uint64_t index_patrons(const struct index *index);
uint64_t index_patrons_with_barcode(const struct index *index);

/* The verdict on a key (normalised, letters as they stand). */
void index_find(const struct index *index, const char *key, size_t size, struct index_hit *ret);

/* A patron by its ordinal, 0 to index_patrons - 1. */
void index_patron(const struct index *index, uint32_t patron, struct index_patron *ret);

/* The ordinal of a patron by id. Returns false where the index has none of that id. */
bool index_ordinal(const struct index *index, uint64_t patron_id, uint32_t *ret);

/* Compares a row's name with those of a patron that has a clean barcode. */
void index_names(const struct index *index, uint32_t patron, const struct name *row, struct names_verdict *ret);

/* The key under which this index hashes names: name_from_row wants it. */
const struct names_key *index_names_key(const struct index *index);

/*
 * The clean-up rows, by patron id, then in the order of the fields. cut: true where rows were left out, since they
 * would not fit in a report of LIMIT_REPORT_SIZE.
 */
uint32_t index_cleanup_count(const struct index *index);
void index_cleanup_at(const struct index *index, uint32_t n, struct index_cleanup *ret);
bool index_cleanup_cut(const struct index *index);

/* What the index holds: bytes in all, those for confirmation (names and birth dates), and keys (clean and tainted). */
struct index_memory {
	size_t total;
	size_t confirmation;
	uint64_t keys;
};
void index_memory(const struct index *index, struct index_memory *ret);

#endif
