/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Feeds in plain text, and tables that are other people's. */

#include "test_decode_kit.h"

#include "decode/plaintext.h"

#define STUDENT "0,10000001,Nele,Vandermolen,5/17/2012,312,07,4 Tannery Walk,Chapel Hill,NC,27514,a@b.invalid,919-555-0150,c@d.invalid,0\n"
#define STAFF "Active,20000001,Ruben,Castelmor,6 Foundry Row,Durham,NC,27701,919-555-0160,,a@b.invalid,Teacher,312,Quill School\n"
#define BAD "0,10000002,Nele,Vandermolen\n"
#define STAFF_HEADER \
	"Employment Status,UIDStaffID,FirstName,LastName,Address1,City,State,Zip,Mobile Phone,Home Phone,Email,PR Job Desc.," \
	"PrimarySiteId,Site Name\n"

static void
test_shapes(void **state)
{
	static const struct {
		const char *text;
		bool is_feed;
	} cases[] = {
		{ "", false },
		{ "\n\n", false },
		{ "Title,Author,Email,City\nBook,Somebody,a@example.org,Durham\n", false },
		{ "FirstName,LastName,Email\nA,B,c@d.invalid\n", false },
		{ "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n", false },
		{ "Dear all,\nplease find, attached, the minutes.\n", false },
		{ BAD STUDENT, false },
		{ "\"open " STUDENT, false },
		{ STUDENT, true },
		{ "\xef\xbb\xbf" STUDENT, true },
		{ STAFF, true },
		{ STAFF_HEADER, true },
		{ "Employment Status,UIDStaffID,FirstName,LastName,Address1,City,Country,Zip\n", true },
		{ BAD STUDENT STUDENT STUDENT STUDENT, true },
		{ "1" STUDENT STUDENT, true }, /* an opt-out says nothing of its shape */
	};
	struct config_feed feeds[FEED_KIND_MAX];

	(void)state;
	default_feeds(feeds);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_fd_ int fd = fd_of((const uint8_t *)cases[i].text, strlen(cases[i].text));
		bool is_feed = !cases[i].is_feed;

		assert_int_equal(plaintext_is_feed(fd, feeds, default_profiles(), "[0-9]+", 20000, &is_feed), 0);
		if (is_feed != cases[i].is_feed)
			fail_msg("case %zu", i);
	}
}

/* What is joined to users.csv says when each child was born, and where it goes to school. */
static void
test_joined_files(void **state)
{
	static const struct {
		const char *text;
		bool is_feed;
	} cases[] = {
		{ "sourcedId,title\nu1,Book\n", false },
		{ "sourcedId,name,type,identifier\ns1,School,school,304\n", false }, /* schools are no secret */
		{ "u1,active,,2010-12-10,female\n", false },                          /* a header it must have */
		{ "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian\nu1,active,,2010-12-10,female,,\n", true },
		{ "\xef\xbb\xbf\"sourcedId\",\"birthDate\"\r\n", true },
		{ "sourcedId,birthDate", true }, /* no line's end */
		{ "sourcedId,userSourcedId,roleType,role,orgSourcedId\nr1,u1,primary,student,s1\n", true },
		{ "sourcedId,status,orgSourcedIds,role,identifier,givenName,familyName,metadata.libraryOptOut\n", true },
	};
	struct profile *roster = shipped_profile("oneroster");
	const struct profiles profiles = { .of = { roster, roster } };
	struct config_feed feeds[FEED_KIND_MAX];

	(void)state;
	default_feeds(feeds);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_fd_ int fd = fd_of((const uint8_t *)cases[i].text, strlen(cases[i].text));
		bool is_feed = !cases[i].is_feed;

		assert_int_equal(plaintext_is_feed(fd, feeds, &profiles, "[0-9]+", 20000, &is_feed), 0);
		if (is_feed != cases[i].is_feed)
			fail_msg("case %zu", i);
	}
	roster = profile_free(roster);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_shapes), cmocka_unit_test(test_joined_files) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
