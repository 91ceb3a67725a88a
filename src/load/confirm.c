/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The confirmation of a match. Starts refused. */

#include "load/confirm.h"

#include "common/date.h"

bool
confirm_person(enum feed_kind feed, int32_t row_birth_date, int32_t patron_birth_date,
    const struct names_verdict *names)
{
	bool student = feed == FEED_STUDENT;
	bool dates = student && row_birth_date != DATE_NONE && patron_birth_date != DATE_NONE;
	bool comparable = dates || names->surname_comparable || names->first_comparable;
	bool confirmed = false;

	if (!comparable)
		confirmed = true;
	else if (!student)
		confirmed = names->surname || names->first;
	else if (dates)
		confirmed = row_birth_date == patron_birth_date || names->both;
	else
		confirmed = names->surname;
	return confirmed;
}
