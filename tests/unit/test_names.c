/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names: a table by hand of what agrees, and the confirmation that follows from it. */

#include "testkit.h"

#include <string.h>

#include "common/date.h"
#include "load/confirm.h"
#include "load/names.h"

static struct names_key key;

static struct text
text(const char *bytes)
{
	return (struct text){ bytes, strlen(bytes) };
}

static struct names_verdict
compare(const char *last, const char *first, const char *patron)
{
	struct text row_last = text(last), row_first = text(first), patron_text = text(patron);
	unsigned char packed[NAME_PACKED_MAX];
	struct names_verdict verdict = { 0 };
	struct name row, other, unpacked;
	size_t size;

	name_from_row(&key, &row_last, &row_first, &row);
	name_from_patron(&key, &patron_text, &other);
	/* through the packing, as the index does */
	size = name_pack(&other, packed);
	assert_int_equal(name_unpack(packed, &unpacked), size);
	names_compare(&row, &unpacked, &verdict);
	return verdict;
}

/* B: surname and first name agree; S: surname; F: first name; N: neither; -: nothing to compare. */
static const struct {
	const char *last;
	const char *first;
	const char *patron;
	char verdict;
} pairs[] = {
	/* strangers */
	{ "SMITH", "JOHN", "JONES, MARY", 'N' },
	{ "SMITH", "JOHN", "SMYTH, JON", 'N' },
	{ "SMITH", "JOHN", "SMITHSON, JOHNNY", 'N' },
	{ "SMITH", "JOHN", "JOHN, SMITH", 'N' },
	{ "LEE", "ANN", "LEEANN, X", 'N' },
	{ "O BRIEN", "PAT", "O NEIL, SEAN", 'N' },
	{ "D SOUZA", "ANA", "D COSTA, RUI", 'N' },
	{ "DE LA CRUZ", "ANA", "DE LA ROSA, EVA", 'N' },
	{ "VAN BUREN", "JAN", "VAN DER BERG, PIET", 'N' },
	{ "EL SAYED", "OMAR", "AL MASRI, ALI", 'N' },
	{ "ST JOHN", "AMY", "ST CLAIR, BEA", 'N' },
	{ "NGUYEN", "ANH", "TRAN, BINH", 'N' },
	{ "SMITH JR", "JOHN", "JONES JR, PAUL", 'N' },
	{ "王", "小明", "李, 大华", 'N' },
	{ "SMITH", "J", "JONES, JOHN", 'N' },
	/* twins, siblings, spouses: surname only */
	{ "SMITH", "JOHN", "SMITH, JAMES", 'S' },
	{ "GARCIA LOPEZ", "LUIS", "GARCIA LOPEZ, LUISA", 'S' },
	{ "SMITH", "J", "SMITH, JOHN", 'S' },
	{ "SMITH", "JOHN", "SMITH, J", 'S' },
	{ "SMITH", "J ROBERT", "SMITH, J MICHAEL", 'S' },
	{ "SMITH", "JEAN-PAUL", "SMITH, JEAN", 'S' },
	{ "SMITH", "JEAN", "SMITH, JEAN-PAUL", 'S' },
	{ "SMITH", "ANNE-MARIE", "SMITH, ANNE-LOUISE", 'S' },
	{ "SMITH", "MARYANN", "SMITH, MARY", 'S' },
	{ "SMITH", "JOHN", "SMITH", 'S' },
	{ "SMITH", "JOHN", "SMITH,", 'S' },
	{ "SMITH", "JOHN", "SMITH, JR", 'S' },
	{ "SMITH", "", "SMITH, JOHN", 'S' },
	{ "GARCIA-LOPEZ", "EVA", "LOPEZ, JUAN", 'S' },
	/* first name only */
	{ "SMITH", "MARY", "JONES, MARY", 'F' },
	{ "SMITH", "MARY ANN", "JONES, MARY LOU", 'F' },
	{ "SMITH", "MARÍA", "JONES, MARIA", 'F' },
	{ "", "MARY", "JONES, MARY", 'F' },
	/* the same person */
	{ "SMITH", "JOHN", "SMITH, JOHN", 'B' },
	{ "Smith", "John", "SMITH, JOHN", 'B' },
	{ "SMITH", "JOHN", "SMITH,JOHN", 'B' },
	{ "SMITH", "JOHN", " SMITH ,  JOHN  ", 'B' },
	{ "SMITH", "JOHN", "SMITH, JOHN QUINCY", 'B' },
	{ "SMITH", "JOHN QUINCY", "SMITH, JOHN", 'B' },
	{ "SMITH", "JOHN", "SMITH,$JOHN$QUINCY", 'B' },
	{ "SMITH", "JOHN Q", "SMITH, JOHN R", 'B' },
	{ "SMITH", "MARY ANN", "SMITH, MARYANN", 'B' },
	{ "SMITH", "MARY-ANN", "SMITH, MARY ANN", 'B' },
	{ "SMITH", "JEAN-PAUL", "SMITH, JEAN-PAUL MARIE", 'B' },
	{ "SMITH", "J R", "SMITH, J.R.", 'B' },
	{ "SMITH", "J", "SMITH, J", 'B' },
	/* suffixes */
	{ "SMITH JR", "JOHN", "SMITH, JOHN", 'B' },
	{ "SMITH", "JOHN", "SMITH JR., JOHN", 'B' },
	{ "SMITH", "JOHN JR", "SMITH, JOHN", 'B' },
	{ "SMITH", "JOHN", "SMITH, JOHN, JR", 'B' },
	{ "SMITH", "JOHN", "SMITH, JR., JOHN", 'B' },
	{ "SMITH III", "JOHN", "SMITH II, JOHN", 'B' },
	{ "SMITH", "JOHN IV", "SMITH, JOHN Sr.", 'B' },
	{ "SMITH", "JOHN Ⅲ", "SMITH, JOHN", 'B' },
	{ "SMITH", "JOHN JR PAUL", "SMITH, JOHN", 'B' },
	{ "SMITH-JR", "JOHN", "SMITH, JOHN", 'B' },
	/* apostrophes, blanks and hyphens in surnames */
	{ "O'BRIEN", "PAT", "OBRIEN, PAT", 'B' },
	{ "O’BRIEN", "PAT", "O'BRIEN, PAT", 'B' },
	{ "O BRIEN", "PAT", "O´BRIEN, PAT", 'B' },
	{ "KAʻAHUMANU", "LANI", "KA'AHUMANU, LANI", 'B' },
	{ "MC DONALD", "RON", "MCDONALD, RON", 'B' },
	{ "McDonald", "Ron", "MC DONALD, RON", 'B' },
	{ "DE LA CRUZ", "ANA", "DELACRUZ, ANA", 'B' },
	{ "DE LA CRUZ", "ANA", "CRUZ, ANA", 'B' },
	{ "VAN DER BERG", "PIET", "BERG, PIET", 'B' },
	{ "VAN", "THI", "VAN, THI", 'B' },
	{ "BIN LADEN", "OMAR", "LADEN, OMAR", 'B' },
	/* double surnames */
	{ "GARCIA LOPEZ", "EVA", "GARCIA, EVA", 'B' },
	{ "GARCIA", "EVA", "GARCIA-LOPEZ, EVA", 'B' },
	{ "GARCIA LOPEZ", "EVA", "LOPEZ-GARCIA, EVA", 'B' },
	{ "GARCIA-LOPEZ", "EVA", "GARCIALOPEZ, EVA", 'B' },
	{ "SMITH-JONES", "EVA", "SMITH JONES, EVA", 'B' },
	{ "SMITH–JONES", "EVA", "JONES, EVA", 'B' }, /* an en dash */
	/* accents, composed and decomposed, and letters without a decomposition */
	{ "MUÑOZ", "JOSÉ", "MUNOZ, JOSE", 'B' },
	{ "MUN\xCC\x83OZ", "JOSE\xCC\x81", "MUÑOZ, JOSÉ", 'B' },
	{ "Nguyễn", "Thị Ánh", "NGUYEN, THI ANH", 'B' },
	{ "Đặng", "Đức", "DANG, DUC", 'B' },
	{ "WAŁĘSA", "ŁUKASZ", "walesa, lukasz", 'B' },
	{ "GRÖßE", "JÖRG", "GROSSE, JORG", 'B' },
	{ "STRAẞE", "KAI", "strasse, kai", 'B' },
	{ "ÆBELØ", "BJØRN", "AEBELO, BJORN", 'B' },
	{ "Işık", "İpek", "ISIK, IPEK", 'B' },
	{ "ΠΑΠΑΣ", "ΝΙΚΟΣ", "Παπάς, Νίκος", 'B' },
	{ "ИВАНОВ", "ПЁТР", "иванов, петр", 'B' },
	{ "ＳＭＩＴＨ", "ＪＯＨＮ", "SMITH, JOHN", 'B' },
	/* other scripts stand for themselves */
	{ "السيد", "محمد", "السيد, محمد", 'B' },
	{ "السيد", "محمد", "السيد, أحمد", 'S' },
	{ "王", "小明", "王, 小明", 'B' },
	{ "शर्मा", "राम", "शर्मा, राम", 'B' },
	{ "शर्मा", "राम", "शर्मा, रमा", 'S' }, /* vowel signs are no accents */
	{ "たなか", "はな", "たなか, ばな", 'S' }, /* nor is the voicing mark */
	{ "김", "민준", "김, 민준", 'B' },
	{ "ÞÓR", "ANN", "THOR, ANN", 'F' },
	/* without a comma the whole is the surname, and has no parts */
	{ "SMITH", "JOHN", "JOHN SMITH", 'N' },
	{ "GARCIA", "EVA", "GARCIA LOPEZ", 'N' },
	{ "GARCIA LOPEZ", "EVA", "GARCIA LOPEZ", 'S' },
	{ "GARCIA LOPEZ", "EVA", "GARCIA", 'S' },
	{ "", "MARIA", "MARIA", 'S' }, /* what a create makes of one name */
	{ "", "MARIA ELENA", "MARIA", 'N' },
	/* nothing to compare */
	{ "SMITH", "JOHN", "", '-' },
	{ "SMITH", "JOHN", ",", '-' },
	{ "SMITH", "JOHN", "?!, ...", '-' },
	{ "...", "---", "SMITH, JOHN", '-' },
	{ "", "", "SMITH, JOHN", '-' },
};

