/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CTL_STATUS_SCREEN_H
#define CTL_STATUS_SCREEN_H

/* The screen of status, and of one load: what a person looks at before anything is let go. */

#include "ctl/reply.h"

/* Prints all of a status. */
void status_screen(const struct ctl_status *status);

/* Prints the loads that are held, and what to type to let one go. */
void status_screen_held(const struct ctl_status *status);

/* Prints a load: how it ended, why, its table. zeros: outcomes that no row had, too. */
void status_screen_load(const struct ctl_load *load, bool zeros);

/* 4 while a load is held, 2 while one is due again, else 0. */
int status_exit_status(const struct ctl_status *status);

#endif
