/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration: what is refused, with file and line; what is read; what is printed reads back the same. */

#include "testkit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config.h"

static int
parse(const char *text, struct config *config, struct config_error *error)
{
	memset(error, 0, sizeof(*error));
	config_defaults(config);
	return config_parse(text, strlen(text), SECTIONS_ALL, config, error);
}

/* Each text is refused on that line, and the sentence names what is wrong. */
static void
refusals(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *says;
	} cases[] = {
		{ "path = /srv\n", 1, "before the first [section]" },
		{ "[share]\nnonsense\n", 2, "neither" },
		{ "[shares]\n", 1, "no section" },
		{ "[share\n", 1, "[name]" },
		{ "[share] more\n", 1, "[name]" },
		{ "[share]\n\npatth = /srv\n", 3, "no key" },
		{ "[share]\npath = srv\n", 2, "absolute" },
		{ "[share]\npath =\n", 2, "empty" },
		{ "[share]\npattern = a/b\n", 2, "without /" },
		{ "[share]\nsettle = 10\n", 2, "unit" },
		{ "[share]\nsettle = 0s\n", 2, "from 1ms" },
		{ "[share]\nsettle = 2h\n", 2, "to 1h" },
		{ "[share]\nsettle = 5days\n", 2, "unit" },
		{ "[share]\nsettle = 99999999999999999999h\n", 2, "unit" },
		{ "[share]\nafter_load = burn\n", 2, "one of: keep" },
		{ "[share]\ndone_folder = a/b\n", 2, "without /" },
		{ "[share]\ndone_folder = ..\n", 2, "dot" },
		{ "[share]\nremote_poll_interval = 1ms\n", 2, "from 100ms" },
		{ "[janitor]\npolicy = shred\n", 2, "one of: delete, report, off" },
		{ "[janitor]\nclose_of_business = 24:00\n", 2, "00:00 to 23:59" },
		{ "[janitor]\nclose_of_business = 6pm\n", 2, "00:00 to 23:59" },
		{ "[janitor]\nclose_of_business = 18:0\n", 2, "00:00 to 23:59" },
		{ "[janitor]\nclose_of_business = 18:000\n", 2, "00:00 to 23:59" },
		{ "[janitor]\ndays =\n", 2, "Mon-Fri" },
		{ "[janitor]\ndays = Mo-Fr\n", 2, "Mon-Fri" },
		{ "[janitor]\ndays = Mon,Tue\n", 2, "Mon-Fri" },
		{ "[janitor]\ndays = Mon-\n", 2, "Mon-Fri" },
		{ "[janitor]\npatterns =\n", 2, "empty" },
		{ "[janitor]\npatterns = a.csv ../b.csv\n", 2, "without /" },
		{ "[sftp]\nport = 0\n", 2, "from 1 to 65535" },
		{ "[sftp]\nport = 65536\n", 2, "from 1 to 65535" },
		{ "[sftp]\nport = -1\n", 2, "from 1 to 65535" },
		{ "[sftp]\nport = 22x\n", 2, "from 1 to 65535" },
		{ "[sftp]\nhost = -oProxyCommand=x\n", 2, "host name" },
		{ "[sftp]\nhost = a b\n", 2, "host name" },
		{ "[sftp]\nuser = a b\n", 2, "blanks" },
		{ "[sierra]\nurl = http://h/iii/sierra-api/v6\n", 2, "https://" },
		{ "[sierra]\nurl = https://\n", 2, "no host" },
		{ "[sierra]\nurl = https://key:secret@h/iii\n", 2, "user or password" },
		{ "[sierra]\nurl = https://h/iii/\n", 2, "slash" },
		{ "[sierra]\nurl = https://h\n", 2, "path" },
		{ "[sierra]\nurl = https://h/a?b\n", 2, "?" },
		{ "[sierra]\nconnections = 33\n", 2, "from 1 to 32" },
		{ "[sierra]\npage_size = 2001\n", 2, "from 1 to 2000" },
		{ "[sierra]\nread_back = some\n", 2, "or all" },
		{ "[match]\nbarcode_pattern = [0-9\n", 2, "regular expression" },
		{ "[match]\nbarcode_pattern = [0-9]*\n", 2, "at least one" },
		{ "[match]\nconfirm = maybe\n", 2, "yes or no" },
		{ "[guard]\ncreates = 101%\n", 2, "percentage" },
		{ "[guard]\ncreates = 5%%\n", 2, "percentage" },
		{ "[guard]\nmanual = yes\n", 2, "no key" },
		{ "[feed student]\nprofile = ../other\n", 2, "a profile's name" },
		{ "[feed student]\nprofile =\n", 2, "empty" },
		{ "[feed student]\nopt_out = yes\n", 2, "one of: profile, none" },
		{ "[feed staff]\nopt_out = none\n", 2, "no key" },
		{ "[feed teacher]\n", 1, "no section" },
		{ "[sftp]\nhost = \"sftp.example.org\"\n", 2, "values are not quoted" },
		{ "[sftp]\n\nuser = 'library'\n", 3, "values are not quoted" },
		{ "[share]\npath = \"/srv/share\"\n", 2, "values are not quoted" },
		{ "[share]\nsettle = '10s'\n", 2, "values are not quoted" },
		{ "[sierra]\nuser_agent = \"\"\n", 2, "values are not quoted" },
		{ "[sftp]\nhost = \"sftp.example.org\n", 2, "host name" },
		{ "[sftp]\nhost = sftp.example.org;\n", 2, "host name" },
		{ "[sftp]\nuser = o'library\n", 2, "user's name" },
		{ "[sftp]\nuser = library\\\n", 2, "user's name" },
		{ "[sftp]\nuser = -library\n", 2, "user's name" },
		{ "\xef\xbb\xbf[share]\n", 1, "byte order mark" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config config;
		struct config_error error;

		if (parse(cases[i].text, &config, &error) == 0)
			fail_msg("accepted: %s", cases[i].text);
		if (error.line != cases[i].line || strstr(error.text, cases[i].says) == NULL)
			fail_msg("%s: line %u: %s", cases[i].text, error.line, error.text);
	}
}

