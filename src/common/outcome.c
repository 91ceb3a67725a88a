/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of the domain for what is only a number on the wire. */

#include "patrond/outcome.h"

#include <stddef.h>

#include "patrond/failure.h"

static const char *const feed_kind_words[FEED_KIND_MAX] = {
	[FEED_STUDENT] = "student",
	[FEED_STAFF] = "staff",
};

static const char *const outcome_kind_words[OUTCOME_KIND_MAX] = {
	[OUTCOME_CREATED] = "created",
	[OUTCOME_RENEWED] = "renewed",
	[OUTCOME_CURRENT] = "current",
	[OUTCOME_SKIPPED] = "skipped",
	[OUTCOME_HELD] = "held",
	[OUTCOME_REJECTED] = "rejected",
	[OUTCOME_FAILED] = "failed",
};

/* A reason's word, and the one outcome beside which it may stand. */
static const struct {
	const char *word;
	enum outcome_kind of;
} reasons[REASON_MAX] = {
	[REASON_NONE] = { "none", OUTCOME_KIND_INVALID },
	[REASON_OPTED_OUT] = { "opted-out", OUTCOME_SKIPPED },
	[REASON_INACTIVE] = { "inactive", OUTCOME_SKIPPED },
	[REASON_DUPLICATE] = { "duplicate", OUTCOME_SKIPPED },
	[REASON_AMBIGUOUS] = { "ambiguous", OUTCOME_HELD },
	[REASON_NEEDS_CLEANUP] = { "needs-cleanup", OUTCOME_HELD },
	[REASON_IDENTITY_MISMATCH] = { "identity-mismatch", OUTCOME_HELD },
	[REASON_CONFLICT] = { "conflict", OUTCOME_HELD },
	[REASON_SHAPE] = { "shape", OUTCOME_REJECTED },
	[REASON_STATUS] = { "status", OUTCOME_REJECTED },
	[REASON_KEY] = { "key", OUTCOME_REJECTED },
	[REASON_NAME] = { "name", OUTCOME_REJECTED },
	[REASON_BIRTH_DATE] = { "birth-date", OUTCOME_REJECTED },
	[REASON_REFUSED] = { "refused", OUTCOME_FAILED },
	[REASON_PIN_REFUSED] = { "pin-refused", OUTCOME_FAILED },
	[REASON_GONE] = { "gone", OUTCOME_FAILED },
	[REASON_UNCLEAR] = { "unclear", OUTCOME_FAILED },
	[REASON_UNREACHABLE] = { "unreachable", OUTCOME_FAILED },
	[REASON_DIFFERS] = { "differs", OUTCOME_KIND_INVALID }, /* reading back is no outcome */
};

static const char *const guard_words[GUARD_MAX] = {
	[GUARD_CREATES] = "creates",
	[GUARD_REJECTED] = "rejected",
	[GUARD_OPTED_OUT] = "opted-out",
	[GUARD_INACTIVE] = "inactive",
	[GUARD_HELD] = "held",
	[GUARD_ROWS] = "rows",
	[GUARD_PATRONS] = "patrons",
	[GUARD_MANUAL] = "manual",
	[GUARD_FILL] = "fill",
	[GUARD_KEYS] = "keys",
	[GUARD_AGES] = "ages",
	[GUARD_OPT_OUTS] = "opt-outs",
	[GUARD_SHARES] = "shares",
	[GUARD_SCHOOLS] = "schools",
};

static const char *const cleanup_class_words[CLEANUP_CLASS_MAX] = {
	[CLEANUP_SEVERAL] = "several",
	[CLEANUP_NOTE] = "note",
	[CLEANUP_PUNCTUATION] = "punctuation",
	[CLEANUP_LETTERS] = "letters",
	[CLEANUP_OTHER] = "other",
	[CLEANUP_AMBIGUOUS] = "ambiguous",
};

static const char *const phase_words[PHASE_MAX] = {
	[PHASE_LOOKING] = "looking",
	[PHASE_RETRIEVING] = "retrieving",
	[PHASE_INDEXING] = "indexing",
	[PHASE_MATCHING] = "matching",
	[PHASE_WRITING] = "writing",
	[PHASE_CHECKING] = "checking",
	[PHASE_REPORTING] = "reporting",
};

static const char *const failure_words[FAILURE_MAX] = { [FAILURE_NONE] = "none",
#define FAILURE_WORD(code, word) [FAILURE_##code] = (word),
	FAILURES(FAILURE_WORD)
#undef FAILURE_WORD
};

/* A foreign value may be anything: out of range, below zero too, is NULL. */
static const char *
word(const char *const *words, size_t count, int value)
{
	return value >= 0 && (size_t)value < count ? words[value] : NULL;
}

const char *
feed_kind_name(enum feed_kind kind)
{
	return word(feed_kind_words, FEED_KIND_MAX, (int)kind);
}

const char *
outcome_kind_name(enum outcome_kind kind)
{
	return word(outcome_kind_words, OUTCOME_KIND_MAX, (int)kind);
}

const char *
reason_name(enum reason reason)
{
	return (int)reason >= 0 && reason < REASON_MAX ? reasons[reason].word : NULL;
}

const char *
guard_name(enum guard guard)
{
	return word(guard_words, GUARD_MAX, (int)guard);
}

const char *cleanup_class_name(enum cleanup_class class)
{
	return word(cleanup_class_words, CLEANUP_CLASS_MAX, (int)class);
}

const char *
phase_name(enum phase phase)
{
	return word(phase_words, PHASE_MAX, (int)phase);
}

const char *
failure_word(enum failure_code code)
{
	return word(failure_words, FAILURE_MAX, (int)code);
}

int
outcome_reason_fits(enum outcome_kind kind, enum reason reason)
{
	if ((int)kind < 0 || kind >= OUTCOME_KIND_MAX || (int)reason < 0 || reason >= REASON_MAX)
		return 0;
	if (kind == OUTCOME_CREATED || kind == OUTCOME_RENEWED || kind == OUTCOME_CURRENT)
		return reason == REASON_NONE;
	return reasons[reason].of == kind;
}
