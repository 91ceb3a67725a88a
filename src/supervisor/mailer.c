/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mails that wait, the one that is under way, and who has what. */

#include "supervisor/mailer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mailname.h"
#include "supervisor/journal.h"
#include "supervisor/manager.h"
#include "supervisor/sentence.h"
#include "supervisor/workspace.h"

#define COPY_BLOCK 65536U

/* A report on its way to its recipients. */
struct letter {
	bool there;
	char load_id[LOAD_ID_SIZE];
	int32_t today;
	uint32_t kinds;
	struct report_made made;
	int fd;             /* a copy of the zip of its own, or -EBADF: a notice alone */
	bool on_share;
	uint64_t list;      /* address_list_tag of the recipients that the bits are of */
	uint32_t all, done; /* bits: the recipients, those who have it */
	uint32_t attempts;
	usec_t next;        /* monotonic: not before */
};

struct mailer {
	struct manager *manager;
	struct errand *errand;     /* over `letter`, or NULL */
	struct letter letter;
	struct letter newer;       /* that came while the other was under way */
	uint32_t leaving, taken;   /* bits: what the stage has said */
	bool mailed;               /* it has said MAILED */
	void (*on_over)(struct manager *manager);
};

static void start(struct mailer *mailer);

/* --- letters --- */

static void
letter_drop(struct letter *letter)
{
	letter->fd = workspace_wipe(letter->fd);
	*letter = (struct letter){ .fd = -EBADF };
}

static void
letter_move(struct letter *to, struct letter *from)
{
	letter_drop(to);
	*to = *from;
	*from = (struct letter){ .fd = -EBADF };
}

static unsigned int
count_bits(uint32_t bits)
{
	return (unsigned int)__builtin_popcount(bits);
}

/* Who has this very report already, as far as the configuration still names the same people. */
static void
letter_address(struct letter *letter, const struct manager *manager)
{
	const struct mailed *mailed = &manager->memory->mailed;
	const char *list = manager->config.report.recipients;

	letter->list = address_list_tag(list);
	letter->all = address_list_bits(list);
	letter->done = 0;
	if (mailed->known && mailed->list == letter->list &&
	    memcmp(mailed->digest, letter->made.digest, sizeof(mailed->digest)) == 0)
		letter->done = mailed->done & letter->all;
}

static int
copy_zip(int from, uint64_t size)
{
	_cleanup_free_ char *block = malloc(COPY_BLOCK);
	int to = workspace_new(), r = to < 0 ? to : 0;

	if (block == NULL)
		r = -ENOMEM;
	for (uint64_t at = 0; r == 0 && at < size;) {
		ssize_t n = fd_pread_all(from, block, COPY_BLOCK, (off_t)at);

		r = n > 0 ? fd_pwrite_all(to, block, (size_t)n, (off_t)at) : n < 0 ? (int)n : -EIO;
		at += n > 0 ? (uint64_t)n : 0;
	}
	if (block != NULL)
		explicit_bzero(block, COPY_BLOCK);
	if (r < 0) {
		workspace_wipe(to);
		return r;
	}
	return to;
}

/* --- telling and remembering --- */

/* failure NULL: it was sent to those who had not got it before. */
static void
tell(const struct letter *letter, const struct failure *failure, uint32_t now)
{
	struct entry entry;
	char text[1024];

	if (failure == NULL) {
		entry_begin(&entry, 5, MESSAGE_MAILED, FEED_KIND_INVALID, letter->load_id, "Clean-up report mailed to %u recipient%s.",
		    count_bits(now), count_bits(now) == 1 ? "" : "s");
	} else {
		sentence_failure(PROGRAM_MAIL, failure, text, sizeof(text));
		entry_begin(&entry, 4, MESSAGE_MAIL_FAILED, FEED_KIND_INVALID, letter->load_id,
		    "The clean-up report could not be mailed%s: %s", letter->done != 0 ? " to everybody" : "", text);
		entry_field(&entry, "REASON", "%s", failure_word(failure->code));
	}
	entry_field(&entry, "RECIPIENTS", "%u", count_bits(letter->all));
	entry_field(&entry, "MAILED", "%u", count_bits(letter->done));
	entry_send(&entry);
}

static void
tell_unchanged(const char *load_id)
{
	struct entry entry;

	entry_begin(&entry, 6, MESSAGE_MAILED, FEED_KIND_INVALID, load_id,
	    "The clean-up report says the same as the last one mailed: it is not mailed again.");
	entry_send(&entry);
}

/* Before the last bytes leave, too: a process that is killed then must not send them again. */
static void
remember(const struct mailer *mailer, uint32_t done)
{
	struct mailed *mailed = &mailer->manager->memory->mailed;

	*mailed = (struct mailed){ .known = true, .list = mailer->letter.list, .done = done };
	memcpy(mailed->digest, mailer->letter.made.digest, sizeof(mailed->digest));
	manager_save(mailer->manager);
}

