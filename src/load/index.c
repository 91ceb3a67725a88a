/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The barcode index: patrons in columns, their keys in a table, their names as hashes. */

#include "load/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/date.h"
#include "load/arena.h"
#include "load/cleanup.h"
#include "load/index_table.h"
#include "patrond/limits.h"

#define PATRONS_MAX (1ULL << 30)   /* bytes: LIMIT_PATRONS of them */
#define PATRON_PIECE 8192U        /* patrons of a piece */
#define NAMES_MAX (4ULL << 30)     /* bytes: 20,000,000 patrons of a name and a middle name take 0.6 GiB */
#define PATRON_NAMES_MAX 255U      /* names of one patron that are compared */
#define CLEANUP_ROW_EXTRA 64U      /* bytes of a report's row beside the field, about */

/* 20 bytes a patron; the id in two halves, so that there is no hole. */
struct patron_entry {
	uint32_t id_low;
	uint32_t id_high;
	int32_t expiration;
	int32_t birth_date;
	arena_ref names; /* count:u8, then that many packed names; 0: no name, or no clean barcode to find it by */
};

struct cleanup_entry {
	uint32_t patron;
	uint32_t order; /* of adding */
	arena_ref field;
	uint16_t size;
	uint8_t class;
};

struct index {
	const struct key_rule *rule;
	struct names_key names_key;
	struct table table;
	struct patron_entry **pieces;
	size_t piece_count;
	uint32_t count;
	uint64_t with_barcode;
	uint64_t last_id;
	struct arena names;
	struct arena fields;
	struct cleanup_entry *cleanup;
	uint32_t cleanup_count;
	uint32_t cleanup_room;
	uint64_t cleanup_bytes;
	bool cleanup_cut;
};

int
index_new(struct index **ret, const struct key_rule *rule)
{
	struct index *index = calloc(1, sizeof(*index));
	int r;

	if (index == NULL)
		return -ENOMEM;
	index->rule = rule;
	index->names = ARENA_INIT(NAMES_MAX);
	index->fields = ARENA_INIT(2ULL * LIMIT_REPORT_SIZE);
	r = names_key_init(&index->names_key);
	if (r == 0)
		r = table_new(&index->table);
	if (r < 0) {
		free(index);
		return r;
	}
	*ret = index;
	return 0;
}

struct index *
index_free(struct index *index)
{
	if (index == NULL)
		return NULL;
	table_done(&index->table);
	arena_done(&index->names);
	arena_done(&index->fields);
	for (size_t i = 0; i < index->piece_count; i++) {
		explicit_bzero(index->pieces[i], PATRON_PIECE * sizeof(struct patron_entry));
		free(index->pieces[i]);
	}
	free(index->pieces);
	free(index->cleanup);
	explicit_bzero(&index->names_key, sizeof(index->names_key));
	free(index);
	return NULL;
}

void
index_freep(struct index **index)
{
	*index = index_free(*index);
}

static struct patron_entry *
entry_at(const struct index *index, uint32_t patron)
{
	return &index->pieces[patron / PATRON_PIECE][patron % PATRON_PIECE];
}

static uint64_t
id_of(const struct patron_entry *entry)
{
	return (uint64_t)entry->id_high << 32 | entry->id_low;
}

/* Room for one patron more. */
static int
reserve_patron(struct index *index)
{
	struct patron_entry **pieces;

	if (index->count < index->piece_count * PATRON_PIECE)
		return 0;
	pieces = reallocarray(index->pieces, index->piece_count + 1, sizeof(*pieces));
	if (pieces == NULL)
		return -ENOMEM;
	index->pieces = pieces;
	pieces[index->piece_count] = calloc(PATRON_PIECE, sizeof(struct patron_entry));
	if (pieces[index->piece_count] == NULL)
		return -ENOMEM;
	index->piece_count++;
	return 0;
}

/* Rows past what a report may hold are left out, and that is said; they never break a load. */
static int
add_cleanup(struct index *index, uint32_t patron, enum cleanup_class class, const struct text *field)
{
	char shown[LIMIT_CLEANUP_FIELD];
	size_t size = cleanup_show(field, shown);
	struct cleanup_entry entry = { patron, index->cleanup_count, 0, (uint16_t)size, (uint8_t)class };
	int r;

	if (index->cleanup_bytes + size + CLEANUP_ROW_EXTRA > LIMIT_REPORT_SIZE) {
		index->cleanup_cut = true;
		return 0;
	}
	if (index->cleanup_count == index->cleanup_room) {
		uint32_t room = index->cleanup_room > 0 ? 2 * index->cleanup_room : 256;
		struct cleanup_entry *cleanup = reallocarray(index->cleanup, room, sizeof(*cleanup));

		if (cleanup == NULL)
			return -ENOMEM;
		index->cleanup = cleanup;
		index->cleanup_room = room;
	}
	r = arena_take(&index->fields, size > 0 ? size : 1, &entry.field);
	if (r < 0)
		return r;
	memcpy(arena_at(&index->fields, entry.field), shown, size);
	explicit_bzero(shown, size);
	index->cleanup[index->cleanup_count++] = entry;
	index->cleanup_bytes += size + CLEANUP_ROW_EXTRA;
	return 0;
}

