/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen of status. Tables are 48 columns wide; what is longer is broken to the terminal's width. */

#include "ctl/status_screen.h"

#include <stdio.h>
#include <string.h>

#include "common/present.h"
#include "ctl/progress.h"
#include "ctl/show.h"

#define INDENT 2U

static const struct ending {
	const char *word, *says;
	enum paint paint;
} endings[] = {
	{ "held", "HELD, nothing was written", PAINT_RED },
	{ "failed", "FAILED", PAINT_RED },
	{ "complete", "complete", PAINT_GREEN },
};

static void
show_ending(const char *word)
{
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (strcmp(endings[i].word, word) == 0) {
			show_painted(endings[i].paint, endings[i].says);
			return;
		}
	show_escaped(word, stdout);
}

static void
show_guard(const struct guard_figure *figure)
{
	char text[256], value[27], basis[27];

	if (guard_name(figure->guard) != NULL)
		present_guard(figure, text, sizeof(text));
	else
		(void)snprintf(text, sizeof(text), "a guard that this patronctl does not know (%s of %s, limit %u%%)",
		    present_number(figure->value, value), present_number(figure->basis, basis), figure->limit_percent);
	show_wrapped(INDENT, text);
}

void
status_screen_load(const struct ctl_load *load, bool zeros)
{
	bool held = strcmp(load->end, "held") == 0, complete = strcmp(load->end, "complete") == 0;
	char time[SHOW_TIME];

	show_painted(PAINT_BOLD, load->dry_run ? "Dry run " : "Load ");
	show_painted(PAINT_BOLD, load->id);
	if (load->time != NULL)
		(void)printf(", %s", show_time(load->time, time));
	(void)printf(": ");
	show_ending(load->end);
	(void)printf("\n");
	for (size_t i = 0; i < load->n_guards; i++)
		show_guard(&load->guards[i]);
	/* of a guard the sentence says no more than its figures */
	if (load->message != NULL && load->n_guards == 0)
		show_wrapped(INDENT, load->message);
	if (load->counts.kinds != 0)
		present_counts(load->counts.kinds, load->counts.of, zeros, stdout);
	if (!complete && load->plan.kinds != 0) {
		(void)printf(held ? "  What it would have done:\n" : "  What it was to have done:\n");
		present_counts(load->plan.kinds, load->plan.of, zeros, stdout);
	}
}

void
status_screen_held(const struct ctl_status *status)
{
	for (size_t i = 0; i < status->held.n; i++) {
		const char *id = status->held.items[i].id;

		(void)printf("\n");
		status_screen_load(&status->held.items[i], false);
		(void)printf("  If that is right, let it go:  ");
		show_painted(PAINT_BOLD, "patronctl release ");
		show_painted(PAINT_BOLD, id);
		(void)printf("\n");
	}
}

static void
show_loads(const char *title, const struct ctl_loads *loads)
{
	for (size_t i = 0; i < loads->n; i++) {
		(void)printf("\n");
		if (title != NULL)
			show_painted(PAINT_YELLOW, title);
		status_screen_load(&loads->items[i], false);
	}
}

static void
show_sources(const struct ctl_status *status)
{
	if (status->n_sources > 0) {
		(void)printf("\n");
		show_painted(PAINT_BOLD, "Sources");
		(void)printf("\n");
	}
	for (size_t i = 0; i < status->n_sources; i++) {
		const struct ctl_source *source = &status->sources[i];
		char looked[SHOW_TIME], next[SHOW_TIME];

		(void)printf("  ");
		show_escaped(source->source, stdout);
		(void)printf(": last look %s, next %s, ", show_time(source->last_look, looked),
		    source->next_look != NULL ? show_time(source->next_look, next) : "not planned");
		if (source->last_error != NULL)
			show_painted(PAINT_RED, "FAILED");
		else
			show_painted(PAINT_GREEN, source->last_look != NULL ? "well" : "not looked at yet");
		(void)printf("\n");
		if (source->last_error != NULL)
			show_wrapped(2 * INDENT, source->last_error);
	}
}

static bool
source_failed(const struct ctl_status *status)
{
	for (size_t i = 0; i < status->n_sources; i++)
		if (status->sources[i].last_error != NULL)
			return true;
	return false;
}

/* Whether what STATUS= says is told below, and in full. */
static bool
stands_below(const struct ctl_status *status)
{
	return status->held.n > 0 || status->due.n > 0 || source_failed(status);
}

void
status_screen(const struct ctl_status *status)
{
	show_painted(PAINT_BOLD, "patrond ");
	show_painted(PAINT_BOLD, status->version);
	(void)printf(": ");
	show_painted(status_exit_status(status) != 0 ? PAINT_RED : PAINT_GREEN, status->state);
	(void)printf("\n");
	if (status->has_progress)
		progress_print(&status->progress);
	else if (status->status[0] != '\0' && !stands_below(status))
		show_wrapped(INDENT, status->status);
	if (strcmp(status->version, PATROND_VERSION) != 0)
		show_wrapped(
		    INDENT, "patronctl is version " PATROND_VERSION ": restart patrond (systemctl restart patrond)");
	status_screen_held(status);
	show_loads("Due again: ", &status->due);
	show_loads(NULL, &status->last);
	show_sources(status);
}

int
status_exit_status(const struct ctl_status *status)
{
	/* A held load waits for a person, a due one does not: so that is said first. */
	if (status->held.n > 0)
		return 4;
	/* whatever else keeps patrond from its work stands in its own words: a report that cannot be delivered, a source */
	return stands_below(status) || strncmp(status->status, "FAILED", strlen("FAILED")) == 0 ? 2 : 0;
}
