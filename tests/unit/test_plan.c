/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan: every outcome and reason, and the sentences of the domain that decide between them. */

#include "testkit.h"

#include <errno.h>
#include <stdio.h>

#include "load/plan.h"
#include "plankit.h"

#define TODAY "2024-08-26"     /* plus 156 weeks: */
#define NEW_DATE "2027-08-23"
#define IN_WINDOW "2027-07-26" /* 28 days before that */
#define DUE "2027-07-25"       /* 29 days before */
#define BORN "2010-05-17"

static const struct kit_patron patrons[] = {
	{ 100, "100001", "SMITH, ANN", BORN, DUE, false },
	{ 101, "100002", "SMITH, BEN", BORN, IN_WINDOW, false },
	{ 102, "100003", "SMITH, CAT", BORN, NULL, false },          /* missing or unreadable */
	{ 103, "100004", "SMITH, DAN", BORN, NEW_DATE, false },
	{ 104, "100005", "SMITH, EVE", BORN, "2099-12-31", false },  /* never backwards */
	{ 105, "100006|100007", "SMITH, FAY", BORN, "2020-01-01", false },
	{ 106, "100008", "OTHER, PERSON", "1970-01-01", "2020-01-01", false },
	{ 107, "100009", NULL, NULL, "2020-01-01", false },          /* nothing at all to compare */
	{ 108, "100010", "SMITH, GUS", NULL, "2020-01-01", false },
	{ 109, "100011", "JONES, GUS", NULL, "2020-01-01", false },
	{ 110, "200001", NULL, NULL, NULL, false },
	{ 111, "200001", NULL, NULL, NULL, false },                  /* ambiguous */
	{ 112, "200002;200003", "SMITH, HAL", BORN, "2020-01-01", false }, /* tainted: several */
	{ 113, "200004 / PREV ID", NULL, BORN, NULL, false },        /* note */
	{ 114, "#200005", NULL, BORN, NULL, false },                 /* punctuation */
	{ 115, "X200006", NULL, BORN, NULL, false },                 /* letters */
	{ 116, "0200007", NULL, BORN, NULL, false },                 /* zeros */
	{ 117, "200008.", NULL, BORN, NULL, false },
	{ 118, "x200008", NULL, BORN, NULL, false },                 /* tainted by two */
	{ 119, "1234567890", "BAKER, IDA", "1980-01-01", "2020-01-01", false },
	{ 120, "1234567891", "BAKER, JIM", "1971-02-03", NEW_DATE, false },
	{ 121, "1234567892", "STRANGER, TOO", NULL, "2020-01-01", false },
	{ 122, "200009", "SMITH, ANN", BORN, NEW_DATE, false },      /* clean … */
	{ 123, "0200009", "SMITH, ANN", BORN, NEW_DATE, false },     /* … beside its leading zero */
};

#define STUDENT(key, last, first) { FEED_STUDENT, REASON_NONE, key, last, first, BORN, 0 }
#define STUDENT_OF(key, last, first, born) { FEED_STUDENT, REASON_NONE, key, last, first, born, 0 }
#define STAFF(key, last, first) { FEED_STAFF, REASON_NONE, key, last, first, NULL, 0 }
#define BAD(reason, key) { FEED_STUDENT, REASON_##reason, key, NULL, NULL, NULL, 2 }
#define BAD_STAFF(reason, key) { FEED_STAFF, REASON_##reason, key, NULL, NULL, NULL, 0 }

struct wanted {
	enum plan_action action;
	enum outcome_kind kind;
	enum reason reason;
	uint64_t patron_id;
};

#define RENEWS(id) { PLAN_RENEW, OUTCOME_RENEWED, REASON_NONE, id }
#define CREATES { PLAN_CREATE, OUTCOME_CREATED, REASON_NONE, 0 }
#define CURRENT(id) { PLAN_NONE, OUTCOME_CURRENT, REASON_NONE, id }
#define HELD(reason, id) { PLAN_NONE, OUTCOME_HELD, REASON_##reason, id }
#define SKIPPED(reason) { PLAN_NONE, OUTCOME_SKIPPED, REASON_##reason, 0 }
#define REJECTED(reason) { PLAN_NONE, OUTCOME_REJECTED, REASON_##reason, 0 }

