/* SPDX-License-Identifier: GPL-3.0-or-later */
/* patronctl: the command line. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/process.h"
#include "ctl/answer.h"
#include "ctl/show.h"
#include "ctl/verbs.h"

#define CONTROL_SOCKET "/run/patrond/control"

enum {
	ARG_SOCKET = 1 << 0,
	ARG_JSON = 1 << 1,
	ARG_DRY_RUN = 1 << 2,
	ARG_WAIT = 1 << 3,
	ARG_AGAIN = 1 << 4,
	ARG_CONFIG = 1 << 5,
	ARG_HELP = 1 << 8,
	ARG_VERSION = 1 << 9,
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, ARG_SOCKET },
	{ "json", no_argument, NULL, ARG_JSON },
	{ "dry-run", no_argument, NULL, ARG_DRY_RUN },
	{ "wait", no_argument, NULL, ARG_WAIT },
	{ "again", no_argument, NULL, ARG_AGAIN },
	{ "config", required_argument, NULL, ARG_CONFIG },
	{ "help", no_argument, NULL, ARG_HELP },
	{ "version", no_argument, NULL, ARG_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* takes: the options that go with it beside --help; arguments: how many may follow. */
static const struct verb {
	const char *name;
	int (*act)(const struct verb_options *options);
	int takes, arguments;
} verbs[] = {
	{ "status", verb_status, ARG_SOCKET | ARG_JSON, 0 },
	{ "run", verb_run, ARG_SOCKET | ARG_JSON | ARG_DRY_RUN | ARG_WAIT | ARG_AGAIN, 1 },
	{ "watch", verb_watch, ARG_SOCKET | ARG_JSON, 0 },
	{ "cancel", verb_cancel, ARG_SOCKET | ARG_JSON, 0 },
	{ "release", verb_release, ARG_SOCKET | ARG_JSON | ARG_WAIT, 1 },
	{ "reload", verb_reload, ARG_SOCKET | ARG_JSON, 0 },
	{ "check-config", verb_check_config, ARG_CONFIG, 0 },
};

static void
usage(FILE *to)
{
	fputs("Usage: patronctl [OPTION]... VERB [ARGUMENT]\n"
	      "Looks at patrond, and tells it what to do.\n\n"
	      "  status               what runs, the last loads, what is held or due, the sources\n"
	      "  run [SOURCE]         look now, at all sources, or take feeds from one (sftp, share) only\n"
	      "    --dry-run          write nothing anywhere, show what the load would do (waits)\n"
	      "    --again            also load what is done or held, guards as ever\n"
	      "    --wait             show progress and result, end with the look's exit status\n"
	      "  watch                show progress and results until interrupted\n"
	      "  cancel               finish what is in flight and end the load that runs\n"
	      "  release [ID]         let the held load of that id go (--wait as above);\n"
	      "                       without ID, show what is held and what to type\n"
	      "  reload               read the configuration anew\n"
	      "  check-config         print the effective configuration, or what is wrong with it\n"
	      "    --config FILE      read FILE instead of /etc/patrond/patrond.conf\n\n"
	      "  --socket PATH        the control socket, usually " CONTROL_SOCKET "\n"
	      "  --json               print the answers as JSON, one a line\n"
	      "  --help, --version    print this, or the version\n\n"
	      "Exit status: 0 well, 1 usage or configuration, or patrond cannot be reached, 2 refused, or a\n"
	      "load failed or is due again, 3 complete but rows failed or differ, 4 a load is held.\n",
	    to);
}

/* Where the socket is, when nothing says it: patrond's own runtime directory, the first where there are several. */
static const char *
usual_socket(void)
{
	static char path[4096];
	const char *folder = getenv("RUNTIME_DIRECTORY");

	if (folder == NULL || folder[0] == '\0')
		return CONTROL_SOCKET;
	(void)snprintf(path, sizeof(path), "%.*s/control", (int)strcspn(folder, ":"), folder);
	return path;
}

/* Returns -1 to go on, with given and ret filled, else the exit status. */
static int
parse_options(int argc, char **argv, int *ret_given, struct verb_options *ret)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		*ret_given |= option;
		switch (option) {
		case ARG_SOCKET: ret->socket = optarg; break;
		case ARG_JSON: ret->json = true; break;
		case ARG_DRY_RUN: ret->dry_run = true; break;
		case ARG_WAIT: ret->wait = true; break;
		case ARG_AGAIN: ret->again = true; break;
		case ARG_CONFIG: ret->config = optarg; break;
		case ARG_HELP: usage(stdout); return EXIT_SUCCESS;
		case ARG_VERSION: printf("patronctl %s\n", PATROND_VERSION); return EXIT_SUCCESS;
		default: (void)fprintf(stderr, "patronctl: see patronctl --help\n"); return EXIT_USAGE;
		}
	}
	return -1;
}

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* An option that does not go with a verb is told, never ignored: release --dry-run must not be a real one. */
static bool
fits(const struct verb *verb, int given, int arguments)
{
	for (size_t i = 0; options[i].name != NULL; i++)
		if ((given & options[i].val & ~verb->takes) != 0) {
			(void)fprintf(stderr, "patronctl: --%s does not go with %s; see patronctl --help\n",
			    options[i].name, verb->name);
			return false;
		}
	if (arguments > verb->arguments) {
		(void)fprintf(stderr, "patronctl: too many arguments for %s; see patronctl --help\n", verb->name);
		return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct verb_options arg = { .socket = usual_socket() };
	const struct verb *verb;
	int given = 0, r;

	if (process_not_dumpable() < 0)
		return EXIT_USAGE;
	r = parse_options(argc, argv, &given, &arg);
	if (r >= 0)
		return r;
	if (optind >= argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	verb = find_verb(argv[optind]);
	if (verb == NULL) {
		(void)fprintf(stderr, "patronctl: there is no such verb; see patronctl --help\n");
		return EXIT_USAGE;
	}
	if (!fits(verb, given, argc - optind - 1))
		return EXIT_USAGE;
	if (optind + 1 < argc)
		arg.argument = argv[optind + 1];
	show_begin();
	return verb->act(&arg);
}
