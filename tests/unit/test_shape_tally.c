/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape of a feed as decode counts it: from text to figures. */

#include "test_decode_kit.h"

#include "common/date.h"
#include "decode/decode_feed.h"

#define HEADER                                                                                                         \
	"S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT,Student_Number,First_Name,Last_Name,DOB,SchoolID,Grade_Level,"         \
	"Mailing_Street,Mailing_City,Mailing_State,Mailing_Zip,S_NC_STUDENTDEMO.EMAIL_ADDRESS,Home_Phone,"             \
	"Guardian_Email,Enroll_Status\n"

static struct config_feed feeds[FEED_KIND_MAX];
static struct key_rule *keys;

/* The shape of a feed of this text, on 2026-08-15. */
static void
shape_of(enum feed_kind kind, const char *text, struct feed_shape *ret)
{
	_cleanup_fd_ int fd = memfd_create("records", MFD_CLOEXEC);
	_cleanup_record_pipe_ struct record_pipe pipe = RECORD_PIPE_INIT(fd);
	_cleanup_decode_feed_ struct decode_feed *feed = NULL;

	const struct layout_options options = {
		.kinds = FEED_BIT(kind),
		.profile = default_profiles()->of[kind],
		.feeds = feeds,
		.keys = keys,
		.today = date_to_days((struct date){ 2026, 8, 15 }),
	};

	assert_int_equal(decode_feed_new(&feed, &options, &pipe), 0);
	assert_int_equal(decode_feed_text(feed, text, strlen(text)), 0);
	assert_int_equal(decode_feed_finish(feed), 0);
	decode_feed_shape(feed, kind, ret);
}

static void
test_students(void **state)
{
	static const char text[] = HEADER
	    ",100001,Ada,Lovelace,12/10/2010,304,5,1 Main St,Chapel Hill,NC,27514,a@x.org,919,m@x.org,0\n"
	    "1,100002,Alan,Turing,6/23/2012,304,3,2 Oak St,Chapel Hill,NC,27514,,,,0\n" /* opted out */
	    ",100003,Emmy,Noether,2/30/2011,305,4,3 Elm St,Apt 4,Carrboro,NC,27510,,,,d@x.org,1,77\n" /* no such date */
	    ",x,Kurt,Godel,4/28/1906,304,4,,,,27510,,,,2\n" /* inactive, too old for a pupil */
	    ",y,Carl,Gauss,4/30/2012,,4,,,,27510,,,,-1\n" /* inactive */
	    ",100006\n" /* shape */
	    ",z,,,4/30/2012,304,4,,,,27510,,,,0\n" /* key */
	    ",100008,Carl,Gauss,4/30/2012,306,4,,,,27510,,,,A\n" /* status */;
	struct feed_shape s;

	(void)state;
	shape_of(FEED_STUDENT, text, &s);
	assert_int_equal(s.rows, 8);
	assert_int_equal(s.understood, 6);
	assert_int_equal(s.delimiter, ',');
	assert_int_equal(s.header, 1);
	assert_int_equal(s.cells_min, 2);
	assert_int_equal(s.cells_max, 18);
	assert_int_equal(s.key_fits, 5);
	assert_int_equal(s.birth_dates, 5);
	assert_int_equal(s.of_age, 4);
	assert_int_equal(s.active, 3);
	assert_int_equal(s.status[0], 2);
	assert_int_equal(s.status[1], 1);
	assert_int_equal(s.status[2], 1);
	assert_int_equal(s.status[11], 1);
	assert_int_equal(s.status_other, 1);
	assert_int_equal(s.reasons[REASON_OPTED_OUT].rows, 1);
	assert_int_equal(s.reasons[REASON_OPTED_OUT].first_row, 2);
	assert_int_equal(s.reasons[REASON_BIRTH_DATE].first_row, 3);
	assert_int_equal(s.reasons[REASON_INACTIVE].rows, 2);
	assert_int_equal(s.reasons[REASON_INACTIVE].first_row, 4);
	assert_int_equal(s.reasons[REASON_SHAPE].first_row, 6);
	assert_int_equal(s.reasons[REASON_KEY].first_row, 7);
	assert_int_equal(s.reasons[REASON_STATUS].first_row, 8);
	assert_int_equal(s.reasons[REASON_NONE].rows, 0);
	assert_int_equal(s.columns[COLUMN_OPT_OUT].position, 1);
	assert_int_equal(s.columns[COLUMN_OPT_OUT].filled, 0);
	assert_int_equal(s.columns[COLUMN_KEY].filled, 6);
	assert_int_equal(s.columns[COLUMN_FIRST].filled, 5);
	assert_int_equal(s.columns[COLUMN_STREET].filled, 2);
	assert_int_equal(s.columns[COLUMN_STREET_2].filled, 1);
	assert_int_equal(s.columns[COLUMN_STREET_2].position, 0); /* the first row has none */
	assert_int_equal(s.columns[COLUMN_ZIP].filled, 6);
	assert_int_equal(s.columns[COLUMN_ZIP].position, 11);
	assert_int_equal(s.columns[COLUMN_GUARDIAN_EMAIL].filled, 2);
	assert_int_equal(s.columns[COLUMN_GUARDIAN_EMAIL].position, 14);
	assert_int_equal(s.columns[COLUMN_STATUS].position, 15);
	assert_int_equal(s.columns[COLUMN_STATE_ID].filled, 1);
	assert_int_equal(s.columns[COLUMN_JOB].filled, 0);
	assert_int_equal(s.schools, 3);
	assert_int_equal(s.school_rows[0], 3);
	assert_int_equal(s.school_rows[1], 1);
	assert_int_equal(s.school_rows[2], 1);
	assert_int_equal(s.school_rows[3], 0);
}

