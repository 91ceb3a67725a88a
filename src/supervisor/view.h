/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_VIEW_H
#define SUPERVISOR_VIEW_H

/*
 * What the control interface shows of the manager, as the types of its interface file. Each returns the parameters of a
 * reply, the caller's, or NULL where memory ran out.
 */

#include "supervisor/history.h"
#include "supervisor/json_put.h"
#include "supervisor/manager.h"

/* Of Status. */
cJSON *view_status(const struct manager *manager);

/* Of Monitor: the present; a load that ended; a look that ended. */
cJSON *view_present(const struct manager *manager);
cJSON *view_summary(const struct manager *manager, const struct load_note *note);
cJSON *view_look_over(const struct manager *manager);

/* One Load, into an object. */
void view_load(struct put *put, cJSON *object, const struct load_note *note);

#endif
