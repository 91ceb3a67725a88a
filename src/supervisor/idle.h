/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_IDLE_H
#define SUPERVISOR_IDLE_H

/* STATUS= while nothing runs. The words at its beginning are for monitoring: HELD, FAILED, Idle. */

#include "supervisor/history.h"
#include "supervisor/manager.h"

/* "HELD by guard: …", "FAILED: …" while a load is held or due, else when the last load was and when the next look is. */
void idle_status(const struct manager *manager);

/* While a look goes on: text, but where something is held, due or out of reach that stays, for monitoring. */
void idle_status_or(const struct manager *manager, const char *text);

/* The sentence of a load that is held, or that failed or left rows behind. Returns false for one that is complete. */
bool idle_sentence(const struct load_result *result, char *ret, size_t size);

#endif
