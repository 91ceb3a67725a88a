/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape of a feed on the wire. What is read is foreign: a decode that was taken over may say anything. */

#include "common/shape.h"

#include <errno.h>
#include <string.h>

static const char *const words[COLUMN_PROFILE_MAX] = {
#define COLUMN_WORD(name, word) [COLUMN_##name] = (word),
	FEED_COLUMNS(COLUMN_WORD)
#undef COLUMN_WORD
	[COLUMN_ROLE] = "role", [COLUMN_ID] = "id", [COLUMN_KIND] = "kind", [COLUMN_OTHER] = "other",
};

const char *
feed_column_name(enum feed_column column)
{
	return (int)column >= 0 && column < COLUMN_PROFILE_MAX ? words[column] : NULL;
}

static uint16_t
told_schools(const struct feed_shape *shape)
{
	uint16_t count = 0;

	while (count < SHAPE_SCHOOLS && shape->school_rows[count] != 0)
		count++;
	return count;
}

int
wire_add_shape(struct wire_out *out, enum feed_kind feed, const struct feed_shape *shape)
{
	uint16_t schools = told_schools(shape);

	wire_begin(out, WIRE_SHAPE);
	wire_put_u8(out, (uint8_t)feed);
	wire_put_u32(out, shape->rows);
	wire_put_u32(out, shape->understood);
	wire_put_u8(out, shape->delimiter);
	wire_put_u8(out, shape->header);
	wire_put_u16(out, shape->cells_min);
	wire_put_u16(out, shape->cells_max);
	wire_put_u32(out, shape->key_fits);
	wire_put_u32(out, shape->birth_dates);
	wire_put_u32(out, shape->of_age);
	wire_put_u32(out, shape->active);
	for (size_t i = 0; i < STATUS_VALUES; i++)
		wire_put_u32(out, shape->status[i]);
	wire_put_u32(out, shape->status_other);
	for (size_t i = 0; i < REASON_MAX; i++) {
		wire_put_u32(out, shape->reasons[i].rows);
		wire_put_u32(out, shape->reasons[i].first_row);
	}
	for (size_t i = 0; i < COLUMN_MAX; i++) {
		wire_put_u16(out, shape->columns[i].position);
		wire_put_u32(out, shape->columns[i].filled);
	}
	wire_put_u32(out, shape->schools);
	wire_put_u16(out, schools);
	for (size_t i = 0; i < schools; i++)
		wire_put_u32(out, shape->school_rows[i]);
	return wire_end(out);
}

/* The verdicts that a row alone can have. */
static bool
is_verdict(size_t reason)
{
	static const enum reason verdicts[] = {
		REASON_OPTED_OUT, REASON_INACTIVE, REASON_SHAPE, REASON_STATUS, REASON_KEY, REASON_NAME, REASON_BIRTH_DATE,
	};

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if ((size_t)verdicts[i] == reason)
			return true;
	return false;
}

static bool
reasons_hold(const struct feed_shape *shape)
{
	uint64_t sum = 0, ununderstood = 0;

	for (size_t i = 0; i < REASON_MAX; i++) {
		uint32_t rows = shape->reasons[i].rows, first = shape->reasons[i].first_row;

		if (rows != 0 && !is_verdict(i))
			return false;
		/* that many rows fit behind the first of them */
		if ((rows == 0) != (first == 0) || first > shape->rows || (rows != 0 && rows > shape->rows - first + 1))
			return false;
		sum += rows;
	}
	ununderstood = (uint64_t)shape->reasons[REASON_OPTED_OUT].rows + shape->reasons[REASON_SHAPE].rows;
	return sum <= shape->rows && shape->understood + ununderstood == shape->rows;
}

static bool
statuses_hold(const struct feed_shape *shape)
{
	uint64_t sum = shape->status_other;

	for (size_t i = 0; i < STATUS_VALUES; i++)
		sum += shape->status[i];
	return sum <= shape->understood && shape->active <= shape->understood;
}

static bool
columns_hold(const struct feed_shape *shape)
{
	for (size_t i = 0; i < COLUMN_MAX; i++)
		if (shape->columns[i].position > LIMIT_CELLS || shape->columns[i].filled > shape->understood)
			return false;
	return true;
}

static bool
schools_hold(const struct feed_shape *shape)
{
	uint16_t told = told_schools(shape);
	uint64_t sum = 0;

	for (size_t i = 0; i < told; i++) {
		if (i > 0 && shape->school_rows[i] > shape->school_rows[i - 1])
			return false;
		sum += shape->school_rows[i];
	}
	return sum <= shape->understood && shape->schools <= LIMIT_SCHOOLS &&
	    told == (shape->schools < SHAPE_SCHOOLS ? shape->schools : SHAPE_SCHOOLS);
}

static bool
shape_holds(const struct feed_shape *shape)
{
	return shape->rows > 0 && shape->rows <= LIMIT_ROWS && shape->header <= 1 && shape->delimiter != 0 &&
	    shape->cells_min > 0 && shape->cells_min <= shape->cells_max && shape->cells_max <= LIMIT_CELLS &&
	    shape->key_fits <= shape->rows && shape->birth_dates <= shape->understood &&
	    shape->of_age <= shape->birth_dates && reasons_hold(shape) && statuses_hold(shape) && columns_hold(shape) &&
	    schools_hold(shape);
}

static void
get_schools(struct wire_in *in, struct feed_shape *shape)
{
	uint16_t count;

	shape->schools = wire_get_u32(in);
	count = wire_get_u16(in);
	if (count > SHAPE_SCHOOLS)
		in->bad = true;
	for (size_t i = 0; i < count && i < SHAPE_SCHOOLS; i++) {
		shape->school_rows[i] = wire_get_u32(in);
		if (shape->school_rows[i] == 0)
			in->bad = true;
	}
}

int
wire_get_shape(struct wire_in *in, enum feed_kind *ret_feed, struct feed_shape *ret)
{
	struct feed_shape shape = { 0 };
	unsigned int feed = wire_get_u8(in);

	shape.rows = wire_get_u32(in);
	shape.understood = wire_get_u32(in);
	shape.delimiter = wire_get_u8(in);
	shape.header = wire_get_u8(in);
	shape.cells_min = wire_get_u16(in);
	shape.cells_max = wire_get_u16(in);
	shape.key_fits = wire_get_u32(in);
	shape.birth_dates = wire_get_u32(in);
	shape.of_age = wire_get_u32(in);
	shape.active = wire_get_u32(in);
	for (size_t i = 0; i < STATUS_VALUES; i++)
		shape.status[i] = wire_get_u32(in);
	shape.status_other = wire_get_u32(in);
	for (size_t i = 0; i < REASON_MAX; i++) {
		shape.reasons[i].rows = wire_get_u32(in);
		shape.reasons[i].first_row = wire_get_u32(in);
	}
	for (size_t i = 0; i < COLUMN_MAX; i++) {
		shape.columns[i].position = wire_get_u16(in);
		shape.columns[i].filled = wire_get_u32(in);
	}
	get_schools(in, &shape);
	if (wire_finish(in) < 0 || feed >= FEED_KIND_MAX || !shape_holds(&shape))
		return -EBADMSG;
	*ret_feed = (enum feed_kind)feed;
	*ret = shape;
	return 0;
}