/* The patron before who bears a barcode that has just become ambiguous gets a row too, in that patron's own spelling. */
static int
add_first_ambiguous(struct index *index, arena_ref ref)
{
	char key[TABLE_KEY_MAX];
	struct text field = { key, table_key(&index->table, ref, key) };

	return add_cleanup(index, table_entry(&index->table, ref)->patron, CLEANUP_AMBIGUOUS, &field);
}

static int
add_clean(struct index *index, const struct text *field)
{
	struct bare_key key = bare_key_of(field->bytes, field->size);
	uint32_t patron = index->count;
	struct table_entry *entry;
	struct table_hits hits;
	int r;

	table_find(&index->table, &key, &hits);
	if (hits.exact == 0)
		return table_add(&index->table, &key, patron, TABLE_CLEAN);
	entry = table_entry(&index->table, hits.exact);
	if ((entry->flags & (TABLE_CLEAN | TABLE_AMBIGUOUS)) == 0) {
		/* tainted until now: what is clean decides */
		entry->flags |= TABLE_CLEAN | (entry->patron != patron ? TABLE_MIXED : 0U);
		entry->patron = patron;
		return 0;
	}
	/* a patron who lists the same barcode twice */
	if (entry->patron == patron)
		return 0;
	if ((entry->flags & TABLE_CLEAN) != 0) {
		r = add_first_ambiguous(index, hits.exact);
		if (r < 0)
			return r;
		entry->flags = (uint8_t)((entry->flags & ~TABLE_CLEAN) | TABLE_AMBIGUOUS);
	}
	entry->patron = patron;
	return add_cleanup(index, patron, CLEANUP_AMBIGUOUS, field);
}

/* A cleanup_key_fn. */
static int
add_tainted(void *data, const struct bare_key *key)
{
	struct index *index = data;
	struct table_entry *entry;
	struct table_hits hits;

	table_find(&index->table, key, &hits);
	if (hits.exact == 0)
		return table_add(&index->table, key, index->count, 0);
	entry = table_entry(&index->table, hits.exact);
	if (entry->patron != index->count)
		entry->flags |= TABLE_MIXED;
	return 0;
}

/* Returns whether the field is clean, or a negative errno. ret_empty: nothing but blanks. */
static int
add_field(struct index *index, const struct text *field, bool *ret_empty)
{
	struct text trimmed = cleanup_trim(field);
	int r;

	*ret_empty = trimmed.size == 0;
	if (trimmed.size == 0)
		return 0;
	if (cleanup_is_clean(&trimmed, index->rule)) {
		r = add_clean(index, &trimmed);
		return r < 0 ? r : 1;
	}
	r = cleanup_keys(&trimmed, index->rule, add_tainted, index);
	if (r < 0)
		return r;
	return add_cleanup(index, index->count, cleanup_class_of(&trimmed), &trimmed);
}

/* Two passes, so that a patron's names lie together: the sizes, then the bytes. */
static int
add_names(struct index *index, const struct patron *patron, arena_ref *ret)
{
	unsigned char packed[NAME_PACKED_MAX], count = 0;
	size_t size = 1;
	struct name name;
	int r;

	for (size_t i = 0; i < patron->name_count && count < PATRON_NAMES_MAX; i++) {
		name_from_patron(&index->names_key, &patron->names[i], &name);
		if (name.surname_count + name.first_count == 0)
			continue;
		size += name_pack(&name, packed);
		count++;
	}
	if (count == 0)
		return 0;
	r = arena_take(&index->names, size, ret);
	if (r < 0)
		return r;
	arena_at(&index->names, *ret)[0] = count;
	size = 1;
	for (size_t i = 0; i < patron->name_count && count > 0; i++) {
		size_t n;

		name_from_patron(&index->names_key, &patron->names[i], &name);
		if (name.surname_count + name.first_count == 0)
			continue;
		n = name_pack(&name, packed);
		memcpy(arena_at(&index->names, *ret) + size, packed, n);
		size += n;
		count--;
	}
	return 0;
}

int
index_add(struct index *index, const struct patron *patron)
{
	struct patron_entry *entry;
	bool with_barcode = false, with_clean = false;
	int r;

	if (patron->deleted)
		return 0;
	if (patron->id <= index->last_id)
		return INDEX_E_ORDER;
	if (index->count >= LIMIT_PATRONS)
		return INDEX_E_TOO_MANY;
	r = reserve_patron(index);
	if (r < 0)
		return r;
	entry = entry_at(index, index->count);
	*entry = (struct patron_entry){ (uint32_t)patron->id, (uint32_t)(patron->id >> 32), patron->expiration,
		patron->birth_date, 0 };
	for (size_t i = 0; i < patron->barcode_count; i++) {
		bool empty;

		r = add_field(index, &patron->barcodes[i], &empty);
		if (r < 0)
			return r;
		with_clean |= r > 0;
		with_barcode |= !empty;
	}
	/* A patron without a clean barcode is never matched, and needs no name. */
	if (with_clean) {
		r = add_names(index, patron, &entry->names);
		if (r < 0)
			return r;
	}
	index->last_id = patron->id;
	index->with_barcode += with_barcode;
	index->count++;
	return 0;
}

