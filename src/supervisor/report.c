/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clean-up report's way to the share. */

#include "supervisor/report.h"

#include <errno.h>
#include <string.h>

#include "supervisor/journal.h"
#include "supervisor/manager.h"
#include "supervisor/sentence.h"

static int
on_answer(struct wire_in *in, void *userdata)
{
	(void)userdata;
	return in->type == WIRE_PROGRESS ? 0 : -EBADMSG;
}

int
report_deliver(struct errand **ret, struct manager *manager, int fd, const char *name, errand_end_fn on_end, void *userdata)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct errand_options options = {
		.program = PROGRAM_SHARE,
		.out = &out,
		.fds = &fd,
		.fd_count = 1,
		.timeout = manager_share_timeout(manager),
		.on_answer = on_answer,
		.on_end = on_end,
		.userdata = userdata,
	};
	int r;

	wire_begin(&out, WIRE_SHARE_DELIVER);
	wire_put_string(&out, name, strlen(name));
	r = wire_end(&out);
	return r < 0 ? r : errand_run(ret, manager, &options);
}

void
report_tell(const char *load_id, const char *name, enum program program, const struct failure *failure)
{
	struct entry entry;
	char text[1024];

	if (failure == NULL) {
		entry_begin(&entry, 5, MESSAGE_REPORT_DELIVERED, FEED_KIND_INVALID, load_id,
		    "Clean-up report %s delivered to the share.", name);
	} else {
		sentence_failure(program, failure, text, sizeof(text));
		entry_begin(&entry, 4, MESSAGE_REPORT_FAILED, FEED_KIND_INVALID, load_id, "No clean-up report: %s", text);
		entry_field(&entry, "REASON", "%s", failure_word(failure->code));
	}
	entry_send(&entry);
}