static void
test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct names_verdict v = compare(pairs[i].last, pairs[i].first, pairs[i].patron);
		bool nothing = !v.surname_comparable && !v.first_comparable;
		char verdict = v.both ? 'B' : v.surname ? 'S' : v.first ? 'F' : nothing ? '-' : 'N';

		if (verdict != pairs[i].verdict)
			fail_msg("%s | %s | %s: %c, not %c", pairs[i].last, pairs[i].first, pairs[i].patron, verdict,
			    pairs[i].verdict);
		assert_int_equal(v.both, v.surname && v.first);
	}
	assert_true(COUNT(pairs) >= 60);
}

/* Surname of one name, first name of another: both agree, but not within one. */
static void
test_within_one(void **state)
{
	struct text last = text("SMITH"), first = text("MARY"), a = text("SMITH, ANN"), b = text("JONES, MARY");
	struct names_verdict verdict = { 0 };
	struct name row, one, two;

	(void)state;
	name_from_row(&key, &last, &first, &row);
	name_from_patron(&key, &a, &one);
	name_from_patron(&key, &b, &two);
	names_compare(&row, &one, &verdict);
	names_compare(&row, &two, &verdict);
	assert_true(verdict.surname && verdict.first);
	assert_false(verdict.both);
}

static void
test_keyed(void **state)
{
	struct names_key other;
	struct text last = text("SMITH"), first = text("MARY");
	struct name a, b;

	(void)state;
	assert_int_equal(names_key_init(&other), 0);
	name_from_row(&key, &last, &first, &a);
	name_from_row(&other, &last, &first, &b);
	assert_true(a.surnames[0] != b.surnames[0]);
	assert_true(a.firsts[0] != b.firsts[0]);
}

