/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CTL_FOLLOW_H
#define CTL_FOLLOW_H

/* The stream of Monitor: shown as it comes, for ever or until one look has ended. */

#include "ctl/client.h"
#include "ctl/reply.h"

struct follow {
	const char *path;
	bool json;	  /* a line of JSON for each event, nothing else */
	const char *look; /* ends with the look of this id; NULL: with patrond, or a signal */
};

/* Subscribes: from the first reply on, which is read and given back, no event is missed. Errors as client_call. */
int follow_begin(struct client *client, const char *path, struct answer *ret_first) WARN_UNUSED;

/* Shows what comes. Returns the exit status: that of the look where there is one. What goes wrong is told. */
int follow(struct client *client, const struct follow *follow) WARN_UNUSED;

/* Shows one event. ret's texts live as long as the answer. Returns 0, -EBADMSG or -ENOMEM. */
int follow_show(const struct answer *answer, bool json, struct ctl_event *ret) WARN_UNUSED;

#endif
