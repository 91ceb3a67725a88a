/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

/* The one growing buffer: a maximum is mandatory, and what it held is wiped when it moves, shrinks or goes. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fd.h"

struct buf {
	char *bytes; /* followed by a NUL once anything was added */
	size_t size;
	size_t room;
	size_t max;
};

#define BUF_INIT(maximum) ((struct buf){ .max = (maximum) })

/* Adds bytes. Returns 0, -ENOBUFS over the maximum, or -ENOMEM; the buffer is unchanged then. */
int buf_add(struct buf *buf, const void *bytes, size_t size) WARN_UNUSED;

/* Adds a C string without its NUL. Errors as buf_add. */
int buf_add_text(struct buf *buf, const char *text) WARN_UNUSED;

/* Adds formatted text. Errors as buf_add. */
int buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3))) WARN_UNUSED;

/* Makes room for size bytes more without adding them. Errors as buf_add. */
int buf_reserve(struct buf *buf, size_t size) WARN_UNUSED;

/* Takes size bytes off the front. size is at most what the buffer holds. */
void buf_drop(struct buf *buf, size_t size);

/* Empties the buffer, wiping what it held; its memory is kept. */
void buf_clear(struct buf *buf);

/* Wipes and frees. The buffer can be used again. */
void buf_done(struct buf *buf);

#define _cleanup_buf_ __attribute__((cleanup(buf_done)))

#endif
