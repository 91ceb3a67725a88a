/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events on the screen, and the end of a look. */

#include "ctl/follow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/progress.h"
#include "ctl/reply.h"
#include "ctl/show.h"
#include "ctl/status_screen.h"

static struct progress progress;

int
follow_begin(struct client *client, const char *path, struct answer *ret_first)
{
	int r = client_open(client, path);

	if (r == 0)
		r = client_send(client, "Monitor", NULL, true);
	if (r == 0)
		r = client_receive(client, client->timeout, ret_first);
	return r;
}

static void
show_event(const struct ctl_event *event)
{
	switch (event->kind) {
	case EVENT_PROGRESS:
		progress_draw(&progress, event);
		break;
	case EVENT_SUMMARY:
		progress_clear(&progress);
		if (event->has_finished)
			status_screen_load(&event->finished, true);
		break;
	case EVENT_IDLE:
		progress_clear(&progress);
		show_wrapped(0, event->status[0] != '\0' ? event->status : "Idle");
		break;
	case EVENT_UNKNOWN: /* a newer patrond's */
		break;
	}
	(void)fflush(stdout);
}

int
follow_show(const struct answer *answer, bool json, struct ctl_event *ret)
{
	int r = reply_read_event(answer->parameters, ret);

	if (r < 0)
		return r;
	if (json)
		return show_json(answer->parameters);
	show_event(ret);
	return 0;
}

/* What a signal, a hang-up or nonsense means for a person who waits. */
static int
tell_end(const struct follow *follow, int error)
{
	bool gone = error == -ECONNRESET || error == -EPIPE;

	if (!follow->json)
		progress_leave(&progress);
	if (error == -EINTR) {
		if (follow->look != NULL)
			(void)fprintf(
			    stderr, "patronctl: interrupted; patrond goes on. patronctl cancel ends the load.\n");
		return follow->look != NULL ? EXIT_INTERRUPTED : 0;
	}
	if (!gone)
		return answer_tell_unreachable(error, follow->path);
	(void)fprintf(stderr, "patronctl: patrond has ended%s: see systemctl status patrond\n",
	    follow->look != NULL ? " before the look did" : "");
	return follow->look != NULL ? EXIT_REFUSED : EXIT_USAGE;
}

static int
tell_error(const struct follow *follow, const struct answer *answer)
{
	if (!follow->json)
		progress_leave(&progress);
	else if (show_json(answer->document) < 0)
		return EXIT_REFUSED;
	return answer_tell_error(answer);
}

/* The look that is waited for has ended. One of another id may end before it begins. */
static bool
is_end(const struct follow *follow, const struct ctl_event *event)
{
	return follow->look != NULL && event->kind == EVENT_IDLE && event->look != NULL &&
	       strcmp(event->look, follow->look) == 0;
}

int
follow(struct client *client, const struct follow *follow)
{
	for (;;) {
		_cleanup_answer_ struct answer answer = { 0 };
		struct ctl_event event = { .exit_status = -1 };
		int r = client_receive(client, CLIENT_FOREVER, &answer);

		if (r == 0 && answer.error != NULL)
			return tell_error(follow, &answer);
		if (r == 0)
			r = follow_show(&answer, follow->json, &event);
		if (r < 0)
			return tell_end(follow, r);
		if (is_end(follow, &event))
			return event.exit_status >= 0 ? event.exit_status : tell_end(follow, -EBADMSG);
		/* patrond's last words: it stops */
		if (!answer.continues)
			return tell_end(follow, -ECONNRESET);
	}
}
