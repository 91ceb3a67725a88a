/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verbs: a call, its answer, a sentence. */

#include "ctl/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/config_check.h"
#include "common/config_readable.h"
#include "ctl/answer.h"
#include "ctl/follow.h"
#include "ctl/reply.h"
#include "ctl/show.h"
#include "ctl/status_screen.h"

/* Takes what a call came to: 0 where patrond did it, else the exit status, told. */
static int
settle(const struct verb_options *options, int r, const struct answer *answer)
{
	if (r < 0)
		return answer_tell_unreachable(r, options->socket);
	if (answer->error == NULL)
		return 0;
	if (options->json && show_json(answer->document) < 0)
		return EXIT_REFUSED;
	return answer_tell_error(answer);
}

/* Says that it is done: a line of JSON, or a sentence. */
static int
say_done(const struct verb_options *options, const struct answer *answer, const char *sentence)
{
	if (options->json)
		return show_json(answer->parameters) < 0 ? EXIT_REFUSED : EXIT_SUCCESS;
	(void)printf("%s\n", sentence);
	return EXIT_SUCCESS;
}

/* Asks for the status. Returns 0 with both filled, else the exit status, told. */
static int
ask_status(const struct verb_options *options, struct answer *answer, struct ctl_status *status)
{
	int r = settle(options, client_call(options->socket, "Status", NULL, answer), answer);

	if (r != 0)
		return r;
	r = reply_read_status(answer->parameters, status);
	return r < 0 ? answer_tell_unreachable(r, options->socket) : 0;
}

int
verb_status(const struct verb_options *options)
{
	_cleanup_answer_ struct answer answer = { 0 };
	_cleanup_ctl_status_ struct ctl_status status = { 0 };
	int r = ask_status(options, &answer, &status);

	if (r != 0)
		return r;
	if (!options->json)
		status_screen(&status);
	else if (show_json(answer.parameters) < 0)
		return EXIT_REFUSED;
	return status_exit_status(&status);
}

/*
 * Calls Run or Release, and where it is to be waited for, follows that look to its end. The events are subscribed to
 * before the call, on a connection of their own: a short look may be over before its id is known here.
 */
static int
begin_look(const struct verb_options *options, const char *method, cJSON *parameters, bool wait)
{
	_cleanup_client_ struct client events = CLIENT_INIT;
	_cleanup_answer_ struct answer first = { 0 }, answer = { 0 };
	struct follow follow_look = { options->socket, options->json, NULL };
	int r = 0;

	if (wait) {
		client_catch_signals();
		r = settle(options, follow_begin(&events, options->socket, &first), &first);
	}
	if (r != 0) {
		cJSON_Delete(parameters);
		return r;
	}
	r = settle(options, client_call(options->socket, method, parameters, &answer), &answer);
	if (r != 0)
		return r;
	follow_look.look = reply_text(answer.parameters, "id");
	if (follow_look.look == NULL)
		return answer_tell_unreachable(-EBADMSG, options->socket);
	if (options->json && show_json(answer.parameters) < 0)
		return EXIT_REFUSED;
	if (wait)
		return follow(&events, &follow_look);
	if (!options->json) {
		(void)printf("Look ");
		show_escaped(follow_look.look, stdout);
		(void)printf(" has begun; patronctl watch shows it.\n");
	}
	return EXIT_SUCCESS;
}

int
verb_run(const struct verb_options *options)
{
	cJSON *parameters = cJSON_CreateObject();
	bool made = parameters != NULL;

	/* what was not asked for is left out: an older patrond knows it as well */
	if (options->dry_run)
		made = made && cJSON_AddTrueToObject(parameters, "dry_run") != NULL;
	if (options->again)
		made = made && cJSON_AddTrueToObject(parameters, "again") != NULL;
	if (options->argument != NULL)
		made = made && cJSON_AddStringToObject(parameters, "source", options->argument) != NULL;
	if (!made) {
		cJSON_Delete(parameters);
		return answer_tell_unreachable(-ENOMEM, options->socket);
	}
	/* a dry run is run for its table */
	return begin_look(options, "Run", parameters, options->wait || options->dry_run);
}

int
verb_watch(const struct verb_options *options)
{
	_cleanup_client_ struct client events = CLIENT_INIT;
	_cleanup_answer_ struct answer first = { 0 };
	const struct follow for_ever = { options->socket, options->json, NULL };
	struct ctl_event event;
	int r;

	client_catch_signals();
	r = settle(options, follow_begin(&events, options->socket, &first), &first);
	if (r != 0)
		return r;
	r = follow_show(&first, options->json, &event);
	if (r < 0)
		return answer_tell_unreachable(r, options->socket);
	return follow(&events, &for_ever);
}

int
verb_cancel(const struct verb_options *options)
{
	_cleanup_answer_ struct answer answer = { 0 };
	int r = settle(options, client_call(options->socket, "Cancel", NULL, &answer), &answer);

	return r != 0 ? r
		      : say_done(options, &answer,
			    "Cancelled: what is in flight is finished, the rest comes with the next load.");
}

int
verb_reload(const struct verb_options *options)
{
	_cleanup_answer_ struct answer answer = { 0 };
	int r = settle(options, client_call(options->socket, "Reload", NULL, &answer), &answer);

	return r != 0 ? r
		      : say_done(options, &answer,
			    "The configuration was read anew; where a load runs, it holds from its end on.");
}

/* Without an id nothing is let go: the held loads are shown, with what to type. */
static int
show_held(const struct verb_options *options)
{
	_cleanup_answer_ struct answer answer = { 0 };
	_cleanup_ctl_status_ struct ctl_status status = { 0 };
	int r = ask_status(options, &answer, &status);

	if (r != 0)
		return r;
	if (options->json) {
		if (show_json(cJSON_GetObjectItemCaseSensitive(answer.parameters, "held")) < 0)
			return EXIT_REFUSED;
	} else if (status.held.n == 0)
		(void)printf("No load is held.\n");
	else
		status_screen_held(&status);
	return status.held.n > 0 ? EXIT_HELD : EXIT_SUCCESS;
}

int
verb_release(const struct verb_options *options)
{
	cJSON *parameters;

	if (options->argument == NULL)
		return show_held(options);
	parameters = cJSON_CreateObject();
	if (parameters == NULL || cJSON_AddStringToObject(parameters, "load", options->argument) == NULL) {
		cJSON_Delete(parameters);
		return answer_tell_unreachable(-ENOMEM, options->socket);
	}
	return begin_look(options, "Release", parameters, options->wait);
}

int
verb_check_config(const struct verb_options *options)
{
	const char *path = options->config != NULL ? options->config : config_path();
	static struct config config;

	if (config_read_told("patronctl", path, &config) < 0 ||
	    config_missing_told("patronctl", path, &config) + config_ca_told("patronctl", path, &config) +
	        config_unreadable_told("patronctl", path, &config) > 0)
		return EXIT_USAGE;
	return config_print_effective(&config, stdout) < 0 ? EXIT_REFUSED : EXIT_SUCCESS;
}
