/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_METHODS_H
#define SUPERVISOR_METHODS_H

/* The methods of the control interface: what an administrator may ask of the manager, and what is refused when. */

#include "supervisor/history.h"
#include "supervisor/manager.h"

#define CONTROL_INTERFACE "org.chapelhillpubliclibrary.patrond"

/* Opens the control socket. Where it cannot that is told, and patrond goes on without. */
void methods_start(struct manager *manager);

/* Hangs up on everybody and removes the socket. */
void methods_stop(struct manager *manager);

/* Tells those who watch. */
void methods_load_over(struct manager *manager, const struct load_note *note);
void methods_look_over(struct manager *manager);

#endif