/* Cases are whole loads of up to six rows, students first. */
static const struct {
	const char *what;
	struct kit_row rows[6];
	struct wanted wanted[6];
} cases[] = {
	/* what the row alone says */
	{ "own verdicts",
	    { BAD(OPTED_OUT, "1"), BAD(SHAPE, "2"), BAD(STATUS, "3"), BAD(INACTIVE, "4"), BAD(KEY, "5"), BAD(NAME, "6") },
	    { SKIPPED(OPTED_OUT), REJECTED(SHAPE), REJECTED(STATUS), SKIPPED(INACTIVE), REJECTED(KEY), REJECTED(NAME) } },
	{ "rejected also where the key would match",
	    { BAD(BIRTH_DATE, "100001"), BAD(INACTIVE, "100002"), BAD_STAFF(KEY, "100003"), BAD_STAFF(INACTIVE, "100004") },
	    { REJECTED(BIRTH_DATE), SKIPPED(INACTIVE), REJECTED(KEY), SKIPPED(INACTIVE) } },
	{ "decode is not believed", { STUDENT("1234567.0", "SMITH", "ANN"), STUDENT("", "SMITH", "ANN") },
	    { REJECTED(KEY), REJECTED(KEY) } },
	/* renewals and their bounds */
	{ "dates", { STUDENT("100001", "SMITH", "ANN"), STUDENT("100002", "SMITH", "BEN"), STUDENT("100003", "SMITH", "CAT"),
	    STUDENT("100004", "SMITH", "DAN"), STUDENT("100005", "SMITH", "EVE") },
	    { RENEWS(100), CURRENT(101), RENEWS(102), CURRENT(103), CURRENT(104) } },
	{ "two keys on one patron", { STUDENT("100007", "SMITH", "FAY"), STUDENT("100006", "SMITH", "FAY") },
	    { RENEWS(105), CURRENT(105) } },
	{ "two keys, the first a stranger", { STUDENT_OF("100007", "DOE", "X", "2011-01-01"), STUDENT("100006", "SMITH", "FAY") },
	    { HELD(IDENTITY_MISMATCH, 105), RENEWS(105) } },
	{ "two keys over the feeds", { STUDENT("100006", "SMITH", "FAY"), STAFF("100007", "SMITH", "FAY") },
	    { RENEWS(105), CURRENT(105) } },
	/* confirmation */
	{ "a stranger's number", { STUDENT("100008", "SMITH", "ANN") }, { HELD(IDENTITY_MISMATCH, 106) } },
	{ "dates differ, names agree", { STUDENT_OF("100001", "Smith Jr", "Ann", "2009-01-01") }, { RENEWS(100) } },
	{ "dates differ, a twin's name", { STUDENT_OF("100001", "SMITH", "BEN", "2009-01-01") },
	    { HELD(IDENTITY_MISMATCH, 100) } },
	{ "dates agree, names do not", { STUDENT("100001", "NEWNAME", "X") }, { RENEWS(100) } },
	{ "nothing at all to compare", { STUDENT("100009", "SMITH", "ANN") }, { RENEWS(107) } },
	{ "a birth date is missing", { STUDENT("100010", "SMITH", "ANN"), STUDENT("100011", "SMITH", "GUS") },
	    { RENEWS(108), HELD(IDENTITY_MISMATCH, 109) } },
	{ "staff", { STAFF("1234567890", "BAKER", "X"), STAFF("1234567891", "X", "JIM"), STAFF("1234567892", "BAKER", "IDA"),
	    STAFF("100009", "BAKER", "IDA") },
	    { RENEWS(119), CURRENT(120), HELD(IDENTITY_MISMATCH, 121), RENEWS(107) } },
	/* keys that are not one clean barcode */
	{ "ambiguous", { STUDENT("200001", "SMITH", "ANN") }, { HELD(AMBIGUOUS, 0) } },
	{ "tainted by each class", { STUDENT("200002", "SMITH", "HAL"), STUDENT("200004", "A", "B"), STUDENT("200005", "A", "B"),
	    STUDENT("200006", "A", "B"), STUDENT("200007", "A", "B"), STUDENT("200008", "A", "B") },
	    { HELD(NEEDS_CLEANUP, 112), HELD(NEEDS_CLEANUP, 113), HELD(NEEDS_CLEANUP, 114), HELD(NEEDS_CLEANUP, 115),
		HELD(NEEDS_CLEANUP, 116), HELD(NEEDS_CLEANUP, 0) } },
	{ "the whole field squeezed", { STUDENT("200002200003", "SMITH", "HAL") }, { HELD(NEEDS_CLEANUP, 112) } },
	{ "a zero more", { STUDENT("0100001", "SMITH", "ANN"), STUDENT("00200001", "A", "B") },
	    { HELD(NEEDS_CLEANUP, 100), HELD(NEEDS_CLEANUP, 0) } },
	{ "clean decides over its leading zero", { STUDENT("200009", "SMITH", "ANN") }, { CURRENT(122) } },
	/* creating */
	{ "new", { STUDENT("300001", "SMITH", "ANN"), STAFF("3000000001", "BAKER", "IDA") }, { CREATES, CREATES } },
	{ "no PIN can be made of it", { STAFF("333", "BAKER", "IDA") }, { REJECTED(KEY) } },
	{ "no name can be made of it", { STUDENT("300001", ",", "") }, { REJECTED(NAME) } },
	/* duplicates and conflicts */
	{ "duplicates", { STUDENT("300001", "SMITH", "ANN"), STUDENT("300001", "Smith", "Änn"), STUDENT("300001", "SMITH", "ANN") },
	    { CREATES, SKIPPED(DUPLICATE), SKIPPED(DUPLICATE) } },
	{ "duplicates of a match", { STUDENT("100001", "SMITH", "ANN"), STUDENT("100001", "SMITH", "ANN") },
	    { RENEWS(100), SKIPPED(DUPLICATE) } },
	{ "names disagree", { STUDENT("300001", "SMITH", "ANN"), STUDENT("300001", "SMITH JR", "ANN") },
	    { HELD(CONFLICT, 0), HELD(CONFLICT, 0) } },
	{ "birth dates disagree", { STUDENT("300001", "SMITH", "ANN"), STUDENT_OF("300001", "SMITH", "ANN", "2010-05-18") },
	    { HELD(CONFLICT, 0), HELD(CONFLICT, 0) } },
	{ "all that disagree are held", { STUDENT("300001", "SMITH", "ANN"), STUDENT("300001", "SMITH", "ANN"),
	    STUDENT("300001", "DOE", "JO"), STUDENT("300002", "SMITH", "ANN") },
	    { HELD(CONFLICT, 0), HELD(CONFLICT, 0), HELD(CONFLICT, 0), CREATES } },
	{ "student and staff", { STUDENT("100006", "SMITH", "FAY"), STAFF("100006", "SMITH", "FAY") },
	    { HELD(CONFLICT, 0), HELD(CONFLICT, 0) } },
	{ "staff duplicates", { STAFF("300001", "SMITH", "FAY"), STAFF("300001", "SMITH", "FAY") },
	    { CREATES, SKIPPED(DUPLICATE) } },
	{ "rejected and inactive rows take no part", { BAD(INACTIVE, "300001"), BAD(NAME, "300001"), STUDENT("300001", "SMITH", "ANN"),
	    BAD_STAFF(INACTIVE, "300001") },
	    { SKIPPED(INACTIVE), REJECTED(NAME), CREATES, SKIPPED(INACTIVE) } },
	{ "leading zeros", { STUDENT("300001", "SMITH", "ANN"), STUDENT("0300001", "SMITH", "ANN"), STUDENT("300010", "A", "B") },
	    { HELD(CONFLICT, 0), HELD(CONFLICT, 0), CREATES } },
	{ "leading zeros, a match too", { STUDENT("0100001", "SMITH", "ANN"), STUDENT("100001", "SMITH", "ANN") },
	    { HELD(CONFLICT, 0), HELD(CONFLICT, 0) } },
	{ "leading zeros over the feeds", { STUDENT("0300001", "SMITH", "ANN"), STAFF("300001", "SMITH", "ANN") },
	    { HELD(CONFLICT, 0), HELD(CONFLICT, 0) } },
	{ "leading zeros of a row that takes no part", { BAD(INACTIVE, "0300001"), STUDENT("300001", "SMITH", "ANN") },
	    { SKIPPED(INACTIVE), CREATES } },
	/* opted out: in all directions */
	{ "the row after", { BAD(OPTED_OUT, "300001"), STUDENT("300001", "SMITH", "ANN") },
	    { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT) } },
	{ "the row before", { STUDENT("100001", "SMITH", "ANN"), BAD(OPTED_OUT, "100001") },
	    { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT) } },
	{ "the other feed", { STUDENT("300001", "SMITH", "ANN"), BAD_STAFF(OPTED_OUT, "300001") },
	    { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT) } },
	{ "to the other feed", { BAD(OPTED_OUT, "300001"), STAFF("300001", "SMITH", "ANN") },
	    { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT) } },
	{ "whatever else is wrong", { BAD(SHAPE, "300001"), BAD(INACTIVE, "300001"), BAD(NAME, "300001"), BAD(OPTED_OUT, "300001"),
	    BAD(BIRTH_DATE, "300001"), BAD_STAFF(INACTIVE, "300001") },
	    { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT),
		SKIPPED(OPTED_OUT) } },
	{ "a key that does not fit", { BAD(OPTED_OUT, "30001.0"), BAD(KEY, "30001.0"), BAD(KEY, "30001.1") },
	    { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT), REJECTED(KEY) } },
	{ "an opt-out under a damaged key", { BAD(OPTED_OUT, "300001.0"), STUDENT("300001", "SMITH", "ANN"), STAFF("0300001", "SMITH", "ANN"),
	    STUDENT("300002", "A", "B") },
	    { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT), CREATES, SKIPPED(OPTED_OUT) } },
	{ "an opt-out under a key in other digits", { BAD(OPTED_OUT, "\xef\xbc\x93\xef\xbc\x90\xef\xbc\x90\xef\xbc\x90\xef\xbc\x90\xef\xbc\x91"),
	    STUDENT("300001", "SMITH", "ANN") }, { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT) } },
	{ "an opt-out under a key with an apostrophe", { BAD(OPTED_OUT, "'300001"), STUDENT("300001", "SMITH", "ANN") },
	    { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT) } },
	{ "leading zeros of one opted out", { BAD(OPTED_OUT, "0300001"), STUDENT("300001", "SMITH", "ANN"),
	    STUDENT("00300001", "SMITH", "ANN"), BAD(NAME, "300001"), STAFF("0300001", "SMITH", "ANN"), STAFF("300010", "A", "B") },
	    { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT), CREATES } },
	{ "rows without a key are no one's", { BAD(OPTED_OUT, ""), BAD(KEY, ""), BAD(SHAPE, "") },
	    { SKIPPED(OPTED_OUT), REJECTED(KEY), REJECTED(SHAPE) } },
	{ "an opt-out ends a conflict", { STUDENT("300001", "SMITH", "ANN"), STUDENT("300001", "DOE", "JO"), BAD(OPTED_OUT, "300001") },
	    { SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT), SKIPPED(OPTED_OUT) } },
};