/* Hostile lengths: no overflow, and no agreement by what was cut. */
static void
test_long(void **state)
{
	static char name[20001];
	struct text patron = { name, sizeof(name) }, last, first = text("");
	struct names_verdict verdict = { 0 };
	struct name row, other;

	(void)state;
	for (size_t i = 0; i + 3 <= sizeof(name); i += 3) /* U+FDFA folds to 33 bytes */
		memcpy(name + i, "\xEF\xB7\xBA", 3);
	last = (struct text){ name, 255 };
	name_from_row(&key, &last, &first, &row);
	assert_int_equal(row.surname_count, 1);
	name_from_patron(&key, &patron, &other);
	names_compare(&row, &other, &verdict);
	assert_false(verdict.surname);
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 3 == 2 ? ' ' : (char)('A' + i % 26);
	name[3000] = ',';
	name_from_patron(&key, &patron, &other);
	assert_int_equal(other.surname_count, 1 + NAMES_PARTS_MAX);
}

static const struct {
	const char *a_last, *a_first, *b_last, *b_first;
	int same;
} twins[] = {
	{ "SMITH", "JOHN", "SMITH", "JAMES", 0 },
	{ "SMITH", "JOHN", "SMITH JR", "JOHN", 0 }, /* nothing left out */
	{ "GARCIA LOPEZ", "EVA", "GARCIA", "EVA", 0 },
	{ "SMITH", "JOHN", "SMITH", "JOHN Q", 0 },
	{ "SMITH", "", "", "SMITH", 0 },
	{ "SMITH", "JOHN", "SMITH", "", 0 },
	{ "!!!", "A", "???", "A", 0 },
	{ "!!!", "A", "!!!", "A", 1 },
	{ "SMITH", "JOHN", "smith", "Jöhn", 1 },
	{ "O'BRIEN", "MARY ANN", "OBRIEN", "MARY-ANN", 1 },
	{ "SMITH", "", "SMITH", "", 1 },
};

