/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The RECORD frame: decode's word for a row, and every check that load makes before it believes it. */

#include "common/record.h"

#include <errno.h>
#include <string.h>

#include "common/date.h"
#include "common/text.h"

#define FIELD_BIT(field) (1U << (field))
#define RECORD_HEAD_SIZE 12U /* what stands before the strings */

/* The longest that each field may be, in bytes. */
static const size_t field_max[RECORD_FIELD_MAX] = {
	[RECORD_KEY] = LIMIT_KEY,
	[RECORD_FIRST] = LIMIT_NAME,
	[RECORD_LAST] = LIMIT_NAME,
	[RECORD_STREET] = 2 * LIMIT_TEXT + 1, /* two cells and a blank */
	[RECORD_CITY] = LIMIT_TEXT,
	[RECORD_STATE] = LIMIT_TEXT,
	[RECORD_ZIP] = LIMIT_TEXT,
	[RECORD_EMAILS] = LIMIT_EMAILS,
	[RECORD_PHONE] = LIMIT_TEXT,
	[RECORD_PHONE_2] = LIMIT_TEXT,
};

/* What a verdict may be, in which feeds, and whether the key was found to fit before it was reached. */
struct verdict_rule {
	unsigned int feeds;
	bool key_fits;
};

static const struct verdict_rule verdict_rules[REASON_MAX] = {
	[REASON_NONE] = { FEED_BITS_ALL, true },
	[REASON_OPTED_OUT] = { FEED_BITS_ALL, false },
	[REASON_INACTIVE] = { FEED_BITS_ALL, false },
	[REASON_SHAPE] = { FEED_BITS_ALL, false },
	[REASON_STATUS] = { FEED_BITS_ALL, false },
	[REASON_KEY] = { FEED_BITS_ALL, false },
	[REASON_NAME] = { FEED_BITS_ALL, true },
	[REASON_BIRTH_DATE] = { FEED_BIT(FEED_STUDENT), true },
};

/*
 * Whether a verdict lets a field stand: beside one the key alone, since of a child who has opted out no name leaves
 * decode.
 */
static bool
field_allowed(enum reason verdict, size_t field)
{
	return verdict == REASON_NONE || field == RECORD_KEY;
}

static uint8_t *
put_u32(uint8_t *at, uint32_t value)
{
	for (size_t i = 0; i < sizeof(value); i++)
		at[i] = (uint8_t)(value >> (8 * i));
	return at + sizeof(value);
}

/* Written as a whole, not by the typed puts: it is done for every row, and was a fifth of decode's time. */
int
record_put(struct wire_out *out, const struct record *record)
{
	bool whole = record->verdict == REASON_NONE;
	size_t size = RECORD_HEAD_SIZE;
	uint8_t *at;
	int r;

	for (size_t i = 0; i < RECORD_FIELD_MAX; i++) {
		if (!field_allowed(record->verdict, i))
			size += sizeof(uint32_t);
		else if (record->fields[i].size > field_max[i])
			return -EMSGSIZE;
		else
			size += sizeof(uint32_t) + record->fields[i].size;
	}
	r = wire_add_room(out, WIRE_RECORD, size, &at);
	if (r < 0)
		return r;
	*at++ = (uint8_t)record->feed;
	at = put_u32(at, record->row);
	*at++ = (uint8_t)record->verdict;
	*at++ = record->status;
	*at++ = record->key_fits ? 1 : 0;
	at = put_u32(at, (uint32_t)(whole ? record->birth_date : RECORD_NO_DATE));
	for (size_t i = 0; i < RECORD_FIELD_MAX; i++) {
		size_t length = field_allowed(record->verdict, i) ? record->fields[i].size : 0;

		at = put_u32(at, (uint32_t)length);
		if (length > 0)
			memcpy(at, record->fields[i].bytes, length);
		at += length;
	}
	return 0;
}

