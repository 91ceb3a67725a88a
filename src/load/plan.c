/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan: rows against the index, then the bookkeeping of what became of each. */

#include "load/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/date.h"
#include "load/body.h"
#include "load/cleanup.h"
#include "load/confirm.h"
#include "load/groups.h"

struct plan_row {
	uint64_t patron_id;
	uint8_t action;
	uint8_t kind;
	uint8_t reason;
};

struct plan {
	const struct rows *rows;
	const struct index *index;
	const struct key_rule *rule;
	struct plan_rules rules;
	int32_t expiration;
	struct plan_row *states;
	uint32_t total;
	uint32_t left[PLAN_CREATE + 1];
	uint8_t *renewing;       /* a bit for each patron of the index whose renewal is planned */
	uint64_t *renewing_late; /* ids of patrons that a look-up before a create found, and the index had not */
	size_t late_count;
	size_t late_room;
	struct feed_counts planned[FEED_KIND_MAX];
	struct feed_counts read_back[FEED_KIND_MAX]; /* verified and different alone */
};

static void
set(struct plan *plan, row_ref ref, enum plan_action action, enum outcome_kind kind, enum reason reason, uint64_t id)
{
	struct plan_row *state = &plan->states[ref];

	plan->left[state->action]--;
	plan->left[action]++;
	*state = (struct plan_row){ id, (uint8_t)action, (uint8_t)kind, (uint8_t)reason };
}

static void
hold(struct plan *plan, row_ref ref, enum reason reason, uint64_t patron_id)
{
	set(plan, ref, PLAN_NONE, OUTCOME_HELD, reason, patron_id);
}

/* Missing, unreadable, or further than the window before the new date: the date needs to move. Never backwards. */
static bool
is_due(const struct plan *plan, int32_t expiration)
{
	if (expiration == DATE_NONE)
		return true;
	return (int64_t)plan->expiration - expiration > (int64_t)plan->rules.renew_window_days;
}

/*
 * Notes that a patron's renewal is planned. Returns 1 where it was planned before (by a row with another key of the
 * same patron), 0 where it is new, or -ENOMEM.
 */
static int
note_renewal(struct plan *plan, uint64_t patron_id)
{
	uint32_t patron;

	if (index_ordinal(plan->index, patron_id, &patron)) {
		uint8_t *byte = &plan->renewing[patron / 8], bit = (uint8_t)(1U << patron % 8);
		bool before = (*byte & bit) != 0;

		*byte |= bit;
		return before;
	}
	for (size_t i = 0; i < plan->late_count; i++)
		if (plan->renewing_late[i] == patron_id)
			return 1;
	if (plan->late_count == plan->late_room) {
		size_t room = plan->late_room > 0 ? 2 * plan->late_room : 16;
		uint64_t *late = reallocarray(plan->renewing_late, room, sizeof(*late));

		if (late == NULL)
			return -ENOMEM;
		plan->renewing_late = late;
		plan->late_room = room;
	}
	plan->renewing_late[plan->late_count++] = patron_id;
	return 0;
}

/* A confirmed patron: renewed or current. */
static int
renew_if_due(struct plan *plan, row_ref ref, const struct index_patron *patron)
{
	int r = 1;

	if (is_due(plan, patron->expiration))
		r = note_renewal(plan, patron->id);
	if (r < 0)
		return r;
	if (r > 0)
		set(plan, ref, PLAN_NONE, OUTCOME_CURRENT, REASON_NONE, patron->id);
	else
		set(plan, ref, PLAN_RENEW, OUTCOME_RENEWED, REASON_NONE, patron->id);
	return 0;
}

static struct name
row_name(const struct plan *plan, const struct record *record)
{
	struct name name;

	name_from_row(index_names_key(plan->index), &record->fields[RECORD_LAST], &record->fields[RECORD_FIRST], &name);
	return name;
}

/* The key is a clean barcode of one patron. */
static int
match_clean(struct plan *plan, row_ref ref, const struct record *record, const struct index_hit *hit)
{
	struct index_patron patron;

	index_patron(plan->index, hit->patron, &patron);
	if (plan->rules.confirm) {
		struct name name = row_name(plan, record);
		struct names_verdict names;

		index_names(plan->index, hit->patron, &name, &names);
		if (!confirm_person(record->feed, record->birth_date, patron.birth_date, &names)) {
			hold(plan, ref, REASON_IDENTITY_MISMATCH, patron.id);
			return 0;
		}
	}
	return renew_if_due(plan, ref, &patron);
}