static const struct plan_rules rules = { 19961, 156, 28, true }; /* TODAY */

struct world {
	struct key_rule *rule;
	struct index *index;
};

static int
set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->rule = kit_rule("[0-9]+");
	world->index = kit_index(world->rule, patrons, COUNT(patrons));
	*state = world;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	(void)index_free(world->index);
	(void)key_rule_free(world->rule);
	free(world);
	return 0;
}

static void
check_case(const struct world *world, size_t n)
{
	struct rows *rows;
	struct plan *plan;
	size_t count = 0;

	while (count < 6 && cases[n].rows[count].key != NULL)
		count++;
	rows = kit_rows(cases[n].rows, count);
	assert_int_equal(plan_match(&plan, rows, world->index, world->rule, &rules), 0);
	assert_int_equal(plan_expiration(plan), kit_days(NEW_DATE));
	for (row_ref ref = 0; ref < count; ref++) {
		const struct wanted *wanted = &cases[n].wanted[ref];
		struct outcome outcome;

		plan_outcome(plan, ref, &outcome);
		if (plan_action(plan, ref) != wanted->action || outcome.kind != wanted->kind ||
		    outcome.reason != wanted->reason || outcome.patron_id != wanted->patron_id)
			fail_msg("%s, row %u: action %d, %s %s, patron %llu", cases[n].what, ref + 1,
			    (int)plan_action(plan, ref), outcome_kind_name(outcome.kind), reason_name(outcome.reason),
			    (unsigned long long)outcome.patron_id);
		assert_true(outcome_reason_fits(outcome.kind, outcome.reason));
	}
	(void)plan_free(plan);
	(void)rows_free(rows);
}

