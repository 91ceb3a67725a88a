/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Watching: events where there are events, the sum of a listing where there are none, and always whether it is still there. */

#include "share/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "common/feed_name.h"
#include "share/folder.h"
#include "share/mounts.h"

/* A file is whole when it was closed or renamed; the rest tells that the folder is another one from now on. */
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR | IN_DELETE_SELF | IN_MOVE_SELF)
#define EVENTS_LAST (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)
#define EVENT_BYTES 65536U
#define PAUSE_NSEC (50L * 1000 * 1000) /* between two words of changes: a flood of files is not one of frames */

void
watch_begin(struct watch *watch, const char *path)
{
	_cleanup_fd_ int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	*watch = WATCH_INIT;
	if (folder < 0 || fstat(folder, &watch->folder) < 0) {
		watch->fd = -errno;
		return;
	}
	watch->local = mounts_is_local(folder);
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd < 0) {
		watch->fd = -errno;
		return;
	}
	if (inotify_add_watch(watch->fd, path, EVENTS) < 0) {
		int r = -errno;

		(void)fd_close(watch->fd);
		watch->fd = r;
	}
}

void
watch_done(struct watch *watch)
{
	if (watch->fd >= 0)
		watch->fd = fd_close(watch->fd);
}

/* --- without events --- */

/* Sums over the folder: a change of name, size, time or inode of any file changes one of them. */
struct sums {
	uint64_t feeds, others;
};

struct summing {
	const char *pattern;
	struct sums sums;
};

/* FNV-1a, over bytes and over numbers: to see a change, not to withstand one who hides it. */
static uint64_t
mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 0x100000001b3ULL;
}

static uint64_t
hash_file(const char *name, const struct stat *st)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *name != '\0'; name++)
		hash = mix(hash, (uint8_t)*name);
	hash = mix(hash, (uint64_t)st->st_size);
	hash = mix(hash, (uint64_t)folder_mtime_usec(st));
	hash = mix(hash, st->st_ino);
	return mix(hash, st->st_mode);
}

static unsigned int
change_of(const char *name, const char *pattern)
{
	if (feed_name_fits(name, strlen(name), pattern))
		return SHARE_CHANGE_FEED;
	/* Dot files are not finished, or our own; a report of ours is no news. */
	return name[0] == '.' || report_name_date(name, strlen(name)) >= 0 ? 0 : SHARE_CHANGE_OTHER;
}

static int
sum_file(const struct folder *folder, const char *name, void *userdata)
{
	struct summing *summing = userdata;
	unsigned int what = change_of(name, summing->pattern);
	uint64_t *sum = what == SHARE_CHANGE_FEED ? &summing->sums.feeds : &summing->sums.others;
	struct stat st;

	if (what == 0)
		return 0;
	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	*sum += hash_file(name, &st); /* added, not chained: the order of a folder is nobody's */
	return 0;
}

static int
take_sums(const struct config *config, struct sums *ret, struct failure *failure)
{
	_cleanup_folder_ struct folder folder = FOLDER_INIT;
	struct summing summing = { .pattern = config->share.pattern };
	int r;

	if (folder_open(&folder, config->share.path, failure) < 0)
		return -1;
	r = folder_each(&folder, sum_file, &summing);
	if (r < 0)
		return folder_fail(failure, FOLDER_READING, r);
	*ret = summing.sums;
	return 0;
}

/* --- with events --- */

/* Reads all events that wait. Returns SHARE_CHANGE bits, -ESTALE where the folder is another, or a negative errno. */
static int
read_events(int fd, const char *pattern)
{
	char bytes[EVENT_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));
	unsigned int what = 0;

	for (;;) {
		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 || errno == EAGAIN ? (int)what : -errno;
		for (char *at = bytes; at < bytes + n;) {
			const struct inotify_event *event = (const struct inotify_event *)(const void *)at;

			if ((event->mask & EVENTS_LAST) != 0)
				return -ESTALE;
			if ((event->mask & IN_Q_OVERFLOW) != 0)
				what |= SHARE_CHANGE_ALL; /* who knows what was missed */
			else if (event->len > 0)
				what |= change_of(event->name, pattern);
			at += sizeof(*event) + event->len;
		}
	}
}

