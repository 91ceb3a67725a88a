/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows grouped by their keys without leading zeros, and each group judged as a whole. */

#include "load/groups.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "load/cleanup.h"
#include "load/names.h"
#include "patrond/limits.h"

#define NO_ROW UINT32_MAX

struct group_slot {
	uint32_t tag;
	row_ref head; /* NO_ROW: free */
};

struct groups {
	const struct rows *rows;
	uint8_t *reasons;
	struct names_key key;
	struct group_slot *slots;
	size_t mask;
	row_ref *next; /* the next row of the same group, in the order of the rows */
};

static void
groups_done(struct groups *groups)
{
	free(groups->slots);
	free(groups->next);
	explicit_bzero(&groups->key, sizeof(groups->key));
}

static int
groups_init(struct groups *groups)
{
	size_t total = rows_total(groups->rows), count = 64;
	int r = names_key_init(&groups->key);

	if (r < 0)
		return r;
	while (count < 2 * total)
		count *= 2;
	groups->mask = count - 1;
	groups->slots = reallocarray(NULL, count, sizeof(*groups->slots));
	groups->next = reallocarray(NULL, total + 1, sizeof(*groups->next));
	if (groups->slots == NULL || groups->next == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		groups->slots[i].head = NO_ROW;
	for (size_t i = 0; i < total; i++)
		groups->next[i] = NO_ROW;
	return 0;
}

/* The key of a row in the form in which keys compare: without leading zeros, letters upper case. */
static struct bare_key
fold_key(const struct text *key, char folded[static LIMIT_KEY])
{
	size_t size = key->size < LIMIT_KEY ? key->size : LIMIT_KEY;

	if (size > 0)
		memcpy(folded, key->bytes, size);
	key_fold(folded, size);
	return bare_key_of(folded, size);
}

static bool
same_group(const struct groups *groups, row_ref head, const struct bare_key *key)
{
	char folded[LIMIT_KEY];
	struct record record;
	struct bare_key other;

	rows_get(groups->rows, head, &record);
	other = fold_key(&record.fields[RECORD_KEY], folded);
	return other.size == key->size && memcmp(other.bytes, key->bytes, key->size) == 0;
}

/* The slot of a key's group, or the free one where it would stand. */
static struct group_slot *
find_slot(const struct groups *groups, const struct bare_key *key, uint32_t *ret_tag)
{
	uint64_t hash;
	uint32_t tag;

	(void)crypto_shorthash((unsigned char *)&hash, (const unsigned char *)key->bytes, key->size, groups->key.bytes);
	tag = (uint32_t)hash;
	*ret_tag = tag;
	for (size_t at = tag & groups->mask;; at = (at + 1) & groups->mask) {
		struct group_slot *slot = &groups->slots[at];

		if (slot->head == NO_ROW || (slot->tag == tag && same_group(groups, slot->head, key)))
			return slot;
	}
}

/* Puts a row at the head of its group: called from the last row to the first, so that the first ends up there. */
static void
add_row(struct groups *groups, row_ref ref, const struct text *key)
{
	char folded[LIMIT_KEY];
	struct bare_key bare = fold_key(key, folded);
	struct group_slot *slot;
	uint32_t tag;

	slot = find_slot(groups, &bare, &tag);
	groups->next[ref] = slot->head;
	*slot = (struct group_slot){ tag, ref };
}

/* What the rows say alone; rows without a key (a key is rejected where it is absent) are in no group. */
static void
add_rows(struct groups *groups, const struct key_rule *rule)
{
	struct record record;

	for (row_ref ref = rows_total(groups->rows); ref-- > 0;) {
		const struct text *key = &record.fields[RECORD_KEY];

		rows_get(groups->rows, ref, &record);
		groups->reasons[ref] = (uint8_t)record.verdict;
		/* decode is not believed: a key that does not fit must never be looked up, nor created */
		if (record.verdict == REASON_NONE && !key_rule_fits(rule, key->bytes, key->size))
			groups->reasons[ref] = REASON_KEY;
		if (key->size > 0)
			add_row(groups, ref, key);
	}
}

static int
opt_out_group(void *data, const struct bare_key *key)
{
	struct groups *groups = data;
	char folded[LIMIT_KEY];
	struct bare_key bare = { .bytes = folded, .size = key->size };
	uint32_t tag;

	memcpy(folded, key->bytes, key->size);
	key_fold(folded, key->size);
	for (row_ref ref = find_slot(groups, &bare, &tag)->head; ref != NO_ROW; ref = groups->next[ref])
		groups->reasons[ref] = REASON_OPTED_OUT;
	return 0;
}

/*
 * A row that is opted out under a damaged key (`1234567.0`, which went through a spreadsheet) speaks for whatever child
 * that key may mean, by the same readings as a malformed barcode: the careful one protects the child.
 */
static int
spread_damaged(struct groups *groups, const struct key_rule *rule)
{
	struct record record;

	for (row_ref ref = 0; ref < rows_total(groups->rows); ref++) {
		const struct text *key = &record.fields[RECORD_KEY];
		int r;

		if (groups->reasons[ref] != REASON_OPTED_OUT)
			continue;
		rows_get(groups->rows, ref, &record);
		if (key->size == 0 || key_rule_fits(rule, key->bytes, key->size))
			continue;
		r = cleanup_keys(key, rule, opt_out_group, groups);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Opted out on one row counts for every row of the key, whatever else is wrong with it. */
static bool
spread_opt_out(struct groups *groups, row_ref head)
{
	bool opted_out = false;

	for (row_ref ref = head; ref != NO_ROW; ref = groups->next[ref])
		opted_out |= groups->reasons[ref] == REASON_OPTED_OUT;
	for (row_ref ref = head; opted_out && ref != NO_ROW; ref = groups->next[ref])
		groups->reasons[ref] = REASON_OPTED_OUT;
	return opted_out;
}

/* Returns 1 where two rows of a group count once, 0 where they disagree, or a negative errno. */
static int
rows_agree(const struct record *a, const struct record *b)
{
	/* of another length: equal but for leading zeros */
	if (a->feed != b->feed || a->fields[RECORD_KEY].size != b->fields[RECORD_KEY].size)
		return 0;
	if (a->birth_date != b->birth_date)
		return 0;
	return names_same(&a->fields[RECORD_LAST], &a->fields[RECORD_FIRST], &b->fields[RECORD_LAST],
	    &b->fields[RECORD_FIRST]);
}

/* Duplicates or conflict, among the rows that are left. */
static int
judge_left(struct groups *groups, row_ref head)
{
	struct record first, other;
	row_ref first_ref = head;
	bool conflict = false;

	while (first_ref != NO_ROW && groups->reasons[first_ref] != REASON_NONE)
		first_ref = groups->next[first_ref];
	if (first_ref == NO_ROW)
		return 0;
	rows_get(groups->rows, first_ref, &first);
	for (row_ref ref = groups->next[first_ref]; ref != NO_ROW && !conflict; ref = groups->next[ref]) {
		int r;

		if (groups->reasons[ref] != REASON_NONE)
			continue;
		rows_get(groups->rows, ref, &other);
		r = rows_agree(&first, &other);
		if (r < 0)
			return r;
		conflict = r == 0;
	}
	for (row_ref ref = first_ref; ref != NO_ROW; ref = groups->next[ref]) {
		if (groups->reasons[ref] != REASON_NONE)
			continue;
		if (conflict)
			groups->reasons[ref] = REASON_CONFLICT;
		else if (ref != first_ref)
			groups->reasons[ref] = REASON_DUPLICATE;
	}
	return 0;
}

int
groups_judge(const struct rows *rows, const struct key_rule *rule, uint8_t *reasons)
{
	__attribute__((cleanup(groups_done))) struct groups groups = { .rows = rows, .reasons = reasons };
	int r = groups_init(&groups);

	if (r < 0)
		return r;
	add_rows(&groups, rule);
	r = spread_damaged(&groups, rule);
	if (r < 0)
		return r;
	for (size_t at = 0; at <= groups.mask; at++) {
		row_ref head = groups.slots[at].head;

		if (head == NO_ROW || groups.next[head] == NO_ROW || spread_opt_out(&groups, head))
			continue;
		r = judge_left(&groups, head);
		if (r < 0)
			return r;
	}
	return 0;
}
