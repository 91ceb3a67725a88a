/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of keys: linear probing, grown by doubling at seven eighths. */

#include "load/index_table.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 1024U
#define ENTRIES_MAX (4ULL << 30)

/* A key as entries hold it. */
struct packed_key {
	uint8_t zeros;
	uint8_t size;
	uint8_t flags; /* TABLE_DIGITS or 0 */
	size_t bytes_size;
	unsigned char bytes[LIMIT_KEY];
};

static bool
all_digits(const struct bare_key *key)
{
	for (size_t i = 0; i < key->size; i++)
		if (key->bytes[i] < '0' || key->bytes[i] > '9')
			return false;
	return true;
}

/* Digits go two a byte, the second half of an odd last byte being 15; anything else as it stands. */
static void
pack(const struct bare_key *key, struct packed_key *ret)
{
	ret->zeros = (uint8_t)(key->zeros < UINT8_MAX ? key->zeros : UINT8_MAX);
	ret->size = (uint8_t)key->size;
	ret->flags = all_digits(key) ? TABLE_DIGITS : 0;
	if (ret->flags == 0) {
		ret->bytes_size = key->size;
		memcpy(ret->bytes, key->bytes, key->size);
		return;
	}
	ret->bytes_size = (key->size + 1) / 2;
	for (size_t i = 0; i < ret->bytes_size; i++) {
		unsigned int high = (unsigned int)(key->bytes[2 * i] - '0');
		unsigned int low = 2 * i + 1 < key->size ? (unsigned int)(key->bytes[2 * i + 1] - '0') : 15U;

		ret->bytes[i] = (unsigned char)(high << 4 | low);
	}
}

static unsigned char
upper(unsigned char c)
{
	return c >= 'a' && c <= 'z' ? (unsigned char)(c - 'a' + 'A') : c;
}

/* Equal but perhaps for leading zeros. */
static bool
same_bare(const struct table_entry *entry, const struct packed_key *key)
{
	const unsigned char *bytes = (const unsigned char *)(entry + 1);

	if (entry->size != key->size || (entry->flags & TABLE_DIGITS) != key->flags)
		return false;
	if (key->flags != 0)
		return memcmp(bytes, key->bytes, key->bytes_size) == 0;
	for (size_t i = 0; i < key->bytes_size; i++)
		if (upper(bytes[i]) != upper(key->bytes[i]))
			return false;
	return true;
}

static uint32_t
tag_of(const struct table *table, const struct bare_key *key)
{
	unsigned char folded[LIMIT_KEY];
	uint64_t hash;

	for (size_t i = 0; i < key->size; i++)
		folded[i] = upper((unsigned char)key->bytes[i]);
	(void)crypto_shorthash((unsigned char *)&hash, folded, key->size, table->key.bytes);
	return (uint32_t)hash;
}

int
table_new(struct table *table)
{
	struct table_slot *slots = calloc(SLOTS_FIRST, sizeof(*slots));
	int r;

	if (slots == NULL)
		return -ENOMEM;
	r = names_key_init(&table->key);
	if (r < 0) {
		free(slots);
		return r;
	}
	table->slots = slots;
	table->slot_count = SLOTS_FIRST;
	table->entries = ARENA_INIT(ENTRIES_MAX);
	table->used = 0;
	return 0;
}

void
table_done(struct table *table)
{
	arena_done(&table->entries);
	free(table->slots);
	explicit_bzero(&table->key, sizeof(table->key));
	table->slots = NULL;
}

void
table_find(const struct table *table, const struct bare_key *key, struct table_hits *ret)
{
	struct table_hits hits = { 0 };
	size_t mask = table->slot_count - 1;
	struct packed_key packed;
	uint32_t tag;

	*ret = hits;
	if (key->size > LIMIT_KEY)
		return;
	pack(key, &packed);
	tag = tag_of(table, key);
	for (size_t at = tag & mask; table->slots[at].entry != 0; at = (at + 1) & mask) {
		const struct table_slot *slot = &table->slots[at];
		const struct table_entry *entry;

		if (slot->tag != tag)
			continue;
		entry = table_entry(table, slot->entry);
		if (!same_bare(entry, &packed))
			continue;
		if (entry->zeros == packed.zeros) {
			hits.exact = slot->entry;
			continue;
		}
		if ((entry->flags & (TABLE_AMBIGUOUS | TABLE_MIXED)) != 0 ||
		    (hits.others > 0 && hits.other_patron != entry->patron))
			hits.several_patrons = true;
		hits.other_patron = entry->patron;
		hits.others++;
	}
	*ret = hits;
}

static void
place(struct table_slot *slots, size_t slot_count, struct table_slot slot)
{
	size_t mask = slot_count - 1, at = slot.tag & mask;

	while (slots[at].entry != 0)
		at = (at + 1) & mask;
	slots[at] = slot;
}

static int
grow(struct table *table)
{
	size_t count = 2 * table->slot_count;
	struct table_slot *slots = calloc(count, sizeof(*slots));

	if (slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < table->slot_count; i++)
		if (table->slots[i].entry != 0)
			place(slots, count, table->slots[i]);
	free(table->slots);
	table->slots = slots;
	table->slot_count = count;
	return 0;
}

int
table_add(struct table *table, const struct bare_key *key, uint32_t patron, uint8_t flags)
{
	struct packed_key packed;
	struct table_entry *entry;
	arena_ref ref;
	int r;

	if (key->size > LIMIT_KEY)
		return -EINVAL;
	if (table->used + 1 > table->slot_count / 8 * 7) {
		r = grow(table);
		if (r < 0)
			return r;
	}
	pack(key, &packed);
	r = arena_take(&table->entries, sizeof(*entry) + packed.bytes_size, &ref);
	if (r < 0)
		return r;
	entry = table_entry(table, ref);
	*entry = (struct table_entry){ patron, (uint8_t)(flags | packed.flags), packed.zeros, packed.size };
	if (packed.bytes_size > 0)
		memcpy(entry + 1, packed.bytes, packed.bytes_size);
	place(table->slots, table->slot_count, (struct table_slot){ tag_of(table, key), ref });
	table->used++;
	return 0;
}

size_t
table_key(const struct table *table, arena_ref ref, char ret[static TABLE_KEY_MAX])
{
	const struct table_entry *entry = table_entry(table, ref);
	const unsigned char *bytes = (const unsigned char *)(entry + 1);
	size_t used = entry->zeros;

	memset(ret, '0', used);
	for (size_t i = 0; i < entry->size; i++) {
		if ((entry->flags & TABLE_DIGITS) == 0)
			ret[used++] = (char)bytes[i];
		else
			ret[used++] = (char)('0' + (i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 0x0F));
	}
	return used;
}

size_t
table_memory(const struct table *table)
{
	return arena_memory(&table->entries) + table->slot_count * sizeof(*table->slots);
}
