/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

/*
 * The configuration: INI files in systemd's manner, one table of section, key, parser, range and default. An unknown
 * section or key, or a value out of range, is an error with file and line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/fd.h"
#include "common/ini.h"
#include "common/program.h"
#include "patrond/limits.h"
#include "patrond/outcome.h"

#define CONFIG_TEXT 1024U
#define CONFIG_DEFAULT_PATH "/etc/patrond/patrond.conf"
#define GUARD_OFF UINT32_MAX

typedef uint64_t usec_t;
#define USEC_PER_MSEC 1000ULL
#define USEC_PER_SEC 1000000ULL

enum after_load { AFTER_LOAD_KEEP, AFTER_LOAD_MOVE, AFTER_LOAD_DELETE };
enum janitor_policy { JANITOR_DELETE, JANITOR_REPORT, JANITOR_OFF };
enum email_style { EMAIL_JOINED, EMAIL_SEPARATE };
enum mail_notify { MAIL_ATTACH, MAIL_NOTICE };
enum opt_out_source { OPT_OUT_PROFILE, OPT_OUT_NONE };
enum load_start { LOAD_START_AUTO, LOAD_START_MANUAL };
enum section {
	SECTION_SHARE,
	SECTION_SFTP,
	SECTION_SIERRA,
	SECTION_PATRON,
	SECTION_MATCH,
	SECTION_GUARD,
	SECTION_FEED_STUDENT,
	SECTION_FEED_STAFF,
	SECTION_LOAD,
	SECTION_REPORT,
	SECTION_LOG,
	SECTION_JANITOR,
	SECTION_MAIL,
	SECTION_MAX,
};

#define SECTION_BIT(section) (1U << (section))
#define SECTIONS_ALL ((1U << SECTION_MAX) - 1U)

struct config_feed {
	char profile[CONFIG_TEXT];  /* its name, or an absolute path */
	char pattern[CONFIG_TEXT];  /* shell pattern of the file's name in the zip, case included; empty: the profile's */
	char statuses[CONFIG_TEXT]; /* processed ones, separated by blanks; empty: the profile's */
	enum opt_out_source opt_out; /* none: a feed without an opt-out column is taken (students) */
	char profile_file[CONFIG_TEXT]; /* which file says the profile … */
	unsigned int profile_line;      /* … and its line; 0: none says it */
};

struct config {
	uint32_t sections; /* bits: which sections stand in the files */

	struct {
		char path[CONFIG_TEXT];
		char pattern[CONFIG_TEXT];
		usec_t poll_interval;
		usec_t remote_poll_interval; /* where inotify cannot see */
		usec_t stall_timeout;        /* the longest silence of a share */
		usec_t settle;
		bool watch;
		enum after_load after_load;
		char done_folder[CONFIG_TEXT]; /* a name in the share's folder */
	} share;
	struct {
		char host[CONFIG_TEXT];
		uint32_t port;
		char user[CONFIG_TEXT];
		char path[CONFIG_TEXT];
		char pattern[CONFIG_TEXT];
		char known_hosts[CONFIG_TEXT];
		usec_t poll_interval;
		usec_t settle;
		usec_t connect_timeout;
		usec_t stall_timeout;
	} sftp;
	struct {
		char url[CONFIG_TEXT]; /* https://HOST/iii/sierra-api/v6, no slash at the end */
		char ca_file[CONFIG_TEXT];
		uint32_t connections;
		uint32_t page_size;
		usec_t connect_timeout;
		usec_t page_timeout;
		usec_t request_timeout;
		usec_t retry_pause;     /* the first pause; grows by half to one and a half times, with jitter, to … */
		usec_t retry_pause_max;
		uint32_t retries;       /* of one request that may be repeated */
		usec_t rate_pause;      /* pause where Sierra says slow down without saying how long */
		usec_t find_pause;      /* the first pause between look-ups after a lost write */
		uint32_t find_tries;
		uint32_t max_failures;  /* consecutive failures that end the load */
		usec_t late_commit;     /* how long Sierra may work at a request whose connection is gone */
		char user_agent[CONFIG_TEXT];
		uint32_t read_back;     /* UINT32_MAX: all */
	} sierra;
	struct {
		uint32_t patron_type;
		uint32_t term_weeks;
		uint32_t renew_window_days;
		enum email_style email_style;
	} patron;
	struct {
		char barcode_pattern[CONFIG_TEXT];
		bool confirm;
		usec_t recheck_after;
	} match;
	uint32_t guard[GUARD_MAX]; /* per cent; GUARD_OFF; GUARD_MANUAL is not used: load.start says it */
	struct config_feed feed[FEED_KIND_MAX];
	struct {
		enum load_start start;
		usec_t retry_pause;
		usec_t retry_pause_max;
		usec_t deadline;
		usec_t stage_timeout; /* since a stage's last sign of progress */
	} load;
	struct {
		bool rows;
		uint32_t keep_days;
		char recipients[CONFIG_TEXT]; /* addresses, blanks or commas between; empty: nobody */
	} report;
	struct {
		bool current;
	} log;
	struct {
		enum janitor_policy policy;
		uint32_t close_of_business; /* minutes since midnight, local time */
		uint32_t days;              /* bit 0 Sunday … bit 6 Saturday */
		char patterns[CONFIG_TEXT]; /* known names: shell patterns, separated by blanks */
		char inspect[CONFIG_TEXT];  /* names of which decode is asked; empty: none */
	} janitor;
	struct {
		char relay[CONFIG_TEXT]; /* smtp://HOST[:PORT], with STARTTLS, or smtps://HOST[:PORT] */
		char user[CONFIG_TEXT];  /* empty: no log-in */
		char from[CONFIG_TEXT];
		char ca_file[CONFIG_TEXT];
		enum mail_notify notify;
		usec_t connect_timeout;
		usec_t timeout; /* of a whole mail */
	} mail;
};

/* Sets every value to its default. */
void config_defaults(struct config *config);

/*
 * Reads path and path.d/ *.conf (in the order of their names) over the defaults: the sections in the mask (SECTION_BIT)
 * into config; all others are read and checked just as strictly, but not kept. Returns 0, or a negative errno with
 * error filled.
 */
int config_read(const char *path, uint32_t sections, struct config *config, struct config_error *error) WARN_UNUSED;

/* The sections that a program reads. */
uint32_t config_sections_of(enum program program);

/* The path of the configuration: $PATROND_CONFIG or the default. */
const char *config_path(void);

/* Prints the effective values as a configuration file, sections in the mask. Returns 0 or -EIO. */
int config_print(const struct config *config, uint32_t sections, FILE *to) WARN_UNUSED;

/* The pure parser of one file's bytes, for config_read and the fuzz target. Errors as config_read. */
int config_parse(const char *bytes, size_t size, uint32_t sections, struct config *config, struct config_error *error)
    WARN_UNUSED;

#endif
