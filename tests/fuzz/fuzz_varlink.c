/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Varlink calls: no bytes break the parser, and what it takes it says again as one whole, clean message. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "supervisor/varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was said must be one message, and parse. */
static void
check(const struct buf *out)
{
	cJSON *message;

	if (out->size == 0 || strlen(out->bytes) + 1 != out->size || !text_is_utf8(out->bytes, out->size - 1))
		abort();
	message = cJSON_Parse(out->bytes);
	if (!cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(message, "parameters")))
		abort();
	cJSON_Delete(message);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT(1U << 20);
	struct varlink_call call;
	bool flag = false;
	const char *text = "", *wrong;
	const struct varlink_parameter table[] = {
		{ "load", VARLINK_STRING, false, &text },
		{ "dry_run", VARLINK_BOOL, true, &flag },
	};
	cJSON *parameters;

	if (varlink_parse(&call, (const char *)data, size) < 0)
		return 0;
	if (call.method == NULL || (call.more && call.oneway))
		abort();
	wrong = varlink_parameters(&call, table, sizeof(table) / sizeof(table[0]));
	parameters = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(parameters, "parameter", wrong != NULL ? wrong : text);
	(void)cJSON_AddStringToObject(parameters, "method", call.method);
	if (varlink_add_error(&out, call.method, parameters) < 0)
		abort();
	check(&out);
	buf_clear(&out);
	if (varlink_add_reply(&out, cJSON_Duplicate(call.parameters, true), call.more) < 0)
		abort();
	check(&out);
	buf_done(&out);
	varlink_call_done(&call);
	return 0;
}
