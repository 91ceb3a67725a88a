/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles: what is refused, with its line; what ships; and a profile against its [feed] section. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/profile.h"
#include "profilekit.h"

/* A small good profile, whose lines the refusals change. */
#define FORMAT "[format]\nheader = required\n"
#define NAMES "key = K\nfirst_name = F\nlast_name = L\n"
#define BORN "birth_date = B\ndates = YYYY-MM-DD\n"
#define OUT "opt_out = O\nopted_out = Y\nnot_opted_out = N | (empty)\n"
#define STUDENT "[student]\nfile = s.csv\n" NAMES BORN OUT
#define PEOPLE "[people]\nfile = u.csv\nid = I\nrole = R\nstudents = student\nstaff = teacher\n" NAMES OUT
#define JOIN "[join d]\nfile = d.csv\nfrom = id\nid = I\n"

static int
parse(const char *text, struct profile **ret, struct config_error *error)
{
	memset(error, 0, sizeof(*error));
	return profile_parse(ret, text, strlen(text), error);
}

static void
refusals(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *says;
	} cases[] = {
		{ "", 0, "neither [student], [staff] nor [people]" },
		{ "delimiter = pipe\n", 1, "before the first [section]" },
		{ "[formats]\n", 1, "no section" },
		{ "[format]\n[format]\n", 2, "stands twice" },
		{ "[student]\n[student]\n", 2, "stands twice" },
		{ "[format]\nsafe = yes\n", 2, "no key" },
		{ "[format]\nkey = K\n", 2, "no key" },
		{ "[student]\ndelimiter = pipe\n", 2, "no key" },
		{ "[staff]\nbirth_date = B\nstudents = x\n", 3, "no key" },
		{ "[format]\ndelimiter = |\n", 2, "one of: auto, comma, tab, pipe, semicolon" },
		{ "[format]\ndelimiter =\n", 2, "delimiter: must not be empty" },
		{ "[format]\nquotes = no\nquotes = no\n", 3, "quotes: stands twice" },
		{ "[format]\nencoding = latin1\n", 2, "one of: auto, utf-8, windows-1252" },
		{ "[format]\nheader = maybe\n", 2, "one of: required, absent, either" },
		{ "[student]\nfile = a/b\n", 2, "without /" },
		{ "[student]\nkey = K\nkey = L\n", 3, "key: stands twice" },
		{ "[student]\nkey = K |\n", 2, "must not be empty" },
		{ "[student]\nkey = #0\n", 2, "position is written #1" },
		{ "[student]\nkey = #257\n", 2, "position is written #1" },
		{ "[student]\nkey = #x\n", 2, "position is written #1" },
		{ "[student]\nkey = #1 | #2\n", 2, "once a column" },
		{ "[student]\nkey = K*\n", 2, "may only end a name of other" },
		{ "[student]\nother = a*b\n", 2, "may only end a name of other" },
		{ "[student]\nother = *\n", 2, "may only end a name of other" },
		{ "[student]\noptional = grade\n", 2, "no key for" },
		{ "[student]\nopted_out = Y | | x\n", 2, "written (empty)" },
		{ "[student]\nopted_out = (none)\n", 2, "(empty), (digit) and (any)" },
		{ "[student]\ndates = YY-MM-DD\n", 2, "one of: MM/DD/YYYY" },
		{ "[student]\nkey_pattern = [0-9]*\n", 2, "at least one" },
		{ "[student]\nkey_pattern = a++++++++++++++++++++++++++++++\n", 2, "key_pattern: repeats too much" },
		{ "[student]\ncells = 0\n", 2, "from 1 to 256" },
		{ "[student]\nshape = other\n", 2, "one of: columns, chccs" },
		{ "[join]\n", 1, "no section" },
		{ "[join Demographics]\n", 1, "[join name]" },
		{ "[join d]\n[join d]\n", 2, "stands twice" },
		{ "[join a]\n[join b]\n[join c]\n[join d]\n[join e]\n", 5, "at most 4" },
		{ "[join d]\nfrom = key\n", 2, "one of: id, school" },
		{ "\xef\xbb\xbf[format]\n", 1, "byte order mark" },
		/* together */
		{ FORMAT "[student]\n" NAMES BORN OUT, 0, "[student] file is missing" },
		{ FORMAT "[student]\nfile = s\n" BORN OUT, 0, "key is missing" },
		{ FORMAT "[student]\nfile = s\nkey = K\nlast_name = L\n" BORN OUT, 0, "first_name and last_name" },
		{ FORMAT "[student]\nfile = s\n" NAMES OUT, 0, "birth_date is missing" },
		{ FORMAT "[student]\nfile = s\nbirth_date = B\n" NAMES OUT, 0, "birth_date and dates need each other" },
		{ FORMAT STUDENT "phone_2 = M\n", 0, "of staff alone" },
		{ FORMAT STUDENT "grade = k\n", 0, "a name stands for both key and grade" },
		{ FORMAT STUDENT "other = Some* | Something\ngrade = SOMETHING\n", 0, "a name stands for both other and grade" },
		{ FORMAT STUDENT "status = S\n", 0, "status needs active" },
		{ FORMAT STUDENT "active = A\n", 0, "need the column status" },
		{ FORMAT STUDENT "status = S\nactive = A | b\ninactive = B\n", 0, "in active and in inactive" },
		{ FORMAT STUDENT "repeat = key\n", 0, "street, email and guardian_email alone" },
		{ FORMAT STUDENT "grade = #9\n", 0, "needs a name" },
		{ FORMAT STUDENT "grade = G | #9\n", 0, "and no position" },
		{ FORMAT STUDENT "cells = 9\n", 0, "cells is needed where there may be no header, and there alone" },
		{ "[format]\nheader = absent\n" STUDENT, 0, "cells is needed" },
		{ "[format]\nheader = absent\n" STUDENT "cells = 9\n", 0, "needs a position" },
		{ FORMAT "[student]\nfile = s\nopt_out = O\n" NAMES BORN, 0, "opt_out needs opted_out and not_opted_out" },
		{ FORMAT "[student]\nfile = s\nopt_out = O\nopted_out = Y\n" NAMES BORN, 0, "opt_out needs" },
		{ FORMAT "[student]\nfile = s\nopted_out = Y\n" NAMES BORN, 0, "need the column opt_out" },
		{ FORMAT "[student]\nfile = s\nopt_out = O\nopted_out = Y\nnot_opted_out = y\n" NAMES BORN, 0, "in opted_out and in" },
		{ FORMAT "[student]\nfile = s\nopt_out = O\nopted_out = Y\nnot_opted_out = (any)\n" NAMES BORN, 0, "no (any)" },
		{ FORMAT "[student]\nfile = s\nopt_out = O\nopted_out = 1\nnot_opted_out = (empty) | (digit)\n" NAMES BORN, 0, "in opted_out and in" },
		{ FORMAT "[student]\nfile = s\nopt_out = O\nopted_out = (digit)\nnot_opted_out = -0\n" NAMES BORN, 0, "in opted_out and in" },
		{ FORMAT STUDENT "optional = opt_out\n", 0, "opt_out must not be optional" },
		{ FORMAT PEOPLE BORN "optional = role | opt_out\n", 0, "opt_out must not be optional" },
		{ FORMAT "[student]\nfile = s\nbirth_date = B\ndates = MM/DD/YYYY | DD/MM/YYYY\n" NAMES OUT, 0, "told apart" },
		{ FORMAT "[student]\nfile = s\nbirth_date = B\ndates = YYYYMMDD | YYYYMMDD\n" NAMES OUT, 0, "a form twice" },
		{ FORMAT PEOPLE, 0, "[people] birth_date is missing" },
		{ FORMAT PEOPLE BORN "[staff]\nfile = s\n" NAMES, 0, "stands alone" },
		{ FORMAT "[people]\nfile = u\n" NAMES BORN OUT, 0, "role is missing" },
		{ FORMAT "[people]\nfile = u\nrole = R\nstudents = a\n" NAMES BORN OUT, 0, "students and staff must be given" },
		{ FORMAT "[people]\nfile = u\nrole = R\nstudents = a\nstaff = A\n" NAMES BORN OUT, 0, "a role stands in two" },
		{ FORMAT "[people]\nfile = u\nrole = R\nstudents = a\nstaff = (any)\n" NAMES BORN OUT, 0, "in others alone" },
		{ FORMAT PEOPLE JOIN "birth_date = B\n", 0, "[join d] birth_date and dates need each other" },
		{ FORMAT PEOPLE BORN JOIN, 0, "gives nothing" },
		{ FORMAT PEOPLE "[join d]\nfile = d\nid = I\n" BORN, 0, "file, id and from are needed" },
		{ FORMAT PEOPLE "[join d]\nfile = d\nfrom = school\nid = I\n" BORN, 0, "no such column in the main file" },
		{ FORMAT PEOPLE JOIN BORN "kind = T\n", 0, "kind and kinds need each other" },
		{ "[format]\nheader = absent\n[people]\nfile = u\ncells = 9\nid = #1\nrole = #2\nkey = #3\nfirst_name = #4\n"
		  "last_name = #5\nstudents = s\nstaff = t\n" JOIN "birth_date = #2\ndates = YYYYMMDD\n", 0, "[join d]" },
		{ FORMAT "[student]\nfile = s\nshape = chccs\n" NAMES BORN OUT, 0, "header = either" },
		{ "[format]\nheader = either\n[student]\nfile = s\nshape = chccs\n" NAMES BORN OUT, 0, "has 16 columns" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct profile *profile = NULL;
		struct config_error error;

		if (parse(cases[i].text, &profile, &error) == 0)
			fail_msg("accepted: %s", cases[i].text);
		if (error.line != cases[i].line || strstr(error.text, cases[i].says) == NULL)
			fail_msg("%s: line %u: %s", cases[i].text, error.line, error.text);
	}
}

