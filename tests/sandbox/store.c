/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All patron records, in memory. */

#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing; one slot for each value of an indexed field, or for each id. */
struct slot {
	uint64_t hash;
	struct patron *p;
};

struct table {
	struct slot *slots;
	size_t size; /* a power of two */
	size_t used; /* tombstones too */
};

struct store {
	struct generator generator;
	struct generated scratch;
	struct table by_id;
	struct table index;
	struct patron **rows; /* all stored records */
	size_t n_rows;
	size_t cap_rows;
	bool sorted;
	uint64_t overlaid; /* stored records whose id is in the generator's range */
	uint64_t next_id;
	struct text value, folded;
};

static const struct {
	char tag;
	enum field field;
} indexed[] = { { 'b', FIELD_BARCODES }, { 'u', FIELD_UNIQUE_IDS } };

enum { N_INDEXED = sizeof(indexed) / sizeof(indexed[0]) };

static struct patron tombstone;

static void table_put(struct table *t, uint64_t hash, struct patron *p);

static void
table_grow(struct table *t)
{
	struct table bigger = { .size = t->size ? t->size * 2 : 1024 };

	bigger.slots = xcalloc(bigger.size, sizeof(*bigger.slots));
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].p && t->slots[i].p != &tombstone)
			table_put(&bigger, t->slots[i].hash, t->slots[i].p);
	free(t->slots);
	*t = bigger;
}

static void
table_put(struct table *t, uint64_t hash, struct patron *p)
{
	size_t i;

	if (t->used * 10 >= t->size * 7)
		table_grow(t);
	i = hash & (t->size - 1);
	while (t->slots[i].p && t->slots[i].p != &tombstone)
		i = (i + 1) & (t->size - 1);
	/* A write takes its record out and puts it back: reusing tombstones keeps the table from growing by it. */
	t->used += !t->slots[i].p;
	t->slots[i] = (struct slot){ hash, p };
}

static void
table_remove(struct table *t, uint64_t hash, const struct patron *p)
{
	for (size_t i = hash & (t->size - 1); t->size && t->slots[i].p; i = (i + 1) & (t->size - 1)) {
		if (t->slots[i].p == p && t->slots[i].hash == hash) {
			t->slots[i].p = &tombstone;
			return;
		}
	}
}

static struct patron *
stored(const struct store *s, uint64_t id)
{
	const struct table *t = &s->by_id;

	for (size_t i = mix64(id) & (t->size - 1); t->size && t->slots[i].p; i = (i + 1) & (t->size - 1))
		if (t->slots[i].p != &tombstone && t->slots[i].p->id == id)
			return t->slots[i].p;
	return NULL;
}

/* Lower case, no blanks: how the index keeps its entries. */
static void
fold_into(struct text *ret, const char *value)
{
	ret->len = 0;
	text_add(ret, "", 0);
	for (; *value; value++) {
		char c = *value >= 'A' && *value <= 'Z' ? (char)(*value + 32) : *value;

		if (c != ' ')
			text_add(ret, &c, 1);
	}
}

static uint64_t
index_hash(char tag, const struct text *folded)
{
	return hash_bytes((uint64_t)(unsigned char)tag, folded->data, folded->len);
}

static void
index_record(struct store *s, struct patron *p, void (*act)(struct table *, uint64_t, struct patron *))
{
	for (int i = 0; i < N_INDEXED; i++) {
		const char *at = p->text[indexed[i].field];

		while (at && json_array_next(&at, &s->value)) {
			fold_into(&s->folded, s->value.data);
			act(&s->index, index_hash(indexed[i].tag, &s->folded), p);
		}
	}
}

static void
remove_slot(struct table *t, uint64_t hash, struct patron *p)
{
	table_remove(t, hash, p);
}

struct store *
store_new(const struct generator *generator)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->generator = *generator;
	s->next_id = generator->first_id + generator->count;
	s->sorted = true;
	return s;
}

struct store *
store_free(struct store *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n_rows; i++)
		patron_free(s->rows[i]);
	free(s->rows);
	free(s->by_id.slots);
	free(s->index.slots);
	text_done(&s->value);
	text_done(&s->folded);
	free(s);
	return NULL;
}

static void
append(struct store *s, struct patron *p)
{
	if (s->n_rows == s->cap_rows) {
		s->cap_rows = s->cap_rows ? s->cap_rows * 2 : 1024;
		s->rows = xrealloc(s->rows, s->cap_rows * sizeof(*s->rows));
	}
	if (s->n_rows && s->rows[s->n_rows - 1]->id > p->id)
		s->sorted = false;
	s->rows[s->n_rows++] = p;
	table_put(&s->by_id, mix64(p->id), p);
	if (generate_has(&s->generator, p->id))
		s->overlaid++;
	if (p->id >= s->next_id)
		s->next_id = p->id + 1;
}