/* --- one mail --- */

static int
on_answer(struct wire_in *in, void *userdata)
{
	struct mailer *mailer = userdata;
	const uint32_t asked = mailer->letter.all & ~mailer->letter.done;
	uint32_t bits;

	if (in->type == WIRE_PROGRESS)
		return 0;
	bits = wire_get_u32(in);
	if (in->type == WIRE_MAIL_LEAVING) {
		if (wire_finish(in) < 0 || mailer->leaving != 0 || bits == 0 || (bits & ~asked) != 0)
			return -EBADMSG;
		mailer->leaving = bits;
		remember(mailer, mailer->letter.done | bits);
		return 0;
	}
	if ((wire_get_u32(in) & ~asked) != 0 || wire_finish(in) < 0 || mailer->mailed || bits != mailer->leaving)
		return -EBADMSG;
	mailer->mailed = true;
	mailer->taken = bits;
	return 0;
}

/* True where the relay itself has said no to the whole mail, after its last bytes: then nobody has it. */
static bool
refused_whole(const struct failure *failure)
{
	static const enum failure_code codes[] = { FAILURE_MAIL_REFUSED, FAILURE_MAIL_TOO_LARGE, FAILURE_MAIL_AUTH };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (failure->code == codes[i])
			return true;
	return false;
}

/* The first time at the next look, then after pauses that grow as those of loads do. */
static usec_t
next_try(const struct manager *manager, uint32_t attempts)
{
	usec_t pause = manager->config.load.retry_pause;

	if (attempts <= 1)
		return manager_now(manager);
	for (uint32_t i = 2; i < attempts && pause < manager->config.load.retry_pause_max; i++)
		pause *= 2;
	return manager_now(manager) +
	       (pause < manager->config.load.retry_pause_max ? pause : manager->config.load.retry_pause_max);
}

/* What became of the mail, whatever the stage said of itself. */
static void
conclude(struct mailer *mailer, const struct failure *failure)
{
	struct letter *letter = &mailer->letter;
	const struct failure unclear = failure_of(FAILURE_MAIL_UNCLEAR, failure != NULL ? failure->number : 0);
	uint32_t before = letter->done;

	if (mailer->mailed) {
		letter->done |= mailer->taken;
		/* It can end as it likes afterwards; but for those who were refused all is well. */
		if (failure != NULL && failure->code != FAILURE_MAIL_RECIPIENT && letter->done == letter->all)
			failure = NULL;
		tell(letter, NULL, letter->done & ~before);
		if (failure != NULL)
			tell(letter, failure, 0);
	} else if (mailer->leaving != 0 && !refused_whole(failure != NULL ? failure : &unclear)) {
		letter->done |= mailer->leaving;
		tell(letter, &unclear, 0);
	} else
		tell(letter, failure != NULL ? failure : &unclear, 0);
	if (mailer->leaving != 0)
		remember(mailer, letter->done);
}

static void
on_end(const struct failure *failure, void *userdata)
{
	struct mailer *mailer = userdata;
	void (*on_over)(struct manager *manager) = mailer->on_over;

	mailer->errand = NULL;
	conclude(mailer, failure);
	if (mailer->letter.done == mailer->letter.all)
		letter_drop(&mailer->letter);
	else {
		mailer->letter.attempts++;
		mailer->letter.next = next_try(mailer->manager, mailer->letter.attempts);
	}
	if (mailer->newer.there)
		letter_move(&mailer->letter, &mailer->newer);
	if (mailer->letter.there && mailer->letter.attempts == 0 && !mailer->manager->stopping)
		start(mailer);
	if (mailer->errand != NULL)
		return;
	mailer->on_over = NULL;
	if (on_over != NULL)
		on_over(mailer->manager);
	else
		manager_tell_idle(mailer->manager);
}

static int
send_off(struct mailer *mailer)
{
	_cleanup_wire_out_ struct wire_out out = WIRE_OUT_INIT;
	const struct letter *letter = &mailer->letter;
	const struct errand_options options = {
		.program = PROGRAM_MAIL,
		.out = &out,
		.fds = &letter->fd,
		.fd_count = letter->fd >= 0 ? 1 : 0,
		.timeout = mailer->manager->config.load.stage_timeout,
		.on_answer = on_answer,
		.on_end = on_end,
		.userdata = mailer,
	};
	int r;

	wire_begin(&out, WIRE_MAIL);
	wire_put_i32(&out, letter->today);
	wire_put_u8(&out, (uint8_t)letter->kinds);
	wire_put_u64(&out, letter->list);
	wire_put_u32(&out, letter->done);
	for (size_t i = 0; i < CLEANUP_CLASS_MAX; i++)
		wire_put_u32(&out, letter->made.counts.classes[i]);
	wire_put_u32(&out, letter->made.counts.held);
	wire_put_u32(&out, letter->made.counts.rejected);
	r = wire_end(&out);
	return r < 0 ? r : errand_run(&mailer->errand, mailer->manager, &options);
}

