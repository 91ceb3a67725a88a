/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dates as days since 1970-01-01. The calendar's arithmetic counts years from March, so that the leap day comes last.
 */

#include "common/date.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAYS_PER_ERA 146097 /* 400 Gregorian years */
#define EPOCH_SHIFT 719468  /* days from 0000-03-01 to 1970-01-01 */
#define MONTHS 12
#define YEAR_MAX 9999

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_of_month(int year, int month)
{
	static const int days[MONTHS] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

int32_t
date_to_days(struct date date)
{
	int year, era, year_of_era, day_of_year;

	if (date.year < 1 || date.year > YEAR_MAX || date.month < 1 || date.month > MONTHS || date.day < 1 ||
	    date.day > days_of_month(date.year, date.month))
		return DATE_NONE;
	year = date.month <= 2 ? date.year - 1 : date.year;
	era = year / 400; /* never negative: the earliest year here is 0 */
	year_of_era = year - era * 400;
	day_of_year = (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;
	return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_SHIFT;
}

struct date
date_from_days(int32_t days)
{
	int shifted = days + EPOCH_SHIFT;
	int era = shifted / DAYS_PER_ERA;
	int day_of_era = shifted - era * DAYS_PER_ERA;
	int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int month = (5 * day_of_year + 2) / 153; /* from March */
	struct date date = {
		.year = year_of_era + era * 400 + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
	};

	return date;
}

/* Writes a number in a fixed count of digits. */
static void
put_digits(char *at, int value, int count)
{
	while (count-- > 0) {
		at[count] = (char)('0' + value % 10);
		value /= 10;
	}
}

void
date_format(int32_t days, char ret_text[static DATE_TEXT_SIZE])
{
	struct date date = date_from_days(days);

	put_digits(ret_text, date.year, 4);
	ret_text[4] = '-';
	put_digits(ret_text + 5, date.month, 2);
	ret_text[7] = '-';
	put_digits(ret_text + 8, date.day, 2);
	ret_text[10] = '\0';
}

/* Takes min to max ASCII digits off the front. Returns how many, or 0 where there are fewer, or more follow. */
static size_t
take_number(const char *bytes, size_t size, size_t min, size_t max, int *ret)
{
	size_t count = 0;
	int value = 0;

	while (count < size && bytes[count] >= '0' && bytes[count] <= '9') {
		if (count == max)
			return 0;
		value = value * 10 + (bytes[count] - '0');
		count++;
	}
	if (count < min)
		return 0;
	*ret = value;
	return count;
}

struct part {
	size_t min, max; /* digits */
	int *value;
};

/* Three numbers parted by one character, nothing before or after. */
static int
parse(const char *bytes, size_t size, const struct part parts[static 3], char parter)
{
	for (size_t i = 0; i < 3; i++) {
		size_t count = take_number(bytes, size, parts[i].min, parts[i].max, parts[i].value);

		if (count == 0)
			return -EINVAL;
		bytes += count;
		size -= count;
		if (i == 2)
			break;
		if (size == 0 || *bytes != parter)
			return -EINVAL;
		bytes++;
		size--;
	}
	return size == 0 ? 0 : -EINVAL;
}

static int
finish(struct date date, int32_t *ret_days)
{
	int32_t days = date_to_days(date);

	if (days == DATE_NONE)
		return -EINVAL;
	*ret_days = days;
	return 0;
}

int
date_parse_iso(const char *bytes, size_t size, int32_t *ret_days)
{
	struct date date = { 0 };
	const struct part parts[3] = { { 4, 4, &date.year }, { 2, 2, &date.month }, { 2, 2, &date.day } };
	int r = parse(bytes, size, parts, '-');

	return r < 0 ? r : finish(date, ret_days);
}

int
date_parse_us(const char *bytes, size_t size, int32_t *ret_days)
{
	struct date date = { 0 };
	const struct part parts[3] = { { 1, 2, &date.month }, { 1, 2, &date.day }, { 4, 4, &date.year } };
	int r = parse(bytes, size, parts, '/');

	return r < 0 ? r : finish(date, ret_days);
}

int
date_parse_dmy(const char *bytes, size_t size, int32_t *ret_days)
{
	struct date date = { 0 };
	const struct part parts[3] = { { 1, 2, &date.day }, { 1, 2, &date.month }, { 4, 4, &date.year } };
	int r = parse(bytes, size, parts, '/');

	return r < 0 ? r : finish(date, ret_days);
}

int
date_parse_bare(const char *bytes, size_t size, int32_t *ret_days)
{
	struct date date = { 0 };

	if (size != 8 || take_number(bytes, 4, 4, 4, &date.year) == 0 || take_number(bytes + 4, 2, 2, 2, &date.month) == 0 ||
	    take_number(bytes + 6, 2, 2, 2, &date.day) == 0)
		return -EINVAL;
	return finish(date, ret_days);
}

int32_t
date_today(void)
{
	time_t now = time(NULL);
	struct tm tm;

	tzset();
	if (localtime_r(&now, &tm) == NULL)
		return DATE_NONE;
	return date_to_days((struct date){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday });
}
