/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Paths and queries. */

#include "load/calls.h"

#include <inttypes.h>
#include <string.h>

#define FIELDS "id,barcodes,expirationDate,names,birthDate"

static void
begin(struct sierra_call *call, enum call_kind kind)
{
	call->kind = kind;
	buf_clear(&call->path);
	buf_clear(&call->body);
}

int
call_list(struct sierra_call *call, uint64_t from_id, uint32_t page_size)
{
	begin(call, CALL_LIST);
	/* An open range of ids, [n,]: offsets drop and repeat rows while staff edit. The brackets are percent-encoded. */
	return buf_addf(&call->path, "/patrons?deleted=false&id=%%5B%" PRIu64 ",%%5D&limit=%" PRIu32 "&fields=" FIELDS, from_id,
	    page_size);
}

/* Everything but unreserved characters: a pattern may allow keys with any. */
static int
add_encoded(struct buf *out, const char *bytes, size_t size)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	int r = 0;

	for (size_t i = 0; i < size && r == 0; i++)
		if (bytes[i] != '\0' && strchr(unreserved, bytes[i]) != NULL)
			r = buf_add(out, &bytes[i], 1);
		else
			r = buf_addf(out, "%%%02X", (unsigned int)(unsigned char)bytes[i]);
	return r;
}

int
call_find(struct sierra_call *call, const char *key, size_t size)
{
	int r;

	begin(call, CALL_FIND);
	r = buf_add_text(&call->path, "/patrons/find?varFieldTag=b&varFieldContent=");
	if (r == 0)
		r = add_encoded(&call->path, key, size);
	if (r == 0)
		r = buf_add_text(&call->path, "&fields=" FIELDS ",deleted");
	return r;
}

int
call_read(struct sierra_call *call, uint64_t patron_id)
{
	begin(call, CALL_READ);
	return buf_addf(&call->path, "/patrons/%" PRIu64 "?fields=" FIELDS ",deleted", patron_id);
}

int
call_renew(struct sierra_call *call, uint64_t patron_id)
{
	begin(call, CALL_RENEW);
	return buf_addf(&call->path, "/patrons/%" PRIu64, patron_id);
}

int
call_create(struct sierra_call *call)
{
	begin(call, CALL_CREATE);
	return buf_add_text(&call->path, "/patrons/");
}
