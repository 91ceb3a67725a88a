/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of the configuration: every key with its parser, range and default, and the parser of a file. */

#include "common/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_values.h"

#define SEC USEC_PER_SEC
#define MIN_ (60 * USEC_PER_SEC)
#define HOUR (3600 * USEC_PER_SEC)
#define DAY (24 * HOUR)

static const char *const section_names[SECTION_MAX] = {
	[SECTION_SHARE] = "share",
	[SECTION_SFTP] = "sftp",
	[SECTION_SIERRA] = "sierra",
	[SECTION_PATRON] = "patron",
	[SECTION_MATCH] = "match",
	[SECTION_GUARD] = "guard",
	[SECTION_FEED_STUDENT] = "feed student",
	[SECTION_FEED_STAFF] = "feed staff",
	[SECTION_LOAD] = "load",
	[SECTION_REPORT] = "report",
	[SECTION_LOG] = "log",
	[SECTION_JANITOR] = "janitor",
	[SECTION_MAIL] = "mail",
};

static const struct choice after_load_choices[] = {
	{ "keep", AFTER_LOAD_KEEP }, { "move", AFTER_LOAD_MOVE }, { "delete", AFTER_LOAD_DELETE }, { NULL, 0 }
};
static const struct choice policy_choices[] = {
	{ "delete", JANITOR_DELETE }, { "report", JANITOR_REPORT }, { "off", JANITOR_OFF }, { NULL, 0 }
};
static const struct choice email_choices[] = {
	{ "joined", EMAIL_JOINED }, { "separate", EMAIL_SEPARATE }, { NULL, 0 }
};
static const struct choice notify_choices[] = {
	{ "attach", MAIL_ATTACH }, { "notice", MAIL_NOTICE }, { NULL, 0 }
};
static const struct choice opt_out_choices[] = {
	{ "profile", OPT_OUT_PROFILE }, { "none", OPT_OUT_NONE }, { NULL, 0 }
};
static const struct choice start_choices[] = {
	{ "auto", LOAD_START_AUTO }, { "manual", LOAD_START_MANUAL }, { NULL, 0 }
};

#define AT(field) offsetof(struct config, field)
#define TEXT(s, k, field, how, preset) { SECTION_##s, k, AT(field), VALUE_##how, 0, 0, preset, NULL }
#define NUMBER(s, k, field, low, high, preset) { SECTION_##s, k, AT(field), VALUE_NUMBER, low, high, preset, NULL }
#define TIME(s, k, field, low, high, preset) { SECTION_##s, k, AT(field), VALUE_TIME, low, high, preset, NULL }
#define BOOL(s, k, field, preset) { SECTION_##s, k, AT(field), VALUE_BOOL, 0, 0, preset, NULL }
#define CHOICE(s, k, field, list, preset) { SECTION_##s, k, AT(field), VALUE_CHOICE, 0, 0, preset, list }
#define GUARD(k, index, preset) { SECTION_GUARD, k, AT(guard[index]), VALUE_PERCENT, 0, 100, preset, NULL }

/* What the scripts made that patrond replaces, and the feeds' own files. */
#define KNOWN_NAMES \
	"patron_barcodes.csv barcode_errors.csv all_patrons.csv update_*.csv new_*.csv CHCCS_Students_upload.csv " \
	"CHCCS_staff.csv chccs-log-*.txt"

