/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clean-up report's way to the share. */

#include "supervisor/report.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "supervisor/journal.h"
#include "supervisor/mailer.h"
#include "supervisor/manager.h"
#include "supervisor/sentence.h"

static int
on_answer(struct wire_in *in, void *userdata)
{
	(void)userdata;
	return in->type == WIRE_PROGRESS ? 0 : -EBADMSG;
}

static int
ask(struct errand **ret, struct manager *manager, enum wire_type request, int fd, const char *name, errand_end_fn on_end,
    void *userdata)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct errand_options options = {
		.program = PROGRAM_SHARE,
		.out = &out,
		.fds = &fd,
		.fd_count = fd >= 0 ? 1 : 0,
		.timeout = manager_share_timeout(manager),
		.on_answer = on_answer,
		.on_end = on_end,
		.userdata = userdata,
	};
	int r;

	wire_begin(&out, request);
	wire_put_string(&out, name, strlen(name));
	r = wire_end(&out);
	return r < 0 ? r : errand_run(ret, manager, &options);
}

int
report_deliver(struct errand **ret, struct manager *manager, int fd, const char *name, errand_end_fn on_end, void *userdata)
{
	return ask(ret, manager, WIRE_SHARE_DELIVER, fd, name, on_end, userdata);
}

int
report_remove(struct errand **ret, struct manager *manager, const char *name, errand_end_fn on_end, void *userdata)
{
	return ask(ret, manager, WIRE_SHARE_REMOVE, -EBADF, name, on_end, userdata);
}

int
report_take(struct wire_in *in, struct report_made *ret)
{
	struct report_made made = { .size = wire_get_u64(in) };
	const uint8_t *digest;

	for (size_t i = 0; i < CLEANUP_CLASS_MAX; i++)
		made.counts.classes[i] = wire_get_u32(in);
	made.counts.held = wire_get_u32(in);
	made.counts.rejected = wire_get_u32(in);
	made.counts.opted_out = wire_get_u32(in);
	digest = wire_get_bytes(in, sizeof(made.digest));
	if (digest != NULL)
		memcpy(made.digest, digest, sizeof(made.digest));
	*ret = made;
	return wire_finish(in);
}

bool
report_has_share(const struct config *config)
{
	return (config->sections & SECTION_BIT(SECTION_SHARE)) != 0 && config->share.path[0] != '\0';
}

bool
report_wanted(const struct config *config)
{
	return (config->sections & SECTION_BIT(SECTION_REPORT)) != 0 && (report_has_share(config) || mailer_configured(config));
}

/* The counts as fields: CLEANUP_SEVERAL and its like, HELD_ROWS and REJECTED_ROWS; and for a person how many there are. */
static void
add_counts(struct entry *entry, const struct report_counts *counts)
{
	for (int i = 0; i < CLEANUP_CLASS_MAX; i++) {
		char key[64] = "CLEANUP_";
		const char *name = cleanup_class_name((enum cleanup_class)i);

		for (size_t k = strlen(key); *name != '\0' && k < sizeof(key) - 1; k++, name++)
			key[k] = (char)(*name == '-' ? '_' : toupper((unsigned char)*name));
		entry_field(entry, key, "%u", counts->classes[i]);
	}
	entry_field(entry, "HELD_ROWS", "%u", counts->held);
	entry_field(entry, "REJECTED_ROWS", "%u", counts->rejected);
	entry_field(entry, "OPTED_OUT_PATRONS", "%u", counts->opted_out);
}

/* " (3 several, 9 letters)": the classes of which there are any. */
static void
classes_text(const struct report_counts *counts, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (int i = 0; i < CLEANUP_CLASS_MAX; i++)
		if (counts->classes[i] > 0 && used < size)
			used += (size_t)snprintf(ret + used, size - used, "%s%u %s", used == 0 ? " (" : ", ",
			    counts->classes[i], cleanup_class_name((enum cleanup_class)i));
	if (used > 0 && used < size)
		(void)snprintf(ret + used, size - used, ")");
}

void
report_tell_empty(const char *load_id, const struct failure *failure)
{
	struct entry entry;
	char text[1024];

	if (failure == NULL) {
		entry_begin(&entry, 6, MESSAGE_REPORT_DELIVERED, FEED_KIND_INVALID, load_id,
		    "Nothing is to be cleaned up; no clean-up report is left on the share.");
	} else {
		sentence_failure(PROGRAM_SHARE, failure, text, sizeof(text));
		entry_begin(&entry, 4, MESSAGE_REPORT_FAILED, FEED_KIND_INVALID, load_id,
		    "Nothing is to be cleaned up, but an older clean-up report could not be removed: %s", text);
		entry_field(&entry, "REASON", "%s", failure_word(failure->code));
	}
	entry_send(&entry);
}

void
report_tell(const char *load_id, const char *name, enum program program, const struct failure *failure,
    const struct report_counts *counts)
{
	struct entry entry;
	char text[1024];

	if (failure == NULL) {
		text[0] = '\0';
		if (counts != NULL)
			classes_text(counts, text, sizeof(text));
		entry_begin(&entry, 5, MESSAGE_REPORT_DELIVERED, FEED_KIND_INVALID, load_id,
		    "Clean-up report %s delivered to the share%s.", name, text);
		if (counts != NULL)
			add_counts(&entry, counts);
	} else {
		sentence_failure(program, failure, text, sizeof(text));
		entry_begin(&entry, 4, MESSAGE_REPORT_FAILED, FEED_KIND_INVALID, load_id, "No clean-up report: %s", text);
		entry_field(&entry, "REASON", "%s", failure_word(failure->code));
	}
	entry_send(&entry);
}
