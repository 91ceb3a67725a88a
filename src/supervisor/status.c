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

#define THROTTLE_USEC (500 * USEC_PER_MSEC)
#define PLAIN_USEC (5 * USEC_PER_SEC) /* between lines of progress where there is no terminal */

static struct {
	bool progress, terminal, open;
	enum phase phase;
	usec_t last;
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
	(void)snprintf(state.text, sizeof(state.text), "%s", text);
	(void)sd_notifyf(0, "STATUS=%s", text);
	if (!state.progress)
		return;
	(void)printf(state.terminal ? "\r\033[K%s" : "%s\n", text);
	(void)fflush(stdout);
	state.open = state.terminal;
}

void
status_end_progress(void)
{
	if (state.open)
		(void)printf("\r\033[K");
	state.open = false;
	state.phase = PHASE_INVALID;
	state.now = (struct status_progress){ .phase = PHASE_INVALID };
	changed();
	(void)fflush(stdout);
}

void
status_set(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(state.text, sizeof(state.text), format, args);
	va_end(args);
	(void)sd_notifyf(0, "STATUS=%s", state.text);
	changed();
}

void
status_phase(enum phase phase, uint64_t done, uint64_t total, usec_t since)
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
	usec_t now = now_usec();
	usec_t pause = state.progress && !state.terminal ? PLAIN_USEC : THROTTLE_USEC;
	double seconds = now > since ? (double)(now - since) / (double)USEC_PER_SEC : 0;
	double rate = seconds > 0.2 ? (double)done / seconds : 0;
	char text[256], a[27], b[27], c[27];
	size_t used = 0;

	state.now = (struct status_progress){ phase, done, total, rate >= 1 ? (uint64_t)rate : 0 };
	changed();
	if (state.phase == phase && now - state.last < pause)
		return;
	state.phase = phase;
	state.last = now;
	used += (size_t)snprintf(text, sizeof(text), "%s %s", verbs[phase], present_number(done, a));
	if (total > 0)
		used += (size_t)snprintf(text + used, sizeof(text) - used, " of %s", present_number(total, b));
	if (rate >= 1)
		used += (size_t)snprintf(text + used, sizeof(text) - used, " (%s/s)",
		    present_number((unsigned long long)rate, c));
	if (rate >= 1 && total > done)
		(void)snprintf(text + used, sizeof(text) - used, ", %.0f s to go", (double)(total - done) / rate);
	show(text);
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
