/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bodies of the requests that write. The JSON is written straight into a buffer that is wiped: a JSON library would
 * leave names and PINs in freed memory.
 */

#include "load/body.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>

#include "common/date.h"

#define TEXT_MAX (64U << 10)    /* bytes of one value: all e-mails of a row, or a street thrice as long in capitals */
#define PIN_SIZE 5U             /* MMxDD */
#define PIN_DIGITS 4U
#define STAFF_PIN_FROM 6U       /* the first character of the key that a staff PIN takes, counted from 0 */
#define STAFF_KEY_SIZE (STAFF_PIN_FROM + PIN_DIGITS)

/* Adds a JSON string with its quotes. Control characters cannot be here (record_get); they are escaped all the same. */
static int
add_json(struct buf *out, const char *bytes, size_t size)
{
	int r = buf_add(out, "\"", 1);

	for (size_t i = 0; i < size && r == 0; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < 0x20 || c == 0x7F)
			r = buf_addf(out, "\\u%04x", (unsigned int)c);
		else if (c == '"' || c == '\\')
			r = buf_addf(out, "\\%c", c);
		else
			r = buf_add(out, bytes + i, 1);
	}
	return r < 0 ? r : buf_add(out, "\"", 1);
}

/* Adds the text in capitals by full Unicode (ß is SS). */
static int
add_upper(struct buf *out, const char *bytes, size_t size)
{
	size_t n = 0;
	uint8_t *upper;
	int r;

	if (size == 0)
		return 0;
	upper = u8_toupper((const uint8_t *)bytes, size, NULL, NULL, NULL, &n);
	if (upper == NULL)
		return errno == ENOMEM ? -ENOMEM : -EINVAL;
	r = buf_add(out, upper, n);
	explicit_bzero(upper, n);
	free(upper);
	return r;
}

/* Adds the words of a text with one blank between, after a blank where the buffer holds something already. */
static int
add_words(struct buf *out, const char *bytes, size_t size, char as_blank, char dropped)
{
	bool gap = out->size > 0;
	int r = 0;

	for (size_t i = 0; i < size && r == 0; i++) {
		if (bytes[i] == dropped && dropped != '\0')
			continue;
		if (bytes[i] == ' ' || bytes[i] == '$' || bytes[i] == as_blank) {
			gap = out->size > 0;
			continue;
		}
		if (gap)
			r = buf_add(out, " ", 1);
		gap = false;
		if (r == 0)
			r = buf_add(out, bytes + i, 1);
	}
	return r;
}

/* A part of a name: a comma in it becomes a blank, since the comma parts last from first name. */
static int
add_name_part(struct buf *out, const struct text *part)
{
	_cleanup_buf_ struct buf words = BUF_INIT(TEXT_MAX);
	int r = add_words(&words, part->bytes, part->size, ',', '\0');

	if (r < 0 || words.size == 0)
		return r;
	if (out->size > 0) {
		r = buf_add_text(out, ", ");
		if (r < 0)
			return r;
	}
	return add_upper(out, words.bytes, words.size);
}

int
body_name(struct buf *out, const struct record *record)
{
	_cleanup_buf_ struct buf name = BUF_INIT(TEXT_MAX);
	int r = add_name_part(&name, &record->fields[RECORD_LAST]);

	if (r == 0)
		r = add_name_part(&name, &record->fields[RECORD_FIRST]);
	if (r == 0 && name.size == 0)
		r = -EINVAL;
	return r < 0 ? r : buf_add(out, name.bytes, name.size);
}

int32_t
body_birth_date(const struct record *record)
{
	if (record->feed == FEED_STUDENT)
		return record->birth_date;
	return date_to_days((struct date){ 1980, 1, 1 });
}

/* A pattern may allow letters of any script; four bytes out of such a key would be no characters. */
static bool
is_ascii(const struct text *text)
{
	for (size_t i = 0; i < text->size; i++)
		if ((text->bytes[i] & 0x80) != 0)
			return false;
	return true;
}

/* The four characters of a staff key that make the PIN. Returns false where there are not so many. */
static bool
staff_pin_digits(const struct text *key, char ret[static PIN_DIGITS])
{
	size_t found = 0;

	if (key->size >= STAFF_KEY_SIZE && is_ascii(key)) {
		memcpy(ret, key->bytes + STAFF_PIN_FROM, PIN_DIGITS);
		return true;
	}
	for (size_t i = key->size; i > 0 && found < PIN_DIGITS; i--)
		if (key->bytes[i - 1] >= '0' && key->bytes[i - 1] <= '9')
			ret[PIN_DIGITS - ++found] = key->bytes[i - 1];
	return found == PIN_DIGITS;
}

