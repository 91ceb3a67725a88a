/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bodies, byte for byte. */

#include "testkit.h"

#include <errno.h>

#include "load/body.h"
#include "plankit.h"

static const struct body_rules rules = { 15, EMAIL_JOINED, 19000 }; /* 2022-01-08 */

#define TAIL ",\"patronType\":15,\"expirationDate\":\"2022-01-08\""
#define BORN ",\"birthDate\":\"2010-05-07\""
#define KEYS ",\"pin\":\"05x07\",\"barcodes\":[\"123456\"]" TAIL BORN
#define PLAIN "{\"names\":[\"SMITH, ANN\"]"

struct row {
	const char *last, *first, *street, *city, *state, *zip, *emails, *phone, *phone_2;
};

static const struct {
	struct row row;
	const char *body;
} students[] = {
	{ { "Smith", "Ann", "1 Main St.", "Chapel Hill", "NC", "27514", "a@x.org", "919-555-0100", NULL },
	    PLAIN ",\"emails\":[\"a@x.org\"],\"phones\":[{\"number\":\"919-555-0100\",\"type\":\"t\"}]" KEYS
	    ",\"addresses\":[{\"lines\":[\"1 MAIN ST\",\"CHAPEL HILL NC 27514\"],\"type\":\"a\"}]}" },
	/* empty values are left out */
	{ { "Smith", "Ann", NULL, NULL, NULL, NULL, NULL, NULL, NULL }, PLAIN KEYS "}" },
	{ { "Smith", "Ann", ".", " ", NULL, NULL, " ; ,", NULL, NULL }, PLAIN KEYS "}" },
	/* no street: the second line alone; no place: the first */
	{ { "Smith", "Ann", NULL, "Carrboro", NULL, "27510", NULL, NULL, NULL },
	    PLAIN KEYS ",\"addresses\":[{\"lines\":[\"CARRBORO 27510\"],\"type\":\"a\"}]}" },
	{ { "Smith", "Ann", "P.O. Box 5 . Apt. 2", NULL, NULL, NULL, NULL, NULL, NULL },
	    PLAIN KEYS ",\"addresses\":[{\"lines\":[\"PO BOX 5 APT 2\"],\"type\":\"a\"}]}" },
	/* names: one part alone, a comma is a blank, full Unicode capitals */
	{ { "Smith", "", NULL, NULL, NULL, NULL, NULL, NULL, NULL }, "{\"names\":[\"SMITH\"]" KEYS "}" },
	{ { "", "Ann", NULL, NULL, NULL, NULL, NULL, NULL, NULL }, "{\"names\":[\"ANN\"]" KEYS "}" },
	{ { ",", "Ann", NULL, NULL, NULL, NULL, NULL, NULL, NULL }, "{\"names\":[\"ANN\"]" KEYS "}" },
	{ { "Smith, Jr", "Ann,Lou", NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	    "{\"names\":[\"SMITH JR, ANN LOU\"]" KEYS "}" },
	{ { "Große", "Zoë", NULL, NULL, NULL, NULL, NULL, NULL, NULL }, "{\"names\":[\"GROSSE, ZOË\"]" KEYS "}" },
	{ { "Đặng", "Ánh", NULL, NULL, NULL, NULL, NULL, NULL, NULL }, "{\"names\":[\"ĐẶNG, ÁNH\"]" KEYS "}" },
	{ { "السيد", "王", NULL, NULL, NULL, NULL, NULL, NULL, NULL }, "{\"names\":[\"السيد, 王\"]" KEYS "}" },
	{ { "O\"Hara\\", "Ann", NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	    "{\"names\":[\"O\\\"HARA\\\\, ANN\"]" KEYS "}" },
	{ { "Smith$", "Ann $ Lou", NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	    "{\"names\":[\"SMITH, ANN LOU\"]" KEYS "}" },
	/* e-mails */
	{ { "Smith", "Ann", NULL, NULL, NULL, NULL, "a@x;b@y, A@X  c@z none b@Y", NULL, NULL },
	    PLAIN ",\"emails\":[\"a@x,b@y,c@z\"]" KEYS "}" },
	{ { "Smith", "Ann", NULL, NULL, NULL, NULL, "none;n/a", NULL, NULL }, PLAIN KEYS "}" },
	{ { "Smith", "Ann", NULL, NULL, NULL, NULL, "ä@x Ä@X", NULL, NULL }, PLAIN ",\"emails\":[\"ä@x\"]" KEYS "}" },
};

static struct record
make(enum feed_kind feed, const char *key, const struct row *row)
{
	struct kit_row from = { feed, REASON_NONE, key, row->last, row->first, "2010-05-07", 0 };
	struct record record = kit_record(&from, 1);

	record.fields[RECORD_STREET] = kit_text(row->street);
	record.fields[RECORD_CITY] = kit_text(row->city);
	record.fields[RECORD_STATE] = kit_text(row->state);
	record.fields[RECORD_ZIP] = kit_text(row->zip);
	record.fields[RECORD_EMAILS] = kit_text(row->emails);
	record.fields[RECORD_PHONE] = kit_text(row->phone);
	record.fields[RECORD_PHONE_2] = kit_text(row->phone_2);
	return record;
}

static void
test_students(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(students); i++) {
		struct record record = make(FEED_STUDENT, "123456", &students[i].row);
		_cleanup_buf_ struct buf body = BUF_INIT(BODY_MAX);

		assert_int_equal(body_obstacle(&record), REASON_NONE);
		assert_int_equal(body_create(&body, &record, &rules), 0);
		assert_string_equal(body.bytes, students[i].body);
	}
}

static void
test_separate(void **state)
{
	struct body_rules separate = { 15, EMAIL_SEPARATE, 19000 };
	struct row row = { "Smith", "Ann", NULL, NULL, NULL, NULL, "a@x,b@y;A@x", NULL, NULL };
	struct record record = make(FEED_STUDENT, "123456", &row);
	_cleanup_buf_ struct buf body = BUF_INIT(BODY_MAX);

	(void)state;
	assert_int_equal(body_create(&body, &record, &separate), 0);
	assert_string_equal(body.bytes, PLAIN ",\"emails\":[\"a@x\",\"b@y\"]" KEYS "}");
}

/* key, PIN or NULL where there is none */
static const struct {
	const char *key, *pin;
} pins[] = {
	{ "1", NULL },
	{ "123", NULL },
	{ "ABCDE123", NULL },
	{ "1234", "12x34" },
	{ "123456789", "67x89" },
	{ "12A34", "12x34" },
	{ "0123456789", "67x89" },
	{ "012345678901234", "67x89" },
	{ "ABCDEFGHIJ", "GHxIJ" },
	{ "1234\xC3\xA9\xC3\xA9\xC3\xA9", "12x34" },
};

static void
test_staff(void **state)
{
	static const struct row row = { "Smith", "Ann", "1 Main", "Carrboro", "NC", "27510", "a@x", "1", "2" };
	static const struct row no_street = { "Smith", "Ann", "", "Carrboro", "NC", "27510", "", "", "2" };

	(void)state;
	for (size_t i = 0; i < COUNT(pins); i++) {
		struct record record = make(FEED_STAFF, pins[i].key, i % 2 == 0 ? &row : &no_street);
		_cleanup_buf_ struct buf body = BUF_INIT(BODY_MAX);
		char wanted[1024];

		if (pins[i].pin == NULL) {
			assert_int_equal(body_obstacle(&record), REASON_KEY);
			assert_int_equal(body_create(&body, &record, &rules), -EINVAL);
			assert_int_equal(body.size, 0);
			continue;
		}
		(void)snprintf(wanted, sizeof(wanted),
		    PLAIN "%s\"phones\":[%s{\"number\":\"2\",\"type\":\"p\"}],\"pin\":\"%s\",\"barcodes\":[\"%s\"]" TAIL
			  ",\"birthDate\":\"1980-01-01\"%s}",
		    i % 2 == 0 ? ",\"emails\":[\"a@x\"]," : ",", i % 2 == 0 ? "{\"number\":\"1\",\"type\":\"t\"}," : "",
		    pins[i].pin, pins[i].key,
		    i % 2 == 0 ? ",\"addresses\":[{\"lines\":[\"1 MAIN\",\"CARRBORO NC 27510\"],\"type\":\"a\"}]" : "");
		assert_int_equal(body_create(&body, &record, &rules), 0);
		assert_string_equal(body.bytes, wanted);
	}
}

static void
test_obstacles(void **state)
{
	static const struct row nameless[] = {
		{ .last = "", .first = "" },
		{ .last = ",", .first = " , " },
		{ .last = "$", .first = "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(nameless); i++) {
		struct record record = make(FEED_STUDENT, "123456", &nameless[i]);
		_cleanup_buf_ struct buf body = BUF_INIT(BODY_MAX);

		assert_int_equal(body_obstacle(&record), REASON_NAME);
		assert_int_equal(body_create(&body, &record, &rules), -EINVAL);
		assert_int_equal(body_name(&body, &record), -EINVAL);
		assert_int_equal(body.size, 0);
	}
}

/* The largest record there can be fits BODY_MAX, whatever must be escaped or grows in capitals. */
static void
test_largest(void **state)
{
	static char quotes[LIMIT_EMAILS], growing[2 * LIMIT_TEXT + 1];
	struct row row = { "", "", "", "", "", "", "", "", "" };
	struct record record = make(FEED_STAFF, "1234567890", &row);
	_cleanup_buf_ struct buf body = BUF_INIT(BODY_MAX);

	(void)state;
	memset(quotes, '"', sizeof(quotes));
	quotes[0] = '@';
	for (size_t i = 0; i + 2 <= sizeof(growing); i += 2) /* ΐ: two bytes that become six */
		memcpy(growing + i, "\xCE\x90", 2);
	record.fields[RECORD_LAST] = record.fields[RECORD_FIRST] = (struct text){ growing, LIMIT_NAME };
	record.fields[RECORD_STREET] = (struct text){ growing, 2 * LIMIT_TEXT };
	record.fields[RECORD_CITY] = record.fields[RECORD_STATE] = record.fields[RECORD_ZIP] =
	    (struct text){ growing, LIMIT_TEXT };
	record.fields[RECORD_EMAILS] = (struct text){ quotes, sizeof(quotes) };
	record.fields[RECORD_PHONE] = record.fields[RECORD_PHONE_2] = (struct text){ quotes, LIMIT_TEXT };
	assert_int_equal(body_create(&body, &record, &rules), 0);
	assert_true(body.size > LIMIT_EMAILS * 2);
}

/* A maximum that is too small is an error at every length, never half a body sent. */
static void
test_small(void **state)
{
	struct record record = make(FEED_STUDENT, "123456", &students[0].row);
	size_t whole = strlen(students[0].body);

	(void)state;
	for (size_t max = 0; max < whole; max++) {
		_cleanup_buf_ struct buf body = BUF_INIT(max);

		assert_int_equal(body_create(&body, &record, &rules), -ENOBUFS);
	}
}

static void
test_renew(void **state)
{
	_cleanup_buf_ struct buf body = BUF_INIT(BODY_MAX);

	(void)state;
	assert_int_equal(body_renew(&body, 19000), 0);
	assert_string_equal(body.bytes, "{\"expirationDate\":\"2022-01-08\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_obstacles),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_students),
		cmocka_unit_test(test_separate),
		cmocka_unit_test(test_staff),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_renew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
