/* SPDX-License-Identifier: GPL-3.0-or-later */
/* patrond-fetch: lists the SFTP drop and copies one feed, unparsed, into a descriptor that it was given. */

#include <errno.h>

#include "common/stage.h"
#include "common/connect.h"
#include "fetch/copy.h"
#include "fetch/listing.h"
#include "fetch/session.h"
#include "fetch/stall.h"

/* Secrets and names first, then the walls, then the first foreign byte. */
static int
begin(struct stage *stage, struct session *session, struct failure *ret_failure)
{
	const struct config *config = &stage->config;
	int fd = -EBADF, r;

	if (config->sftp.host[0] == '\0' || config->sftp.user[0] == '\0') {
		*ret_failure = failure_of(FAILURE_CONFIG, EINVAL);
		return -EINVAL;
	}
	r = session_prepare(session, config, &stage->secret, ret_failure);
	if (r < 0)
		return r;
	r = connect_tcp(config->sftp.host, config->sftp.port, config->sftp.connect_timeout, &fd, ret_failure);
	if (r < 0)
		return r;
	r = session_take(session, fd);
	if (r < 0)
		return r;
	return stall_watch(fd, config->sftp.stall_timeout);
}

/* Serves requests until the supervisor hangs up. A failed one is the last: answers to it may still be under way. */
static int
serve(struct stage *stage, struct session *session, struct failure *ret_failure)
{
	for (;;) {
		struct wire_in request;
		int r = stage_request(stage, &request);

		if (r <= 0)
			return r;
		if (stage->cancelled) {
			*ret_failure = failure_of(FAILURE_CANCELLED, 0);
			return -ECANCELED;
		}
		if (request.type == WIRE_FETCH_LIST) {
			r = listing_send(stage, session, ret_failure);
		} else if (request.type == WIRE_FETCH_COPY) {
			r = copy_feed(stage, session, &request, ret_failure);
		} else {
			*ret_failure = failure_of(FAILURE_PROTOCOL, 0);
			r = -EBADMSG;
		}
		if (r < 0)
			return r;
		r = stage_done(stage);
		if (r < 0)
			return r;
	}
}

static int
run(struct stage *stage)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	struct failure failure = failure_of(FAILURE_NONE, 0);
	int r;

	r = begin(stage, &session, &failure);
	if (r == 0) {
		r = stage_walls(stage, &(struct sandbox_options){ 0 });
		if (r < 0)
			return r; /* it has told so itself */
		r = session_open(&session, &failure);
	}
	if (r == 0)
		r = serve(stage, &session, &failure);
	if (r < 0) {
		if (failure.code == FAILURE_NONE)
			failure = failure_of(r == -EBADMSG ? FAILURE_PROTOCOL : FAILURE_INTERNAL, -r);
		if (stage_fail(stage, &failure) < 0)
			return r;
	}
	return r;
}

int
main(void)
{
	struct stage stage;
	int r;

	r = stage_begin(&stage, PROGRAM_FETCH);
	if (r == 0)
		r = run(&stage);
	return stage_end(&stage, r);
}
