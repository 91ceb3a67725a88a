/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What patronctl reads of the control socket: any reply is taken as values in their bounds, or refused. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_loads(const struct ctl_loads *loads)
{
	if (loads->n > REPLY_LOADS)
		abort();
	for (size_t i = 0; i < loads->n; i++) {
		const struct ctl_load *load = &loads->items[i];

		if (load->id == NULL || load->n_guards > REPLY_GUARDS || (load->plan.kinds & ~FEED_BITS_ALL) != 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cJSON *parameters = cJSON_ParseWithLength((const char *)data, size);
	struct ctl_status status = { 0 };
	struct ctl_event event = { 0 };

	if (parameters == NULL)
		return 0;
	if (reply_read_status(parameters, &status) == 0) {
		check_loads(&status.last);
		check_loads(&status.held);
		check_loads(&status.due);
		if (status.n_sources > REPLY_SOURCES || status.state == NULL)
			abort();
	}
	ctl_status_done(&status);
	if (reply_read_event(parameters, &event) == 0 && (event.kind > EVENT_UNKNOWN || (event.has_progress && event.progress.phase == NULL)))
		abort();
	cJSON_Delete(parameters);
	return 0;
}
