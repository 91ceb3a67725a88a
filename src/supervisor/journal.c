/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entries to the journal namespace, as JSON lines, or for a person. */

#define SD_JOURNAL_SUPPRESS_LOCATION

#include "supervisor/journal.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "supervisor/status.h"

#define JOURNAL_SOCKETS "/run/systemd/journal"
#define VERDICT_MAX 256U

static enum log_form log_form = LOG_CONSOLE;
static char kept[VERDICT_MAX + 64]; /* why no entry is written, empty where they are */

/*
 * With LogNamespace=NAME systemd mounts /run/systemd/journal.NAME over /run/systemd/journal: in mountinfo the fourth
 * field (root) of the mount at the fifth shows it.
 */
bool
journal_is_namespace(void)
{
	_cleanup_file_ FILE *file = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	bool found = false;

	if (file == NULL)
		return false;
	while (getline(&line, &room, file) > 0) {
		char root[512], point[512];
		const char *slash;

		if (sscanf(line, "%*s %*s %*s %511s %511s", root, point) != 2 || strcmp(point, JOURNAL_SOCKETS) != 0)
			continue;
		slash = strrchr(root, '/');
		/* the last mount on a point is the one that is seen */
		found = slash != NULL && strncmp(slash, "/journal.", strlen("/journal.")) == 0;
	}
	return found;
}

bool
journal_is_standard_error(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return strcmp(stream, own) == 0;
}

/*
 * What systemd/journal-check has found: patrond itself sees nothing of the journal's configuration from inside its walls.
 * Nothing found is not good news.
 */
static void
read_verdict(const char *runtime, char *ret, size_t size)
{
	_cleanup_free_ char *bytes = NULL;
	char path[1024];
	size_t length;

	(void)snprintf(ret, size, "nobody has looked at its configuration (is patrond started by patrond.service?)");
	if (runtime == NULL || *runtime == '\0' ||
	    (size_t)snprintf(path, sizeof(path), "%.*s/journal", (int)strcspn(runtime, ":"), runtime) >= sizeof(path) ||
	    fd_read_file(path, VERDICT_MAX, &bytes, &length) < 0)
		return;
	length = strcspn(bytes, "\n");
	if (length == strlen("volatile") && strncmp(bytes, "volatile", length) == 0)
		*ret = '\0';
	else if (strncmp(bytes, "persistent: ", strlen("persistent: ")) == 0)
		(void)snprintf(ret, size, "%.*s", (int)(length - strlen("persistent: ")), bytes + strlen("persistent: "));
}

void
journal_look_at(const char *runtime)
{
	char reason[VERDICT_MAX];
	struct entry entry;

	kept[0] = '\0';
	read_verdict(runtime, reason, sizeof(reason));
	if (reason[0] == '\0')
		return;
	entry_begin(&entry, 4, MESSAGE_JOURNAL_KEPT, FEED_KIND_INVALID, NULL,
	    "The journal namespace would keep entries for good: %s. None but this one is written.", reason);
	entry_send(&entry);
	(void)snprintf(kept, sizeof(kept), " NO LOG: the journal would keep it, %s.", reason);
}

void
journal_look(void)
{
	kept[0] = '\0';
	if (log_form == LOG_JOURNAL)
		journal_look_at(getenv("RUNTIME_DIRECTORY"));
}

const char *
journal_kept(void)
{
	return kept;
}

int
journal_open(enum log_form form)
{
	if (form == LOG_JOURNAL && !journal_is_namespace())
		return -EXDEV;
	log_form = form;
	journal_look();
	return 0;
}

static void __attribute__((format(printf, 3, 0)))
add_field(struct entry *entry, const char *key, const char *format, va_list args)
{
	size_t left = sizeof(entry->text) - entry->used;
	char *at = entry->text + entry->used;
	int n, m;

	if (entry->count == ENTRY_FIELDS)
		return;
	n = snprintf(at, left, "%s=", key);
	if (n < 0 || (size_t)n >= left)
		return;
	m = vsnprintf(at + n, left - (size_t)n, format, args);
	if (m < 0 || (size_t)m >= left - (size_t)n)
		return;
	entry->starts[entry->count++] = entry->used;
	entry->used += (size_t)n + (size_t)m + 1;
}

void
entry_field(struct entry *entry, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_field(entry, key, format, args);
	va_end(args);
}

void
entry_begin(struct entry *entry, int priority, const char *message_id, enum feed_kind feed, const char *load_id,
    const char *format, ...)
{
	va_list args;

	entry->used = 0;
	entry->count = 0;
	entry->debug = priority >= 7;
	va_start(args, format);
	add_field(entry, "MESSAGE", format, args);
	va_end(args);
	entry_field(entry, "PRIORITY", "%d", priority);
	entry_field(entry, "MESSAGE_ID", "%s", message_id);
	entry_field(entry, "SYSLOG_IDENTIFIER", "%s",
	    feed == FEED_STUDENT ? "chccs-log-student" : feed == FEED_STAFF ? "chccs-log-staff" : "patrond");
	if (load_id != NULL && *load_id != '\0')
		entry_field(entry, "LOAD", "%s", load_id);
	if (feed >= 0)
		entry_field(entry, "FEED", "%s", feed_kind_name(feed));
}

static void
send_journal(const struct entry *entry)
{
	struct iovec fields[ENTRY_FIELDS];

	for (size_t i = 0; i < entry->count; i++) {
		const char *field = entry->text + entry->starts[i];

		fields[i] = (struct iovec){ (void *)(uintptr_t)field, strlen(field) };
	}
	(void)sd_journal_sendv(fields, (int)entry->count);
}

static void
send_json(const struct entry *entry)
{
	cJSON *object = cJSON_CreateObject();
	char *text;

	for (size_t i = 0; i < entry->count; i++) {
		const char *field = entry->text + entry->starts[i];
		const char *equals = strchr(field, '=');
		char key[64];

		(void)snprintf(key, sizeof(key), "%.*s", (int)(equals - field), field);
		(void)cJSON_AddStringToObject(object, key, equals + 1);
	}
	text = cJSON_PrintUnformatted(object);
	if (text != NULL)
		(void)fprintf(stderr, "%s\n", text);
	cJSON_free(text);
	cJSON_Delete(object);
}

void
entry_send(const struct entry *entry)
{
	if (entry->count == 0 || kept[0] != '\0')
		return;
	switch (log_form) {
	case LOG_JOURNAL:
		send_journal(entry);
		break;
	case LOG_JSON:
		send_json(entry);
		break;
	case LOG_CONSOLE:
		if (entry->debug)
			break; /* a person does not ask for each sandbox */
		status_clear_line();
		(void)fprintf(stderr, "%s\n", entry->text + entry->starts[0] + strlen("MESSAGE="));
		break;
	}
}

void
journal_escape(const char *name, size_t size, char *ret, size_t ret_size)
{
	size_t used = 0;

	for (size_t i = 0; i < size && used + 5 < ret_size; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c > ' ' && c < 0x7f && c != '\\')
			ret[used++] = (char)c;
		else
			used += (size_t)snprintf(ret + used, ret_size - used, "\\x%02x", c);
	}
	ret[used] = '\0';
}