int
store_add(struct store *s, struct patron *p)
{
	if (p->id == 0)
		p->id = s->next_id;
	if (stored(s, p->id))
		return -EEXIST;
	append(s, p);
	index_record(s, p, table_put);
	return 0;
}

const struct patron *
store_get(struct store *s, uint64_t id)
{
	struct patron *p = stored(s, id);

	if (p || !generate_has(&s->generator, id))
		return p;
	generate(&s->generator, id, &s->scratch);
	return &s->scratch.p;
}

static int
by_id(const void *a, const void *b)
{
	const struct patron *const *x = a, *const *y = b;

	return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

const struct patron *
store_next_stored(struct store *s, uint64_t from)
{
	size_t low = 0, high = s->n_rows;

	if (!s->sorted)
		qsort(s->rows, s->n_rows, sizeof(*s->rows), by_id);
	s->sorted = true;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->rows[mid]->id < from)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n_rows ? s->rows[low] : NULL;
}

const struct patron *
store_next(struct store *s, uint64_t from)
{
	uint64_t derived = from > s->generator.first_id ? from : s->generator.first_id;
	const struct patron *p;

	if (!generate_has(&s->generator, derived))
		return store_next_stored(s, from);
	/* Renewals of derived records come in any order; within the range the id table answers, and nothing is sorted.
	 */
	p = s->overlaid == s->n_rows || from >= s->generator.first_id ? NULL : store_next_stored(s, from);
	return p && p->id < derived ? p : store_get(s, derived);
}

struct patron *
store_begin_write(struct store *s, uint64_t id)
{
	struct patron *p = stored(s, id);

	if (!p && generate_has(&s->generator, id)) {
		generate(&s->generator, id, &s->scratch);
		p = patron_copy(&s->scratch.p);
		append(s, p);
		return p;
	}
	if (p)
		index_record(s, p, remove_slot);
	return p;
}

void
store_end_write(struct store *s, struct patron *p)
{
	index_record(s, p, table_put);
}

void
store_drop(struct store *s, uint64_t id)
{
	struct patron *p = stored(s, id);

	if (!p)
		return;
	index_record(s, p, remove_slot);
	table_remove(&s->by_id, mix64(id), p);
	for (size_t i = 0; i < s->n_rows; i++) {
		if (s->rows[i] == p) {
			memmove(&s->rows[i], &s->rows[i + 1], (s->n_rows - i - 1) * sizeof(*s->rows));
			s->n_rows--;
			break;
		}
	}
	if (generate_has(&s->generator, id))
		s->overlaid--;
	patron_free(p);
}

/* Does the record really hold the value? Two values can share a hash. */
static bool
holds(struct store *s, const struct patron *p, char tag, const char *value, const char *folded)
{
	for (int i = 0; i < N_INDEXED; i++) {
		const char *at = indexed[i].tag == tag ? p->text[indexed[i].field] : NULL;

		while (at && json_array_next(&at, &s->value)) {
			if (!folded && !strcmp(s->value.data, value))
				return true;
			if (folded) {
				struct text own = { 0 };
				bool same;

				fold_into(&own, s->value.data);
				same = !strcmp(own.data, folded);
				text_done(&own);
				if (same)
					return true;
			}
		}
	}
	return false;
}

static size_t
add_sorted(uint64_t *ids, size_t n, size_t max, uint64_t id)
{
	size_t at = n;

	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return n;
	if (n == max)
		return n;
	for (; at && ids[at - 1] > id; at--)
		ids[at] = ids[at - 1];
	ids[at] = id;
	return n + 1;
}

size_t
store_find(struct store *s, char tag, const char *value, bool fold, uint64_t *ret, size_t max)
{
	struct text folded = { 0 };
	const struct table *t = &s->index;
	uint64_t hash, id;
	size_t n = 0;

	fold_into(&folded, value);
	hash = index_hash(tag, &folded);
	for (size_t i = hash & (t->size - 1); t->size && t->slots[i].p; i = (i + 1) & (t->size - 1)) {
		const struct patron *p = t->slots[i].p;

		if (t->slots[i].hash == hash && p != &tombstone && holds(s, p, tag, value, fold ? folded.data : NULL))
			n = add_sorted(ret, n, max, p->id);
	}
	id = tag == 'b' ? generate_id_of(&s->generator, fold ? folded.data : value) : 0;
	if (id && !stored(s, id))
		n = add_sorted(ret, n, max, id);
	text_done(&folded);
	return n;
}

uint64_t
store_count(const struct store *s)
{
	return s->generator.count + s->n_rows - s->overlaid;
}
