/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The barcode index: which keys are whose, and what goes on the clean-up report. */

#include "testkit.h"

#include <stdio.h>

#include "patrond/limits.h"

/* A smaller report, so that a test can fill it: the module itself is part of this file. */
#undef LIMIT_REPORT_SIZE
#define LIMIT_REPORT_SIZE (4U << 20)
#include "../../src/load/index.c"

#include "plankit.h"

/* One index for the table: ids are for reading. */
static const struct kit_patron patrons[] = {
	{ .id = 100, .barcodes = "123456", .names = "SMITH, ANN", .expiration = "2025-01-01" },
	{ .id = 101, .names = "NOBODY, NO" },
	{ .id = 102, .barcodes = "|201975" },                       /* an empty field first */
	{ .id = 103, .barcodes = " 300001 |300001| 300002" },       /* blanks around; one listed twice */
	{ .id = 104, .barcodes = "400001;400002", .expiration = "2024-02-29" },
	{ .id = 105, .barcodes = "12345678 / PREV ID" },
	{ .id = 106, .barcodes = "500001" },
	{ .id = 107, .barcodes = "500001|500001" },                 /* ambiguous with 106 */
	{ .id = 108, .barcodes = "500001" },                        /* and a third */
	{ .id = 109, .barcodes = "0600001" },
	{ .id = 110, .barcodes = "700-001|70 00 02" },
	{ .id = 111, .barcodes = "800001" },                        /* clean here … */
	{ .id = 112, .barcodes = "800001 lost" },                   /* … and tainted there */
	{ .id = 113, .barcodes = "lost 900001" },                   /* tainted first … */
	{ .id = 114, .barcodes = "900001" },                        /* … then clean */
	{ .id = 115, .barcodes = "910001 old" },                    /* tainted twice */
	{ .id = 116, .barcodes = "910001x" },
	{ .id = 117, .barcodes = "   " },
	{ .id = 118, .barcodes = "999999", .deleted = true },
	{ .id = 119, .barcodes = "000" },
	{ .id = 120, .barcodes = "920001" },
	{ .id = 121, .barcodes = "0920001" },
	{ .id = 122, .barcodes = "93-0001 / x" },
	{ .id = 123, .barcodes = "0940001|00940001" },
	{ .id = 124, .barcodes = "0950001" },
	{ .id = 125, .barcodes = "950001 old" },
};

static const struct {
	const char *key;
	enum index_verdict verdict;
	uint64_t patron_id;
} keys[] = {
	{ "", INDEX_ABSENT, 0 },
	{ "3", INDEX_ABSENT, 0 },
	{ "12345", INDEX_ABSENT, 0 },
	{ "1234567", INDEX_ABSENT, 0 },
	{ "1234560", INDEX_ABSENT, 0 },
	{ "999999", INDEX_ABSENT, 0 }, /* the deleted one's */
	{ "500001", INDEX_AMBIGUOUS, 0 },
	{ "400001", INDEX_TAINTED, 104 },
	{ "400002", INDEX_TAINTED, 104 },
	{ "400001400002", INDEX_TAINTED, 104 },
	{ "12345678", INDEX_TAINTED, 105 },
	{ "700001", INDEX_TAINTED, 110 },
	{ "700002", INDEX_TAINTED, 110 },
	{ "910001", INDEX_TAINTED, 0 }, /* two patrons */
	{ "930001", INDEX_TAINTED, 122 },
	{ "950001", INDEX_TAINTED, 0 }, /* and another equal but for a zero */
	{ "1", INDEX_ZEROS, 0 }, /* the runs 001 and 0001 of 110 and 122 */
	{ "0123456", INDEX_ZEROS, 100 },
	{ "00123456", INDEX_ZEROS, 100 },
	{ "600001", INDEX_ZEROS, 109 },
	{ "0500001", INDEX_ZEROS, 0 },
	{ "0400001", INDEX_ZEROS, 104 },
	{ "0800001", INDEX_ZEROS, 0 },
	{ "0", INDEX_ZEROS, 0 }, /* zeros alone in two fields, 110 and 119 */
	{ "00920001", INDEX_ZEROS, 0 },
	{ "940001", INDEX_ZEROS, 123 },
	{ "123456", INDEX_CLEAN, 100 },
	{ "201975", INDEX_CLEAN, 102 },
	{ "300001", INDEX_CLEAN, 103 },
	{ "300002", INDEX_CLEAN, 103 },
	{ "0600001", INDEX_CLEAN, 109 },
	{ "800001", INDEX_CLEAN, 111 },
	{ "900001", INDEX_CLEAN, 114 },
	{ "920001", INDEX_CLEAN, 120 },
	{ "0920001", INDEX_CLEAN, 121 },
	{ "0950001", INDEX_CLEAN, 124 },
};