/* An error never quotes what stands in the file: it may be a feed put into the wrong place. */
static void
errors_quote_nothing(void **state)
{
	struct profile *profile = NULL;
	struct config_error error;

	(void)state;
	assert_true(parse("[format]\ndelimiter = lovelace\n", &profile, &error) < 0);
	assert_null(strstr(error.text, "lovelace"));
	assert_true(parse("[format]\nlovelace = 1\n", &profile, &error) < 0);
	assert_null(strstr(error.text, "lovelace"));
	assert_true(parse("lovelace|ada\n", &profile, &error) < 0);
	assert_null(strstr(error.text, "lovelace"));
}

static void
small_ones(void **state)
{
	static const char *const good[] = {
		FORMAT STUDENT,
		FORMAT "[student]\nfile = s\n" NAMES BORN, /* the [feed] section must allow it */
		FORMAT PEOPLE BORN,
		FORMAT PEOPLE JOIN BORN,
		FORMAT "[staff]\nfile = s\n" NAMES "phone_2 = M\n",
		FORMAT "[staff]\nfile = s\n" NAMES OUT "optional = opt_out\n", /* staff may have none */
		"[format]\nheader = absent\n[staff]\nfile = s\ncells = 3\nkey = #1\nfirst_name = #2\nlast_name = #3\n",
		"[format]\nheader = either\n[staff]\nfile = s\ncells = 3\nkey = K | #1\nfirst_name = F | #2\nlast_name = L | #3\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		_cleanup_profile_ struct profile *profile = NULL;
		struct config_error error;

		if (parse(good[i], &profile, &error) < 0)
			fail_msg("case %zu: line %u: %s", i, error.line, error.text);
	}
}

