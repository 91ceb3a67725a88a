/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names: three lines, last and first name of a row and a name of a patron. Whatever they are, nothing breaks; and a row's
 * own name, as a create would send it, is always confirmed.
 */

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "load/body.h"
#include "load/confirm.h"
#include "load/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct text
next_line(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *line = *at, *newline = memchr(line, '\n', (size_t)(end - line));
	size_t size = newline != NULL ? (size_t)(newline - line) : (size_t)(end - line);

	*at = newline != NULL ? newline + 1 : end;
	return (struct text){ (const char *)line, size };
}

static void
check(int ok)
{
	if (!ok)
		abort();
}

static bool
same_name(const struct name *a, const struct name *b)
{
	return a->surname_count == b->surname_count && a->first_count == b->first_count &&
	       memcmp(a->surnames, b->surnames, a->surname_count * sizeof(uint64_t)) == 0 &&
	       memcmp(a->firsts, b->firsts, a->first_count * sizeof(uint64_t)) == 0;
}

static void
check_packing(const struct name *name)
{
	unsigned char packed[NAME_PACKED_MAX];
	struct name back = { 0 };
	size_t n = name_pack(name, packed);

	check(n <= sizeof(packed));
	check(name_unpack(packed, &back) == n);
	check(same_name(name, &back));
}

/* What is created is found again by its own row. */
static void
check_created(const struct names_key *key, const struct text *last, const struct text *first, const struct name *row)
{
	struct record record = { .feed = FEED_STAFF };
	_cleanup_buf_ struct buf created = BUF_INIT(65536);
	struct names_verdict verdict = { 0 };
	struct name other;
	struct text text;

	record.fields[RECORD_LAST] = *last;
	record.fields[RECORD_FIRST] = *first;
	if (body_name(&created, &record) < 0)
		return;
	text = (struct text){ created.bytes, created.size };
	name_from_patron(key, &text, &other);
	names_compare(row, &other, &verdict);
	check(confirm_person(FEED_STAFF, RECORD_NO_DATE, RECORD_NO_DATE, &verdict));
	if (verdict.surname_comparable && verdict.first_comparable)
		check(verdict.both);
	check(names_same(last, first, last, first) == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct names_key key;
	const uint8_t *at = data, *end = data + size;
	struct text last = next_line(&at, end), first = next_line(&at, end), patron = { (const char *)at, (size_t)(end - at) };
	struct names_verdict verdict = { 0 };
	struct name row, other;

	if (last.size > LIMIT_NAME || first.size > LIMIT_NAME)
		return 0;
	name_from_row(&key, &last, &first, &row);
	name_from_patron(&key, &patron, &other);
	names_compare(&row, &other, &verdict);
	check(!verdict.both || (verdict.surname && verdict.first));
	check_packing(&row);
	check_packing(&other);
	if (text_is_cell(last.bytes, last.size) && text_is_cell(first.bytes, first.size))
		check_created(&key, &last, &first, &row);
	return 0;
}
