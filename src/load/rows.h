/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_ROWS_H
#define LOAD_ROWS_H

/* The records of a load, kept compactly from the moment that they are drained from decode until the last write. */

#include <stddef.h>
#include <stdint.h>

#include "common/record.h"
#include "patrond/outcome.h"

struct rows;

/* A row by number: students from 0, then staff. Only meaningful after rows_finish. */
typedef uint32_t row_ref;

int rows_new(struct rows **ret) WARN_UNUSED;
struct rows *rows_free(struct rows *rows); /* wipes; accepts NULL, returns NULL */
void rows_freep(struct rows **rows);

/*
 * Adds a record that record_get has checked; its texts are copied. Returns 0, -EBADMSG where its row number is not the
 * next of its feed or a feed has more than LIMIT_ROWS, -ENOBUFS or -ENOMEM.
 */
int rows_add(struct rows *rows, const struct record *record) WARN_UNUSED;

/* Ends the adding. trailer: the rows that decode says it sent. Returns 0, or -EBADMSG where they are not what came. */
int rows_finish(struct rows *rows, const uint32_t trailer[FEED_KIND_MAX]) WARN_UNUSED;

uint32_t rows_count(const struct rows *rows, enum feed_kind feed);
uint32_t rows_total(const struct rows *rows);

/* The record of a row; its texts live as long as the rows. */
void rows_get(const struct rows *rows, row_ref ref, struct record *ret);

/* Bytes held. */
size_t rows_memory(const struct rows *rows);

#endif