/* Ranges: a time-out of 0 would mean none to the libraries, so the least is a millisecond; tests use that. */
static const struct config_item items[] = {
	TEXT(SHARE, "path", share.path, PATH, ""),
	TEXT(SHARE, "pattern", share.pattern, PATTERN, "*.zip"),
	TIME(SHARE, "poll_interval", share.poll_interval, SEC, DAY, "5min"),
	TIME(SHARE, "stall_timeout", share.stall_timeout, USEC_PER_MSEC, HOUR, "60s"),
	TIME(SHARE, "settle", share.settle, USEC_PER_MSEC, HOUR, "10s"),
	TIME(SHARE, "remote_poll_interval", share.remote_poll_interval, 100 * USEC_PER_MSEC, DAY, "30s"),
	BOOL(SHARE, "watch", share.watch, "yes"),
	CHOICE(SHARE, "after_load", share.after_load, after_load_choices, "keep"),
	TEXT(SHARE, "done_folder", share.done_folder, NAME, "done"),

	TEXT(SFTP, "host", sftp.host, HOST, ""),
	NUMBER(SFTP, "port", sftp.port, 1, 65535, "22"),
	TEXT(SFTP, "user", sftp.user, SSH_USER, ""),
	TEXT(SFTP, "path", sftp.path, TEXT, "."),
	TEXT(SFTP, "pattern", sftp.pattern, PATTERN, "*.zip"),
	TEXT(SFTP, "known_hosts", sftp.known_hosts, PATH, "/etc/patrond/known_hosts"),
	TIME(SFTP, "poll_interval", sftp.poll_interval, SEC, DAY, "15min"),
	TIME(SFTP, "settle", sftp.settle, USEC_PER_MSEC, HOUR, "10s"),
	TIME(SFTP, "connect_timeout", sftp.connect_timeout, USEC_PER_MSEC, HOUR, "10s"),
	TIME(SFTP, "stall_timeout", sftp.stall_timeout, USEC_PER_MSEC, HOUR, "60s"),

	TEXT(SIERRA, "url", sierra.url, URL, ""),
	TEXT(SIERRA, "ca_file", sierra.ca_file, PATH_OR_NONE, ""),
	NUMBER(SIERRA, "connections", sierra.connections, 1, LIMIT_CONNECTIONS, "4"),
	NUMBER(SIERRA, "page_size", sierra.page_size, 1, 2000, "2000"),
	TIME(SIERRA, "connect_timeout", sierra.connect_timeout, USEC_PER_MSEC, HOUR, "10s"),
	TIME(SIERRA, "page_timeout", sierra.page_timeout, USEC_PER_MSEC, HOUR, "60s"),
	TIME(SIERRA, "request_timeout", sierra.request_timeout, USEC_PER_MSEC, HOUR, "30s"),
	TIME(SIERRA, "retry_pause", sierra.retry_pause, USEC_PER_MSEC, HOUR, "500ms"),
	TIME(SIERRA, "retry_pause_max", sierra.retry_pause_max, USEC_PER_MSEC, HOUR, "30s"),
	NUMBER(SIERRA, "retries", sierra.retries, 0, 100, "3"),
	TIME(SIERRA, "rate_pause", sierra.rate_pause, USEC_PER_MSEC, HOUR, "60s"),
	TIME(SIERRA, "find_pause", sierra.find_pause, USEC_PER_MSEC, HOUR, "500ms"),
	NUMBER(SIERRA, "find_tries", sierra.find_tries, 1, 100, "5"),
	TIME(SIERRA, "late_commit", sierra.late_commit, 0, HOUR, "30s"),
	NUMBER(SIERRA, "max_failures", sierra.max_failures, 1, 100000, "20"),
	TEXT(SIERRA, "user_agent", sierra.user_agent, TEXT, "patrond/" PATROND_VERSION),
	{ SECTION_SIERRA, "read_back", AT(sierra.read_back), VALUE_NUMBER_OR_ALL, 0, 1000000, "50", NULL },

	NUMBER(PATRON, "patron_type", patron.patron_type, 0, 255, "15"),
	NUMBER(PATRON, "term", patron.term_weeks, 1, 1040, "156"),
	NUMBER(PATRON, "renew_window", patron.renew_window_days, 0, 3650, "28"),
	CHOICE(PATRON, "email_style", patron.email_style, email_choices, "joined"),

	TEXT(MATCH, "barcode_pattern", match.barcode_pattern, REGEX, "[0-9]+"),
	BOOL(MATCH, "confirm", match.confirm, "yes"),
	TIME(MATCH, "recheck_after", match.recheck_after, 0, DAY, "15min"),

	GUARD("creates", GUARD_CREATES, "30%"),
	GUARD("rejected", GUARD_REJECTED, "5%"),
	GUARD("opted-out", GUARD_OPTED_OUT, "25%"),
	GUARD("inactive", GUARD_INACTIVE, "50%"),
	GUARD("held", GUARD_HELD, "10%"),
	GUARD("rows", GUARD_ROWS, "70%"),
	GUARD("patrons", GUARD_PATRONS, "90%"),
	GUARD("fill", GUARD_FILL, "20%"),
	GUARD("keys", GUARD_KEYS, "5%"),
	GUARD("ages", GUARD_AGES, "5%"),
	GUARD("opt-outs", GUARD_OPT_OUTS, "50%"),
	GUARD("shares", GUARD_SHARES, "15%"),
	GUARD("schools", GUARD_SCHOOLS, "50%"),

	TEXT(FEED_STUDENT, "profile", feed[FEED_STUDENT].profile, PROFILE, "chccs"),
	TEXT(FEED_STUDENT, "pattern", feed[FEED_STUDENT].pattern, PATTERN, ""),
	TEXT(FEED_STUDENT, "statuses", feed[FEED_STUDENT].statuses, OPTIONAL, ""),
	CHOICE(FEED_STUDENT, "opt_out", feed[FEED_STUDENT].opt_out, opt_out_choices, "profile"),
	TEXT(FEED_STAFF, "profile", feed[FEED_STAFF].profile, PROFILE, "chccs"),
	TEXT(FEED_STAFF, "pattern", feed[FEED_STAFF].pattern, PATTERN, ""),
	TEXT(FEED_STAFF, "statuses", feed[FEED_STAFF].statuses, OPTIONAL, ""),

	CHOICE(LOAD, "start", load.start, start_choices, "auto"),
	TIME(LOAD, "retry_pause", load.retry_pause, USEC_PER_MSEC, DAY, "5min"),
	TIME(LOAD, "retry_pause_max", load.retry_pause_max, USEC_PER_MSEC, 7 * DAY, "6h"),
	TIME(LOAD, "deadline", load.deadline, USEC_PER_MSEC, DAY, "6h"),
	TIME(LOAD, "stage_timeout", load.stage_timeout, USEC_PER_MSEC, DAY, "10min"),

	BOOL(REPORT, "rows", report.rows, "no"),
	NUMBER(REPORT, "keep", report.keep_days, 1, 365, "14"),
	TEXT(REPORT, "recipients", report.recipients, ADDRESSES, ""),

	BOOL(LOG, "current", log.current, "no"),

	CHOICE(JANITOR, "policy", janitor.policy, policy_choices, "delete"),
	{ SECTION_JANITOR, "close_of_business", AT(janitor.close_of_business), VALUE_CLOCK, 0, 0, "18:00", NULL },
	{ SECTION_JANITOR, "days", AT(janitor.days), VALUE_DAYS, 0, 0, "Mon-Fri", NULL },
	TEXT(JANITOR, "patterns", janitor.patterns, PATTERNS, KNOWN_NAMES),
	TEXT(JANITOR, "inspect", janitor.inspect, PATTERNS_OR_NONE, "*.csv *.tsv *.txt *.zip"),

	TEXT(MAIL, "relay", mail.relay, RELAY, ""),
	TEXT(MAIL, "user", mail.user, WORD_OR_NONE, ""),
	TEXT(MAIL, "from", mail.from, ADDRESS, ""),
	TEXT(MAIL, "ca_file", mail.ca_file, PATH_OR_NONE, ""),
	CHOICE(MAIL, "notify", mail.notify, notify_choices, "attach"),
	TIME(MAIL, "connect_timeout", mail.connect_timeout, USEC_PER_MSEC, HOUR, "10s"),
	TIME(MAIL, "timeout", mail.timeout, USEC_PER_MSEC, HOUR, "10min"),
};