static void
test_cases(void **state)
{
	assert_int_equal(kit_days(TODAY), rules.today);
	for (size_t n = 0; n < COUNT(cases); n++)
		check_case(*state, n);
}

/* Without confirmation a key alone decides. */
static void
test_unconfirmed(void **state)
{
	static const struct kit_row list[] = { STUDENT("100008", "SMITH", "ANN") };
	struct plan_rules lax = { rules.today, 156, 28, false };
	struct world *world = *state;
	struct rows *rows = kit_rows(list, COUNT(list));
	struct plan *plan;

	assert_int_equal(plan_match(&plan, rows, world->index, world->rule, &lax), 0);
	assert_int_equal(plan_action(plan, 0), PLAN_RENEW);
	(void)plan_free(plan);
	(void)rows_free(rows);
}

static const struct kit_row mixed[] = {
	STUDENT("100001", "SMITH", "ANN"),  /* 0 renews */
	STUDENT("300001", "NEW", "ONE"),    /* 1 creates */
	STUDENT("100003", "SMITH", "CAT"),  /* 2 renews */
	STUDENT("300002", "NEW", "TWO"),    /* 3 creates */
	STUDENT("100004", "SMITH", "DAN"),  /* 4 current */
	BAD(INACTIVE, "300003"),            /* 5 */
	STUDENT("200001", "SMITH", "ANN"),  /* 6 ambiguous */
	STAFF("3000000001", "NEW", "THREE"), /* 7 creates */
	BAD_STAFF(SHAPE, "3000000002"),     /* 8 */
};

