/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape of a feed, counted. */

#include "decode/shape_tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/date.h"

/* A pupil is between these: pre-kindergarten from three on, the last year of special education at 22. In years. */
#define AGE_MIN 3
#define AGE_MAX 22

#define SLOTS (2U * LIMIT_SCHOOLS) /* a power of two, and never more than half full */

struct school {
	uint64_t hash; /* of its name; 0: no school here */
	uint32_t rows;
};

struct shape_tally {
	struct feed_shape shape;
	int32_t born_from, born_to;
	struct school *last; /* rows of one school mostly follow one another */
	struct school schools[SLOTS];
};

int
shape_tally_new(struct shape_tally **ret, int32_t today)
{
	struct shape_tally *tally = calloc(1, sizeof(*tally));
	struct date date = date_from_days(today);

	if (tally == NULL)
		return -ENOMEM;
	if (date.month == 2 && date.day == 29)
		date.day = 28; /* a day that every year has */
	tally->born_from = date_to_days((struct date){ date.year - AGE_MAX - 1, date.month, date.day }) + 1;
	tally->born_to = date_to_days((struct date){ date.year - AGE_MIN, date.month, date.day });
	*ret = tally;
	return 0;
}

struct shape_tally *
shape_tally_free(struct shape_tally *tally)
{
	if (tally != NULL)
		explicit_bzero(tally, sizeof(*tally));
	free(tally);
	return NULL;
}

void
shape_tally_freep(struct shape_tally **tally)
{
	*tally = shape_tally_free(*tally);
}

void
shape_tally_header(struct shape_tally *tally)
{
	tally->shape.header = 1;
}

/* FNV-1a. Two schools in 2^64 are taken for one, which would be a count that is a little off. */
static uint64_t
hash(const struct text *text)
{
	uint64_t sum = 14695981039346656037ULL;

	for (size_t i = 0; i < text->size; i++)
		sum = (sum ^ (uint8_t)text->bytes[i]) * 1099511628211ULL;
	return sum != 0 ? sum : 1;
}

static void
count_school(struct shape_tally *tally, const struct text *school)
{
	uint64_t sum;
	size_t slot;

	if (school->size == 0)
		return;
	sum = hash(school);
	if (tally->last != NULL && tally->last->hash == sum) {
		tally->last->rows++;
		return;
	}
	slot = sum % SLOTS;
	while (tally->schools[slot].hash != 0 && tally->schools[slot].hash != sum)
		slot = (slot + 1) % SLOTS;
	if (tally->schools[slot].hash == 0) {
		if (tally->shape.schools == LIMIT_SCHOOLS)
			return; /* a column of something else: it has told enough */
		tally->schools[slot].hash = sum;
		tally->shape.schools++;
	}
	tally->last = &tally->schools[slot];
	tally->last->rows++;
}

static void
count_columns(struct feed_shape *shape, const struct row_sight *sight)
{
	for (uint32_t bits = sight->filled; bits != 0; bits &= bits - 1)
		shape->columns[__builtin_ctz(bits)].filled++;
	if (shape->understood > 1)
		return;
	for (size_t i = 0; i < COLUMN_MAX; i++)
		shape->columns[i].position = sight->positions[i];
}

static void
count_understood(struct shape_tally *tally, const struct row_sight *sight)
{
	struct feed_shape *shape = &tally->shape;

	shape->understood++;
	count_columns(shape, sight);
	if (sight->birth_date != RECORD_NO_DATE) {
		shape->birth_dates++;
		shape->of_age += sight->birth_date >= tally->born_from && sight->birth_date <= tally->born_to;
	}
	shape->active += sight->active;
	if (sight->status < STATUS_VALUES)
		shape->status[sight->status]++;
	else if ((sight->filled & COLUMN_BIT(COLUMN_STATUS)) != 0)
		shape->status_other++;
	count_school(tally, &sight->school);
}

void
shape_tally_row(struct shape_tally *tally, const struct record *record, const struct row_sight *sight, size_t cells,
    char delimiter)
{
	struct feed_shape *shape = &tally->shape;

	if (shape->rows == 0 || cells < shape->cells_min)
		shape->cells_min = (uint16_t)cells;
	if (cells > shape->cells_max)
		shape->cells_max = (uint16_t)cells;
	shape->delimiter = (uint8_t)delimiter;
	shape->rows++;
	shape->key_fits += record->key_fits;
	if (record->verdict != REASON_NONE) {
		if (shape->reasons[record->verdict].rows++ == 0)
			shape->reasons[record->verdict].first_row = record->row;
	}
	if (record->verdict != REASON_OPTED_OUT && record->verdict != REASON_SHAPE)
		count_understood(tally, sight);
}

static int
larger_first(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x < y) - (x > y);
}

void
shape_tally_figures(const struct shape_tally *tally, struct feed_shape *ret)
{
	uint32_t rows[LIMIT_SCHOOLS] = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < SLOTS; i++)
		if (tally->schools[i].hash != 0)
			rows[count++] = tally->schools[i].rows;
	qsort(rows, count, sizeof(rows[0]), larger_first);
	*ret = tally->shape;
	memcpy(ret->school_rows, rows, sizeof(ret->school_rows));
}