/* The key is nowhere in the index. What cannot be created is told now, before the guards look. */
static void
plan_create(struct plan *plan, row_ref ref, const struct record *record)
{
	enum reason obstacle = body_obstacle(record);

	if (obstacle != REASON_NONE)
		set(plan, ref, PLAN_NONE, OUTCOME_REJECTED, obstacle, 0);
	else
		set(plan, ref, PLAN_CREATE, OUTCOME_CREATED, REASON_NONE, 0);
}

static int
match_row(struct plan *plan, row_ref ref)
{
	struct record record;
	struct index_hit hit;

	rows_get(plan->rows, ref, &record);
	index_find(plan->index, record.fields[RECORD_KEY].bytes, record.fields[RECORD_KEY].size, &hit);
	switch (hit.verdict) {
	case INDEX_CLEAN:
		return match_clean(plan, ref, &record, &hit);
	case INDEX_ABSENT:
		plan_create(plan, ref, &record);
		return 0;
	case INDEX_AMBIGUOUS:
		hold(plan, ref, REASON_AMBIGUOUS, 0);
		return 0;
	case INDEX_TAINTED:
	case INDEX_ZEROS:
		break;
	}
	hold(plan, ref, REASON_NEEDS_CLEANUP, hit.patron_id);
	return 0;
}

/* The outcome that a row's own reason means. */
static enum outcome_kind
kind_of(enum reason reason)
{
	if (reason == REASON_CONFLICT)
		return OUTCOME_HELD;
	if (reason == REASON_OPTED_OUT || reason == REASON_INACTIVE || reason == REASON_DUPLICATE)
		return OUTCOME_SKIPPED;
	return OUTCOME_REJECTED;
}