/* plan_next, plan_settle and the three counts, over a load that is cancelled half way. */
static void
test_settling(void **state)
{
	static const row_ref creates[] = { 1, 3, 7 };
	struct world *world = *state;
	struct rows *rows = kit_rows(mixed, COUNT(mixed));
	struct feed_counts counts;
	struct outcome outcome;
	struct plan *plan;
	row_ref cursor = 0, ref;

	assert_int_equal(plan_match(&plan, rows, world->index, world->rule, &rules), 0);
	assert_int_equal(plan_left(plan, PLAN_RENEW), 2);
	assert_int_equal(plan_left(plan, PLAN_CREATE), COUNT(creates));
	for (size_t i = 0; i < COUNT(creates); i++) {
		assert_true(plan_next(plan, PLAN_CREATE, &cursor, &ref));
		assert_int_equal(ref, creates[i]);
	}
	assert_false(plan_next(plan, PLAN_CREATE, &cursor, &ref));

	/* refusals */
	assert_int_equal(plan_settle(plan, 4, OUTCOME_RENEWED, REASON_NONE, 1), -EINVAL);
	assert_int_equal(plan_settle(plan, COUNT(mixed), OUTCOME_RENEWED, REASON_NONE, 1), -EINVAL);
	assert_int_equal(plan_settle(plan, 0, OUTCOME_RENEWED, REASON_GONE, 0), -EINVAL);
	assert_int_equal(plan_settle(plan, 0, OUTCOME_FAILED, REASON_NONE, 0), -EINVAL);

	assert_int_equal(plan_settle(plan, 0, OUTCOME_RENEWED, REASON_NONE, 0), 0);
	assert_int_equal(plan_settle(plan, 0, OUTCOME_RENEWED, REASON_NONE, 0), -EINVAL);
	assert_int_equal(plan_settle(plan, 2, OUTCOME_FAILED, REASON_GONE, 0), 0);
	assert_int_equal(plan_settle(plan, 3, OUTCOME_CREATED, REASON_NONE, 900), 0);
	plan_outcome(plan, 0, &outcome);
	assert_int_equal(outcome.patron_id, 100);
	plan_outcome(plan, 3, &outcome);
	assert_int_equal(outcome.patron_id, 900);
	plan_outcome(plan, 7, &outcome);
	assert_int_equal(outcome.feed, FEED_STAFF);
	assert_int_equal(outcome.row, 1);
	plan_note_read_back(plan, 0, false);
	plan_note_read_back(plan, 3, true);

	plan_counts_planned(plan, FEED_STUDENT, &counts);
	assert_int_equal(counts.rows, 7);
	assert_int_equal(counts.by_outcome[OUTCOME_RENEWED], 2);
	assert_int_equal(counts.by_outcome[OUTCOME_CREATED], 2);
	assert_int_equal(counts.by_outcome[OUTCOME_FAILED], 0);
	assert_int_equal(counts.by_reason[REASON_INACTIVE], 1);
	assert_int_equal(counts.inactive_status[2], 1);
	assert_int_equal(counts.verified + counts.different, 0);

	plan_counts_settled(plan, FEED_STUDENT, &counts);
	assert_int_equal(counts.rows, 7);
	assert_int_equal(counts.by_outcome[OUTCOME_RENEWED], 1);
	assert_int_equal(counts.by_outcome[OUTCOME_CREATED], 1);
	assert_int_equal(counts.by_outcome[OUTCOME_CURRENT], 1);
	assert_int_equal(counts.by_outcome[OUTCOME_SKIPPED], 1);
	assert_int_equal(counts.by_outcome[OUTCOME_HELD], 1);
	assert_int_equal(counts.by_outcome[OUTCOME_FAILED], 1);
	assert_int_equal(counts.by_reason[REASON_GONE], 1);
	assert_int_equal(counts.by_reason[REASON_NONE], 0);
	assert_int_equal(counts.verified, 1);
	assert_int_equal(counts.different, 1);

	plan_counts_unfinished(plan, FEED_STUDENT, &counts);
	assert_int_equal(counts.rows, 1);
	assert_int_equal(counts.by_outcome[OUTCOME_CREATED], 1);
	plan_counts_unfinished(plan, FEED_STAFF, &counts);
	assert_int_equal(counts.rows, 1);
	plan_counts_settled(plan, FEED_STAFF, &counts);
	assert_int_equal(counts.by_outcome[OUTCOME_REJECTED], 1);
	assert_int_equal(counts.inactive_status[2], 0);
	(void)plan_free(plan);
	(void)rows_free(rows);
}

