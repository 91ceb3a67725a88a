/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counting outcomes beside the load stage, since its own counts are foreign. */

#include "supervisor/tally.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4096U

void
tally_done(struct tally *tally)
{
	for (size_t i = 0; i < FEED_KIND_MAX; i++) {
		free(tally->seen[i]);
		tally->seen[i] = NULL;
	}
}

static int
mark(struct tally *tally, enum feed_kind feed, uint32_t row)
{
	uint8_t bit = (uint8_t)(1U << (row % 8));

	if (row > LIMIT_ROWS)
		return -EBADMSG;
	if (row / 8 >= tally->room[feed]) {
		size_t room = tally->room[feed] > 0 ? tally->room[feed] : ROOM_FIRST;
		uint8_t *seen;

		while (room <= row / 8)
			room *= 2;
		seen = realloc(tally->seen[feed], room);
		if (seen == NULL)
			return -ENOMEM;
		memset(seen + tally->room[feed], 0, room - tally->room[feed]);
		tally->seen[feed] = seen;
		tally->room[feed] = room;
	}
	if ((tally->seen[feed][row / 8] & bit) != 0)
		return -EBADMSG;
	tally->seen[feed][row / 8] |= bit;
	return 0;
}

int
tally_outcome(struct tally *tally, const struct outcome *outcome, uint32_t rows)
{
	struct feed_counts *own = &tally->own[outcome->feed];
	int r;

	if ((tally->told_kinds & FEED_BIT(outcome->feed)) != 0)
		return -EBADMSG; /* after its counts a feed has no more outcomes */
	if (outcome->row > rows)
		return -EBADMSG;
	if (outcome->reason == REASON_DIFFERS) {
		own->different++;
		return own->different > rows ? -EBADMSG : 0;
	}
	r = mark(tally, outcome->feed, outcome->row);
	if (r < 0)
		return r;
	own->by_outcome[outcome->kind]++;
	own->by_reason[outcome->reason]++;
	own->rows++;
	return 0;
}

int
tally_check(struct tally *tally, enum feed_kind feed, const struct feed_counts *counts, bool log_current)
{
	const struct feed_counts *own = &tally->own[feed];

	if ((tally->told_kinds & FEED_BIT(feed)) != 0 || own->different != counts->different)
		return -EBADMSG;
	for (size_t i = 0; i < OUTCOME_KIND_MAX; i++)
		if ((i != OUTCOME_CURRENT || log_current) && own->by_outcome[i] != counts->by_outcome[i])
			return -EBADMSG;
	for (size_t i = REASON_NONE + 1; i < REASON_DIFFERS; i++)
		if (own->by_reason[i] != counts->by_reason[i])
			return -EBADMSG;
	tally->told[feed] = *counts;
	tally->told_kinds |= FEED_BIT(feed);
	return 0;
}

void
tally_counts(const struct tally *tally, struct load_result *result)
{
	for (int i = 0; i < FEED_KIND_MAX; i++) {
		bool told = (tally->told_kinds & FEED_BIT(i)) != 0;

		if (!told && tally->own[i].rows == 0)
			continue;
		result->counts[i] = told ? tally->told[i] : tally->own[i];
		result->kinds |= FEED_BIT(i);
	}
}

/* FIELD names are capitals and underscores: opted-out becomes OPTED_OUT. */
static void
field_name(const char *prefix, const char *word, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s%s", prefix, word);
	for (char *at = ret; *at != '\0'; at++)
		*at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}

void
tally_add_fields(struct entry *entry, const struct feed_counts *counts)
{
	char name[64];

	for (int i = 0; i < OUTCOME_KIND_MAX; i++) {
		field_name("", outcome_kind_name((enum outcome_kind)i), name, sizeof(name));
		entry_field(entry, name, "%u", counts->by_outcome[i]);
	}
	for (int i = REASON_NONE + 1; i < REASON_DIFFERS; i++)
		if (counts->by_reason[i] > 0) {
			field_name("REASON_", reason_name((enum reason)i), name, sizeof(name));
			entry_field(entry, name, "%u", counts->by_reason[i]);
		}
	for (unsigned int i = 0; i < STATUS_VALUES; i++)
		if (counts->inactive_status[i] > 0) {
			(void)snprintf(name, sizeof(name), "INACTIVE_STATUS_%s%u", i >= 10 ? "MINUS_" : "", i % 10);
			entry_field(entry, name, "%u", counts->inactive_status[i]);
		}
	entry_field(entry, "VERIFIED", "%u", counts->verified);
	entry_field(entry, "DIFFERENT", "%u", counts->different);
}
