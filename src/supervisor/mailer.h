/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_MAILER_H
#define SUPERVISOR_MAILER_H

/*
 * Mailing the clean-up report, beside loads and looks: one mail at a time, tried again at later looks with growing pauses,
 * until a newer report takes its place. Nobody gets the same report twice, as far as SMTP lets one know: who has it is
 * remembered before the last bytes of a mail leave.
 */

#include "supervisor/report.h"

struct mailer;

/* True where the configuration says by which relay, from whom and to whom. */
bool mailer_configured(const struct config *config);

int mailer_new(struct mailer **ret, struct manager *manager) WARN_UNUSED;
struct mailer *mailer_free(struct mailer *mailer); /* accepts NULL, returns NULL; a mail under way is cut off */

struct mailer_report {
	const char *load_id;
	int32_t today;
	uint32_t kinds;  /* of the load's feeds: they are in its name */
	const struct report_made *made;
	int zip_fd;      /* stays the caller's */
	bool on_share;   /* it has been delivered there */
};

/*
 * A report was made. Mails it to those who do not have
 * one that says the same; a notice alone only once the report lies on the share. Told, never returned: whatever comes of a
 * mail changes no load.
 */
void mailer_post(struct mailer *mailer, const struct mailer_report *report);

/* The last report has reached the share after all. */
void mailer_on_share(struct mailer *mailer);

/* There is nothing to clean up any more: what waits is of the past, and the next report is news whatever it says. */
void mailer_empty(struct mailer *mailer);

/* At a look: tries what waits, where its pause is over, or where somebody asked for the look. */
void mailer_look(struct mailer *mailer, bool asked);

/* True where something waits to be mailed and has failed. */
bool mailer_fails(const struct mailer *mailer);

/* For the end of the process: on_over is called when the mail under way is over. Returns false where there is none. */
bool mailer_wait(struct mailer *mailer, void (*on_over)(struct manager *manager));

/* Asks the mail under way to come to its end. */
void mailer_cancel(struct mailer *mailer);

#endif
