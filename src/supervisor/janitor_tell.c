/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The janitor's entries. Of a file nothing is told but its escaped name. */

#include <string.h>

#include "supervisor/janitor_private.h"
#include "supervisor/journal.h"
#include "supervisor/manager.h"
#include "supervisor/sentence.h"

#define NAME_SIZE 1100

static const char *const words[PLAINTEXT_MAX] = {
	[PLAINTEXT_KNOWN] = "known",
	[PLAINTEXT_KNOWN_ZIP] = "known-zip",
	[PLAINTEXT_UNKNOWN] = "unknown",
};

static void
escape(const struct finding *finding, char name[static NAME_SIZE])
{
	journal_escape(finding->file.name, strlen(finding->file.name), name, NAME_SIZE);
}

void
janitor_tell_found(const struct janitor *janitor, const struct finding *finding, bool at_once)
{
	const struct config *config = &janitor->manager->config;
	struct entry entry;
	char name[NAME_SIZE], what[160];

	escape(finding, name);
	if (finding->what == PLAINTEXT_UNKNOWN)
		(void)snprintf(what, sizeof(what), "it looks like a feed that is not encrypted; its name is nobody's that patrond "
		                                   "knows, so a person must delete it");
	else if (config->janitor.policy == JANITOR_DELETE && at_once)
		(void)snprintf(what, sizeof(what), "it lay there at the last close of business already and is deleted now");
	else if (config->janitor.policy == JANITOR_DELETE)
		(void)snprintf(what, sizeof(what), "it is deleted at the close of business (%02u:%02u)",
		    config->janitor.close_of_business / 60, config->janitor.close_of_business % 60);
	else
		(void)snprintf(what, sizeof(what), "a person must delete it ([janitor] policy = report)");
	entry_begin(&entry, 4, MESSAGE_PLAINTEXT, FEED_KIND_INVALID, NULL, "Plaintext on the share: %s: %s.", name, what);
	entry_field(&entry, "FILE", "%s", name);
	entry_field(&entry, "PLAINTEXT", "%s", words[finding->what]);
	entry_send(&entry);
}

void
janitor_tell_would_go(const struct finding *finding)
{
	struct entry entry;
	char name[NAME_SIZE];

	escape(finding, name);
	entry_begin(&entry, 5, MESSAGE_PLAINTEXT, FEED_KIND_INVALID, NULL,
	    "Dry run: %s would be overwritten and deleted at the close of business.", name);
	entry_field(&entry, "FILE", "%s", name);
	entry_field(&entry, "PLAINTEXT", "%s", words[finding->what]);
	entry_field(&entry, "DRY_RUN", "1");
	entry_send(&entry);
}

void
janitor_tell_result(const struct finding *finding, enum clean_result result)
{
	static const struct {
		int priority;
		const char *text, *word;
	} results[CLEAN_RESULT_MAX] = {
		[CLEAN_OVERWRITTEN] = { 5, "was overwritten and deleted", "overwritten" },
		[CLEAN_UNLINKED] = { 4, "was deleted, but could not be overwritten: its bytes may still be found on the disk, or "
		                        "by another link",
		    "unlinked" },
		[CLEAN_CHANGED] = { 6, "is another file by now and was left alone", "changed" },
		[CLEAN_STAYS] = { 3, "could not be deleted and is still there: delete it, or give patrond's user the right to",
		    "stays" },
	};
	struct entry entry;
	char name[NAME_SIZE];

	escape(finding, name);
	entry_begin(&entry, results[result].priority, MESSAGE_PLAINTEXT_GONE, FEED_KIND_INVALID, NULL,
	    "Plaintext on the share: %s %s.", name, results[result].text);
	entry_field(&entry, "FILE", "%s", name);
	entry_field(&entry, "RESULT", "%s", results[result].word);
	entry_send(&entry);
}

void
janitor_tell_failure(const struct finding *finding, enum program program, const struct failure *failure)
{
	struct entry entry;
	char name[NAME_SIZE] = "The share", text[1024];

	if (finding != NULL)
		escape(finding, name);
	sentence_failure(program, failure, text, sizeof(text));
	entry_begin(&entry, 4, MESSAGE_PLAINTEXT, FEED_KIND_INVALID, NULL, "%s could not be looked through for plaintext: %s",
	    name, text);
	if (finding != NULL)
		entry_field(&entry, "FILE", "%s", name);
	entry_field(&entry, "REASON", "%s", failure_word(failure->code));
	entry_send(&entry);
}
