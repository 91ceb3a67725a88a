/* SPDX-License-Identifier: GPL-3.0-or-later */
/* patrond: the command line, the configuration, and the loop. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config_check.h"
#include "common/config_readable.h"
#include "common/process.h"
#include "supervisor/explain.h"
#include "supervisor/journal.h"
#include "supervisor/lock.h"
#include "supervisor/mailer.h"
#include "supervisor/manager.h"
#include "supervisor/status.h"
#include "supervisor/wall.h"
#include "supervisor/workspace.h"

#define EXIT_USAGE 1
#define EXIT_FAILED 2

static const char *arg_config;
static bool arg_check_config, arg_once, arg_dry_run, arg_show_rows;
static const char *arg_explain;
static const char *arg_log;

static void
usage(FILE *to)
{
	fprintf(to,
	    "Usage: patrond [OPTION]...\n"
	    "Takes a school district's encrypted feed and keeps a public library's patron records right.\n\n"
	    "  --config FILE   read FILE instead of %s\n"
	    "  --check-config  print the effective configuration and end\n"
	    "  --once          look at every source once, load what is due, and end\n"
	    "  --dry-run       with --once: write nothing anywhere, report what the load would do\n"
	    "  --explain ZIP   read a feed and print its shape: columns, how full they are, why rows are left out\n"
	    "  --show-rows     with --explain: show the rows on the terminal\n"
	    "  --log FORM      journal (a journal namespace only), console, or json\n"
	    "  --help          print this\n"
	    "  --version       print the version\n\n"
	    "Exit status: 0 complete or nothing new, 1 usage or configuration, 2 failed, refused or interrupted,\n"
	    "3 complete but rows failed or differ, 4 held by a guard.\n",
	    CONFIG_DEFAULT_PATH);
}

/* Returns -1 to go on, else the exit status. */
static int
parse_arguments(int argc, char **argv)
{
	enum { ARG_CONFIG = 256, ARG_CHECK, ARG_ONCE, ARG_DRY, ARG_EXPLAIN, ARG_SHOW, ARG_LOG, ARG_HELP, ARG_VERSION };
	static const struct option options[] = {
		{ "config", required_argument, NULL, ARG_CONFIG },
		{ "check-config", no_argument, NULL, ARG_CHECK },
		{ "once", no_argument, NULL, ARG_ONCE },
		{ "dry-run", no_argument, NULL, ARG_DRY },
		{ "explain", optional_argument, NULL, ARG_EXPLAIN },
		{ "show-rows", no_argument, NULL, ARG_SHOW },
		{ "log", required_argument, NULL, ARG_LOG },
		{ "help", no_argument, NULL, ARG_HELP },
		{ "version", no_argument, NULL, ARG_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	bool explain = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case ARG_CONFIG: arg_config = optarg; break;
		case ARG_CHECK: arg_check_config = true; break;
		case ARG_ONCE: arg_once = true; break;
		case ARG_DRY: arg_dry_run = true; break;
		case ARG_EXPLAIN: explain = true; arg_explain = optarg; break;
		case ARG_SHOW: arg_show_rows = true; break;
		case ARG_LOG: arg_log = optarg; break;
		case 'h':
		case ARG_HELP: usage(stdout); return EXIT_SUCCESS;
		case ARG_VERSION: printf("patrond %s\n", PATROND_VERSION); return EXIT_SUCCESS;
		default: fprintf(stderr, "See patrond --help.\n"); return EXIT_USAGE;
		}
	/* getopt has moved what is no option to the end: the feed may stand before other options, or after them */
	if (explain && arg_explain == NULL && optind < argc)
		arg_explain = argv[optind++];
	if (explain && arg_explain == NULL) {
		fprintf(stderr, "patrond: --explain requires an argument: the path of a zip\n");
		return EXIT_USAGE;
	}
	if (optind < argc) {
		char text[1200];

		/* names of the share stand here where a shell has put them for a star */
		journal_escape(argv[optind], strlen(argv[optind]), text, sizeof(text));
		fprintf(stderr, "patrond: %s: no such argument; see patrond --help\n", text);
		return EXIT_USAGE;
	}
	if (arg_dry_run && !arg_once) {
		fprintf(stderr, "patrond: --dry-run goes with --once\n");
		return EXIT_USAGE;
	}
	if (arg_show_rows && arg_explain == NULL) {
		fprintf(stderr, "patrond: --show-rows goes with --explain\n");
		return EXIT_USAGE;
	}
	if (arg_explain != NULL && (arg_once || arg_check_config || arg_log != NULL)) {
		fprintf(stderr, "patrond: --explain goes with --config and --show-rows alone\n");
		return EXIT_USAGE;
	}
	return -1;
}

static int
open_log(void)
{
	enum log_form form = journal_is_namespace() ? LOG_JOURNAL : LOG_CONSOLE;

	if (arg_log != NULL) {
		if (strcmp(arg_log, "journal") == 0)
			form = LOG_JOURNAL;
		else if (strcmp(arg_log, "console") == 0)
			form = LOG_CONSOLE;
		else if (strcmp(arg_log, "json") == 0)
			form = LOG_JSON;
		else {
			fprintf(stderr, "patrond: --log is journal, console or json\n");
			return -EINVAL;
		}
	}
	if (form != LOG_JOURNAL && journal_is_standard_error() && !journal_is_namespace()) {
		fprintf(stderr, "patrond: standard error goes to a journal that may be persistent, and rows must never reach one. "
		                "Run it in a unit with a journal namespace (LogNamespace=), or send standard error elsewhere.\n");
		return -EXDEV;
	}
	if (journal_open(form) < 0) {
		fprintf(stderr, "patrond: --log journal is refused here: this process's journal is not a namespace of its own, "
		                "and rows must never reach a persistent journal. Run patrond.service, or use --log console.\n");
		return -EXDEV;
	}
	return 0;
}

/* Where patrond starts the stages itself it can see whether each will find its credential. */
static int
check_credentials(const struct config *config)
{
	const struct {
		bool needed;
		const char *name;
	} credentials[] = {
		{ true, "zip-password" },
		{ true, "sierra-key" },
		{ (config->sections & SECTION_BIT(SECTION_SFTP)) != 0, "sftp-key" },
		{ report_wanted(config), "report-password" },
		{ mailer_configured(config) && config->mail.user[0] != '\0', "smtp-password" },
	};
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	int missing = 0;

	if (getenv("PATROND_STAGES") != NULL)
		return 0;
	if (folder == NULL) {
		fprintf(stderr, "patrond: CREDENTIALS_DIRECTORY is not set: it names the folder of the credentials; "
		                "see Operating in the README\n");
		return 1;
	}
	for (size_t i = 0; i < sizeof(credentials) / sizeof(credentials[0]); i++) {
		char path[2048];

		if (!credentials[i].needed)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, credentials[i].name);
		if (access(path, R_OK) == 0)
			continue;
		fprintf(stderr, "patrond: the credential %s cannot be read (%s): make %s, readable by patrond's user alone\n",
		    credentials[i].name, strerror(errno), path);
		missing++;
	}
	return missing;
}

