/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers, guards and tables of counts as people read them. */

#include "common/present.h"

#include <stddef.h>
#include <string.h>

#include "patrond/shape.h"

const char *
present_number(unsigned long long number, char ret[static 27])
{
	char digits[21];
	int n = snprintf(digits, sizeof(digits), "%llu", number);
	size_t used = 0;

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			ret[used++] = ',';
		ret[used++] = digits[i];
	}
	ret[used] = '\0';
	return ret;
}

/* How the figures of a guard are to be read. */
enum form {
	FORM_SHARE, /* value of basis rows */
	FORM_FEWER, /* value, where basis were or would be */
	FORM_DRIFT, /* value of basis rows are otherwise than the last time */
};

static enum form
form_of(enum guard guard)
{
	switch (guard) {
	case GUARD_ROWS:
	case GUARD_PATRONS:
	case GUARD_OPT_OUTS:
	case GUARD_SCHOOLS:
		return FORM_FEWER;
	case GUARD_FILL:
	case GUARD_KEYS:
	case GUARD_AGES:
	case GUARD_SHARES:
		return FORM_DRIFT;
	default:
		return FORM_SHARE;
	}
}

bool
guard_is_floor(enum guard guard)
{
	return form_of(guard) == FORM_FEWER;
}

const char *
guard_column(const struct guard_figure *figure)
{
	if (figure->guard != GUARD_FILL && figure->guard != GUARD_SHARES)
		return NULL;
	return feed_column_name((enum feed_column)figure->column);
}

void
present_guard(const struct guard_figure *figure, char *ret, size_t size)
{
	static const char *const behind[] = { [FORM_SHARE] = " rows", [FORM_FEWER] = " last time",
		[FORM_DRIFT] = " rows unlike last time" };
	enum form form = form_of(figure->guard);
	char value[27], basis[27];
	/* one decimal place, so that 30.4% over 30% does not read as 30% > 30% */
	unsigned long long tenths =
	    figure->basis > 0 ? (unsigned long long)((__uint128_t)figure->value * 1000 / figure->basis) : 0;
	const char *feed = feed_kind_name(figure->feed), *column = guard_column(figure);
	char share[32];

	if (figure->guard == GUARD_MANUAL) {
		(void)snprintf(ret, size, "manual ([load] start = manual)");
		return;
	}
	if (tenths % 10 == 0)
		(void)snprintf(share, sizeof(share), "%llu%%", tenths / 10);
	else
		(void)snprintf(share, sizeof(share), "%llu.%llu%%", tenths / 10, tenths % 10);
	(void)snprintf(ret, size, "%s%s%s %s %c %u%% (%s of %s%s%s%s)", guard_name(figure->guard),
	    column != NULL ? " of " : "", column != NULL ? column : "", share, form == FORM_FEWER ? '<' : '>',
	    figure->limit_percent, present_number(figure->value, value), present_number(figure->basis, basis), behind[form],
	    feed != NULL ? ", " : "", feed != NULL ? feed : "");
}

static void
row(const char *name, uint32_t kinds, const uint32_t values[static FEED_KIND_MAX], FILE *to)
{
	char number[27];

	(void)fprintf(to, "  %-22s", name);
	for (int i = 0; i < FEED_KIND_MAX; i++)
		if ((kinds & FEED_BIT(i)) != 0)
			(void)fprintf(to, "%12s", present_number(values[i], number));
	(void)fprintf(to, "\n");
}

/* A row of the table: the value at that place of each feed's counts. */
static void
row_of(const char *name, uint32_t kinds, const struct feed_counts counts[static FEED_KIND_MAX], size_t offset,
    bool zeros, FILE *to)
{
	uint32_t values[FEED_KIND_MAX], any = 0;

	for (int i = 0; i < FEED_KIND_MAX; i++) {
		memcpy(&values[i], (const char *)&counts[i] + offset, sizeof(values[i]));
		any |= (kinds & FEED_BIT(i)) != 0 ? values[i] : 0;
	}
	if (zeros || any != 0)
		row(name, kinds, values, to);
}

#define PLACE(member) offsetof(struct feed_counts, member)

void
present_counts(uint32_t kinds, const struct feed_counts counts[static FEED_KIND_MAX], bool zeros, FILE *to)
{
	(void)fprintf(to, "  %-22s", "");
	for (int i = 0; i < FEED_KIND_MAX; i++)
		if ((kinds & FEED_BIT(i)) != 0)
			(void)fprintf(to, "%12s", feed_kind_name((enum feed_kind)i));
	(void)fprintf(to, "\n");
	row_of("rows", kinds, counts, PLACE(rows), true, to);
	for (int k = 0; k < OUTCOME_KIND_MAX; k++) {
		row_of(outcome_kind_name((enum outcome_kind)k), kinds, counts,
		    PLACE(by_outcome) + (size_t)k * sizeof(uint32_t), zeros, to);
		for (int why = REASON_NONE + 1; why < REASON_DIFFERS; why++) {
			char name[64];

			if (!outcome_reason_fits((enum outcome_kind)k, (enum reason)why))
				continue;
			(void)snprintf(name, sizeof(name), "  %s", reason_name((enum reason)why));
			row_of(name, kinds, counts, PLACE(by_reason) + (size_t)why * sizeof(uint32_t), false, to);
		}
	}
	row_of("read back, verified", kinds, counts, PLACE(verified), zeros, to);
	row_of("read back, different", kinds, counts, PLACE(different), zeros, to);
}
