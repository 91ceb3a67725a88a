/* SPDX-License-Identifier: GPL-3.0-or-later */
/* REPORT_* frames: a load stage taken over by an answer of Sierra could send anything here. */

#include "report/rows.h"

#include <errno.h>
#include <string.h>

#include "common/date.h"
#include "common/text.h"
#include "patrond/limits.h"

static bool
is_date(int32_t days)
{
	return days == DATE_NONE || (days >= date_to_days((struct date){ .year = 1, .month = 1, .day = 1 }) &&
	                                days <= date_to_days((struct date){ .year = 9999, .month = 12, .day = 31 }));
}

static int
take_cleanup(struct rows *rows, struct wire_in *in)
{
	struct cleanup_row row;
	uint8_t class;

	row.patron_id = wire_get_u64(in);
	class = wire_get_u8(in);
	row.expiration = wire_get_i32(in);
	row.field = wire_get_string(in, LIMIT_CLEANUP_FIELD, &row.field_size);
	if (wire_finish(in) < 0 || row.patron_id == 0 || class >= CLEANUP_CLASS_MAX || !is_date(row.expiration))
		return -EBADMSG;
	/* An empty field is no barcode and never on the report. */
	if (row.field_size == 0 || !text_is_utf8(row.field, row.field_size))
		return -EBADMSG;
	row.class = (enum cleanup_class)class;
	return tables_add_cleanup(rows->tables, &row);
}

/* feed, row, reason: what held and rejected rows have in common. */
static int
get_outcome(struct wire_in *in, enum outcome_kind kind, bool with_patron, struct outcome *ret)
{
	uint8_t feed = wire_get_u8(in);
	uint32_t row = wire_get_u32(in);
	uint8_t reason = wire_get_u8(in);
	uint64_t patron_id = with_patron ? wire_get_u64(in) : 0;

	if (wire_finish(in) < 0 || feed >= FEED_KIND_MAX || row == 0 || row > LIMIT_ROWS || reason >= REASON_MAX ||
	    !outcome_reason_fits(kind, (enum reason)reason))
		return -EBADMSG;
	*ret = (struct outcome){
		.feed = (enum feed_kind)feed,
		.row = row,
		.kind = kind,
		.reason = (enum reason)reason,
		.patron_id = patron_id,
	};
	return 0;
}

static int
take_held(struct rows *rows, struct wire_in *in)
{
	struct outcome outcome;
	int r = get_outcome(in, OUTCOME_HELD, true, &outcome);

	return r < 0 || !rows->with_rows ? r : tables_add_held(rows->tables, &outcome);
}

static int
take_rejected(struct rows *rows, struct wire_in *in)
{
	struct outcome outcome;
	int r = get_outcome(in, OUTCOME_REJECTED, false, &outcome);

	return r < 0 || !rows->with_rows ? r : tables_add_rejected(rows->tables, &outcome);
}

static int
take_opted_out(struct rows *rows, struct wire_in *in)
{
	uint64_t patron_id = wire_get_u64(in);

	if (wire_finish(in) < 0 || patron_id == 0)
		return -EBADMSG;
	return tables_add_opted_out(rows->tables, patron_id);
}

static int
take_trailer(struct rows *rows, struct wire_in *in)
{
	uint32_t counts[TABLE_MAX];

	for (size_t i = 0; i < TABLE_MAX; i++)
		counts[i] = wire_get_u32(in);
	/* A row lost on the way would be a barcode that nobody cleans up. */
	if (wire_finish(in) < 0 || memcmp(counts, rows->received, sizeof(counts)) != 0)
		return -EBADMSG;
	rows->complete = true;
	return 0;
}

static const struct {
	enum wire_type type;
	enum table table;
	int (*take)(struct rows *rows, struct wire_in *in);
} takers[] = {
	{ WIRE_REPORT_CLEANUP, TABLE_CLEANUP, take_cleanup },
	{ WIRE_REPORT_HELD, TABLE_HELD, take_held },
	{ WIRE_REPORT_REJECTED, TABLE_REJECTED, take_rejected },
	{ WIRE_REPORT_OPTED_OUT, TABLE_OPTED_OUT, take_opted_out },
};

int
rows_take(struct rows *rows, struct wire_in *in)
{
	if (rows->complete)
		return -EBADMSG; /* nothing follows a trailer */
	if (in->type == WIRE_REPORT_TRAILER)
		return take_trailer(rows, in);
	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
		if (takers[i].type != in->type)
			continue;
		if (rows->received[takers[i].table] == UINT32_MAX)
			return -EBADMSG;
		rows->received[takers[i].table]++;
		return takers[i].take(rows, in);
	}
	return -EBADMSG;
}