static int
run(const struct config *config)
{
	const struct manager_options options = { arg_config, arg_once, arg_dry_run };
	struct lock lock = LOCK_INIT;
	struct manager *manager = NULL;
	int r;

	r = workspace_check();
	if (r == -EXDEV) {
		fprintf(stderr, "patrond: work in the runtime directory is not on tmpfs: a feed there might reach a disk. "
		                "Mount a tmpfs on it, or remove it (memory files are used then).\n");
		return EXIT_USAGE;
	}
	r = arg_dry_run ? 0 : lock_take(&lock, config);
	if (r == -EBUSY) {
		fprintf(stderr, "patrond: another patrond is at work for this Sierra: two at once could create a patron twice. "
		                "Wait for it, or stop it (systemctl stop patrond).\n");
		return EXIT_USAGE;
	}
	if (r == 0)
		r = manager_new(&manager, &options, config);
	if (r == 0) {
		r = wall_enter(arg_config, config);
		if (r < 0)
			fprintf(stderr, "patrond: its walls cannot be had here: seccomp and Landlock are needed, as Debian 12's own "
			                "kernel has them; a container may have to let them through.\n");
	}
	if (r == 0) {
		status_set_progress(arg_once);
		r = manager_run(manager);
	}
	manager_free(manager);
	lock_done(&lock);
	if (r < 0)
		fprintf(stderr, "patrond: %s\n", strerror(-r));
	return r < 0 ? EXIT_FAILED : r;
}

int
main(int argc, char **argv)
{
	struct config config;
	int r;

	if (process_not_dumpable() < 0)
		return EXIT_FAILED;
	r = parse_arguments(argc, argv);
	if (r >= 0)
		return r;
	if (arg_config == NULL)
		arg_config = config_path();
	if (arg_explain != NULL) {
		const struct explain_options options = { arg_config, arg_explain, arg_show_rows };

		return explain_run(&options);
	}
	if (config_read_told("patrond", arg_config, &config) < 0)
		return EXIT_USAGE;
	if (arg_check_config) {
		if (config_missing_told("patrond", arg_config, &config) + config_ca_told("patrond", arg_config, &config) +
		        config_unreadable_told("patrond", arg_config, &config) > 0)
			return EXIT_USAGE;
		return config_print_effective(&config, stdout) < 0 ? EXIT_FAILED : EXIT_SUCCESS;
	}
	if (geteuid() == 0) {
		fprintf(stderr, "patrond: refuses to run as root: no stage runs as uid 0. Where its service is installed: systemctl "
		                "start patrond, and patronctl run for a look at once. By hand start it as a system user of its own, for "
		                "example: setpriv --reuid patrond --regid patrond --init-groups patrond --once\n");
		return EXIT_USAGE;
	}
	if (open_log() < 0 || config_missing_told("patrond", arg_config, &config) > 0 ||
	    config_ca_told("patrond", arg_config, &config) > 0 || check_credentials(&config) > 0)
		return EXIT_USAGE;
	return run(&config);
}
