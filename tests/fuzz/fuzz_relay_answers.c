/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A conversation with a relay that answers anything. Lines that begin with > are commands of ours, = stands for the
 * message's last bytes; all others are the relay's. A mail is told as taken only where its last bytes were given out and a
 * yes came after them; once they were, never as anything that would have it sent again without the relay's own no.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct trace *trace, bool last_bytes)
{
	if ((trace_accepted(trace) & trace_refused(trace)) != 0 || trace->recipients > LIMIT_RECIPIENTS ||
	    trace->step >= TRACE_STEP_MAX)
		abort();
	if (trace->step >= TRACE_END && !last_bytes)
		abort();
	for (int end = TRACE_END_WELL; end <= TRACE_END_MEMORY; end++) {
		struct failure failure = trace_verdict(trace, (enum trace_end)end, 7);
		bool yes = trace->code >= 200 && trace->code < 300;

		if (failure.code == FAILURE_NONE && !(trace->step == TRACE_OVER && yes && last_bytes))
			abort();
		if (trace->step >= TRACE_END && failure.code != FAILURE_NONE && failure.code != FAILURE_MAIL_UNCLEAR &&
		    trace->code < 400)
			abort();
		if (failure.code >= FAILURE_MAX || failure.column > LIMIT_RECIPIENTS)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace trace = { 0 };
	bool last_bytes = false;

	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end != NULL ? (size_t)(end - data) + 1 : size;
		const char *line = (const char *)data;

		if (*line == '>')
			trace_command(&trace, line + 1, length - 1);
		else if (*line == '=') {
			last_bytes = last_bytes || trace.step == TRACE_BODY;
			trace_last_bytes(&trace);
		} else
			trace_answer(&trace, line, length);
		/* a relay may be asked again after its end, never without one */
		check(&trace, last_bytes);
		data += length;
		size -= length;
	}
	return 0;
}