static void
test_keys(void **state)
{
	struct key_rule *rule = kit_rule("[0-9]+");
	struct index *index = kit_index(rule, patrons, COUNT(patrons));

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct index_hit hit;

		index_find(index, keys[i].key, strlen(keys[i].key), &hit);
		if (hit.verdict != keys[i].verdict || hit.patron_id != keys[i].patron_id)
			fail_msg("%s: verdict %d, patron %llu", keys[i].key, (int)hit.verdict,
			    (unsigned long long)hit.patron_id);
		if (hit.verdict == INDEX_CLEAN) {
			struct index_patron patron;

			index_patron(index, hit.patron, &patron);
			assert_int_equal(patron.id, keys[i].patron_id);
		}
	}
	assert_int_equal(index_patrons(index), COUNT(patrons) - 1);
	/* not 101 (none), 117 (blank), 118 (deleted) */
	assert_int_equal(index_patrons_with_barcode(index), COUNT(patrons) - 3);
	(void)index_free(index);
	(void)key_rule_free(rule);
}

static const struct {
	uint64_t patron_id;
	enum cleanup_class class;
	const char *field;
	const char *expiration;
} cleanup[] = {
	{ 104, CLEANUP_SEVERAL, "400001;400002", "2024-02-29" },
	{ 105, CLEANUP_NOTE, "12345678 / PREV ID", NULL },
	{ 106, CLEANUP_AMBIGUOUS, "500001", NULL },
	{ 107, CLEANUP_AMBIGUOUS, "500001", NULL }, /* a row a patron */
	{ 108, CLEANUP_AMBIGUOUS, "500001", NULL },
	{ 110, CLEANUP_PUNCTUATION, "700-001", NULL },
	{ 110, CLEANUP_SEVERAL, "70 00 02", NULL },
	{ 112, CLEANUP_NOTE, "800001 lost", NULL },
	{ 113, CLEANUP_LETTERS, "lost 900001", NULL },
	{ 115, CLEANUP_NOTE, "910001 old", NULL },
	{ 116, CLEANUP_LETTERS, "910001x", NULL },
	{ 122, CLEANUP_LETTERS, "93-0001 / x", NULL },
	{ 125, CLEANUP_NOTE, "950001 old", NULL },
};

static void
test_cleanup(void **state)
{
	struct key_rule *rule = kit_rule("[0-9]+");
	struct index *index = kit_index(rule, patrons, COUNT(patrons));

	(void)state;
	assert_int_equal(index_cleanup_count(index), COUNT(cleanup));
	for (uint32_t i = 0; i < COUNT(cleanup); i++) {
		struct index_cleanup row;

		index_cleanup_at(index, i, &row);
		assert_int_equal(row.patron_id, cleanup[i].patron_id);
		assert_int_equal(row.class, cleanup[i].class);
		assert_int_equal(row.field.size, strlen(cleanup[i].field));
		assert_memory_equal(row.field.bytes, cleanup[i].field, row.field.size);
		assert_int_equal(row.expiration, kit_days(cleanup[i].expiration));
	}
	assert_false(index_cleanup_cut(index));
	(void)index_free(index);
	(void)key_rule_free(rule);
}

