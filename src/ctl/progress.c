/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The progress bar, its rate and its time to go. */

#include "ctl/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/present.h"
#include "ctl/show.h"

/* between lines of one phase where there is no terminal, as patrond --once does */
#define PLAIN_USEC (5 * USEC_PER_SEC)
#define LINE_MAX_BYTES 512U
#define BAR_MIN 8U /* columns */

static const struct {
	const char *says, *unit;
} phases[PHASE_MAX] = {
	[PHASE_LOOKING] = { "Looking at the sources", "" },
	[PHASE_RETRIEVING] = { "Retrieving the feed", " bytes" },
	[PHASE_INDEXING] = { "Retrieving Sierra's patrons", " patrons" },
	[PHASE_MATCHING] = { "Matching rows with patrons", " rows" },
	[PHASE_WRITING] = { "Writing to Sierra", " rows" },
	[PHASE_CHECKING] = { "Reading back", " rows" },
	[PHASE_REPORTING] = { "Reporting", "" },
};

static usec_t
now_usec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

const char *
progress_duration(uint64_t seconds, char ret[static 32])
{
	unsigned long long s = seconds;

	if (s < 60)
		(void)snprintf(ret, 32, "%llu s", s);
	else if (s < 3600)
		(void)snprintf(ret, 32, "%llu:%02llu", s / 60, s % 60);
	else
		(void)snprintf(ret, 32, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
	return ret;
}

const char *
progress_bar(uint64_t done, uint64_t total, unsigned int columns, char *ret)
{
	unsigned int room = columns - 2, full;

	/* patrond may count more than it said there would be: the bar ends there */
	if (done > total)
		done = total;
	full = total > 0 ? (unsigned int)((__uint128_t)done * room / total) : 0;
	ret[0] = '[';
	memset(ret + 1, '=', full);
	if (full < room) {
		memset(ret + 1 + full, ' ', room - full);
		if (done > 0)
			ret[1 + full] = '>';
	}
	ret[columns - 1] = ']';
	ret[columns] = '\0';
	return ret;
}

static unsigned int
percent(const struct ctl_progress *p)
{
	return p->done >= p->total ? 100 : (unsigned int)((__uint128_t)p->done * 100 / p->total);
}

/* Adds to a line; a line that is full stays as it is. */
#define ADD(line, ...) (void)snprintf((line) + strlen(line), LINE_MAX_BYTES - strlen(line), __VA_ARGS__)

/* 6,240 of 12,000 rows, 85/s, 1:08 to go */
static void
add_figures(char line[static LINE_MAX_BYTES], const struct ctl_progress *p)
{
	const char *unit = p->phase_kind >= 0 && p->phase_kind < PHASE_MAX ? phases[p->phase_kind].unit : "";
	char done[27], total[27], rate[27], left[32];

	if (p->done > 0 || p->total > 0)
		ADD(line, "%s", present_number(p->done, done));
	if (p->total > 0)
		ADD(line, " of %s", present_number(p->total, total));
	if (p->done > 0 || p->total > 0)
		ADD(line, "%s", unit);
	if (p->rate > 0)
		ADD(line, ", %s/s", present_number(p->rate, rate));
	if (p->knows_seconds_left)
		ADD(line, ", %s to go", progress_duration(p->seconds_left, left));
}

/* Writing to Sierra (dry run). An unknown phase (a newer patrond) is told by its word. */
static void
add_phase(char line[static LINE_MAX_BYTES], const struct ctl_progress *p)
{
	_cleanup_buf_ struct buf word = BUF_INIT(SHOW_TEXT_MAX * 12);

	if (p->phase_kind >= 0 && p->phase_kind < PHASE_MAX)
		ADD(line, "%s", phases[p->phase_kind].says);
	else if (show_escape(&word, p->phase) == 0 && word.size > 0)
		ADD(line, "%.*s", (int)show_cut(word.bytes, 32), word.bytes);
	if (p->dry_run)
		ADD(line, " (dry run)");
}

static void
add_outcomes(char line[static LINE_MAX_BYTES], const struct ctl_event *event)
{
	char number[27];

	for (int i = 0; i < OUTCOME_KIND_MAX; i++)
		if (event->outcomes[i] > 0)
			ADD(line, "%s%s %s", line[0] != '\0' ? ", " : "", outcome_kind_name((enum outcome_kind)i),
			    present_number(event->outcomes[i], number));
}

/* The line of the bar, which is as wide as the figures leave room for. */
static void
add_bar(char line[static LINE_MAX_BYTES], const struct ctl_progress *p, unsigned int width)
{
	char figures[LINE_MAX_BYTES] = "", bar[LINE_MAX_BYTES];
	unsigned int room;

	add_figures(figures, p);
	if (p->total > 0) {
		room = width > strlen(figures) + 7 ? width - (unsigned int)strlen(figures) - 7 : 0;
		if (room >= BAR_MIN)
			ADD(line, "%s ", progress_bar(p->done, p->total, room, bar));
		ADD(line, "%3u%%  ", percent(p));
	}
	ADD(line, "%s", figures);
}

static void
put_line(struct progress *progress, const char *line, unsigned int width)
{
	(void)printf("%.*s\033[K\n", (int)show_cut(line, width), line);
	progress->drawn++;
}

void
progress_clear(struct progress *progress)
{
	if (progress->drawn > 0)
		(void)printf("\033[%uA\r\033[J", progress->drawn);
	progress->drawn = 0;
	progress->phase[0] = '\0';
	(void)fflush(stdout);
}

void
progress_leave(struct progress *progress)
{
	progress->drawn = 0;
	(void)fflush(stdout);
}

static void
draw_live(struct progress *progress, const struct ctl_event *event)
{
	/* the last column stays free: some terminals go to the next line when it is written */
	unsigned int width = show_width() - 1, before = progress->drawn;
	char phase[LINE_MAX_BYTES] = "", bar[LINE_MAX_BYTES] = "", outcomes[LINE_MAX_BYTES] = "";

	add_phase(phase, &event->progress);
	add_bar(bar, &event->progress, width);
	add_outcomes(outcomes, event);
	if (before > 0)
		(void)printf("\033[%uA\r", before);
	progress->drawn = 0;
	put_line(progress, phase, width);
	put_line(progress, bar, width);
	if (outcomes[0] != '\0')
		put_line(progress, outcomes, width);
	(void)printf("\033[J");
	(void)fflush(stdout);
}

static void
draw_plain(struct progress *progress, const struct ctl_event *event)
{
	const struct ctl_progress *p = &event->progress;
	char line[LINE_MAX_BYTES] = "", outcomes[LINE_MAX_BYTES] = "", word[sizeof(progress->phase)];
	usec_t now = now_usec();

	(void)snprintf(word, sizeof(word), "%s", p->phase);
	if (strcmp(progress->phase, word) == 0 && now - progress->last < PLAIN_USEC)
		return;
	memcpy(progress->phase, word, sizeof(word));
	progress->last = now;
	add_phase(line, p);
	if (p->done > 0 || p->total > 0)
		ADD(line, ": ");
	add_figures(line, p);
	add_outcomes(outcomes, event);
	if (outcomes[0] != '\0')
		ADD(line, "; %s", outcomes);
	(void)printf("%s\n", line);
	(void)fflush(stdout);
}

void
progress_draw(struct progress *progress, const struct ctl_event *event)
{
	if (!event->has_progress)
		return;
	if (show_is_live())
		draw_live(progress, event);
	else
		draw_plain(progress, event);
}

void
progress_print(const struct ctl_progress *p)
{
	unsigned int width = show_width();
	char phase[LINE_MAX_BYTES] = "", bar[LINE_MAX_BYTES] = "";

	add_phase(phase, p);
	(void)printf("  %s", phase);
	if (p->load != NULL) {
		(void)printf(", load ");
		show_escaped(p->load, stdout);
	}
	(void)printf("\n");
	add_bar(bar, p, (width > 0 ? width : 80) - 3);
	if (bar[0] != '\0')
		(void)printf("  %s\n", bar);
}
