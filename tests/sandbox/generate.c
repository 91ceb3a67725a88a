/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records derived from their number: millions of patrons without memory. */

#include "generate.h"

#include <string.h>

static const char *const surnames[] = {
	"ADAMS",
	"BAKER",
	"CARTER",
	"DIAZ",
	"EVANS",
	"FLORES",
	"GARCIA",
	"HUGHES",
	"IVERSON",
	"JENKINS",
	"KELLER",
	"LOPEZ",
	"MILLER",
	"NGUYEN",
	"ORTIZ",
	"PARKER",
	"QUINN",
	"RIVERA",
	"SANCHEZ",
	"TAYLOR",
	"UNDERWOOD",
	"VARGAS",
	"WALKER",
	"XIONG",
	"YOUNG",
	"ZIMMERMAN",
	"BENNETT",
	"COLEMAN",
	"DAWSON",
	"ELLIOTT",
	"FISHER",
	"GRAHAM",
	"HOWARD",
	"JORDAN",
	"KENNEDY",
	"LAWSON",
	"MORGAN",
	"NELSON",
	"OWENS",
	"PALMER",
};

static const char *const first_names[] = {
	"ADA",
	"BEN",
	"CLARA",
	"DAVID",
	"EMMA",
	"FELIX",
	"GRACE",
	"HENRY",
	"IRIS",
	"JAMES",
	"KATE",
	"LIAM",
	"MAYA",
	"NOAH",
	"OLIVIA",
	"PAUL",
	"QUENTIN",
	"ROSE",
	"SAMUEL",
	"THEA",
	"UMA",
	"VICTOR",
	"WENDY",
	"XAVIER",
	"YARA",
	"ZOE",
};

enum {
	SURNAMES = sizeof(surnames) / sizeof(surnames[0]),
	FIRST_NAMES = sizeof(first_names) / sizeof(first_names[0]),
	BIRTH_FIRST_DAY = 12784, /* 2005-01-01 */
	BIRTH_DAYS = 5000,
	EXPIRES_FIRST_DAY = 19723, /* 2024-01-01 */
	EXPIRES_DAYS = 700,
};

static char *
put(char *at, const char *s)
{
	size_t n = strlen(s);

	memcpy(at, s, n + 1);
	return at + n;
}

static void
put_date(char *at, int64_t day)
{
	at[0] = '"';
	date_from_days(day, at + 1);
	put(at + 11, "\"");
}

static void
put_number(char *at, uint64_t n)
{
	char digits[21];
	size_t from = sizeof(digits) - 1;

	digits[from] = '\0';
	do {
		digits[--from] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	put(at, digits + from);
}

bool
generate_has(const struct generator *g, uint64_t id)
{
	return id >= g->first_id && id - g->first_id < g->count;
}

void
generate(const struct generator *g, uint64_t id, struct generated *ret)
{
	static char patron_type[] = "15", library[] = "\"ch\"";
	uint64_t i = id - g->first_id;
	char *at = put(ret->names, "[\"");

	at = put(at, surnames[i % SURNAMES]);
	at = put(at, ", ");
	at = put(at, first_names[i / SURNAMES % FIRST_NAMES]);
	put(at, "\"]");
	at = put(ret->barcodes, "[\"");
	put_number(at, g->first_barcode + i);
	put(at + strlen(at), "\"]");
	put_date(ret->birth_date, BIRTH_FIRST_DAY + (int64_t)(i % BIRTH_DAYS));
	put_date(ret->expiration_date,
	    g->expires_day >= 0 ? g->expires_day : EXPIRES_FIRST_DAY + (int64_t)(i % EXPIRES_DAYS));
	ret->p = (struct patron){
		.id = id,
		.created = g->created,
		.updated = g->created,
		.activity = g->created,
		.text = {
			[FIELD_NAMES] = ret->names,
			[FIELD_BARCODES] = ret->barcodes,
			[FIELD_EXPIRATION_DATE] = ret->expiration_date,
			[FIELD_BIRTH_DATE] = ret->birth_date,
			[FIELD_PATRON_TYPE] = patron_type,
			[FIELD_HOME_LIBRARY_CODE] = library,
		},
	};
}

uint64_t
generate_id_of(const struct generator *g, const char *barcode)
{
	uint64_t n;

	/* A leading zero makes another text, hence another barcode. */
	if (barcode[0] == '0' || !parse_u64(barcode, UINT64_MAX / 2, &n))
		return 0;
	return n >= g->first_barcode && n - g->first_barcode < g->count ? g->first_id + (n - g->first_barcode) : 0;
}
