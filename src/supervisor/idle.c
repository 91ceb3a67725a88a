/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What patrond says of itself between two looks. */

#include "supervisor/idle.h"

#include <time.h>

#include "common/present.h"
#include "supervisor/janitor.h"
#include "supervisor/mailer.h"
#include "supervisor/sentence.h"
#include "supervisor/status.h"

bool
idle_sentence(const struct load_result *result, char *ret, size_t size)
{
	if (result->end == LOAD_HELD && result->guard_count > 0)
		present_guard(&result->guards[0], ret, size);
	else if (result->end == LOAD_FAILED)
		sentence_failure(result->program, &result->failure, ret, size);
	else if (result->due)
		(void)snprintf(ret, size, "Rows are unclear or unreachable; the load is run again.");
	else
		return false;
	return true;
}

static const struct content *
newest(const struct memory *memory, enum content_state state)
{
	for (size_t i = memory->content_count; i > 0; i--)
		if (memory->contents[i - 1].state == state)
			return &memory->contents[i - 1];
	return NULL;
}

static void
hour(time_t seconds, char ret[static 8])
{
	struct tm local;

	ret[0] = '\0';
	if (localtime_r(&seconds, &local) != NULL)
		(void)strftime(ret, 8, "%H:%M", &local);
}

static usec_t
next_look(const struct manager *manager)
{
	usec_t next = UINT64_MAX;

	for (size_t i = 0; i < SOURCE_MAX; i++)
		next = manager->next_look[i] < next ? manager->next_look[i] : next;
	return next;
}

/* "Idle. Last load 02:14: 41 created, 312 renewed, 13,846 current, 3 held, 0 failed. Next look 02:30." */
static void
nothing_waits(const struct manager *manager)
{
	static const enum outcome_kind shown[] = { OUTCOME_CREATED, OUTCOME_RENEWED, OUTCOME_CURRENT, OUTCOME_HELD,
		OUTCOME_FAILED };
	const struct history *history = manager->history;
	usec_t next = next_look(manager), now = manager_now(manager);
	char last[256] = "", plain[64] = "", at[8], number[27];
	size_t used = 0, plaintext = manager->janitor != NULL ? janitor_plaintext(manager->janitor) : 0;

	if (history->count > 0) {
		const struct load_note *note = &history->notes[history->count - 1];

		hour((time_t)(note->time / (int64_t)USEC_PER_SEC), at);
		used = (size_t)snprintf(last, sizeof(last), " Last load %s:", at);
		for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
			unsigned long long sum = 0;

			for (int k = 0; k < FEED_KIND_MAX; k++)
				sum += note->result.counts[k].by_outcome[shown[i]];
			used += (size_t)snprintf(last + used, sizeof(last) - used, "%s %s %s", i > 0 ? "," : "",
			    present_number(sum, number), outcome_kind_name(shown[i]));
		}
		(void)snprintf(last + used, sizeof(last) - used, ".");
	}
	if (plaintext > 0)
		(void)snprintf(plain, sizeof(plain), " Plaintext on the share: %zu file%s.", plaintext, plaintext == 1 ? "" : "s");
	if (next == UINT64_MAX || next <= now) {
		status_set("Idle.%s%s", plain, last);
		return;
	}
	hour((time_t)((manager_realtime(manager) + (int64_t)(next - now)) / (int64_t)USEC_PER_SEC), at);
	status_set("Idle.%s%s Next look %s.", plain, last, at);
}

/* What keeps patrond from its feeds or its report, for as long as it does. Returns false where there is nothing. */
static bool
source_fails(const struct manager *manager)
{
	static const char *const file_at[SOURCE_MAX] = {
		[SOURCE_SHARE] = "a file on the share: ",
		[SOURCE_SFTP] = "a file on the SFTP drop: ",
	};
	char text[512];

	for (size_t i = 0; i < SOURCE_MAX; i++)
		if (manager->source_failures[i].code != FAILURE_NONE) {
			sentence_failure(i == SOURCE_SHARE ? PROGRAM_SHARE : PROGRAM_FETCH, &manager->source_failures[i], text,
			    sizeof(text));
			status_set("FAILED: %s", text);
			return true;
		}
	for (size_t i = 0; i < SOURCE_MAX; i++)
		if (manager->source_notes[i].error[0] != '\0') {
			/* systemd may log it where it stays, and a file's name can be a child's */
			status_set("FAILED: %s%s", manager->source_notes[i].file[0] != '\0' ? file_at[i] : "",
			    manager->source_notes[i].error);
			return true;
		}
	if (manager->report_fd >= 0)
		status_set("FAILED: a clean-up report could not be delivered to the share yet.");
	else if (mailer_fails(manager->mailer))
		status_set("FAILED: a clean-up report could not be mailed yet.");
	return manager->report_fd >= 0 || mailer_fails(manager->mailer);
}

/* Returns false where nothing waits for a person or for another try. */
static bool
something_waits(const struct manager *manager)
{
	const struct content *held = newest(manager->memory, CONTENT_HELD), *due = newest(manager->memory, CONTENT_DUE);
	const struct load_note *note;
	char text[1024];

	if (held != NULL && held->guard_count > 0) {
		present_guard(&held->guards[0], text, sizeof(text));
		status_set("HELD by guard: %s. See patronctl status.", text);
		return true;
	}
	if (due == NULL)
		return source_fails(manager);
	note = history_find(manager->history, due->load_id);
	if (note == NULL || !idle_sentence(&note->result, text, sizeof(text)))
		(void)snprintf(text, sizeof(text), "A load is due again after a failure.");
	status_set("FAILED: %s", text);
	return true;
}

void
idle_status(const struct manager *manager)
{
	if (!something_waits(manager))
		nothing_waits(manager);
}

void
idle_status_or(const struct manager *manager, const char *text)
{
	if (!something_waits(manager))
		status_set("%s", text);
}
