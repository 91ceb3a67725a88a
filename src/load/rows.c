/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records in an arena: sixteen bytes a row, and the texts that it has. */

#include "load/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load/arena.h"
#include "patrond/limits.h"

#define TEXTS_MAX (4ULL << 30) /* bytes; 2,000,000 rows of two feeds at 1 KiB each, four times the usual */
#define ROW_PIECE 32768U       /* rows of a piece */
#define LENGTH_LONG 0x80U      /* a length of 128 or more has two bytes, this bit in the first */

struct row_entry {
	arena_ref texts;
	int32_t birth_date;
	uint8_t verdict;
	uint8_t status;
	uint8_t key_fits;
};

struct feed_rows {
	struct row_entry **pieces;
	size_t piece_count;
	uint32_t count;
};

struct rows {
	struct feed_rows feeds[FEED_KIND_MAX];
	struct arena texts;
};

int
rows_new(struct rows **ret)
{
	struct rows *rows = calloc(1, sizeof(*rows));

	if (rows == NULL)
		return -ENOMEM;
	rows->texts = ARENA_INIT(TEXTS_MAX);
	*ret = rows;
	return 0;
}

struct rows *
rows_free(struct rows *rows)
{
	if (rows == NULL)
		return NULL;
	for (size_t feed = 0; feed < FEED_KIND_MAX; feed++) {
		struct feed_rows *of = &rows->feeds[feed];

		for (size_t i = 0; i < of->piece_count; i++) {
			explicit_bzero(of->pieces[i], ROW_PIECE * sizeof(struct row_entry));
			free(of->pieces[i]);
		}
		free(of->pieces);
	}
	arena_done(&rows->texts);
	free(rows);
	return NULL;
}

void
rows_freep(struct rows **rows)
{
	*rows = rows_free(*rows);
}

static struct row_entry *
entry_at(const struct feed_rows *feed, uint32_t n)
{
	return &feed->pieces[n / ROW_PIECE][n % ROW_PIECE];
}

static int
reserve_row(struct feed_rows *feed)
{
	struct row_entry **pieces;

	if (feed->count < feed->piece_count * ROW_PIECE)
		return 0;
	pieces = reallocarray(feed->pieces, feed->piece_count + 1, sizeof(*pieces));
	if (pieces == NULL)
		return -ENOMEM;
	feed->pieces = pieces;
	pieces[feed->piece_count] = calloc(ROW_PIECE, sizeof(struct row_entry));
	if (pieces[feed->piece_count] == NULL)
		return -ENOMEM;
	feed->piece_count++;
	return 0;
}

/* Only a record without a verdict has more than a key. */
static size_t
field_count(uint8_t verdict)
{
	return verdict == REASON_NONE ? (size_t)RECORD_FIELD_MAX : 1;
}

static unsigned char *
put_text(unsigned char *at, const struct text *text)
{
	if (text->size >= LENGTH_LONG) {
		*at++ = (unsigned char)(LENGTH_LONG | text->size >> 8);
		*at++ = (unsigned char)text->size;
	} else
		*at++ = (unsigned char)text->size;
	if (text->size > 0)
		memcpy(at, text->bytes, text->size);
	return at + text->size;
}

static const unsigned char *
get_text(const unsigned char *at, struct text *ret)
{
	ret->size = *at++;
	if ((ret->size & LENGTH_LONG) != 0)
		ret->size = (ret->size & ~(size_t)LENGTH_LONG) << 8 | *at++;
	ret->bytes = (const char *)at;
	return at + ret->size;
}

int
rows_add(struct rows *rows, const struct record *record)
{
	struct feed_rows *feed = &rows->feeds[record->feed];
	size_t count = field_count((uint8_t)record->verdict), size = 0;
	struct row_entry *entry;
	unsigned char *at;
	arena_ref texts;
	int r;

	if (record->row != feed->count + 1 || record->row > LIMIT_ROWS)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		if (record->fields[i].size >= LENGTH_LONG << 8)
			return -EBADMSG;
		size += record->fields[i].size + (record->fields[i].size >= LENGTH_LONG ? 2 : 1);
	}
	r = reserve_row(feed);
	if (r < 0)
		return r;
	r = arena_take(&rows->texts, size, &texts);
	if (r < 0)
		return r;
	at = arena_at(&rows->texts, texts);
	for (size_t i = 0; i < count; i++)
		at = put_text(at, &record->fields[i]);
	entry = entry_at(feed, feed->count);
	*entry = (struct row_entry){ texts, record->birth_date, (uint8_t)record->verdict, record->status,
		record->key_fits };
	feed->count++;
	return 0;
}

int
rows_finish(struct rows *rows, const uint32_t trailer[FEED_KIND_MAX])
{
	for (size_t feed = 0; feed < FEED_KIND_MAX; feed++)
		if (trailer[feed] != rows->feeds[feed].count)
			return -EBADMSG;
	return 0;
}

uint32_t
rows_count(const struct rows *rows, enum feed_kind feed)
{
	return rows->feeds[feed].count;
}

uint32_t
rows_total(const struct rows *rows)
{
	uint32_t total = 0;

	for (size_t feed = 0; feed < FEED_KIND_MAX; feed++)
		total += rows->feeds[feed].count;
	return total;
}

void
rows_get(const struct rows *rows, row_ref ref, struct record *ret)
{
	enum feed_kind feed = FEED_STUDENT;
	const struct row_entry *entry;
	const unsigned char *at;

	while (ref >= rows->feeds[feed].count) {
		ref -= rows->feeds[feed].count;
		feed++;
	}
	entry = entry_at(&rows->feeds[feed], ref);
	*ret = (struct record){ .feed = feed, .row = ref + 1, .verdict = (enum reason)entry->verdict,
		.status = entry->status, .key_fits = entry->key_fits != 0, .birth_date = entry->birth_date };
	at = arena_at(&rows->texts, entry->texts);
	for (size_t i = 0; i < field_count(entry->verdict); i++)
		at = get_text(at, &ret->fields[i]);
}

size_t
rows_memory(const struct rows *rows)
{
	size_t memory = sizeof(*rows) + arena_memory(&rows->texts);

	for (size_t feed = 0; feed < FEED_KIND_MAX; feed++)
		memory += rows->feeds[feed].piece_count * ROW_PIECE * sizeof(struct row_entry);
	return memory;
}