/* MMxDD of the birth date, or the same form of the staff key. */
static bool
make_pin(const struct record *record, char ret[static PIN_SIZE])
{
	char digits[PIN_DIGITS];

	if (record->feed == FEED_STUDENT) {
		struct date date;

		if (record->birth_date == RECORD_NO_DATE)
			return false;
		date = date_from_days(record->birth_date);
		digits[0] = (char)('0' + date.month / 10);
		digits[1] = (char)('0' + date.month % 10);
		digits[2] = (char)('0' + date.day / 10);
		digits[3] = (char)('0' + date.day % 10);
	} else if (!staff_pin_digits(&record->fields[RECORD_KEY], digits))
		return false;
	memcpy(ret, digits, 2);
	ret[2] = 'x';
	memcpy(ret + 3, digits + 2, 2);
	explicit_bzero(digits, sizeof(digits));
	return true;
}

static bool
has_name(const struct text *part)
{
	for (size_t i = 0; i < part->size; i++)
		if (part->bytes[i] != ',' && part->bytes[i] != ' ' && part->bytes[i] != '$')
			return true;
	return false;
}

enum reason
body_obstacle(const struct record *record)
{
	char pin[PIN_SIZE];
	bool made = make_pin(record, pin);

	explicit_bzero(pin, sizeof(pin));
	if (!made)
		return REASON_KEY;
	if (!has_name(&record->fields[RECORD_LAST]) && !has_name(&record->fields[RECORD_FIRST]))
		return REASON_NAME;
	return REASON_NONE;
}

/* Adds `,"KEY":`; the first member is the name, so there is always one before. */
static int
add_key(struct buf *out, const char *key)
{
	return buf_addf(out, ",\"%s\":", key);
}

static int
add_date(struct buf *out, const char *key, int32_t days)
{
	char text[DATE_TEXT_SIZE];
	int r;

	date_format(days, text);
	r = add_key(out, key);
	return r < 0 ? r : add_json(out, text, strlen(text));
}

/* One line of the address: upper case, full stops dropped. */
static int
make_line(struct buf *out, const struct record *record, const enum record_field *fields, size_t count)
{
	_cleanup_buf_ struct buf words = BUF_INIT(TEXT_MAX);
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = add_words(&words, record->fields[fields[i]].bytes, record->fields[fields[i]].size, ' ', '.');
	return r < 0 ? r : add_upper(out, words.bytes, words.size);
}

static int
add_address(struct buf *out, const struct record *record)
{
	static const enum record_field street[] = { RECORD_STREET };
	static const enum record_field place[] = { RECORD_CITY, RECORD_STATE, RECORD_ZIP };
	_cleanup_buf_ struct buf first = BUF_INIT(TEXT_MAX), second = BUF_INIT(TEXT_MAX);
	int r = make_line(&first, record, street, 1);

	if (r == 0)
		r = make_line(&second, record, place, 3);
	/* staff: where the street is there */
	if (r < 0 || first.size + second.size == 0 || (record->feed == FEED_STAFF && first.size == 0))
		return r;
	r = add_key(out, "addresses");
	if (r == 0)
		r = buf_add_text(out, "[{\"lines\":[");
	if (r == 0 && first.size > 0)
		r = add_json(out, first.bytes, first.size);
	if (r == 0 && first.size > 0 && second.size > 0)
		r = buf_add_text(out, ",");
	if (r == 0 && second.size > 0)
		r = add_json(out, second.bytes, second.size);
	return r < 0 ? r : buf_add_text(out, "],\"type\":\"a\"}]");
}

static int
add_phones(struct buf *out, const struct record *record)
{
	static const struct {
		enum record_field field;
		const char *type;
	} phones[] = { { RECORD_PHONE, "t" }, { RECORD_PHONE_2, "p" } };
	const char *before = "[";
	int r = 0;

	for (size_t i = 0; i < sizeof(phones) / sizeof(*phones) && r == 0; i++) {
		const struct text *number = &record->fields[phones[i].field];

		if (number->size == 0)
			continue;
		if (before[0] == '[')
			r = add_key(out, "phones");
		if (r == 0)
			r = buf_addf(out, "%s{\"number\":", before);
		if (r == 0)
			r = add_json(out, number->bytes, number->size);
		if (r == 0)
			r = buf_addf(out, ",\"type\":\"%s\"}", phones[i].type);
		before = ",";
	}
	return r < 0 || before[0] == '[' ? r : buf_add_text(out, "]");
}