static bool
has(const struct profile *profile, struct profile_words list, const char *word)
{
	return profile_has_word(profile, list, word, strlen(word));
}

static void
shipped(void **state)
{
	_cleanup_profile_ struct profile *chccs = shipped_profile("chccs");
	_cleanup_profile_ struct profile *campus = shipped_profile("infinite-campus");
	_cleanup_profile_ struct profile *oneroster = shipped_profile("oneroster");
	const struct profile_table *table = &chccs->tables[FEED_STUDENT];

	(void)state;
	assert_int_equal(table->shape, PROFILE_SHAPE_CHCCS);
	assert_string_equal(chccs->words[table->file], "CHCCS_Students_upload.csv");
	assert_string_equal(chccs->words[chccs->tables[FEED_STAFF].file], "CHCCS_staff.csv");
	assert_true(has(chccs, table->not_opted_out, "") && has(chccs, table->not_opted_out, "NO"));
	assert_true(has(chccs, table->opted_out, "X") && !has(chccs, table->not_opted_out, "x"));
	assert_true(has(chccs, table->active, "0") && has(chccs, table->active, "1") && !has(chccs, table->active, "2"));
	assert_true(has(chccs, table->inactive, "-2") && !has(chccs, table->inactive, "22"));
	assert_int_equal(campus->delimiter, '|');
	assert_int_equal(campus->header, PROFILE_HEADER_REQUIRED);
	assert_false(campus->by_role);
	assert_true(oneroster->by_role);
	assert_int_equal(oneroster->join_count, 3);
	assert_true(oneroster->tables[FEED_STAFF].given);
}