/* Status and birth date: what feed and verdict say that they are. */
static bool
values_hold(const struct record *record, int32_t today)
{
	bool student = record->feed == FEED_STUDENT;
	int32_t first = date_to_days((struct date){ 1900, 1, 1 });

	if (student && record->verdict == REASON_INACTIVE) {
		/* a profile's statuses may be words, which are not counted one by one */
		if (record->status >= STATUS_VALUES && record->status != RECORD_NO_STATUS)
			return false;
	} else if (record->status != RECORD_NO_STATUS)
		return false;
	if (student && record->verdict == REASON_NONE)
		return record->birth_date >= first && record->birth_date <= today;
	return record->birth_date == RECORD_NO_DATE;
}

/* The key has neither blanks nor hyphens; `$` in it only where the row is not to be written. */
static bool
key_holds(const struct record *record)
{
	const struct text *key = &record->fields[RECORD_KEY];

	if (key->size == 0)
		return !record->key_fits && !verdict_rules[record->verdict].key_fits;
	if (memchr(key->bytes, ' ', key->size) != NULL || memchr(key->bytes, '-', key->size) != NULL)
		return false;
	if (record->key_fits && memchr(key->bytes, '$', key->size) != NULL)
		return false;
	return record->key_fits || !verdict_rules[record->verdict].key_fits;
}

static bool
field_holds(enum record_field field, const struct text *text)
{
	if (text->size == 0)
		return true;
	if (field != RECORD_KEY && memchr(text->bytes, '$', text->size) != NULL)
		return false;
	return text_is_cell(text->bytes, text->size);
}

static int
get_fields(struct wire_in *in, struct record *record)
{
	for (size_t i = 0; i < RECORD_FIELD_MAX; i++) {
		struct text *text = &record->fields[i];
		size_t max = field_allowed(record->verdict, i) ? field_max[i] : 0;

		text->bytes = wire_get_string(in, max, &text->size);
		if (in->bad || !field_holds((enum record_field)i, text))
			return -EBADMSG;
	}
	return 0;
}

int
record_get(struct wire_in *in, int32_t today, struct record *ret)
{
	struct record record = { 0 };
	uint8_t feed = wire_get_u8(in);
	uint8_t verdict, key_fits;

	record.row = wire_get_u32(in);
	verdict = wire_get_u8(in);
	record.status = wire_get_u8(in);
	key_fits = wire_get_u8(in);
	record.birth_date = wire_get_i32(in);
	if (in->bad || feed >= FEED_KIND_MAX || verdict >= REASON_MAX || key_fits > 1)
		return -EBADMSG;
	if (record.row == 0 || record.row > LIMIT_ROWS || (verdict_rules[verdict].feeds & FEED_BIT(feed)) == 0)
		return -EBADMSG;
	record.feed = (enum feed_kind)feed;
	record.verdict = (enum reason)verdict;
	record.key_fits = key_fits == 1;
	if (get_fields(in, &record) < 0 || wire_finish(in) < 0)
		return -EBADMSG;
	if (!values_hold(&record, today) || !key_holds(&record))
		return -EBADMSG;
	/* Both parts of the name missing would have been a verdict. */
	if (record.verdict == REASON_NONE && record.fields[RECORD_FIRST].size + record.fields[RECORD_LAST].size == 0)
		return -EBADMSG;
	*ret = record;
	return 0;
}

int
record_put_trailer(struct wire_out *out, const uint32_t rows[FEED_KIND_MAX])
{
	wire_begin(out, WIRE_RECORD_TRAILER);
	for (size_t i = 0; i < FEED_KIND_MAX; i++)
		wire_put_u32(out, rows[i]);
	return wire_end(out);
}

int
record_get_trailer(struct wire_in *in, uint32_t ret_rows[FEED_KIND_MAX])
{
	uint32_t rows[FEED_KIND_MAX];

	for (size_t i = 0; i < FEED_KIND_MAX; i++) {
		rows[i] = wire_get_u32(in);
		if (rows[i] > LIMIT_ROWS)
			return -EBADMSG;
	}
	if (wire_finish(in) < 0)
		return -EBADMSG;
	memcpy(ret_rows, rows, sizeof(rows));
	return 0;
}
