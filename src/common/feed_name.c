/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of names: what is still being uploaded must never be taken. */

#include "common/feed_name.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/date.h"
#include "patrond/limits.h"
#include "patrond/outcome.h"

#define REPORT_START "barcode_errors-"
#define REPORT_END ".zip"
#define REPORT_DIGITS 8U

/* What upload programs append until a file is whole: WinSCP, browsers, rsync and curl's users, and editors' copies. */
static const char *const unfinished[] = {
	".filepart", ".partial", ".part", ".tmp", ".temp", ".crdownload", ".download", ".swp", ".bak", "~",
};

static bool
ends_with(const char *name, size_t size, const char *end)
{
	size_t length = strlen(end);

	return size >= length && strncasecmp(name + size - length, end, length) == 0;
}

bool
feed_name_fits(const char *name, size_t size, const char *pattern)
{
	char text[LIMIT_FILE_NAME + 1];

	if (size == 0 || size > LIMIT_FILE_NAME || memchr(name, '/', size) != NULL || memchr(name, '\0', size) != NULL)
		return false;
	if (name[0] == '.' || name[0] == '~')
		return false;
	for (size_t i = 0; i < sizeof(unfinished) / sizeof(unfinished[0]); i++)
		if (ends_with(name, size, unfinished[i]))
			return false;
	memcpy(text, name, size);
	text[size] = '\0';
	/* Wider than report_name_date, so that a renamed copy of a report is no feed either. */
	if (fnmatch(REPORT_START "*" REPORT_END, text, FNM_CASEFOLD) == 0)
		return false;
	return fnmatch(pattern, text, 0) == 0;
}

/* What may stand between date and end: the plain name is that of a load of both feeds. */
static const struct {
	const char *text;
	uint32_t kinds;
} report_feeds[] = {
	{ "", FEED_BITS_ALL },
	{ "-student", FEED_BIT(FEED_STUDENT) },
	{ "-staff", FEED_BIT(FEED_STAFF) },
};

uint32_t
report_name_kinds(const char *name, size_t size)
{
	const size_t start = strlen(REPORT_START) + REPORT_DIGITS, end = strlen(REPORT_END);

	if (size < start + end || memcmp(name, REPORT_START, strlen(REPORT_START)) != 0 ||
	    memcmp(name + size - end, REPORT_END, end) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(report_feeds) / sizeof(report_feeds[0]); i++)
		if (size - start - end == strlen(report_feeds[i].text) &&
		    memcmp(name + start, report_feeds[i].text, size - start - end) == 0)
			return report_feeds[i].kinds;
	return 0;
}

int32_t
report_name_date(const char *name, size_t size)
{
	const size_t start = strlen(REPORT_START);
	int number = 0;

	if (report_name_kinds(name, size) == 0)
		return DATE_NONE;
	for (size_t i = start; i < start + REPORT_DIGITS; i++) {
		if (name[i] < '0' || name[i] > '9')
			return DATE_NONE;
		number = number * 10 + (name[i] - '0');
	}
	return date_to_days((struct date){ .year = number / 10000, .month = number / 100 % 100, .day = number % 100 });
}

void
report_name_make(int32_t date, uint32_t kinds, char *ret)
{
	struct date day = date_from_days(date);
	const char *feeds = "";

	for (size_t i = 0; i < sizeof(report_feeds) / sizeof(report_feeds[0]); i++)
		if (report_feeds[i].kinds == kinds)
			feeds = report_feeds[i].text;
	/* years have four digits: no date is stored that has others */
	(void)snprintf(ret, REPORT_NAME_SIZE, REPORT_START "%04d%02d%02d%s" REPORT_END, day.year, day.month, day.day, feeds);
}
