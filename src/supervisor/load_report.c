/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of a load's clean-up report: delivered, mailed, kept for later; or the old one goes. */

#include "supervisor/load_private.h"

#include <errno.h>

#include "supervisor/mailer.h"
#include "supervisor/manager.h"

static void
tell_report(struct load *load, enum program program, const struct failure *failure)
{
	report_tell(load->id, load->report_name, program, failure, &load->report.counts);
}

static void
mail_report(struct load *load, bool on_share)
{
	const struct mailer_report report = {
		.load_id = load->id,
		.today = load->today,
		.kinds = load->options.kinds,
		.made = &load->report,
		.zip_fd = load->zip_fd,
		.on_share = on_share,
	};

	mailer_post(load->manager->mailer, &report);
}

static void
on_delivered(const struct failure *failure, void *userdata)
{
	struct load *load = userdata;

	load->delivery = NULL;
	tell_report(load, PROGRAM_SHARE, failure);
	mail_report(load, failure == NULL);
	if (failure == NULL)
		manager_report_on_share(load->manager, load->report_name);
	else
		manager_keep_report(load->manager, TAKE_FD(load->zip_fd), load->report_name);
	load_over(load);
}

static void
on_removed(const struct failure *failure, void *userdata)
{
	struct load *load = userdata;

	load->delivery = NULL;
	/* One that waits to be delivered is overtaken by there being none. */
	manager_keep_report(load->manager, -EBADF, "");
	report_tell_empty(load->id, failure);
	load_over(load);
}

static void
name_report(struct load *load)
{
	report_name_make(load->today, load->options.kinds, load->report_name);
}

/*
 * True where the report has become empty: all went well, over a complete index. Then what lies on the share is of the past;
 * of a load that broke off nobody knows.
 */
static bool
is_empty(const struct load *load)
{
	return load->zip_fd >= 0 && load->report.size == 0 && load->indexed && !load->failed[PART_REPORT] &&
	       !load->failed[PART_LOAD] && !load->failed[PART_DECODE];
}

/* Returns a negative errno where there is nothing to wait for. */
static int
remove_old(struct load *load)
{
	mailer_empty(load->manager->mailer);
	if (!report_has_share(&load->manager->config))
		return -ENOENT;
	name_report(load);
	return report_remove(&load->delivery, load->manager, load->report_name, on_removed, load);
}

/* Likewise; without a share the report is mailed alone. */
static int
deliver(struct load *load)
{
	name_report(load);
	if (!report_has_share(&load->manager->config)) {
		mail_report(load, false);
		return -ENOENT;
	}
	return report_deliver(&load->delivery, load->manager, load->zip_fd, load->report_name, on_delivered, load);
}

int
load_settle_report(struct load *load)
{
	if (load->failed[PART_REPORT] && !load->failed[PART_LOAD] && !load->failed[PART_DECODE])
		tell_report(load, PROGRAM_REPORT, &load->failures[PART_REPORT]);
	if (is_empty(load))
		return remove_old(load);
	return load->report.size == 0 || load->failed[PART_REPORT] ? -ENOENT : deliver(load);
}
