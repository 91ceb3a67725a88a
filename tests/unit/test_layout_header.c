/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is a header, and whether it fits its feed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "decode/layout_header.h"
#include "profilekit.h"

#define STUDENT_FRONT "S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT|Student_Number|First_Name|Last_Name|DOB|SchoolID|Grade_Level|"
#define STUDENT_MIDDLE "Mailing_City|Mailing_State|Mailing_Zip|S_NC_STUDENTDEMO.EMAIL_ADDRESS|Home_Phone|"
#define STUDENT STUDENT_FRONT "Mailing_Street|" STUDENT_MIDDLE "Guardian_Email|Enroll_Status"
#define STAFF_FRONT "Employment Status|UIDStaffID|FirstName|LastName|Address1|City|State|Zip|Mobile Phone|Home Phone|"
#define STAFF STAFF_FRONT "Email|PR Job Desc.|PrimarySiteId|Site Name"

#define CAMPUS "publicLibraryOptOut|studentNumber|firstName|lastName|birthdate|schoolNumber|addressLine1|city|state|zip|enrollmentStatus"

#define CELLS_MAX 32

static struct profile *chccs;

static size_t
split(const char *line, struct text cells[static CELLS_MAX])
{
	size_t count = 0;

	for (;;) {
		size_t size = strcspn(line, "|");

		assert_true(count < CELLS_MAX);
		cells[count++] = (struct text){ line, size };
		if (line[size] == '\0')
			return count;
		line += size + 1;
	}
}