/* A profile against the administrator's own [feed] sections. */
static void
against_the_configuration(void **state)
{
	static const struct {
		const char *profile, *config, *says; /* says NULL: good */
	} cases[] = {
		{ FORMAT STUDENT, "", NULL },
		{ FORMAT "[student]\nfile = s\n" NAMES BORN, "", "has no opt_out column" },
		{ FORMAT "[student]\nfile = s\n" NAMES BORN, "opt_out = none\n", NULL },
		{ FORMAT "[staff]\nfile = s\n" NAMES, "", "has no such section" },
		{ FORMAT STUDENT, "statuses = A\n", "has no status column" },
		{ FORMAT STUDENT "status = S\nactive = A\ninactive = I\n", "statuses = I\n", NULL },
		{ FORMAT STUDENT "status = S\nactive = A\ninactive = I\n", "statuses = A X\n", "neither active nor inactive" },
		{ FORMAT STUDENT "status = S\nactive = A\ninactive = (any)\n", "statuses = A X\n", NULL },
		{ FORMAT STUDENT "status = S\nactive = 0\ninactive = (digit)\n", "statuses = 0 -1\n", NULL },
		{ FORMAT STUDENT "status = S\nactive = 0\ninactive = (digit)\n", "statuses = 0,1\n", "neither active nor inactive" },
	};
	char folder[] = "/tmp/patrond-profile-XXXXXX";
	char path[192], config_path[160], profiles_folder[160], staff[1024];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(config_path, sizeof(config_path), "%s/patrond.conf", folder);
	(void)snprintf(profiles_folder, sizeof(profiles_folder), "%s/profiles", folder);
	(void)snprintf(path, sizeof(path), "%s/own.conf", profiles_folder);
	(void)snprintf(staff, sizeof(staff), "%s/chccs.conf", SHIPPED_PROFILES);
	assert_int_equal(mkdir(profiles_folder, 0700), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_profiles_ struct profiles profiles = { { NULL } };
		struct config_error error = { .text = "" };
		struct config config;
		char text[2048];
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		assert_true(fputs(cases[i].profile, file) >= 0);
		assert_int_equal(fclose(file), 0);
		config_defaults(&config);
		(void)snprintf(text, sizeof(text), "[feed staff]\nprofile = %s\n[feed student]\nprofile = own\n%s", staff,
		    cases[i].config);
		assert_int_equal(config_parse(text, strlen(text), SECTIONS_ALL, &config, &error), 0);
		if ((profiles_read(&profiles, &config, config_path, &error) == 0) != (cases[i].says == NULL))
			fail_msg("case %zu: %s", i, error.text);
		if (cases[i].says != NULL && strstr(error.text, cases[i].says) == NULL)
			fail_msg("case %zu: %s", i, error.text);
		if (cases[i].says == NULL)
			assert_string_equal(config.feed[FEED_STAFF].pattern, "CHCCS_staff.csv");
	}
	(void)unlink(path);
	(void)rmdir(profiles_folder);
	(void)rmdir(folder);
}

/* A profile that is nowhere, or cannot be read, is told with what was looked for. */
static void
missing(void **state)
{
	struct profile *profile = NULL;
	struct config_error error;

	(void)state;
	assert_true(profile_read(&profile, "no-such-profile", "/nowhere/patrond.conf", &error) < 0);
	assert_non_null(strstr(error.text, "no profile of that name"));
	assert_true(profile_read(&profile, "/nowhere/x.conf", "/nowhere/patrond.conf", &error) < 0);
	assert_string_equal(error.file, "/nowhere/x.conf");
	assert_null(profile);
}

/* A name that is nowhere is told with the feed, and the file and line that name it. */
static void
missing_is_told_by_its_line(void **state)
{
	static const char text[] = "[feed staff]\n\nprofile = no-such-profile\n";
	static const char student[] = "[feed student]\nprofile = " SHIPPED_PROFILES "/chccs.conf\n";
	_cleanup_profiles_ struct profiles profiles = { { NULL } };
	struct config_error error = { .file = "/nowhere/patrond.conf.d/staff.conf" };
	struct config config;

	(void)state;
	config_defaults(&config);
	assert_int_equal(config_parse(student, strlen(student), SECTIONS_ALL, &config, &error), 0);
	assert_int_equal(config_parse(text, strlen(text), SECTIONS_ALL, &config, &error), 0);
	assert_int_equal(profiles_read(&profiles, &config, "/nowhere/patrond.conf", &error), -ENOENT);
	assert_non_null(strstr(error.text, "[feed staff] profile: there is no profile of that name"));
	assert_string_equal(error.file, "/nowhere/patrond.conf.d/staff.conf");
	assert_int_equal(error.line, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(errors_quote_nothing),
		cmocka_unit_test(small_ones),
		cmocka_unit_test(shipped),
		cmocka_unit_test(against_the_configuration),
		cmocka_unit_test(missing),
		cmocka_unit_test(missing_is_told_by_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