/* Sends the letter, unless it has to wait for the share. */
static void
start(struct mailer *mailer)
{
	struct letter *letter = &mailer->letter;
	int r;

	if (letter->fd < 0 && !letter->on_share)
		return;
	mailer->leaving = mailer->taken = 0;
	mailer->mailed = false;
	r = send_off(mailer);
	if (r < 0) {
		const struct failure failure = failure_of(FAILURE_MEMORY, r);

		letter->attempts++;
		letter->next = next_try(mailer->manager, letter->attempts);
		tell(letter, &failure, 0);
	}
}

/* --- what comes from outside --- */

bool
mailer_configured(const struct config *config)
{
	const uint32_t needed = SECTION_BIT(SECTION_REPORT) | SECTION_BIT(SECTION_MAIL);

	return (config->sections & needed) == needed && config->mail.relay[0] != '\0' && config->mail.from[0] != '\0' &&
	       config->report.recipients[0] != '\0';
}

void
mailer_post(struct mailer *mailer, const struct mailer_report *report)
{
	const struct report_made *made = report->made;
	struct letter letter = {
		.there = true,
		.today = report->today,
		.kinds = report->kinds,
		.made = *made,
		.fd = -EBADF,
		.on_share = report->on_share,
	};

	if (!mailer_configured(&mailer->manager->config))
		return;
	(void)snprintf(letter.load_id, sizeof(letter.load_id), "%s", report->load_id);
	/* What the one under way says need not be said again; if it fails it is tried again. */
	letter_drop(&mailer->newer);
	if (mailer->errand != NULL && memcmp(mailer->letter.made.digest, made->digest, sizeof(made->digest)) == 0)
		return;
	letter_address(&letter, mailer->manager);
	if (letter.done == letter.all) {
		if (mailer->errand == NULL)
			letter_drop(&mailer->letter);
		tell_unchanged(letter.load_id);
		return;
	}
	if (mailer->manager->config.mail.notify == MAIL_ATTACH) {
		letter.fd = copy_zip(report->zip_fd, made->size);
		if (letter.fd < 0) {
			const struct failure failure = failure_of(FAILURE_WORKSPACE_FULL, letter.fd);

			tell(&letter, &failure, 0);
			return;
		}
	}
	letter_move(mailer->errand != NULL ? &mailer->newer : &mailer->letter, &letter);
	if (mailer->errand == NULL)
		start(mailer);
}

void
mailer_on_share(struct mailer *mailer)
{
	struct letter *letter = mailer->newer.there ? &mailer->newer : &mailer->letter;

	if (!letter->there || letter->on_share)
		return;
	letter->on_share = true;
	if (mailer->errand == NULL && letter->attempts == 0)
		start(mailer);
}

void
mailer_empty(struct mailer *mailer)
{
	letter_drop(&mailer->newer);
	if (mailer->errand == NULL)
		letter_drop(&mailer->letter);
	mailer->manager->memory->mailed = (struct mailed){ .known = false };
}

void
mailer_look(struct mailer *mailer, bool asked)
{
	struct letter *letter = &mailer->letter;

	if (mailer->errand != NULL || !letter->there || (!asked && letter->next > manager_now(mailer->manager)))
		return;
	if (!mailer_configured(&mailer->manager->config)) {
		letter_drop(letter);
		return;
	}
	/* The people may have been changed by a reload: the bits are of those who were. Those who are now may have it. */
	if (letter->list != address_list_tag(mailer->manager->config.report.recipients))
		letter_address(letter, mailer->manager);
	if (letter->done == letter->all)
		letter_drop(letter);
	else
		start(mailer);
}

bool
mailer_fails(const struct mailer *mailer)
{
	return mailer->letter.there && mailer->letter.attempts > 0;
}

bool
mailer_wait(struct mailer *mailer, void (*on_over)(struct manager *manager))
{
	if (mailer == NULL || mailer->errand == NULL)
		return false;
	mailer->on_over = on_over;
	return true;
}

void
mailer_cancel(struct mailer *mailer)
{
	if (mailer != NULL)
		errand_cancel(mailer->errand);
}

int
mailer_new(struct mailer **ret, struct manager *manager)
{
	struct mailer *mailer = calloc(1, sizeof(*mailer));

	if (mailer == NULL)
		return -ENOMEM;
	mailer->manager = manager;
	mailer->letter.fd = mailer->newer.fd = -EBADF;
	*ret = mailer;
	return 0;
}

struct mailer *
mailer_free(struct mailer *mailer)
{
	if (mailer == NULL)
		return NULL;
	mailer->errand = errand_free(mailer->errand);
	letter_drop(&mailer->letter);
	letter_drop(&mailer->newer);
	free(mailer);
	return NULL;
}