static void
test_misfit(void **state)
{
	static const struct {
		enum feed_kind feed;
		const char *line;
		uint32_t misfit;
	} cases[] = {
		{ FEED_STUDENT, STUDENT "|Shoe_Size", 16 },
		{ FEED_STUDENT, "Shoe_Size|" STUDENT, 1 },
		{ FEED_STUDENT, "Student_Number|S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT", 1 },
		{ FEED_STUDENT, "S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT|Student_Number|Middle_Name", 3 },
		{ FEED_STUDENT, STUDENT_FRONT STUDENT_MIDDLE "Guardian_Email|Enroll_Status", 8 },
		{ FEED_STUDENT, STUDENT_FRONT "Mailing_Street|Mailing_Street|Mailing_Street|" STUDENT_MIDDLE
		    "Guardian_Email|Enroll_Status", 10 },
		{ FEED_STUDENT, STUDENT_FRONT "Mailing_Street|" STUDENT_MIDDLE "Enroll_Status", 14 },
		{ FEED_STUDENT, STUDENT_FRONT "Mailing_Street|" STUDENT_MIDDLE "Guardian_Email", 15 },
		{ FEED_STUDENT, STUDENT "|S_NC_STUDENTDEMO.STUDENTSDCID|S_NC_STUDENTDEMO.STUDENTSDCID", 17 },
		{ FEED_STUDENT, STUDENT "|", 16 },
		{ FEED_STUDENT, STAFF, 1 },
		{ FEED_STUDENT, STUDENT, 0 },
		{ FEED_STUDENT, STUDENT "|S_NC_STUDENTDEMO.STUDENTSDCID", 0 },
		{ FEED_STUDENT, STUDENT_FRONT "Mailing_Street|Mailing_Street|" STUDENT_MIDDLE "Guardian_Email|Enroll_Status", 0 },
		{ FEED_STUDENT, STUDENT_FRONT "Mailing_Street|" STUDENT_MIDDLE
		    "Guardian_Email|Guardian_Email|Guardian_Email|Enroll_Status", 0 },
		{ FEED_STAFF, STAFF "|More", 15 },
		{ FEED_STAFF, STAFF_FRONT "Email|PR Job Desc.|PrimarySiteId", 14 },
		{ FEED_STAFF, STAFF_FRONT "PR Job Desc.|Email|PrimarySiteId|Site Name", 11 },
		{ FEED_STAFF, STUDENT, 1 },
		{ FEED_STAFF, STAFF, 0 },
		{ FEED_STAFF, "employment  status|uidstaffid|First Name|LASTNAME|Address 1|City|State|ZIP|MobilePhone|HomePhone|"
		    "E mail|PR JobDesc.|Primary Site Id|SiteName", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text cells[CELLS_MAX];
		size_t count = split(cases[i].line, cells);
		uint32_t misfit = header_fit_ordered(chccs, &chccs->tables[cases[i].feed], cells, count);

		if (misfit != cases[i].misfit)
			fail_msg("case %zu: %u", i, misfit);
	}
}

static void
test_is(void **state)
{
	static const struct {
		const char *line;
		bool header;
	} cases[] = {
		{ "|123456|ADA|LOVELACE|1/2/2010|304|5|1 MAIN ST|CHAPEL HILL|NC|27514|||a@b.c|0", false },
		{ "Active|1234567890|Ada|Lovelace", false },
		{ "", false },
		{ "Student Numbers", false },
		{ "Student_Numbe", false },
		{ "x|y|dob", true },
		{ "x|student_number", true },
		{ "Student _ Number", true },
		{ "x|y|Site name|z", true },
		{ STUDENT, true },
		{ STAFF, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text cells[CELLS_MAX];
		size_t count = split(cases[i].line, cells);

		if (header_is(chccs, cells, count) != cases[i].header)
			fail_msg("case %zu", i);
	}
}

/* In any order: what is missing by its name, what is unknown or there twice by its position alone. */
static void
test_any_order(void **state)
{
	static const struct {
		const char *line;
		uint32_t column;
		enum feed_column missing;
	} cases[] = {
		{ CAMPUS, 0, COLUMN_INVALID },
		{ "Public Library Opt Out|STUDENT NUMBER|First Name|Last Name|Birth Date|School Number|Address|City|State|Zip|"
		    "Enrollment Status", 0, COLUMN_INVALID },
		{ CAMPUS "|guardianEmail|guardianEmail", 0, COLUMN_INVALID },
		{ CAMPUS "|personID|gender", 0, COLUMN_INVALID },
		{ "studentNumber|firstName|lastName|birthdate|schoolNumber|addressLine1|city|state|zip|enrollmentStatus", 0,
		    COLUMN_OPT_OUT },
		{ CAMPUS "|Shoe Size", 12, COLUMN_INVALID },
		{ CAMPUS "|", 12, COLUMN_INVALID },
		{ CAMPUS "|zip", 12, COLUMN_INVALID },
		{ "Shoe Size|" CAMPUS, 1, COLUMN_INVALID },
		{ "publicLibraryOptOut|studentNumber|firstName|lastName|born|schoolNumber|addressLine1|city|state|zip|"
		    "enrollmentStatus", 5, COLUMN_BIRTH_DATE },
		{ "Y|123456|Ada|Lovelace|2010-12-10|304|1 Main St|Chapel Hill|NC|27514|A", 1, COLUMN_OPT_OUT },
	};
	struct profile *campus = shipped_profile("infinite-campus");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text cells[CELLS_MAX];
		size_t count = split(cases[i].line, cells);
		struct header_misfit misfit;
		struct header_map map;
		bool fits = header_fit(campus, &campus->tables[FEED_STUDENT], false, cells, count, &map, &misfit);

		if (misfit.column != cases[i].column || misfit.missing != cases[i].missing ||
		    fits != (misfit.column == 0 && misfit.missing == COLUMN_INVALID))
			fail_msg("case %zu: column %u, missing %d", i, misfit.column, (int)misfit.missing);
	}
	campus = profile_free(campus);
}

/* The administrator may say that there is no opt-out; then its column may be missing, and no other. */
static void
test_no_opt_out(void **state)
{
	struct profile *campus = shipped_profile("infinite-campus");
	struct text cells[CELLS_MAX];
	size_t count = split("studentNumber|firstName|lastName|birthdate|schoolNumber|addressLine1|city|state|zip|enrollmentStatus",
	    cells);
	struct header_misfit misfit;
	struct header_map map;

	(void)state;
	assert_true(header_fit(campus, &campus->tables[FEED_STUDENT], true, cells, count, &map, &misfit));
	assert_int_equal(map.at[COLUMN_OPT_OUT], HEADER_NOWHERE);
	assert_int_equal(map.at[COLUMN_KEY], 0);
	assert_int_equal(map.at[COLUMN_STATUS], 9);
	assert_int_equal(map.cells, 10);
	assert_false(header_fit(campus, &campus->tables[FEED_STUDENT], true, cells, count - 1, &map, &misfit));
	assert_int_equal(misfit.missing, COLUMN_STATUS);
	campus = profile_free(campus);
}

static int
set_up(void **state)
{
	(void)state;
	chccs = shipped_profile("chccs");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	chccs = profile_free(chccs);
	return 0;
}

/* Where the configuration says that there is no opt-out, and a column comes that may be one. */
static void
test_unread_opt_out(void **state)
{
	static const struct {
		const char *line;
		uint32_t misfit; /* 0: it fits */
	} cases[] = {
		{ "K|F|L|B|Opt_Out", 5 },
		{ "K|F|library OPTED-OUT|L|B", 3 },
		{ "K|F|L|B|x.optsOutOfLibrary", 5 },
		{ "K|F|L|B|Shoe", 0 },
		{ "K|F|L|B|option|out", 0 },
		{ "K|F|L|B|photoOptOut", 0 },  /* named as another */
		{ "K|F|L|B|Opt_Out|O", 0 },    /* the opt-out is there */
	};
	static const char text[] = "[format]\nheader = required\n[student]\nfile = s\nkey = K\nfirst_name = F\nlast_name = L\n"
	                           "birth_date = B\ndates = YYYYMMDD\nopt_out = O\nopted_out = Y\nnot_opted_out = N\n"
	                           "other = photoOptOut\nunknown_columns = ignore\n";
	_cleanup_profile_ struct profile *profile = NULL;
	struct config_error error;

	(void)state;
	assert_int_equal(profile_parse(&profile, text, strlen(text), &error), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text cells[CELLS_MAX];
		size_t count = split(cases[i].line, cells);
		struct header_misfit misfit;
		struct header_map map;
		bool fits = header_fit(profile, &profile->tables[FEED_STUDENT], true, cells, count, &map, &misfit);

		if (fits != (cases[i].misfit == 0) || misfit.column != cases[i].misfit)
			fail_msg("%s: %u", cases[i].line, misfit.column);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_misfit),
		cmocka_unit_test(test_unread_opt_out),
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_no_opt_out),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
