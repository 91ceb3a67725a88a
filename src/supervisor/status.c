/* SPDX-License-Identifier: GPL-3.0-or-later */
/* STATUS= and the line of progress; the table of a load at its end. */

#include "supervisor/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "common/present.h"
#include "supervisor/journal.h"

#define THROTTLE_USEC (500 * USEC_PER_MSEC)
#define PLAIN_USEC (5 * USEC_PER_SEC) /* between lines of progress where there is no terminal */

static struct {
	bool progress, terminal, open;
	enum phase phase;
	usec_t last;
	char waiting[256]; /* the phase's last figures, not shown yet */
	struct status_progress now;
	char text[1024];
	void (*listener)(void *userdata);
	void *userdata;
} state = { .phase = PHASE_INVALID, .now = { .phase = PHASE_INVALID }, .text = "Starting." };

static usec_t
now_usec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

void
status_set_progress(bool on)
{
	state.progress = on;
	state.terminal = isatty(STDOUT_FILENO) == 1;
}

struct status_progress
status_progress(void)
{
	return state.now;
}

const char *
status_text(void)
{
	return state.text;
}

void
status_set_listener(void (*fn)(void *userdata), void *userdata)
{
	state.listener = fn;
	state.userdata = userdata;
}

static void
changed(void)
{
	if (state.listener != NULL)
		state.listener(state.userdata);
}

static void
show(const char *text)
{
	(void)printf(state.terminal ? "\r\033[K%.79s" : "%s\n", text);
	(void)fflush(stdout);
	state.open = state.terminal;
	state.waiting[0] = '\0';
}

void
status_clear_line(void)
{
	if (state.open)
		(void)printf("\r\033[K");
	state.open = false;
	(void)fflush(stdout);
}

void
status_end_progress(void)
{
	if (state.progress && !state.terminal && state.waiting[0] != '\0')
		show(state.waiting);
	status_clear_line();
	state.phase = PHASE_INVALID;
	state.now = (struct status_progress){ .phase = PHASE_INVALID };
	changed();
}

/* To systemd, one line; the word at its beginning is for monitoring, so what else there is to say follows. */
static void
notify(void)
{
	size_t used = strlen(state.text);

	(void)snprintf(state.text + used, sizeof(state.text) - used, "%s", journal_kept());
	(void)sd_notifyf(0, "STATUS=%s", state.text);
}

void
status_set(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(state.text, sizeof(state.text), format, args);
	va_end(args);
	notify();
	changed();
}

/* A second, 0 where it is not known yet. */
static uint64_t
rate_of(uint64_t done, usec_t time)
{
	return time > USEC_PER_SEC / 5 ? (uint64_t)((double)done * (double)USEC_PER_SEC / (double)time) : 0;
}

static void
phase_text(enum phase phase, uint64_t done, uint64_t total, double seconds, char *text, size_t size)
{
	static const char *const verbs[PHASE_MAX] = {
		[PHASE_LOOKING] = "Looking",
		[PHASE_RETRIEVING] = "Retrieving the feed, bytes:",
		[PHASE_INDEXING] = "Retrieving patrons:",
		[PHASE_MATCHING] = "Matching",
		[PHASE_WRITING] = "Writing",
		[PHASE_CHECKING] = "Reading back",
		[PHASE_REPORTING] = "Reporting",
	};
	double rate = seconds > 0.2 ? (double)done / seconds : 0;
	char a[27], b[27];
	size_t used;

	used = (size_t)snprintf(text, size, "%s %s", verbs[phase], present_number(done, a));
	if (total > 0)
		used += (size_t)snprintf(text + used, size - used, " of %s", present_number(total, b));
	if (rate >= 1)
		used += (size_t)snprintf(text + used, size - used, " (%s/s)", present_number((unsigned long long)rate, a));
	if (rate >= 1 && total > done)
		(void)snprintf(text + used, size - used, ", %.0f s to go", (double)(total - done) / rate);
}

void
status_phase(enum phase phase, uint64_t done, uint64_t total, usec_t since)
{
	const bool plain = state.progress && !state.terminal;
	const bool same = state.phase == phase;
	usec_t now = now_usec();
	bool due = !same || now - state.last >= (plain ? PLAIN_USEC : THROTTLE_USEC);

	state.now = (struct status_progress){ phase, done, total, rate_of(done, now > since ? now - since : 0) };
	changed();
	if (!due && !plain)
		return;
	if (!same && plain && state.waiting[0] != '\0')
		show(state.waiting);
	phase_text(phase, done, total, now > since ? (double)(now - since) / (double)USEC_PER_SEC : 0, state.waiting,
	    sizeof(state.waiting));
	state.phase = phase;
	if (!due)
		return;
	state.last = now;
	(void)snprintf(state.text, sizeof(state.text), "%s", state.waiting);
	notify();
	/* elsewhere than on a terminal a phase is told when it is over, or has gone on for long */
	if (state.progress && (state.terminal || same))
		show(state.waiting);
}

void
status_print_table(const char *load_id, const struct load_result *result, bool dry_run)
{
	static const char *const ends[] = {
		[LOAD_COMPLETE] = "complete",
		[LOAD_HELD] = "HELD by a guard; nothing was written",
		[LOAD_FAILED] = "FAILED",
	};

	(void)printf("%s %s: %s\n", dry_run ? "Dry run" : "Load", load_id, ends[result->end]);
	if (result->kinds != 0)
		present_counts(result->kinds, result->counts, true, stdout);
	if (result->end != LOAD_COMPLETE && result->plan_kinds != 0) {
		(void)printf("What it %s done:\n", result->end == LOAD_HELD ? "would have" : "was to have");
		present_counts(result->plan_kinds, result->plan, true, stdout);
	}
	(void)fflush(stdout);
}
