/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PLANKIT_H
#define PLANKIT_H

/* Patrons and rows for the tests of the pure half of patrond-load, in one line each. */

#include <stdlib.h>
#include <string.h>

#include "common/date.h"
#include "common/keyrule.h"
#include "load/index.h"
#include "load/rows.h"

static inline struct text
kit_text(const char *bytes)
{
	return (struct text){ bytes, bytes != NULL ? strlen(bytes) : 0 };
}

static inline int32_t
kit_days(const char *iso)
{
	int32_t days;

	if (iso == NULL)
		return DATE_NONE;
	assert_int_equal(date_parse_iso(iso, strlen(iso), &days), 0);
	return days;
}

static inline struct key_rule *
kit_rule(const char *pattern)
{
	struct key_rule *rule = NULL;

	assert_int_equal(key_rule_new(&rule, pattern), 0);
	return rule;
}

/* barcodes and names: up to four each, parted by `|`; NULL: none. */
struct kit_patron {
	uint64_t id;
	const char *barcodes;
	const char *names;
	const char *birth_date;
	const char *expiration;
	bool deleted;
};

static inline size_t
kit_split(const char *list, struct text ret[4])
{
	size_t count = 0;

	while (list != NULL) {
		const char *bar = strchr(list, '|');

		assert_true(count < 4);
		ret[count++] = (struct text){ list, bar != NULL ? (size_t)(bar - list) : strlen(list) };
		list = bar != NULL ? bar + 1 : NULL;
	}
	return count;
}

/* The texts that a struct patron points to. */
struct kit_texts {
	struct text barcodes[4];
	struct text names[4];
};

static inline struct patron
kit_patron_of(const struct kit_patron *from, struct kit_texts *texts)
{
	struct patron patron = {
		.id = from->id,
		.deleted = from->deleted,
		.expiration = kit_days(from->expiration),
		.birth_date = kit_days(from->birth_date),
		.barcodes = texts->barcodes,
		.names = texts->names,
	};

	patron.barcode_count = kit_split(from->barcodes, texts->barcodes);
	patron.name_count = kit_split(from->names, texts->names);
	return patron;
}

static inline int
kit_add_patron(struct index *index, const struct kit_patron *from)
{
	struct kit_texts texts;
	struct patron patron = kit_patron_of(from, &texts);

	return index_add(index, &patron);
}

struct kit_row {
	enum feed_kind feed;
	enum reason verdict;
	const char *key;
	const char *last;
	const char *first;
	const char *birth_date;
	uint8_t status; /* with INACTIVE */
};

/* row: the number in its feed. */
static inline struct record
kit_record(const struct kit_row *from, uint32_t row)
{
	struct record record = {
		.feed = from->feed,
		.row = row,
		.verdict = from->verdict,
		.status = from->verdict == REASON_INACTIVE && from->feed == FEED_STUDENT ? from->status : RECORD_NO_STATUS,
		.key_fits = true,
		.birth_date = from->feed == FEED_STUDENT ? kit_days(from->birth_date) : RECORD_NO_DATE,
	};

	record.fields[RECORD_KEY] = kit_text(from->key);
	record.fields[RECORD_LAST] = kit_text(from->last);
	record.fields[RECORD_FIRST] = kit_text(from->first);
	return record;
}

static inline struct rows *
kit_rows(const struct kit_row *list, size_t count)
{
	uint32_t numbers[FEED_KIND_MAX] = { 0 };
	struct rows *rows = NULL;

	assert_int_equal(rows_new(&rows), 0);
	for (size_t i = 0; i < count; i++) {
		struct record record = kit_record(&list[i], ++numbers[list[i].feed]);

		assert_int_equal(rows_add(rows, &record), 0);
	}
	assert_int_equal(rows_finish(rows, numbers), 0);
	return rows;
}

static inline struct index *
kit_index(const struct key_rule *rule, const struct kit_patron *list, size_t count)
{
	struct index *index = NULL;

	assert_int_equal(index_new(&index, rule), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(kit_add_patron(index, &list[i]), 0);
	index_finish(index);
	return index;
}

#endif
