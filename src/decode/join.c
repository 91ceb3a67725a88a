/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables from an id to integers, and the reading of the files that fill them. */

#include "decode/join.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "decode/layout_cells.h"
#include "patrond/limits.h"

#define NO_ENTRY UINT32_MAX

struct entry {
	uint32_t id; /* offset */
	uint16_t id_size;
	uint8_t role;
	uint32_t school;
	int32_t birth_date;
};

struct table {
	const struct profile_table *profile;
	struct words kinds;
	struct header_map map;
	bool begun;
	struct entry *entries;
	size_t count, room;
	char *ids;
	size_t ids_size, ids_room;
	uint32_t *slots;
	size_t slot_count; /* a power of two, or 0 */
};

struct joins {
	const struct profile *profile;
	bool no_opt_out;
	uint8_t key[crypto_shorthash_KEYBYTES]; /* of the hash */
	struct words students, staff, others;
	struct table tables[PROFILE_JOINS_MAX];
	size_t memory; /* bytes of all tables */
	struct header_misfit misfit;
	struct layout_cells cells;
};

int
joins_new(struct joins **ret, const struct profile *profile, bool no_opt_out)
{
	_cleanup_joins_ struct joins *joins = calloc(1, sizeof(*joins));
	const struct profile_table *people = &profile->tables[profile->tables[FEED_STUDENT].given ? FEED_STUDENT : FEED_STAFF];
	int r;

	if (joins == NULL)
		return -ENOMEM;
	joins->profile = profile;
	joins->no_opt_out = no_opt_out;
	randombytes_buf(joins->key, sizeof(joins->key));
	joins->misfit.missing = COLUMN_INVALID;
	r = layout_cells_init(&joins->cells, profile->encoding);
	if (r == 0)
		r = words_of_list(&joins->students, profile, people->students);
	if (r == 0)
		r = words_of_list(&joins->staff, profile, people->staff);
	if (r == 0)
		r = words_of_list(&joins->others, profile, people->others);
	for (size_t i = 0; i < profile->join_count && r == 0; i++) {
		joins->tables[i].profile = &profile->joins[i];
		r = words_of_list(&joins->tables[i].kinds, profile, profile->joins[i].kinds);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(joins);
	return 0;
}

struct joins *
joins_free(struct joins *joins)
{
	if (joins == NULL)
		return NULL;
	layout_cells_done(&joins->cells);
	words_done(&joins->students);
	words_done(&joins->staff);
	words_done(&joins->others);
	for (size_t i = 0; i < PROFILE_JOINS_MAX; i++) {
		struct table *table = &joins->tables[i];

		words_done(&table->kinds);
		if (table->ids != NULL)
			explicit_bzero(table->ids, table->ids_room);
		if (table->entries != NULL)
			explicit_bzero(table->entries, table->room * sizeof(*table->entries));
		free(table->ids);
		free(table->entries);
		free(table->slots);
	}
	explicit_bzero(joins->key, sizeof(joins->key));
	free(joins);
	return NULL;
}

void
joins_freep(struct joins **joins)
{
	*joins = joins_free(*joins);
}

/* --- tables --- */

/*
 * Grows an array by copying, so that what it held can be wiped. Returns 0, FAILURE_JOIN_SIZE over the bound of all files
 * together, or -ENOMEM.
 */
static int
grow(struct joins *joins, void **array, size_t *room, size_t size)
{
	size_t more = *room > 0 ? 2 * *room : 1024;
	void *bigger;

	if (joins->memory + (more - *room) * size > LIMIT_JOIN_SIZE)
		return FAILURE_JOIN_SIZE;
	bigger = calloc(more, size);
	if (bigger == NULL)
		return -ENOMEM;
	if (*array != NULL) {
		memcpy(bigger, *array, *room * size);
		explicit_bzero(*array, *room * size);
	}
	free(*array);
	joins->memory += (more - *room) * size;
	*array = bigger;
	*room = more;
	return 0;
}

/* The slot of an id, or the free one where it would stand. The hash is keyed: a feed cannot choose its collisions. */
static uint32_t *
find_slot(const struct joins *joins, const struct table *table, const struct text *id)
{
	uint64_t hash;

	(void)crypto_shorthash((unsigned char *)&hash, (const unsigned char *)id->bytes, id->size, joins->key);
	for (size_t at = (size_t)hash & (table->slot_count - 1);; at = (at + 1) & (table->slot_count - 1)) {
		uint32_t *slot = &table->slots[at];
		const struct entry *entry = &table->entries[*slot];

		if (*slot == NO_ENTRY ||
		    (entry->id_size == id->size && memcmp(table->ids + entry->id, id->bytes, id->size) == 0))
			return slot;
	}
}

static int
grow_slots(struct joins *joins, struct table *table)
{
	size_t count = table->slot_count > 0 ? 2 * table->slot_count : 2048;
	uint32_t *slots;

	if (2 * (table->count + 1) <= table->slot_count)
		return 0;
	if (joins->memory + (count - table->slot_count) * sizeof(*slots) > LIMIT_JOIN_SIZE)
		return FAILURE_JOIN_SIZE;
	slots = reallocarray(NULL, count, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	memset(slots, 0xff, count * sizeof(*slots));
	joins->memory += (count - table->slot_count) * sizeof(*slots);
	free(table->slots);
	table->slots = slots;
	table->slot_count = count;
	for (size_t i = 0; i < table->count; i++) {
		const struct text id = { table->ids + table->entries[i].id, table->entries[i].id_size };

		*find_slot(joins, table, &id) = (uint32_t)i;
	}
	return 0;
}

static int
make_room(struct joins *joins, struct table *table, size_t id_size)
{
	int r = 0;

	if (table->count == table->room)
		r = grow(joins, (void **)&table->entries, &table->room, sizeof(*table->entries));
	while (r == 0 && table->ids_room - table->ids_size < id_size)
		r = grow(joins, (void **)&table->ids, &table->ids_room, 1);
	return r != 0 ? r : grow_slots(joins, table);
}

/* Two rows of one id that say different things say nothing: unknown is never a no. */
static void
merge(struct entry *entry, const struct joined *joined)
{
	if (entry->birth_date != joined->birth_date)
		entry->birth_date = RECORD_NO_DATE;
	if (entry->role != (uint8_t)joined->role)
		entry->role = JOINED_ROLE_UNKNOWN;
}

static int
add(struct joins *joins, struct table *table, const struct text *id, const struct joined *joined)
{
	int r = make_room(joins, table, id->size);
	uint32_t *slot;

	if (r != 0)
		return r;
	slot = find_slot(joins, table, id);
	if (*slot != NO_ENTRY) {
		merge(&table->entries[*slot], joined);
		return 0;
	}
	*slot = (uint32_t)table->count;
	table->entries[table->count++] = (struct entry){ (uint32_t)table->ids_size, (uint16_t)id->size,
		(uint8_t)joined->role, joined->school, joined->birth_date };
	memcpy(table->ids + table->ids_size, id->bytes, id->size);
	table->ids_size += id->size;
	return 0;
}

/* --- rows --- */

enum joined_role
joined_role_of(const struct words *students, const struct words *staff, const struct words *others, const struct text *role)
{
	if (words_have(students, role))
		return JOINED_ROLE_STUDENT;
	if (words_have(staff, role))
		return JOINED_ROLE_STAFF;
	return others->any || words_have(others, role) ? JOINED_ROLE_OTHER : JOINED_ROLE_UNKNOWN;
}

static struct text
cell_of(const struct joins *joins, const struct table *table, enum feed_column what)
{
	size_t at = table->map.at[what];

	return at < joins->cells.count ? joins->cells.at[at] : (struct text){ 0 };
}

/* A number for a school, never 0. Two in 2^32 are taken for one, which would be a count that is a little off. */
static uint32_t
school_of(const struct joins *joins, const struct text *cell)
{
	uint64_t hash;

	(void)crypto_shorthash((unsigned char *)&hash, (const unsigned char *)cell->bytes, cell->size, joins->key);
	return (uint32_t)hash | 1U;
}

static int
take_header(struct joins *joins, struct table *table, const struct csv_row *row)
{
	table->begun = true;
	if (header_fit(joins->profile, table->profile, joins->no_opt_out, joins->cells.at, row->count, &table->map,
	        &joins->misfit))
		return 0;
	return joins->misfit.missing != COLUMN_INVALID ? FAILURE_COLUMN_MISSING : FAILURE_HEADER;
}

int
joins_row(struct joins *joins, size_t i, const struct csv_row *row)
{
	struct table *table = &joins->tables[i];
	struct joined joined = JOINED_NOTHING;
	struct text id, cell;
	int r = layout_cells_set(&joins->cells, row);

	if (r < 0 || (row->count == 1 && joins->cells.at[0].size == 0))
		return r;
	if (!table->begun)
		return take_header(joins, table, row);
	id = cell_of(joins, table, COLUMN_ID);
	cell = cell_of(joins, table, COLUMN_KIND);
	/* A row that is broken gives nothing, and whoever it was about is rejected for want of it. */
	if (row->count != table->map.cells || joins->cells.strange || id.size == 0 ||
	    (table->profile->kinds.count > 0 && !words_have(&table->kinds, &cell)))
		return 0;
	cell = cell_of(joins, table, COLUMN_BIRTH_DATE);
	if (profile_date(table->profile, cell.bytes, cell.size, &joined.birth_date) < 0)
		joined.birth_date = RECORD_NO_DATE;
	cell = cell_of(joins, table, COLUMN_ROLE);
	if (table->map.at[COLUMN_ROLE] != HEADER_NOWHERE)
		joined.role = joined_role_of(&joins->students, &joins->staff, &joins->others, &cell);
	cell = cell_of(joins, table, COLUMN_SCHOOL);
	if (cell.size > 0)
		joined.school = school_of(joins, &cell);
	return add(joins, table, &id, &joined);
}

struct header_misfit
joins_misfit(const struct joins *joins)
{
	return joins->misfit;
}

bool
joins_begun(const struct joins *joins, size_t i)
{
	return joins->tables[i].begun;
}

/* --- looking up --- */

static const struct entry *
find(const struct joins *joins, const struct table *table, const struct text *id)
{
	const uint32_t *slot;

	if (table->slot_count == 0 || id->size == 0)
		return NULL;
	slot = find_slot(joins, table, id);
	return *slot != NO_ENTRY ? &table->entries[*slot] : NULL;
}

static void
take_entry(const struct entry *entry, struct joined *joined)
{
	if (entry->birth_date != RECORD_NO_DATE)
		joined->birth_date = entry->birth_date;
	if (entry->role != JOINED_ROLE_NONE)
		joined->role = (enum joined_role)entry->role;
	if (entry->school != 0)
		joined->school = entry->school;
}

/* The first of a list that the table has. */
static const struct entry *
find_first(const struct joins *joins, const struct table *table, const struct text *list)
{
	/* an empty text may stand nowhere */
	const char *at = list->size > 0 ? list->bytes : "", *end = at + list->size;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		struct text one = { at, (size_t)((comma != NULL ? comma : end) - at) };
		const struct entry *entry;

		while (one.size > 0 && *one.bytes == ' ') {
			one.bytes++;
			one.size--;
		}
		while (one.size > 0 && one.bytes[one.size - 1] == ' ')
			one.size--;
		entry = find(joins, table, &one);
		if (entry != NULL)
			return entry;
		at = comma != NULL ? comma + 1 : end;
	}
	return NULL;
}

struct joined
joins_find(const struct joins *joins, const struct text *id, const struct text *schools)
{
	struct joined joined = JOINED_NOTHING;

	for (size_t i = 0; joins != NULL && i < joins->profile->join_count; i++) {
		const struct table *table = &joins->tables[i];
		const struct entry *entry = table->profile->join.from == COLUMN_SCHOOL ? find_first(joins, table, schools)
		                                                                       : find(joins, table, id);

		if (entry != NULL)
			take_entry(entry, &joined);
	}
	return joined;
}
