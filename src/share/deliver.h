/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SHARE_DELIVER_H
#define SHARE_DELIVER_H

/*
 * Puts a clean-up report on the share, whole or not at all: temporary dot-name, sync, rename. No other name than a
 * report's is ever written or removed.
 */

#include <stdbool.h>
#include <stddef.h>

#include "share/folder.h"

/* True for the temporary name of a report that is being delivered. */
bool deliver_is_temporary(const char *name, size_t size);

/*
 * Delivers the zip in zip_fd (pread from its start) under name, over one of the same name. Returns 0, or -1 with
 * ret_failure filled: PROTOCOL for a name that is not a report's or a descriptor that is no file, and those of
 * folder_failure; nothing is left behind then.
 */
int deliver_report(const struct folder *folder, const char *name, size_t name_size, int zip_fd,
    struct failure *ret_failure) WARN_UNUSED;

/* Removes a report. Returns 0 (also where it is not there), or -1 with ret_failure filled, as deliver_report. */
int deliver_remove(const struct folder *folder, const char *name, size_t name_size, struct failure *ret_failure)
    WARN_UNUSED;

#endif