static void
long_lines_and_nul(void **state)
{
	char text[LIMIT_CONFIG_LINE + 64];
	struct config config;
	struct config_error error = { .line = 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	config_defaults(&config);
	assert_true(config_parse(text, sizeof(text), SECTIONS_ALL, &config, &error) < 0);
	assert_non_null(strstr(error.text, "longer"));
	assert_true(config_parse("[share]\0\n", 9, SECTIONS_ALL, &config, &error) < 0);
	assert_non_null(strstr(error.text, "NUL"));
}

/* An error never quotes the value: it may be a secret put into the wrong place. */
static void
errors_quote_no_value(void **state)
{
	struct config config;
	struct config_error error;

	(void)state;
	assert_true(parse("[sierra]\nurl = hunter2secret\n", &config, &error) < 0);
	assert_null(strstr(error.text, "hunter2"));
	assert_true(parse("[sierra]\nhunter2secret = 1\n", &config, &error) < 0);
	assert_null(strstr(error.text, "hunter2"));
	assert_true(parse("hunter2secret\n", &config, &error) < 0);
	assert_null(strstr(error.text, "hunter2"));
}

static void
values(void **state)
{
	struct config config;
	struct config_error error;

	(void)state;
	assert_int_equal(parse("# comment\n; another\n\n[ share ]\r\n  path=/srv/a b \r\nsettle = 250 ms\n"
	                       "[sierra]\nread_back = all\n[guard]\ncreates = off\nheld = 7\n[match]\nrecheck_after = 0\n"
	                       "[feed staff]\nstatuses =\n[feed student]\nstatuses = 0  -1 2\n[log]\ncurrent = yes",
	                     &config, &error),
	    0);
	assert_string_equal(config.share.path, "/srv/a b");
	assert_int_equal(config.share.settle, 250 * USEC_PER_MSEC);
	assert_int_equal(config.sierra.read_back, UINT32_MAX);
	assert_int_equal(config.guard[GUARD_CREATES], GUARD_OFF);
	assert_int_equal(config.guard[GUARD_HELD], 7);
	assert_int_equal(config.guard[GUARD_ROWS], 70);
	assert_int_equal(config.match.recheck_after, 0);
	assert_true(config.log.current);
	assert_true((config.sections & SECTION_BIT(SECTION_SFTP)) == 0);
	assert_true((config.sections & SECTION_BIT(SECTION_SHARE)) != 0);
}

/* The numbers of the domain stand as defaults. */
static void
defaults(void **state)
{
	struct config config;

	(void)state;
	config_defaults(&config);
	assert_int_equal(config.patron.patron_type, 15);
	assert_int_equal(config.patron.term_weeks, 156);
	assert_int_equal(config.patron.renew_window_days, 28);
	assert_int_equal(config.match.recheck_after, 15 * 60 * USEC_PER_SEC);
	assert_int_equal(config.guard[GUARD_CREATES], 30);
	assert_int_equal(config.guard[GUARD_REJECTED], 5);
	assert_int_equal(config.guard[GUARD_OPTED_OUT], 25);
	assert_int_equal(config.guard[GUARD_INACTIVE], 50);
	assert_int_equal(config.guard[GUARD_HELD], 10);
	assert_int_equal(config.guard[GUARD_ROWS], 70);
	assert_int_equal(config.guard[GUARD_PATRONS], 90);
	assert_int_equal(config.sierra.connections, 4);
	assert_int_equal(config.sierra.read_back, 50);
	assert_int_equal(config.sierra.max_failures, 20);
	assert_int_equal(config.report.keep_days, 14);
	assert_string_equal(config.feed[FEED_STUDENT].profile, "chccs");
	assert_string_equal(config.feed[FEED_STAFF].profile, "chccs");
	assert_string_equal(config.feed[FEED_STUDENT].pattern, ""); /* the profile's */
	assert_string_equal(config.feed[FEED_STUDENT].statuses, "");
	assert_int_equal(config.feed[FEED_STUDENT].opt_out, OPT_OUT_PROFILE);
}

/* A program keeps its own sections alone, but checks the others as strictly. */
static void
other_sections_are_checked_and_not_kept(void **state)
{
	const char good[] = "[sierra]\nconnections = 9\n[sftp]\nport = 2222\n";
	const char bad[] = "[sftp]\nport = 1\n[sierra]\nconnections = 99\n";
	struct config config;
	struct config_error error;

	(void)state;
	config_defaults(&config);
	assert_int_equal(config_parse(good, strlen(good), SECTION_BIT(SECTION_SFTP), &config, &error), 0);
	assert_int_equal(config.sftp.port, 2222);
	assert_int_equal(config.sierra.connections, 4);
	assert_true(config_parse(bad, strlen(bad), SECTION_BIT(SECTION_SFTP), &config, &error) < 0);
	assert_int_equal(error.line, 4);
}

/* What --check-config prints is a configuration file with the same values. */
static void
printing_reads_back(void **state)
{
	struct config first, second;
	struct config_error error;
	_cleanup_free_ char *text = NULL, *again = NULL;
	size_t size = 0;
	FILE *to;

	(void)state;
	assert_int_equal(parse("[share]\npath = /x\nsettle = 1500ms\n[sftp]\nhost = h\nuser = u\n[sierra]\nurl = https://h/v6\n"
	                       "[guard]\nrows = off\n",
	                     &first, &error),
	    0);
	to = open_memstream(&text, &size);
	assert_int_equal(config_print(&first, SECTIONS_ALL, to), 0);
	(void)fclose(to);
	assert_int_equal(parse(text, &second, &error), 0);
	to = open_memstream(&again, &size);
	assert_int_equal(config_print(&second, SECTIONS_ALL, to), 0);
	(void)fclose(to);
	assert_string_equal(text, again);
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Drop-ins in the order of their names; the error names the file. */
static void
files(void **state)
{
	char folder[] = "/tmp/patrond-config-XXXXXX";
	char path[128], dropins[160], one[192], two[192];
	struct config config;
	struct config_error error;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/c.conf", folder);
	(void)snprintf(dropins, sizeof(dropins), "%s.d", path);
	(void)snprintf(one, sizeof(one), "%s/10-a.conf", dropins);
	(void)snprintf(two, sizeof(two), "%s/9-b.conf", dropins);
	assert_true(config_read(path, SECTIONS_ALL, &config, &error) < 0);
	assert_string_equal(error.file, path);
	write_file(path, "[sftp]\nport = 1\n");
	assert_int_equal(config_read(path, SECTIONS_ALL, &config, &error), 0);
	assert_int_equal(mkdir(dropins, 0700), 0);
	write_file(one, "[sftp]\nport = 10\n");
	write_file(two, "[sftp]\nport = 9\n");
	assert_int_equal(config_read(path, SECTIONS_ALL, &config, &error), 0);
	assert_int_equal(config.sftp.port, 9); /* "9-b" sorts after "10-a" */
	write_file(two, "\n[sftp]\nport = no\n");
	assert_true(config_read(path, SECTIONS_ALL, &config, &error) < 0);
	assert_string_equal(error.file, two);
	assert_int_equal(error.line, 3);
	(void)unlink(one);
	(void)unlink(two);
	(void)rmdir(dropins);
	(void)unlink(path);
	(void)rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(long_lines_and_nul),
		cmocka_unit_test(errors_quote_no_value),
		cmocka_unit_test(values),
		cmocka_unit_test(defaults),
		cmocka_unit_test(other_sections_are_checked_and_not_kept),
		cmocka_unit_test(printing_reads_back),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