static int
match_all(struct plan *plan, const uint8_t *reasons)
{
	for (row_ref ref = 0; ref < plan->total; ref++) {
		int r = 0;

		if (reasons[ref] == REASON_NONE)
			r = match_row(plan, ref);
		else
			set(plan, ref, PLAN_NONE, kind_of(reasons[ref]), (enum reason)reasons[ref], 0);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Which rows a count is about. */
enum which {
	WHICH_ALL,
	WHICH_SETTLED,
	WHICH_PENDING,
};

static void
count_rows(const struct plan *plan, enum feed_kind feed, enum which which, struct feed_counts *ret)
{
	row_ref first = feed == FEED_STUDENT ? 0 : rows_count(plan->rows, FEED_STUDENT);
	struct record record;

	*ret = (struct feed_counts){ 0 };
	for (uint32_t n = 0; n < rows_count(plan->rows, feed); n++) {
		const struct plan_row *state = &plan->states[first + n];

		if (which != WHICH_ALL && (state->action != PLAN_NONE) != (which == WHICH_PENDING))
			continue;
		ret->rows++;
		ret->by_outcome[state->kind]++;
		ret->by_reason[state->reason]++;
		if (state->reason != REASON_INACTIVE)
			continue;
		rows_get(plan->rows, first + n, &record);
		if (record.status < STATUS_VALUES)
			ret->inactive_status[record.status]++;
	}
	/* a reason is only counted where there is one */
	ret->by_reason[REASON_NONE] = 0;
}

int
plan_match(struct plan **ret, const struct rows *rows, const struct index *index, const struct key_rule *rule,
    const struct plan_rules *rules)
{
	__attribute__((cleanup(plan_freep))) struct plan *plan = calloc(1, sizeof(*plan));
	_cleanup_free_ uint8_t *reasons = NULL;
	int r;

	if (plan == NULL)
		return -ENOMEM;
	plan->rows = rows;
	plan->index = index;
	plan->rule = rule;
	plan->rules = *rules;
	plan->expiration = rules->today + (int32_t)(7U * rules->term_weeks);
	plan->total = rows_total(rows);
	plan->left[PLAN_NONE] = plan->total;
	plan->states = calloc(plan->total + 1U, sizeof(*plan->states));
	plan->renewing = calloc(index_patrons(index) / 8 + 1, 1);
	reasons = calloc(plan->total + 1U, 1);
	if (plan->states == NULL || plan->renewing == NULL || reasons == NULL)
		return -ENOMEM;
	r = groups_judge(rows, rule, reasons);
	if (r == 0)
		r = match_all(plan, reasons);
	if (r < 0)
		return r;
	for (unsigned int feed = 0; feed < FEED_KIND_MAX; feed++)
		count_rows(plan, (enum feed_kind)feed, WHICH_ALL, &plan->planned[feed]);
	*ret = TAKE_PTR(plan);
	return 0;
}

struct plan *
plan_free(struct plan *plan)
{
	if (plan == NULL)
		return NULL;
	free(plan->states);
	free(plan->renewing);
	free(plan->renewing_late);
	free(plan);
	return NULL;
}

void
plan_freep(struct plan **plan)
{
	*plan = plan_free(*plan);
}

int32_t
plan_expiration(const struct plan *plan)
{
	return plan->expiration;
}

enum plan_action
plan_action(const struct plan *plan, row_ref ref)
{
	return (enum plan_action)plan->states[ref].action;
}

void
plan_outcome(const struct plan *plan, row_ref ref, struct outcome *ret)
{
	const struct plan_row *state = &plan->states[ref];
	uint32_t students = rows_count(plan->rows, FEED_STUDENT);
	bool student = ref < students;

	*ret = (struct outcome){
		.feed = student ? FEED_STUDENT : FEED_STAFF,
		.row = (student ? ref : ref - students) + 1,
		.kind = (enum outcome_kind)state->kind,
		.reason = (enum reason)state->reason,
		.patron_id = state->patron_id,
	};
}

bool
plan_next(const struct plan *plan, enum plan_action action, row_ref *cursor, row_ref *ret)
{
	while (*cursor < plan->total) {
		row_ref ref = (*cursor)++;

		if (plan->states[ref].action == action) {
			*ret = ref;
			return true;
		}
	}
	return false;
}

uint32_t
plan_left(const struct plan *plan, enum plan_action action)
{
	return plan->left[action];
}

/* How a patron that was found bears a key. */
enum bearing {
	BEARS_NOT,
	BEARS_TAINTED, /* in a malformed field, or equal but for leading zeros: as in the index */
	BEARS_CLEAN,
};

struct bearing_search {
	struct bare_key key;
	bool found;
};

static bool
same_bare(const struct bare_key *a, const struct bare_key *b)
{
	return a->size == b->size && (a->size == 0 || strncasecmp(a->bytes, b->bytes, a->size) == 0);
}

/* A cleanup_key_fn. */
static int
search_bearing(void *data, const struct bare_key *key)
{
	struct bearing_search *search = data;

	search->found |= same_bare(key, &search->key);
	return 0;
}

static enum bearing
bearing_of(const struct plan *plan, const struct text *key, const struct patron *patron)
{
	struct bearing_search search = { bare_key_of(key->bytes, key->size), false };

	for (size_t i = 0; i < patron->barcode_count; i++) {
		struct text field = cleanup_trim(&patron->barcodes[i]);

		if (cleanup_is_clean(&field, plan->rule)) {
			struct bare_key bare = bare_key_of(field.bytes, field.size);

			if (same_bare(&bare, &search.key) && bare.zeros == search.key.zeros)
				return BEARS_CLEAN;
			search.found |= same_bare(&bare, &search.key);
		} else if (field.size > 0 && cleanup_keys(&field, plan->rule, search_bearing, &search) < 0)
			return BEARS_TAINTED;
	}
	return search.found ? BEARS_TAINTED : BEARS_NOT;
}

static bool
confirm_found(const struct plan *plan, const struct record *record, const struct patron *patron)
{
	struct name name = row_name(plan, record), other;
	struct names_verdict names = { 0 };

	for (size_t i = 0; i < patron->name_count; i++) {
		name_from_patron(index_names_key(plan->index), &patron->names[i], &other);
		names_compare(&name, &other, &names);
	}
	return !plan->rules.confirm || confirm_person(record->feed, record->birth_date, patron->birth_date, &names);
}

int
plan_resolve_found(struct plan *plan, row_ref ref, const struct patron *found)
{
	struct index_patron patron = { found->id, found->expiration, found->birth_date };
	enum bearing bearing = BEARS_NOT;
	struct record record;
	int r;

	if (plan->states[ref].action != PLAN_CREATE)
		return plan->states[ref].action;
	rows_get(plan->rows, ref, &record);
	if (!found->deleted)
		bearing = bearing_of(plan, &record.fields[RECORD_KEY], found);
	if (bearing == BEARS_NOT)
		return PLAN_CREATE;
	if (bearing == BEARS_TAINTED)
		hold(plan, ref, REASON_NEEDS_CLEANUP, found->id);
	else if (!confirm_found(plan, &record, found))
		hold(plan, ref, REASON_IDENTITY_MISMATCH, found->id);
	else {
		r = renew_if_due(plan, ref, &patron);
		if (r < 0)
			return r;
	}
	return plan->states[ref].action;
}

int
plan_resolve_renewal(struct plan *plan, row_ref ref, const struct patron *found)
{
	enum bearing bearing;
	struct record record;

	if (plan->states[ref].action != PLAN_RENEW)
		return plan->states[ref].action;
	rows_get(plan->rows, ref, &record);
	bearing = bearing_of(plan, &record.fields[RECORD_KEY], found);
	if (bearing == BEARS_TAINTED)
		hold(plan, ref, REASON_NEEDS_CLEANUP, found->id);
	else if (bearing == BEARS_NOT || !confirm_found(plan, &record, found))
		hold(plan, ref, REASON_IDENTITY_MISMATCH, found->id);
	else if (!is_due(plan, found->expiration))
		set(plan, ref, PLAN_NONE, OUTCOME_CURRENT, REASON_NONE, found->id);
	return plan->states[ref].action;
}

enum plan_found
plan_confirm_created(struct plan *plan, row_ref ref, const struct patron *found)
{
	enum bearing bearing = BEARS_NOT;
	struct record record;

	rows_get(plan->rows, ref, &record);
	if (!found->deleted)
		bearing = bearing_of(plan, &record.fields[RECORD_KEY], found);
	if (bearing == BEARS_NOT)
		return PLAN_FOUND_ABSENT;
	if (bearing == BEARS_CLEAN && confirm_found(plan, &record, found)) {
		set(plan, ref, PLAN_NONE, OUTCOME_CREATED, REASON_NONE, found->id);
		return PLAN_FOUND_CREATED;
	}
	set(plan, ref, PLAN_NONE, OUTCOME_FAILED, REASON_UNCLEAR, 0);
	return PLAN_FOUND_UNCLEAR;
}

int
plan_settle(struct plan *plan, row_ref ref, enum outcome_kind kind, enum reason reason, uint64_t patron_id)
{
	const struct plan_row *state;

	if (ref >= plan->total || !outcome_reason_fits(kind, reason))
		return -EINVAL;
	state = &plan->states[ref];
	if (state->action == PLAN_NONE)
		return -EINVAL;
	set(plan, ref, PLAN_NONE, kind, reason, patron_id != 0 ? patron_id : state->patron_id);
	return 0;
}

void
plan_note_read_back(struct plan *plan, row_ref ref, bool differs)
{
	struct feed_counts *counts = &plan->read_back[ref < rows_count(plan->rows, FEED_STUDENT) ? FEED_STUDENT : FEED_STAFF];

	if (differs)
		counts->different++;
	else
		counts->verified++;
}

void
plan_counts_planned(const struct plan *plan, enum feed_kind feed, struct feed_counts *ret)
{
	*ret = plan->planned[feed];
}

void
plan_counts_settled(const struct plan *plan, enum feed_kind feed, struct feed_counts *ret)
{
	count_rows(plan, feed, WHICH_SETTLED, ret);
	ret->rows = rows_count(plan->rows, feed);
	ret->verified = plan->read_back[feed].verified;
	ret->different = plan->read_back[feed].different;
}

void
plan_counts_unfinished(const struct plan *plan, enum feed_kind feed, struct feed_counts *ret)
{
	count_rows(plan, feed, WHICH_PENDING, ret);
}

const struct rows *
plan_rows(const struct plan *plan)
{
	return plan->rows;
}