static void
test_staff(void **state)
{
	static const char text[] =
	    "Active\t2000000001\tGrace\tHopper\t4 Pine St\tCarrboro\tNC\t27510\t919\t\tg@x.org\tTeacher\t304\tSchool\n"
	    "\t2000000002\tJohn\tBackus\t\t\t\t\t\t\t\t\t305\t\n";
	struct feed_shape s;

	(void)state;
	shape_of(FEED_STAFF, text, &s);
	assert_int_equal(s.rows, 2);
	assert_int_equal(s.understood, 2);
	assert_int_equal(s.delimiter, '\t');
	assert_int_equal(s.header, 0);
	assert_int_equal(s.active, 2);
	assert_int_equal(s.status_other, 1);
	assert_int_equal(s.birth_dates, 0);
	assert_int_equal(s.columns[COLUMN_STATUS].filled, 1);
	assert_int_equal(s.columns[COLUMN_PHONE].filled, 1);
	assert_int_equal(s.columns[COLUMN_PHONE].position, 9);
	assert_int_equal(s.columns[COLUMN_PHONE_2].filled, 0);
	assert_int_equal(s.columns[COLUMN_BIRTH_DATE].position, 0);
	assert_int_equal(s.schools, 2);
}

/* A pupil is from three to 22 on the day of the load, to the day. */
static void
test_of_age(void **state)
{
	static const struct {
		const char *birth_date;
		uint32_t of_age;
	} cases[] = {
		{ "8/15/2003", 0 }, /* 23 today */
		{ "8/16/2003", 1 }, { "8/15/2023", 1 }, /* three today */
		{ "8/16/2023", 0 }, { "8/15/2026", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct feed_shape s;
		char text[256];

		(void)snprintf(text, sizeof(text), ",1,A,B,%s,304,5,,,,27514,,,,0\n", cases[i].birth_date);
		shape_of(FEED_STUDENT, text, &s);
		assert_int_equal(s.birth_dates, 1);
		if (s.of_age != cases[i].of_age)
			fail_msg("%s", cases[i].birth_date);
	}
}

/* A column of something else in the place of the school: memory stays as it is. */
static void
test_schools_without_end(void **state)
{
	static char text[1U << 19];
	struct feed_shape s;
	size_t size = 0;

	(void)state;
	for (unsigned int i = 0; i < LIMIT_SCHOOLS + 100; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, ",1,A,B,1/1/2015,%u,5,,,,27514,,,,0\n", i);
	size += (size_t)snprintf(text + size, sizeof(text) - size, ",1,A,B,1/1/2015,7,5,,,,27514,,,,0\n");
	assert_true(size < sizeof(text) - 1);
	shape_of(FEED_STUDENT, text, &s);
	assert_int_equal(s.rows, LIMIT_SCHOOLS + 101);
	assert_int_equal(s.schools, LIMIT_SCHOOLS);
	assert_int_equal(s.school_rows[0], 2);
	assert_int_equal(s.school_rows[SHAPE_SCHOOLS - 1], 1);
}

static int
set_up(void **state)
{
	(void)state;
	default_feeds(feeds);
	return key_rule_new(&keys, "[0-9]+");
}

static int
tear_down(void **state)
{
	(void)state;
	keys = key_rule_free(keys);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_students),
		cmocka_unit_test(test_staff),
		cmocka_unit_test(test_of_age),
		cmocka_unit_test(test_schools_without_end),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