/* Whether two e-mail addresses are the same but for case. Returns 1, 0 or -ENOMEM. */
static int
same_email(const struct text *a, const struct text *b)
{
	int difference;

	if (u8_casecmp((const uint8_t *)a->bytes, a->size, (const uint8_t *)b->bytes, b->size, NULL, NULL,
	    &difference) < 0)
		return errno == ENOMEM ? -ENOMEM : 0;
	return difference == 0;
}

/* The next address with an `@`, from *at on. */
static bool
next_email(const struct text *list, size_t *at, struct text *ret)
{
	while (*at < list->size) {
		size_t start = *at, end = start;

		while (end < list->size && strchr(";, ", list->bytes[end]) == NULL)
			end++;
		*at = end + 1;
		*ret = (struct text){ list->bytes + start, end - start };
		if (ret->size > 0 && memchr(ret->bytes, '@', ret->size) != NULL)
			return true;
	}
	return false;
}

/* Whether an address stood in the list before. Returns 1, 0 or -ENOMEM. */
static int
is_repeated(const struct text *list, const struct text *email)
{
	struct text before;
	size_t at = 0;
	int r = 0;

	while (r == 0 && next_email(list, &at, &before) && before.bytes < email->bytes)
		r = same_email(&before, email);
	return r;
}

static int
add_emails(struct buf *out, const struct record *record, enum email_style style)
{
	const struct text *list = &record->fields[RECORD_EMAILS];
	_cleanup_buf_ struct buf joined = BUF_INIT(TEXT_MAX);
	struct text email;
	size_t at = 0;
	int r = 0;

	while (r == 0 && next_email(list, &at, &email)) {
		r = is_repeated(list, &email);
		if (r > 0) {
			r = 0;
			continue;
		}
		if (r == 0 && joined.size > 0)
			r = buf_add_text(&joined, ",");
		if (r == 0)
			r = style == EMAIL_SEPARATE ? add_json(&joined, email.bytes, email.size) :
						      buf_add(&joined, email.bytes, email.size);
	}
	if (r < 0 || joined.size == 0)
		return r;
	r = add_key(out, "emails");
	if (r == 0)
		r = buf_add_text(out, "[");
	if (r == 0)
		r = style == EMAIL_SEPARATE ? buf_add(out, joined.bytes, joined.size) :
					      add_json(out, joined.bytes, joined.size);
	return r < 0 ? r : buf_add_text(out, "]");
}

/* `{"names":["LAST, FIRST"]`: the members after it begin with a comma. */
static int
add_names(struct buf *out, const struct record *record)
{
	_cleanup_buf_ struct buf name = BUF_INIT(TEXT_MAX);
	int r = body_name(&name, record);

	if (r == 0)
		r = buf_add_text(out, "{\"names\":[");
	if (r == 0)
		r = add_json(out, name.bytes, name.size);
	return r < 0 ? r : buf_add_text(out, "]");
}

static int
add_key_and_pin(struct buf *out, const struct record *record)
{
	const struct text *key = &record->fields[RECORD_KEY];
	char pin[PIN_SIZE];
	int r;

	if (!make_pin(record, pin))
		return -EINVAL;
	r = add_key(out, "pin");
	if (r == 0)
		r = add_json(out, pin, sizeof(pin));
	explicit_bzero(pin, sizeof(pin));
	if (r == 0)
		r = buf_add_text(out, ",\"barcodes\":[");
	if (r == 0)
		r = add_json(out, key->bytes, key->size);
	return r < 0 ? r : buf_add_text(out, "]");
}

int
body_create(struct buf *out, const struct record *record, const struct body_rules *rules)
{
	int r;

	if (body_obstacle(record) != REASON_NONE)
		return -EINVAL;
	r = add_names(out, record);
	if (r == 0)
		r = add_emails(out, record, rules->email_style);
	if (r == 0)
		r = add_phones(out, record);
	if (r == 0)
		r = add_key_and_pin(out, record);
	if (r == 0)
		r = buf_addf(out, ",\"patronType\":%u", rules->patron_type);
	if (r == 0)
		r = add_date(out, "expirationDate", rules->expiration);
	if (r == 0)
		r = add_date(out, "birthDate", body_birth_date(record));
	if (r == 0)
		r = add_address(out, record);
	return r < 0 ? r : buf_add_text(out, "}");
}

int
body_renew(struct buf *out, int32_t expiration)
{
	char text[DATE_TEXT_SIZE];

	date_format(expiration, text);
	return buf_addf(out, "{\"expirationDate\":\"%s\"}", text);
}