#define ITEM_COUNT (sizeof(items) / sizeof(items[0]))

uint32_t
config_sections_of(enum program program)
{
	static const uint32_t sections[PROGRAM_MAX] = {
		[PROGRAM_PATROND] = SECTIONS_ALL,
		[PROGRAM_SHARE] = SECTION_BIT(SECTION_SHARE) | SECTION_BIT(SECTION_REPORT) | SECTION_BIT(SECTION_JANITOR),
		[PROGRAM_FETCH] = SECTION_BIT(SECTION_SFTP),
		[PROGRAM_DECODE] = SECTION_BIT(SECTION_FEED_STUDENT) | SECTION_BIT(SECTION_FEED_STAFF) |
		                   SECTION_BIT(SECTION_MATCH),
		[PROGRAM_LOAD] = SECTION_BIT(SECTION_SIERRA) | SECTION_BIT(SECTION_PATRON) | SECTION_BIT(SECTION_MATCH) |
		                 SECTION_BIT(SECTION_GUARD) | SECTION_BIT(SECTION_LOAD) | SECTION_BIT(SECTION_REPORT) |
		                 SECTION_BIT(SECTION_LOG),
		[PROGRAM_REPORT] = SECTION_BIT(SECTION_REPORT),
		[PROGRAM_MAIL] = SECTION_BIT(SECTION_MAIL) | SECTION_BIT(SECTION_REPORT),
	};

	return sections[program];
}