/* Letters compare without case; an ambiguous barcode is shown as each patron spells it. */
static void
test_letters(void **state)
{
	static const struct kit_patron list[] = {
		{ .id = 1, .barcodes = "ab12" },
		{ .id = 2, .barcodes = "AB12" },
		{ .id = 3, .barcodes = "0cd34" },
		{ .id = 4, .barcodes = "ef56 / OLD" },
	};
	struct key_rule *rule = kit_rule("[0-9]*[A-Z]+[0-9]+");
	struct index *index = kit_index(rule, list, COUNT(list));
	struct index_cleanup row;
	struct index_hit hit;

	(void)state;
	index_find(index, "Ab12", 4, &hit);
	assert_int_equal(hit.verdict, INDEX_AMBIGUOUS);
	index_find(index, "0CD34", 5, &hit);
	assert_int_equal(hit.verdict, INDEX_CLEAN);
	index_find(index, "Cd34", 4, &hit);
	assert_int_equal(hit.verdict, INDEX_ZEROS);
	index_find(index, "EF56", 4, &hit);
	assert_int_equal(hit.verdict, INDEX_TAINTED);
	assert_int_equal(hit.patron_id, 4);
	index_cleanup_at(index, 0, &row);
	assert_memory_equal(row.field.bytes, "ab12", 4);
	index_cleanup_at(index, 1, &row);
	assert_memory_equal(row.field.bytes, "AB12", 4);
	(void)index_free(index);
	(void)key_rule_free(rule);
}

/* Fields that a pattern admits, and no row's key can be: blanks, hyphens and a leading # are taken out of a key. */
static const struct {
	const char *pattern;
	struct kit_patron patron;
	const char *key;
	enum index_verdict verdict;
} unkeyed[] = {
	{ "[0-9-]+", { .id = 1, .barcodes = "12-3456" }, "123456", INDEX_TAINTED },
	{ "[0-9-]+", { .id = 1, .barcodes = "123456-" }, "123456", INDEX_TAINTED },
	{ "[0-9-]+", { .id = 1, .barcodes = "012-3456" }, "123456", INDEX_ZEROS },
	{ "[0-9 ]+", { .id = 1, .barcodes = "12 3456" }, "123456", INDEX_TAINTED },
	{ "#?[0-9]+", { .id = 1, .barcodes = "#123456" }, "123456", INDEX_TAINTED },
	{ "[A-Z]-?[0-9]+", { .id = 1, .barcodes = "a-123456" }, "A123456", INDEX_TAINTED },
	{ "[0-9]+.+[0-9]+", { .id = 1, .barcodes = "12\xc2\xa0" "3456" }, "123456", INDEX_TAINTED },
	{ "[0-9-]+", { .id = 1, .barcodes = "123456" }, "123456", INDEX_CLEAN },
	{ "[0-9]+#?", { .id = 1, .barcodes = "123456#" }, "123456#", INDEX_CLEAN },
};

static void
test_unkeyed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(unkeyed); i++) {
		struct key_rule *rule = kit_rule(unkeyed[i].pattern);
		struct index *index = kit_index(rule, &unkeyed[i].patron, 1);
		struct index_hit hit;

		index_find(index, unkeyed[i].key, strlen(unkeyed[i].key), &hit);
		if (hit.verdict != unkeyed[i].verdict || hit.patron_id != 1)
			fail_msg("%s: verdict %d", unkeyed[i].patron.barcodes, (int)hit.verdict);
		/* and somebody must clean it up */
		assert_int_equal(index_cleanup_count(index), unkeyed[i].verdict != INDEX_CLEAN);
		(void)index_free(index);
		(void)key_rule_free(rule);
	}
}

static void
test_order(void **state)
{
	static const struct kit_patron list[] = {
		{ .id = 5, .barcodes = "1" },
		{ .id = 5, .barcodes = "2" },
		{ .id = 4, .barcodes = "3" },
		{ .id = 0xFFFFFFFFFFULL, .barcodes = "4" },
	};
	struct key_rule *rule = kit_rule("[0-9]+");
	struct index *index;
	struct index_hit hit;
	uint32_t patron;

	(void)state;
	assert_int_equal(index_new(&index, rule), 0);
	assert_int_equal(kit_add_patron(index, &list[0]), 0);
	assert_int_equal(kit_add_patron(index, &list[1]), INDEX_E_ORDER);
	assert_int_equal(kit_add_patron(index, &list[2]), INDEX_E_ORDER);
	assert_int_equal(kit_add_patron(index, &list[3]), 0);
	index_finish(index);
	index_find(index, "4", 1, &hit);
	assert_int_equal(hit.patron_id, 0xFFFFFFFFFFULL);
	assert_true(index_ordinal(index, 5, &patron) && patron == 0);
	assert_true(index_ordinal(index, 0xFFFFFFFFFFULL, &patron) && patron == 1);
	assert_false(index_ordinal(index, 6, &patron));
	(void)index_free(index);
	(void)key_rule_free(rule);
}