static void
test_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(twins); i++) {
		struct text a = text(twins[i].a_last), b = text(twins[i].a_first);
		struct text c = text(twins[i].b_last), d = text(twins[i].b_first);

		assert_int_equal(names_same(&a, &b, &c, &d), twins[i].same);
		assert_int_equal(names_same(&c, &d, &a, &b), twins[i].same);
	}
}

/* feed, the row's and the patron's birth date (0 none), verdict of the names as above, confirmed */
static const struct {
	enum feed_kind feed;
	int row_date, patron_date;
	char names;
	bool confirmed;
} people[] = {
	{ FEED_STUDENT, 100, 200, 'N', false },
	{ FEED_STUDENT, 100, 200, 'S', false },
	{ FEED_STUDENT, 100, 200, 'F', false },
	{ FEED_STUDENT, 100, 200, 'X', false }, /* both, in two names */
	{ FEED_STUDENT, 100, 200, '-', false }, /* the dates could be compared */
	{ FEED_STUDENT, 100, 0, 'N', false },
	{ FEED_STUDENT, 100, 0, 'F', false },
	{ FEED_STAFF, 0, 200, 'N', false },
	{ FEED_STAFF, 0, 0, 'N', false },
	{ FEED_STUDENT, 100, 200, 'B', true },
	{ FEED_STUDENT, 100, 100, 'N', true },
	{ FEED_STUDENT, 100, 100, '-', true },
	{ FEED_STUDENT, 100, 0, 'S', true },
	{ FEED_STUDENT, 100, 0, 'B', true },
	{ FEED_STUDENT, 100, 0, '-', true }, /* nothing at all can be compared */
	{ FEED_STAFF, 0, 200, 'S', true },
	{ FEED_STAFF, 0, 200, 'F', true },
	{ FEED_STAFF, 0, 200, 'X', true },
	{ FEED_STAFF, 0, 0, 'B', true },
	{ FEED_STAFF, 0, 200, '-', true },
};

static void
test_confirm(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(people); i++) {
		char n = people[i].names;
		struct names_verdict names = {
			.surname = n == 'B' || n == 'S' || n == 'X',
			.first = n == 'B' || n == 'F' || n == 'X',
			.both = n == 'B',
			.surname_comparable = n != '-',
			.first_comparable = n != '-',
		};
		int32_t row = people[i].row_date != 0 ? people[i].row_date : DATE_NONE;
		int32_t patron = people[i].patron_date != 0 ? people[i].patron_date : DATE_NONE;

		if (confirm_person(people[i].feed, row, patron, &names) != people[i].confirmed)
			fail_msg("person %zu", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_within_one),
		cmocka_unit_test(test_keyed),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_confirm),
	};

	if (names_key_init(&key) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