static int
say_changed(struct stage *stage, unsigned int what)
{
	int r;

	wire_begin(&stage->out, WIRE_SHARE_CHANGED);
	wire_put_u8(&stage->out, (uint8_t)what);
	r = wire_end(&stage->out);
	return r < 0 ? r : stage_send(stage);
}

static int
on_events(struct stage *stage, const struct watch *watch, struct failure *failure)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NSEC };
	int what = read_events(watch->fd, stage->config.share.pattern);
	int r;

	if (what < 0)
		return failure_set(failure, FAILURE_SHARE_GONE, what);
	if (what == 0)
		return 0;
	r = say_changed(stage, (unsigned int)what);
	(void)nanosleep(&pause, NULL);
	return r;
}

/*
 * Now and then: is it the folder that is watched? A mount over it tells nobody. And what changed, where events do not
 * tell. Says that there is life: a share that hangs hangs this process, and that is how it is noticed.
 */
static int
on_tick(struct stage *stage, const struct watch *watch, struct sums *sums, struct failure *failure)
{
	struct sums before = *sums;
	struct stat st;
	int r;

	if (stat(stage->config.share.path, &st) < 0) {
		*failure = folder_failure(FOLDER_READING, -errno);
		if (failure->number == -ENOENT || failure->number == -ENOTDIR)
			failure->code = FAILURE_SHARE_GONE;
		return -1;
	}
	if (st.st_dev != watch->folder.st_dev || st.st_ino != watch->folder.st_ino)
		return failure_set(failure, FAILURE_SHARE_GONE, -ESTALE);
	if (!watch->local && take_sums(&stage->config, sums, failure) < 0)
		return -1;
	if (before.feeds != sums->feeds || before.others != sums->others) {
		r = say_changed(stage, (before.feeds != sums->feeds ? SHARE_CHANGE_FEED : 0U) |
		                           (before.others != sums->others ? SHARE_CHANGE_OTHER : 0U));
		if (r < 0)
			return r;
	}
	r = wire_add_progress(&stage->out, PHASE_LOOKING, 0, 0);
	return r < 0 ? r : stage_send(stage);
}

static int
say_watched(struct stage *stage, const struct watch *watch)
{
	int r;

	wire_begin(&stage->out, WIRE_SHARE_WATCHED);
	wire_put_u8(&stage->out, watch->local);
	r = wire_end(&stage->out);
	return r < 0 ? r : stage_send(stage);
}

static int64_t
now_msec(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
watch_run(struct stage *stage, const struct watch *watch, struct failure *ret_failure)
{
	const int64_t interval = (int64_t)(stage->config.share.remote_poll_interval / USEC_PER_MSEC);
	int64_t next = now_msec() + interval;
	struct sums sums = { 0 };
	int r;

	if (watch->fd < 0) {
		*ret_failure = folder_failure(FOLDER_READING, watch->fd);
		if (watch->fd == -ENOENT || watch->fd == -ENOTDIR)
			ret_failure->code = FAILURE_SHARE_GONE;
		return -1;
	}
	if (!watch->local && take_sums(&stage->config, &sums, ret_failure) < 0)
		return -1;
	r = say_watched(stage, watch);
	while (r == 0 && !stage_cancelled(stage)) {
		struct pollfd ready[] = { { .fd = stage->fd, .events = POLLIN }, { .fd = watch->fd, .events = POLLIN } };
		int64_t wait = next - now_msec();

		if (poll(ready, 2, wait < 0 ? 0 : (int)wait) < 0 && errno != EINTR)
			return -errno;
		if ((ready[1].revents & POLLIN) != 0)
			r = on_events(stage, watch, ret_failure);
		if (r == 0 && now_msec() >= next) {
			r = on_tick(stage, watch, &sums, ret_failure);
			next = now_msec() + interval;
		}
	}
	return r;
}