/* A look-up just before the create of 300001, NEW, ONE, born BORN. */
static const struct {
	const char *what;
	struct kit_patron found;
	struct wanted wanted;
	enum plan_found after_lost; /* the same patron after a create whose answer was lost */
} founds[] = {
	{ "deleted", { 900, "300001", "NEW, ONE", BORN, NULL, true }, CREATES, PLAN_FOUND_ABSENT },
	{ "another key", { 900, "300009", "NEW, ONE", BORN, NULL, false }, CREATES, PLAN_FOUND_ABSENT },
	{ "no key", { 900, NULL, "NEW, ONE", BORN, NULL, false }, CREATES, PLAN_FOUND_ABSENT },
	{ "a longer key", { 900, "3000011", "NEW, ONE", BORN, NULL, false }, CREATES, PLAN_FOUND_ABSENT },
	{ "a stranger", { 900, "300001", "OLD, TWO", "2001-01-01", NULL, false }, HELD(IDENTITY_MISMATCH, 900), PLAN_FOUND_UNCLEAR },
	{ "tainted", { 900, "300001 / x", "NEW, ONE", BORN, NULL, false }, HELD(NEEDS_CLEANUP, 900), PLAN_FOUND_UNCLEAR },
	{ "a zero more", { 900, "0300001", "NEW, ONE", BORN, NULL, false }, HELD(NEEDS_CLEANUP, 900), PLAN_FOUND_UNCLEAR },
	{ "current", { 900, "300001", "NEW, ONE", BORN, NEW_DATE, false }, CURRENT(900), PLAN_FOUND_CREATED },
	{ "due", { 900, "1| 300001 ", "NEW, ONE", BORN, DUE, false }, RENEWS(900), PLAN_FOUND_CREATED },
	{ "no date", { 900, "300001", "NEW, ONE", NULL, NULL, false }, RENEWS(900), PLAN_FOUND_CREATED },
};

