/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_VARFIELD_H
#define STANDIN_VARFIELD_H

/* Owns the tables that say which fixed number and which variable tag shows which plain field. */

#include "patron.h"

struct fixed_field {
	const char *number;
	const char *label;
	enum field field;
	const char *member; /* of patronCodes, else NULL */
};

struct var_field {
	char tag;
	enum field field;
	const char *member; /* of the field's elements when they are objects, else NULL */
};

/* Both end with an empty entry. */
extern const struct fixed_field fixed_fields[];
extern const struct var_field var_fields[];

#endif
