/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_STATUS_H
#define SUPERVISOR_STATUS_H

/* What patrond says of itself at this moment: STATUS= to systemd, and with --once a line of progress for a person. */

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "patrond/outcome.h"
#include "supervisor/load.h"

/*
 * Progress on standard output: on a terminal a line that is rewritten in place, elsewhere a line for each phase with its
 * last figures, and one every few seconds of a long one.
 */
void status_set_progress(bool on);

/* Sets the status; throttled unless it is about something new. The text holds nothing of a feed. */
void status_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The status of a phase under way: "Writing 5,231 of 14,210 (312/s), 28 s to go". since: of the phase, microseconds. */
void status_phase(enum phase phase, uint64_t done, uint64_t total, usec_t since);

/* Takes the progress line off a terminal, so that something else can be written there. */
void status_clear_line(void);

/* What runs now: phase is PHASE_INVALID where there is no progress to tell. rate: a second, 0 where it is not known yet. */
struct status_progress {
	enum phase phase;
	uint64_t done, total, rate;
};

struct status_progress status_progress(void);

/* The text of STATUS=, as it was told last. */
const char *status_text(void);

/* Has fn called whenever text or progress change. NULL: nobody. */
void status_set_listener(void (*fn)(void *userdata), void *userdata);

/* Ends the progress of a load: what was not shown of its last phase is. */
void status_end_progress(void);

/* Prints the table of a load's outcomes on standard output. */
void status_print_table(const char *load_id, const struct load_result *result, bool dry_run);

#endif
