/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PATROND_OUTCOME_H
#define PATROND_OUTCOME_H

/*
 * What can be said of a row, a feed and a load: enums and integers alone. By construction nothing here has a
 * field that could hold a child's name, so nothing that crosses from a stage to the supervisor can.
 * The names are the words of the domain and are the same in code, journal, control interface and documentation.
 */

#include <stdint.h>

enum feed_kind {
	FEED_STUDENT,
	FEED_STAFF,
	FEED_KIND_MAX,
	FEED_KIND_INVALID = -22,
};

#define FEED_BIT(kind) (1U << (kind))
#define FEED_BITS_ALL (FEED_BIT(FEED_STUDENT) | FEED_BIT(FEED_STAFF))

enum outcome_kind {
	OUTCOME_CREATED,
	OUTCOME_RENEWED,
	OUTCOME_CURRENT,
	OUTCOME_SKIPPED,
	OUTCOME_HELD,
	OUTCOME_REJECTED,
	OUTCOME_FAILED,
	OUTCOME_KIND_MAX,
	OUTCOME_KIND_INVALID = -22,
};

enum reason {
	REASON_NONE,
	/* skipped */
	REASON_OPTED_OUT,
	REASON_INACTIVE,
	REASON_DUPLICATE,
	/* held */
	REASON_AMBIGUOUS,
	REASON_NEEDS_CLEANUP,
	REASON_IDENTITY_MISMATCH,
	REASON_CONFLICT,
	/* rejected */
	REASON_SHAPE,
	REASON_STATUS,
	REASON_KEY,
	REASON_NAME,
	REASON_BIRTH_DATE,
	/* failed */
	REASON_REFUSED,
	REASON_PIN_REFUSED,
	REASON_GONE,
	REASON_UNCLEAR,
	REASON_UNREACHABLE,
	/* reading back: no outcome of its own */
	REASON_DIFFERS,
	REASON_MAX,
	REASON_INVALID = -22,
};

/* An outcome of one row. patron_id is 0 where there is not exactly one patron. */
struct outcome {
	enum feed_kind feed;
	uint32_t row; /* from 1; header and empty lines not counted */
	enum outcome_kind kind;
	enum reason reason;
	uint64_t patron_id;
};

enum guard {
	GUARD_CREATES,
	GUARD_REJECTED,
	GUARD_OPTED_OUT,
	GUARD_INACTIVE,
	GUARD_HELD,
	GUARD_ROWS,
	GUARD_PATRONS,
	GUARD_MANUAL,
	/* drift: the shape of a feed against that of the last accepted one (patrond/shape.h) */
	GUARD_FILL,     /* how full a column is */
	GUARD_KEYS,     /* keys that do not fit the pattern */
	GUARD_AGES,     /* students without a birth date that a pupil may have */
	GUARD_OPT_OUTS, /* far fewer opted out */
	GUARD_SHARES,   /* the share of the opted-out, or of a status */
	GUARD_SCHOOLS,  /* a school that lacks most of its rows */
	GUARD_MAX,
	GUARD_INVALID = -22,
};

/*
 * A guard that tripped: `value` against `basis` crossed `limit_percent`. Shares: value of basis rows. rows: value rows
 * now, basis rows in the last accepted feed. patrons: likewise, of the index, and feed is FEED_KIND_INVALID. fill, keys, ages,
 * shares: value of basis rows are not as the last feed's share would have them. opt-outs: value rows, where basis would be
 * its share. schools: value rows of one that had basis.
 */
struct guard_figure {
	enum guard guard;
	enum feed_kind feed; /* FEED_KIND_INVALID where it is not about one feed */
	uint64_t value;
	uint64_t basis;
	uint32_t limit_percent;
	uint8_t column; /* enum feed_column, of fill and shares alone; never on the wire */
};

/* Enroll_Status is one digit, with or without a minus: index 0–9 for 0–9, 10–19 for -0 – -9. */
#define STATUS_VALUES 20U

/* The counts of a feed. by_outcome adds up to rows in a load that ran to its end. */
struct feed_counts {
	uint32_t rows;
	uint32_t by_outcome[OUTCOME_KIND_MAX];
	uint32_t by_reason[REASON_MAX];
	uint32_t inactive_status[STATUS_VALUES];
	uint32_t verified;
	uint32_t different;
};

/* Classes of the clean-up report. */
enum cleanup_class {
	CLEANUP_SEVERAL,
	CLEANUP_NOTE,
	CLEANUP_PUNCTUATION,
	CLEANUP_LETTERS,
	CLEANUP_OTHER,
	CLEANUP_AMBIGUOUS,
	CLEANUP_CLASS_MAX,
	CLEANUP_CLASS_INVALID = -22,
};

enum phase {
	PHASE_LOOKING,    /* listing a source */
	PHASE_RETRIEVING, /* copying a feed; done and total in bytes */
	PHASE_INDEXING,   /* retrieving the patrons; done in patrons, total 0 (unknown) */
	PHASE_MATCHING,
	PHASE_WRITING,    /* done and total in rows */
	PHASE_CHECKING,   /* reading back; done and total in rows */
	PHASE_REPORTING,
	PHASE_MAX,
	PHASE_INVALID = -22,
};

/* What a zip is, as decode says of it (job inspect). */
enum zip_verdict {
	ZIP_VERDICT_WHOLE,        /* a whole, encrypted zip; the kinds in it are named beside */
	ZIP_VERDICT_UNREADABLE,   /* no readable directory: not a zip, or an upload still under way */
	ZIP_VERDICT_PLAIN,        /* a zip, but an entry in it is not encrypted */
	ZIP_VERDICT_NO_FEED,      /* a whole zip without a feed in it */
	ZIP_VERDICT_SHAPED,       /* no zip, but text whose rows are shaped like a feed's: it is not encrypted */
	ZIP_VERDICT_MAX,
	ZIP_VERDICT_INVALID = -22,
};

/* Each returns the word of the domain for a value, or NULL for a value out of range. */
const char *feed_kind_name(enum feed_kind kind);
const char *outcome_kind_name(enum outcome_kind kind);
const char *reason_name(enum reason reason);
const char *guard_name(enum guard guard);
const char *cleanup_class_name(enum cleanup_class class);
const char *phase_name(enum phase phase);

/* Returns non-zero where a reason may stand beside an outcome (REASON_NONE for created, renewed and current). */
int outcome_reason_fits(enum outcome_kind kind, enum reason reason);

#endif