const char *
config_path(void)
{
	const char *path = getenv("PATROND_CONFIG");

	return path != NULL && *path != '\0' ? path : CONFIG_DEFAULT_PATH;
}

void
config_defaults(struct config *config)
{
	memset(config, 0, sizeof(*config));
	for (size_t i = 0; i < GUARD_MAX; i++)
		config->guard[i] = GUARD_OFF;
	for (size_t i = 0; i < ITEM_COUNT; i++) {
		int r = config_value_parse(&items[i], items[i].preset, config, NULL, 0);

		/* A default that its own parser refuses is a bug of ours. */
		assert(r == 0 || items[i].preset[0] == '\0');
		(void)r;
	}
}

/* --- one file --- */

struct parser {
	struct config *config;
	uint32_t sections; /* kept ones */
	struct config_error *error;
	int section;
};

static int
take_section(void *data, char *name)
{
	struct parser *p = data;

	for (int i = 0; i < SECTION_MAX; i++)
		if (strcmp(section_names[i], name) == 0) {
			p->section = i;
			p->config->sections |= SECTION_BIT(i);
			return 0;
		}
	return ini_refuse(p->error, "there is no section of that name; see patrond.conf(5)");
}

/* Only when the profile is looked for does it show that there is none of that name: this is for the error then. */
static void
keep_place(const struct parser *p, const struct config_item *item)
{
	for (unsigned int feed = 0; feed < FEED_KIND_MAX; feed++)
		if (item->offset == (size_t)((char *)p->config->feed[feed].profile - (char *)p->config)) {
			p->config->feed[feed].profile_line = p->error->line;
			(void)snprintf(p->config->feed[feed].profile_file, CONFIG_TEXT, "%s", p->error->file);
		}
}

static int
take_pair(void *data, char *key, char *value)
{
	struct parser *p = data;
	char problem[256];

	for (size_t i = 0; i < ITEM_COUNT; i++) {
		struct config scratch;

		if ((int)items[i].section != p->section || strcmp(items[i].key, key) != 0)
			continue;
		/* Sections of other programs are checked as strictly, and not kept. */
		if ((p->sections & SECTION_BIT(items[i].section)) == 0)
			config_defaults(&scratch);
		if (config_value_parse(&items[i], value,
		        (p->sections & SECTION_BIT(items[i].section)) != 0 ? p->config : &scratch, problem,
		        sizeof(problem)) < 0)
			return ini_refuse(p->error, "[%s] %s: %s", section_names[p->section], items[i].key, problem);
		keep_place(p, &items[i]);
		return 0;
	}
	return ini_refuse(p->error, "[%s] has no key of that name; see patrond.conf(5)", section_names[p->section]);
}

int
config_parse(const char *bytes, size_t size, uint32_t sections, struct config *config, struct config_error *error)
{
	static const struct ini_handler handler = { take_section, take_pair };
	struct parser p = { .config = config, .sections = sections, .error = error };

	return ini_parse(bytes, size, &handler, &p, error);
}

int
config_print(const struct config *config, uint32_t sections, FILE *to)
{
	int section = -1;

	for (size_t i = 0; i < ITEM_COUNT; i++) {
		if ((sections & SECTION_BIT(items[i].section)) == 0)
			continue;
		if ((int)items[i].section != section) {
			fprintf(to, "%s[%s]\n", section < 0 ? "" : "\n", section_names[items[i].section]);
			section = (int)items[i].section;
		}
		config_value_print(&items[i], config, to);
	}
	return ferror(to) != 0 ? -EIO : 0;
}