static void
test_found(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(founds); i++) {
		struct rows *rows = kit_rows(mixed, COUNT(mixed));
		const struct wanted *wanted = &founds[i].wanted;
		struct kit_texts texts;
		struct patron found = kit_patron_of(&founds[i].found, &texts);
		struct outcome outcome;
		struct plan *plan;

		assert_int_equal(plan_match(&plan, rows, world->index, world->rule, &rules), 0);
		assert_int_equal(plan_resolve_found(plan, 1, &found), wanted->action);
		plan_outcome(plan, 1, &outcome);
		if (outcome.kind != wanted->kind || outcome.reason != wanted->reason || outcome.patron_id != wanted->patron_id)
			fail_msg("%s: %s %s", founds[i].what, outcome_kind_name(outcome.kind), reason_name(outcome.reason));
		(void)plan_free(plan);

		assert_int_equal(plan_match(&plan, rows, world->index, world->rule, &rules), 0);
		assert_int_equal(plan_confirm_created(plan, 1, &found), founds[i].after_lost);
		plan_outcome(plan, 1, &outcome);
		switch (founds[i].after_lost) {
		case PLAN_FOUND_ABSENT:
			assert_int_equal(plan_action(plan, 1), PLAN_CREATE);
			break;
		case PLAN_FOUND_CREATED:
			assert_int_equal(plan_action(plan, 1), PLAN_NONE);
			assert_int_equal(outcome.kind, OUTCOME_CREATED);
			assert_int_equal(outcome.patron_id, 900);
			break;
		case PLAN_FOUND_UNCLEAR:
			assert_int_equal(plan_action(plan, 1), PLAN_NONE);
			assert_int_equal(outcome.kind, OUTCOME_FAILED);
			assert_int_equal(outcome.reason, REASON_UNCLEAR);
			break;
		}
		(void)plan_free(plan);
		(void)rows_free(rows);
	}
}

/* The patron of 100001, SMITH, ANN, born BORN, read again just before the renewal. */
static const struct {
	const char *what;
	struct kit_patron found;
	struct wanted wanted;
} rereads[] = {
	{ "as it was", { 100, "100001", "SMITH, ANN", BORN, DUE, false }, RENEWS(100) },
	{ "without its date", { 100, "100001", "SMITH, ANN", BORN, NULL, false }, RENEWS(100) },
	{ "further back", { 100, "100001", "SMITH, ANN", BORN, "2020-01-01", false }, RENEWS(100) },
	{ "another name, still confirmed", { 100, "100001", "DOE, ANN", BORN, DUE, false }, RENEWS(100) },
	{ "one barcode more", { 100, "9|100001", "SMITH, ANN", BORN, DUE, false }, RENEWS(100) },
	{ "renewed meanwhile", { 100, "100001", "SMITH, ANN", BORN, NEW_DATE, false }, CURRENT(100) },
	{ "renewed by hand, for longer", { 100, "100001", "SMITH, ANN", BORN, "2099-12-31", false }, CURRENT(100) },
	{ "within the window", { 100, "100001", "SMITH, ANN", BORN, IN_WINDOW, false }, CURRENT(100) },
	{ "another person's", { 100, "100001", "OLD, TWO", "2001-01-01", DUE, false }, HELD(IDENTITY_MISMATCH, 100) },
	{ "without the barcode", { 100, "9", "SMITH, ANN", BORN, DUE, false }, HELD(IDENTITY_MISMATCH, 100) },
	{ "the barcode with a note", { 100, "100001 / old", "SMITH, ANN", BORN, DUE, false }, HELD(NEEDS_CLEANUP, 100) },
};

static void
test_reread(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(rereads); i++) {
		struct rows *rows = kit_rows(mixed, COUNT(mixed));
		const struct wanted *wanted = &rereads[i].wanted;
		struct kit_texts texts;
		struct patron found = kit_patron_of(&rereads[i].found, &texts);
		struct outcome outcome;
		struct plan *plan;

		assert_int_equal(plan_match(&plan, rows, world->index, world->rule, &rules), 0);
		assert_int_equal(plan_resolve_renewal(plan, 0, &found), wanted->action);
		plan_outcome(plan, 0, &outcome);
		if (outcome.kind != wanted->kind || outcome.reason != wanted->reason || outcome.patron_id != wanted->patron_id)
			fail_msg("%s: %s %s", rereads[i].what, outcome_kind_name(outcome.kind), reason_name(outcome.reason));
		/* a row that is no renewal is left as it is */
		assert_int_equal(plan_resolve_renewal(plan, 1, &found), PLAN_CREATE);
		(void)plan_free(plan);
		(void)rows_free(rows);
	}
}

