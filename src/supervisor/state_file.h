/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_STATE_FILE_H
#define SUPERVISOR_STATE_FILE_H

/* Small JSON files in $RUNTIME_DIRECTORY, volatile: kept over restarts, gone at reboot; without one there are none. */

#include "common/fd.h"
#include "patrond/shape.h"
#include "supervisor/memory.h"
#include "supervisor/json_put.h"

/*
 * Reads the file of that name. Returns 0 with the JSON, the caller's, or with NULL where there is none or no place for one;
 * 1 with NULL where there is one that cannot be read.
 */
int state_file_read(const char *name, cJSON **ret) WARN_UNUSED;

/* Writes it (temporary name, rename), mode 0600. Returns 0, also where there is no place for one, or a negative errno. */
int state_file_write(const char *name, const cJSON *root) WARN_UNUSED;

/* The guards of a load, as both files hold them. */
bool state_get_guards(const cJSON *list, struct guard_figure *guards, uint32_t *ret_count);
void state_put_guards(struct put *put, cJSON *object, const char *key, const struct guard_figure *guards, uint32_t count);

/*
 * Writes and reads the figures of a shape that are compared: a list of numbers. Reading returns false where there is none,
 * or it is not of this version.
 */
void state_put_shape(struct put *put, cJSON *object, const char *key, const struct feed_shape *shape);
bool state_get_shape(const cJSON *object, const char *key, struct feed_shape *shape);

#endif
