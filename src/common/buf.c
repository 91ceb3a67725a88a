/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The growing buffer with a maximum, wiped on every way out. */

#include "common/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 256U
#define BUF_MAX (SIZE_MAX / 4) /* doubling stays below SIZE_MAX */

int
buf_reserve(struct buf *buf, size_t size)
{
	size_t room = buf->room > 0 ? buf->room : BUF_FIRST;
	char *bytes;

	if (size > buf->max || buf->size > buf->max - size || buf->max > BUF_MAX)
		return -ENOBUFS;
	if (buf->room > 0 && buf->size + size < buf->room)
		return 0;
	while (room <= buf->size + size)
		room *= 2;
	/* Not realloc: it would leave the old bytes, perhaps a child's, in freed memory. */
	bytes = malloc(room);
	if (bytes == NULL)
		return -ENOMEM;
	if (buf->size > 0)
		memcpy(bytes, buf->bytes, buf->size);
	bytes[buf->size] = '\0';
	if (buf->bytes != NULL)
		explicit_bzero(buf->bytes, buf->room);
	free(buf->bytes);
	buf->bytes = bytes;
	buf->room = room;
	return 0;
}

int
buf_add(struct buf *buf, const void *bytes, size_t size)
{
	int r = buf_reserve(buf, size);

	if (r < 0)
		return r;
	if (size > 0)
		memcpy(buf->bytes + buf->size, bytes, size);
	buf->size += size;
	buf->bytes[buf->size] = '\0';
	return 0;
}

int
buf_add_text(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

int
buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int n, r;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		return -EINVAL;
	r = buf_reserve(buf, (size_t)n);
	if (r < 0)
		return r;
	va_start(args, format);
	(void)vsnprintf(buf->bytes + buf->size, (size_t)n + 1, format, args);
	va_end(args);
	buf->size += (size_t)n;
	return 0;
}

void
buf_drop(struct buf *buf, size_t size)
{
	size_t left;

	assert(size <= buf->size);
	if (size == 0)
		return;
	left = buf->size - size;
	memmove(buf->bytes, buf->bytes + size, left);
	explicit_bzero(buf->bytes + left, size);
	buf->size = left;
}

void
buf_clear(struct buf *buf)
{
	if (buf->bytes != NULL)
		explicit_bzero(buf->bytes, buf->size);
	buf->size = 0;
}

void
buf_done(struct buf *buf)
{
	if (buf->bytes != NULL)
		explicit_bzero(buf->bytes, buf->room);
	free(buf->bytes);
	buf->bytes = NULL;
	buf->size = 0;
	buf->room = 0;
}