/* A field that the pattern admits, but that is no key: a row of that number is held, found in the index or late. */
static void
test_hyphen(void **state)
{
	static const struct kit_patron hyphen = { 900, "30-0001", "NEW, ONE", BORN, DUE, false };
	static const struct kit_row list[] = { STUDENT("300001", "NEW", "ONE") };
	struct key_rule *rule = kit_rule("[0-9-]+");
	struct rows *rows = kit_rows(list, COUNT(list));
	struct kit_texts texts;
	struct patron found = kit_patron_of(&hyphen, &texts);

	(void)state;
	for (size_t in_index = 0; in_index < 2; in_index++) {
		struct index *index = kit_index(rule, &hyphen, in_index);
		struct outcome outcome;
		struct plan *plan;

		assert_int_equal(plan_match(&plan, rows, index, rule, &rules), 0);
		if (!in_index)
			assert_int_equal(plan_resolve_found(plan, 0, &found), PLAN_NONE);
		plan_outcome(plan, 0, &outcome);
		assert_int_equal(outcome.kind, OUTCOME_HELD);
		assert_int_equal(outcome.reason, REASON_NEEDS_CLEANUP);
		assert_int_equal(outcome.patron_id, 900);
		(void)plan_free(plan);
		(void)index_free(index);
	}
	(void)rows_free(rows);
	(void)key_rule_free(rule);
}

/* One patron behind two creates, and behind a planned renewal: one renewal alone. */
static void
test_found_twice(void **state)
{
	static const struct kit_patron late = { 900, "300001|300002", "NEW, ONE|NEW, TWO", BORN, DUE, false };
	static const struct kit_patron known = { 100, "100001|3000000001", "SMITH, ANN|NEW, THREE", BORN, DUE, false };
	struct world *world = *state;
	struct rows *rows = kit_rows(mixed, COUNT(mixed));
	struct kit_texts texts;
	struct patron found;
	struct plan *plan;

	assert_int_equal(plan_match(&plan, rows, world->index, world->rule, &rules), 0);
	found = kit_patron_of(&late, &texts);
	assert_int_equal(plan_resolve_found(plan, 1, &found), PLAN_RENEW);
	assert_int_equal(plan_resolve_found(plan, 3, &found), PLAN_NONE);
	found = kit_patron_of(&known, &texts);
	assert_int_equal(plan_resolve_found(plan, 7, &found), PLAN_NONE);
	assert_int_equal(plan_left(plan, PLAN_RENEW), 3);
	assert_int_equal(plan_left(plan, PLAN_CREATE), 0);
	(void)plan_free(plan);
	(void)rows_free(rows);
}

/* Many rows, many groups: the counts add up, and nothing is taken for another. */
static void
test_many(void **state)
{
	const uint32_t count = 20000;
	uint32_t trailer[FEED_KIND_MAX] = { 0, 0 };
	struct world *world = *state;
	struct feed_counts counts;
	struct rows *rows;
	struct plan *plan;
	char key[16];

	assert_int_equal(rows_new(&rows), 0);
	/* each key three times over: twice among the students, once, for every tenth, among the staff */
	for (uint32_t i = 0; i < 2 * count; i++) {
		struct kit_row row = STUDENT(key, "SMITH", "ANN");
		struct record record;

		(void)snprintf(key, sizeof(key), "5%06u", i % count);
		record = kit_record(&row, ++trailer[FEED_STUDENT]);
		assert_int_equal(rows_add(rows, &record), 0);
	}
	for (uint32_t i = 0; i < count; i += 10) {
		struct kit_row row = STAFF(key, "SMITH", "ANN");
		struct record record;

		(void)snprintf(key, sizeof(key), "5%06u", i);
		record = kit_record(&row, ++trailer[FEED_STAFF]);
		assert_int_equal(rows_add(rows, &record), 0);
	}
	assert_int_equal(rows_finish(rows, trailer), 0);
	assert_int_equal(plan_match(&plan, rows, world->index, world->rule, &rules), 0);
	plan_counts_planned(plan, FEED_STUDENT, &counts);
	assert_int_equal(counts.by_outcome[OUTCOME_CREATED], count / 10 * 9);
	assert_int_equal(counts.by_reason[REASON_DUPLICATE], count / 10 * 9);
	assert_int_equal(counts.by_reason[REASON_CONFLICT], count / 5);
	plan_counts_planned(plan, FEED_STAFF, &counts);
	assert_int_equal(counts.by_reason[REASON_CONFLICT], count / 10);
	(void)plan_free(plan);
	(void)rows_free(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_unconfirmed),
		cmocka_unit_test(test_settling),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_reread),
		cmocka_unit_test(test_hyphen),
		cmocka_unit_test(test_found_twice),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
