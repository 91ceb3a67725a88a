/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A barcode field of a patron: whatever it holds, no run of digits in it can be created again. */

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "load/cleanup.h"
#include "load/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int ok)
{
	if (!ok)
		abort();
}

static void
check_runs(const struct index *index, const char *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		struct bare_key bare;
		struct index_hit hit;
		size_t start = at;

		while (at < size && bytes[at] >= '0' && bytes[at] <= '9')
			at++;
		bare = bare_key_of(bytes + start, at - start);
		if (at > start && bare.size <= LIMIT_KEY) {
			index_find(index, bytes + start, at - start, &hit);
			check(hit.verdict != INDEX_ABSENT && hit.patron_id <= 7);
		}
		if (at == start)
			at++;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text field = { (const char *)data, size };
	struct patron patron = { .id = 7, .barcodes = &field, .barcode_count = 1 };
	struct key_rule *rule = NULL;
	struct index *index = NULL;

	/* what is not UTF-8 makes an answer unreadable, long before */
	if (size > LIMIT_BARCODE_FIELD || !text_is_utf8(field.bytes, field.size))
		return 0;
	check(key_rule_new(&rule, "[0-9]+") == 0 && index_new(&index, rule) == 0);
	check(index_add(index, &patron) == 0);
	index_finish(index);
	check_runs(index, field.bytes, field.size);
	check(index_cleanup_count(index) <= 1);
	if (index_cleanup_count(index) == 1) {
		struct index_cleanup row;

		index_cleanup_at(index, 0, &row);
		check(row.class != CLEANUP_AMBIGUOUS && cleanup_class_name(row.class) != NULL);
		check(row.field.size <= LIMIT_CLEANUP_FIELD && text_is_utf8(row.field.bytes, row.field.size));
		for (size_t i = 0; i < row.field.size; i++)
			check((unsigned char)row.field.bytes[i] >= ' ' && row.field.bytes[i] != 0x7F);
	}
	(void)index_free(index);
	(void)key_rule_free(rule);
	return 0;
}
