/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two tables: from an errno, and from the name of a Varlink error, to a sentence. */

#include "ctl/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/show.h"

int
answer_tell_unreachable(int error, const char *path)
{
	static const struct {
		int error;
		const char *says;
	} sentences[] = {
		{ -ENOENT, "patrond is not running: systemctl start patrond" },
		{ -ECONNREFUSED, "patrond is not running: systemctl start patrond" },
		{ -EACCES, "you must be root or in the group patrond-admin" },
		{ -EPERM, "you must be root or in the group patrond-admin" },
		{ -ENOTSOCK, "there is no socket of that name; see --socket" },
		{ -EPROTOTYPE, "that is no control socket of patrond; see --socket" },
		{ -ENAMETOOLONG, "the socket's path is too long" },
		{ -ETIMEDOUT, "patrond does not answer: see systemctl status patrond" },
		{ -ECONNRESET,
		    "patrond hung up: it has ended, or has too many connections; see systemctl status patrond" },
		{ -EPIPE, "patrond hung up: it has ended, or has too many connections; see systemctl status patrond" },
		{ -EMSGSIZE, "the answer is too long to be patrond's" },
		{ -EBADMSG,
		    "the answer is not understood: are patrond and patronctl of one version? systemctl restart patrond" },
	};
	const char *says = NULL;

	if (error == -EINTR) {
		(void)fprintf(stderr, "patronctl: interrupted\n");
		return EXIT_INTERRUPTED;
	}
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].error == error)
			says = sentences[i].says;
	(void)fprintf(stderr, "patronctl: %s: %s\n", path, says != NULL ? says : strerror(-error));
	return EXIT_USAGE;
}

/* before, the parameter of that name in brackets, after */
struct sentence {
	const char *error;
	const char *parameter; /* NULL: none */
	const char *before, *after;
	int status;
};

#define OURS CLIENT_INTERFACE "."
#define VARLINK "org.varlink.service."

static const struct sentence sentences[] = {
	{ OURS "Busy", "load", "a look or a load runs already",
	    ": watch it (patronctl watch), or end it (patronctl cancel)", EXIT_REFUSED },
	{ OURS "NoSuchLoad", "load", "there is no such held load",
	    ": it was released, a newer feed overtook it, or it was held anew with other figures; see patronctl status",
	    EXIT_REFUSED },
	{ OURS "NotRunning", NULL, "nothing runs", "", EXIT_REFUSED },
	{ OURS "Stopping", NULL, "patrond is about to stop", ": try again when it runs", EXIT_REFUSED },
	{ VARLINK "InvalidParameter", "parameter", "patrond does not take that value", "; see patronctl --help",
	    EXIT_USAGE },
	{ VARLINK "MethodNotFound", "method", "patrond does not know this",
	    ": is it older than patronctl? systemctl restart patrond", EXIT_USAGE },
	{ VARLINK "MethodNotImplemented", "method", "patrond cannot do this",
	    ": is it older than patronctl? systemctl restart patrond", EXIT_USAGE },
	{ VARLINK "InterfaceNotFound", "interface", "that is no control socket of patrond", "; see --socket",
	    EXIT_USAGE },
	{ VARLINK "PermissionDenied", NULL, "you must be root or in the group patrond-admin", "", EXIT_USAGE },
};

static const char *
text_of(const struct answer *answer, const char *key)
{
	const cJSON *item = key != NULL ? cJSON_GetObjectItemCaseSensitive(answer->parameters, key) : NULL;

	return item != NULL && cJSON_IsString(item) ? item->valuestring : NULL;
}

static int
tell_bad_configuration(const struct answer *answer)
{
	const char *file = text_of(answer, "file"), *message = text_of(answer, "message");
	const cJSON *line = cJSON_GetObjectItemCaseSensitive(answer->parameters, "line");

	(void)fprintf(stderr, "patronctl: ");
	show_escaped(file != NULL ? file : "the configuration", stderr);
	if (cJSON_IsNumber(line) && line->valuedouble >= 1 && line->valuedouble <= UINT32_MAX)
		(void)fprintf(stderr, ":%.0f", line->valuedouble);
	(void)fprintf(stderr, ": ");
	show_escaped(message != NULL ? message : "it is wrong", stderr);
	(void)fprintf(stderr, "\npatronctl: the old configuration stays.\n");
	return EXIT_USAGE;
}

int
answer_tell_error(const struct answer *answer)
{
	if (strcmp(answer->error, OURS "BadConfiguration") == 0)
		return tell_bad_configuration(answer);
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		const char *parameter;

		if (strcmp(answer->error, sentences[i].error) != 0)
			continue;
		parameter = text_of(answer, sentences[i].parameter);
		(void)fprintf(stderr, "patronctl: %s%s", sentences[i].before, parameter != NULL ? " (" : "");
		if (parameter != NULL) {
			show_escaped(parameter, stderr);
			(void)fprintf(stderr, ")");
		}
		(void)fprintf(stderr, "%s\n", sentences[i].after);
		return sentences[i].status;
	}
	(void)fprintf(stderr, "patronctl: patrond answered with the error ");
	show_escaped(answer->error, stderr);
	(void)fprintf(stderr, "\n");
	return EXIT_REFUSED;
}