static int
compare_cleanup(const void *a, const void *b)
{
	const struct cleanup_entry *x = a, *y = b;

	if (x->patron != y->patron)
		return x->patron < y->patron ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void
index_finish(struct index *index)
{
	/* The first patron of an ambiguous barcode got the row late. */
	if (index->cleanup_count > 0)
		qsort(index->cleanup, index->cleanup_count, sizeof(*index->cleanup), compare_cleanup);
}

uint64_t
index_patrons(const struct index *index)
{
	return index->count;
}

uint64_t
index_patrons_with_barcode(const struct index *index)
{
	return index->with_barcode;
}

/* Keys that are equal but for leading zeros: such a patron exists, and must not be created again. */
static void
find_zeros(const struct index *index, const struct table_hits *hits, struct index_hit *ret)
{
	if (hits->others == 0)
		return;
	ret->verdict = INDEX_ZEROS;
	if (!hits->several_patrons)
		ret->patron_id = id_of(entry_at(index, hits->other_patron));
}

void
index_find(const struct index *index, const char *key, size_t size, struct index_hit *ret)
{
	struct bare_key bare = bare_key_of(key, size);
	const struct table_entry *entry;
	struct table_hits hits;

	*ret = (struct index_hit){ .verdict = INDEX_ABSENT };
	if (size == 0)
		return;
	table_find(&index->table, &bare, &hits);
	if (hits.exact == 0) {
		find_zeros(index, &hits, ret);
		return;
	}
	entry = table_entry(&index->table, hits.exact);
	if ((entry->flags & TABLE_AMBIGUOUS) != 0) {
		ret->verdict = INDEX_AMBIGUOUS;
		return;
	}
	ret->patron_id = id_of(entry_at(index, entry->patron));
	if ((entry->flags & TABLE_CLEAN) != 0) {
		ret->verdict = INDEX_CLEAN;
		ret->patron = entry->patron;
		return;
	}
	ret->verdict = INDEX_TAINTED;
	/* exactly one patron is meant only where no other key equal but for zeros is another's */
	if ((entry->flags & TABLE_MIXED) != 0 || hits.several_patrons ||
	    (hits.others > 0 && hits.other_patron != entry->patron))
		ret->patron_id = 0;
}

void
index_patron(const struct index *index, uint32_t patron, struct index_patron *ret)
{
	const struct patron_entry *entry = entry_at(index, patron);

	*ret = (struct index_patron){ id_of(entry), entry->expiration, entry->birth_date };
}

bool
index_ordinal(const struct index *index, uint64_t patron_id, uint32_t *ret)
{
	uint32_t low = 0, high = index->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		uint64_t id = id_of(entry_at(index, middle));

		if (id == patron_id) {
			*ret = middle;
			return true;
		}
		if (id < patron_id)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

void
index_names(const struct index *index, uint32_t patron, const struct name *row, struct names_verdict *ret)
{
	const struct patron_entry *entry = entry_at(index, patron);
	const unsigned char *bytes;
	struct name name;

	*ret = (struct names_verdict){ 0 };
	if (entry->names == 0)
		return;
	bytes = arena_at(&index->names, entry->names);
	for (unsigned int left = *bytes++; left > 0; left--) {
		bytes += name_unpack(bytes, &name);
		names_compare(row, &name, ret);
	}
}

const struct names_key *
index_names_key(const struct index *index)
{
	return &index->names_key;
}

uint32_t
index_cleanup_count(const struct index *index)
{
	return index->cleanup_count;
}

void
index_cleanup_at(const struct index *index, uint32_t n, struct index_cleanup *ret)
{
	const struct cleanup_entry *entry = &index->cleanup[n];
	const struct patron_entry *patron = entry_at(index, entry->patron);

	*ret = (struct index_cleanup){ (enum cleanup_class)entry->class, id_of(patron), patron->expiration,
		{ (const char *)arena_at(&index->fields, entry->field), entry->size } };
}

bool
index_cleanup_cut(const struct index *index)
{
	return index->cleanup_cut;
}

void
index_memory(const struct index *index, struct index_memory *ret)
{
	size_t patrons = index->piece_count * (PATRON_PIECE * sizeof(struct patron_entry) + sizeof(*index->pieces));
	size_t cleanup = arena_memory(&index->fields) + index->cleanup_room * sizeof(*index->cleanup);
	size_t names = arena_memory(&index->names);

	ret->total = sizeof(*index) + patrons + cleanup + names + table_memory(&index->table);
	/* the hashes, where they lie, and the birth date */
	ret->confirmation = names + index->count * (sizeof(arena_ref) + sizeof(int32_t));
	ret->keys = index->table.used;
}