static void
test_names(void **state)
{
	static const struct kit_patron list[] = {
		{ .id = 1, .barcodes = "1", .names = "SMITH, ANN|!!!|JONES, ANN MARY" },
		{ .id = 2, .barcodes = "2" },
		{ .id = 3, .barcodes = "3 x", .names = "SMITH, ANN" }, /* never matched: no name is kept */
	};
	struct key_rule *rule = kit_rule("[0-9]+");
	struct index *index = kit_index(rule, list, COUNT(list));
	struct text last = kit_text("JONES"), first = kit_text("Ann");
	struct names_verdict verdict;
	struct name name;

	(void)state;
	name_from_row(index_names_key(index), &last, &first, &name);
	index_names(index, 0, &name, &verdict);
	assert_true(verdict.both);
	index_names(index, 1, &name, &verdict);
	assert_false(verdict.surname_comparable || verdict.first_comparable);
	index_names(index, 2, &name, &verdict);
	assert_false(verdict.surname_comparable);
	(void)index_free(index);
	(void)key_rule_free(rule);
}

/* Many keys through several growths: each is found, none is taken for another, and the bytes stay within bounds. */
static void
test_many(void **state)
{
	struct key_rule *rule = kit_rule("[0-9]+");
	const uint32_t count = 116000; /* just past a doubling, where a slot is dearest */
	struct index_memory memory;
	struct index *index;
	struct index_hit hit;
	char barcode[32];

	(void)state;
	assert_int_equal(index_new(&index, rule), 0);
	for (uint32_t i = 0; i < count; i++) {
		struct kit_patron patron = { .id = 1000 + i, .barcodes = barcode, .names = "SMITH, ANN MARY",
			.birth_date = "2010-01-01" };

		(void)snprintf(barcode, sizeof(barcode), "2123400%07u", i * 7U);
		assert_int_equal(kit_add_patron(index, &patron), 0);
	}
	index_finish(index);
	for (uint32_t i = 0; i < count * 7; i += 3) {
		(void)snprintf(barcode, sizeof(barcode), "2123400%07u", i);
		index_find(index, barcode, strlen(barcode), &hit);
		assert_int_equal(hit.verdict, i % 7 == 0 ? INDEX_CLEAN : INDEX_ABSENT);
		assert_int_equal(hit.patron_id, i % 7 == 0 ? 1000 + i / 7 : 0);
	}
	index_memory(index, &memory);
	assert_int_equal(memory.keys, count);
	assert_true((memory.total - memory.confirmation) / count <= 48);
	print_message("%zu bytes a barcode, %zu a patron for confirmation\n", (memory.total - memory.confirmation) / count,
	    memory.confirmation / count);
	(void)index_free(index);
	(void)key_rule_free(rule);
}

/* A flood of malformed fields fills the report, not the memory, and the keys still count. */
static void
test_flood(void **state)
{
	static char field[LIMIT_BARCODE_FIELD];
	struct key_rule *rule = kit_rule("[0-9]+");
	struct text text = { field, sizeof(field) };
	struct patron patron = { .barcodes = &text, .barcode_count = 1, .expiration = DATE_NONE, .birth_date = DATE_NONE };
	struct index *index;
	struct index_hit hit;
	const uint32_t count = LIMIT_REPORT_SIZE / LIMIT_CLEANUP_FIELD;

	(void)state;
	memset(field, 'x', sizeof(field));
	memcpy(field, "7654321 ", 8);
	assert_int_equal(index_new(&index, rule), 0);
	for (uint32_t i = 0; i < count; i++) {
		patron.id = i + 1;
		assert_int_equal(index_add(index, &patron), 0);
	}
	index_finish(index);
	assert_true(index_cleanup_cut(index));
	assert_true(index_cleanup_count(index) < count);
	index_find(index, "7654321", 7, &hit);
	assert_int_equal(hit.verdict, INDEX_TAINTED);
	(void)index_free(index);
	(void)key_rule_free(rule);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_cleanup),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_unkeyed),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
