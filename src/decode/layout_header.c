/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The column names of the profile `chccs`. */

#include "decode/layout_header.h"

#include <string.h>

#define REPEATS_ANY UINT32_MAX

/* A column and how often it may stand there, one behind the other. */
struct column {
	const char *name;
	uint32_t min, max;
};

static const struct column student_columns[] = {
	{ "S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT", 1, 1 },
	{ "Student_Number", 1, 1 },
	{ "First_Name", 1, 1 },
	{ "Last_Name", 1, 1 },
	{ "DOB", 1, 1 },
	{ "SchoolID", 1, 1 },
	{ "Grade_Level", 1, 1 },
	{ "Mailing_Street", 1, 2 }, /* a third would put the ZIP where no row's shape has it */
	{ "Mailing_City", 1, 1 },
	{ "Mailing_State", 1, 1 },
	{ "Mailing_Zip", 1, 1 },
	{ "S_NC_STUDENTDEMO.EMAIL_ADDRESS", 1, 1 },
	{ "Home_Phone", 1, 1 },
	{ "Guardian_Email", 1, REPEATS_ANY },
	{ "Enroll_Status", 1, 1 },
	{ "S_NC_STUDENTDEMO.STUDENTSDCID", 0, 1 },
};

static const struct column staff_columns[] = {
	{ "Employment Status", 1, 1 },
	{ "UIDStaffID", 1, 1 },
	{ "FirstName", 1, 1 },
	{ "LastName", 1, 1 },
	{ "Address1", 1, 1 },
	{ "City", 1, 1 },
	{ "State", 1, 1 },
	{ "Zip", 1, 1 },
	{ "Mobile Phone", 1, 1 },
	{ "Home Phone", 1, 1 },
	{ "Email", 1, 1 },
	{ "PR Job Desc.", 1, 1 },
	{ "PrimarySiteId", 1, 1 },
	{ "Site Name", 1, 1 },
};

static const struct {
	const struct column *columns;
	size_t count;
} feeds[FEED_KIND_MAX] = {
	[FEED_STUDENT] = { student_columns, sizeof(student_columns) / sizeof(student_columns[0]) },
	[FEED_STAFF] = { staff_columns, sizeof(staff_columns) / sizeof(staff_columns[0]) },
};

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
header_same(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a_size && a[i] == ' ')
			i++;
		while (j < b_size && b[j] == ' ')
			j++;
		if (i == a_size || j == b_size)
			return i == a_size && j == b_size;
		if (fold(a[i++]) != fold(b[j++]))
			return false;
	}
}

static bool
is_column(const struct text *cell, const struct column *column)
{
	return header_same(cell->bytes, cell->size, column->name, strlen(column->name));
}

bool
header_is(const struct text *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t feed = 0; feed < FEED_KIND_MAX; feed++)
			for (size_t j = 0; j < feeds[feed].count; j++)
				if (is_column(&cells[i], &feeds[feed].columns[j]))
					return true;
	return false;
}

uint32_t
header_misfit(enum feed_kind feed, const struct text *cells, size_t count)
{
	size_t at = 0;

	for (size_t j = 0; j < feeds[feed].count; j++) {
		const struct column *column = &feeds[feed].columns[j];
		uint32_t times = 0;

		while (at < count && times < column->max && is_column(&cells[at], column)) {
			times++;
			at++;
		}
		if (times < column->min)
			return (uint32_t)at + 1;
	}
	return at < count ? (uint32_t)at + 1 : 0;
}
