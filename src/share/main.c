/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * patrond-share: watches and lists the library's share, copies feeds from it and delivers reports to it. Its power is the
 * share's folder; it has no secret. It lives as long as its connection and serves one request after another.
 */

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/date.h"
#include "common/fd.h"
#include "common/feed_name.h"
#include "common/stage.h"
#include "share/copy.h"
#include "share/deliver.h"
#include "share/folder.h"
#include "share/janitor.h"
#include "share/list.h"
#include "share/put_away.h"
#include "share/tidy.h"
#include "share/watch.h"

#define SECONDS_PER_DAY 86400
#define SEND_FROM 65536U /* bytes of listings that are sent together */
#define LOOK_ONLY 1U

/* What a request says, copied: looking for CANCEL reads into the buffer that the frame lies in. */
struct request {
	enum wire_type type;
	bool look_only;
	char name[LIMIT_FILE_NAME + 1];
	size_t name_size;
	uint64_t size;
	int64_t mtime;
	unsigned int action; /* enum share_action */
	uint64_t device, inode;
	int fd;
};

/*
 * Each does its request and adds answers to stage->out, but for DONE. Returns 0, -1 with failure filled, or another
 * negative errno where the connection is of no use any more.
 */
struct handler {
	enum wire_type type;
	bool has_name, has_state, has_fd; /* state: size and time */
	int (*handle)(struct stage *stage, const struct folder *folder, const struct request *request,
	    struct failure *failure);
};

struct listing_stage {
	struct stage *stage;
	time_t told; /* seconds of the monotonic clock */
};

/* Ends the frame. They are sent together, but on a slow share now and then: silence is taken for one that hangs. */
static int
end_listed(struct listing_stage *listing)
{
	struct stage *stage = listing->stage;
	struct timespec now = { 0 };
	int r = wire_end(&stage->out);

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (r < 0 || (stage->out.buf.size < SEND_FROM && now.tv_sec == listing->told))
		return r;
	listing->told = now.tv_sec;
	return stage_send(stage);
}

static int
take_listed(const struct listed *file, void *userdata)
{
	struct listing_stage *listing = userdata;
	struct wire_out *out = &listing->stage->out;

	wire_begin(out, WIRE_LISTING);
	wire_put_string(out, file->name, strlen(file->name));
	wire_put_u64(out, file->size);
	wire_put_i64(out, file->mtime);
	return end_listed(listing);
}

/* Today by UTC: behind the walls there is no time zone, and some hours do not matter to a term of days. */
static int32_t
today_utc(time_t now)
{
	return (int32_t)(now / SECONDS_PER_DAY);
}

static int
do_list(struct stage *stage, const struct folder *folder, const struct request *request, struct failure *failure)
{
	time_t now = time(NULL);
	struct listing_stage listing = { .stage = stage };
	struct tidy tidy = {
		.remove_before = today_utc(now) - (int32_t)stage->config.report.keep_days,
		.now = now,
	};

	if (!request->look_only)
		(void)!tidy_reports(folder, &tidy); /* that the folder can be read, the listing shows */
	return list_feeds(folder, stage->config.share.pattern, take_listed, &listing, failure);
}

struct copying {
	struct stage *stage;
	uint64_t total;
	time_t told; /* seconds of the monotonic clock */
};

static bool
go_on_copying(uint64_t done, void *userdata)
{
	struct copying *copying = userdata;
	struct timespec now = { 0 };

	if (stage_cancelled(copying->stage))
		return false;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec == copying->told)
		return true;
	copying->told = now.tv_sec;
	/* Deadlines count from the last sign of progress: without new bytes there is none. */
	return done == 0 || (wire_add_progress(&copying->stage->out, PHASE_RETRIEVING, done, copying->total) == 0 &&
	                        stage_send(copying->stage) == 0);
}

static int
do_copy(struct stage *stage, const struct folder *folder, const struct request *request, struct failure *failure)
{
	struct copying copying = { .stage = stage, .total = request->size };
	struct copy copy = {
		.name = request->name,
		.size = request->size,
		.mtime = request->mtime,
		.to_fd = request->fd,
		.go_on = go_on_copying,
		.userdata = &copying,
	};

	if (copy_feed(folder, &copy, failure) < 0)
		return -1;
	wire_begin(&stage->out, WIRE_COPIED);
	wire_put_u64(&stage->out, request->size);
	return wire_end(&stage->out);
}

/*
 * What a report takes the place of: all that are older, and of the same day those whose feeds it has all of. Without row
 * lists every report says the same of one day, whatever feeds it came with.
 */
static struct tidy
replaced_by(const struct config *config, const struct request *request)
{
	return (struct tidy){
		.remove_before = report_name_date(request->name, request->name_size),
		.kinds = config->report.rows ? report_name_kinds(request->name, request->name_size) : FEED_BITS_ALL,
		.keep = request->name,
		.now = time(NULL),
	};
}

static int
do_deliver(struct stage *stage, const struct folder *folder, const struct request *request, struct failure *failure)
{
	const struct tidy tidy = replaced_by(&stage->config, request);

	if (deliver_report(folder, request->name, request->name_size, request->fd, failure) < 0)
		return -1;
	(void)!tidy_reports(folder, &tidy); /* each report is replaced by the next one */
	return 0;
}

static int
do_remove(struct stage *stage, const struct folder *folder, const struct request *request, struct failure *failure)
{
	const struct tidy tidy = replaced_by(&stage->config, request);

	if (deliver_remove(folder, request->name, request->name_size, failure) < 0)
		return -1;
	(void)!tidy_reports(folder, &tidy); /* there is nothing to clean up, so what is older is of no use */
	return 0;
}

static int
do_put_away(struct stage *stage, const struct folder *folder, const struct request *request, struct failure *failure)
{
	const struct put_away put_away = {
		.name = request->name,
		.size = request->size,
		.mtime = request->mtime,
		.pattern = stage->config.share.pattern,
		.to = request->action == SHARE_ACTION_MOVE ? stage->config.share.done_folder : NULL,
	};

	return put_away_feed(folder, &put_away, failure);
}

static struct janitor_rules
rules_of(const struct config *config)
{
	return (struct janitor_rules){ .patterns = config->janitor.patterns, .inspect = config->janitor.inspect };
}

/*
 * When a file appeared, as far as its times can tell: the later of the two, since a copy may keep its original's. But one
 * in the future, as archives and wrong clocks make it, tells nothing.
 */
static int64_t
appeared(const struct stat *st)
{
	const int64_t mtime = folder_mtime_usec(st), ctime = st->st_ctim.tv_sec * (int64_t)USEC_PER_SEC;

	return mtime > ctime && mtime <= time(NULL) * (int64_t)USEC_PER_SEC ? mtime : ctime;
}

static int
take_found(const struct found *found, void *userdata)
{
	struct listing_stage *listing = userdata;
	struct wire_out *out = &listing->stage->out;

	wire_begin(out, WIRE_SHARE_FOUND);
	wire_put_string(out, found->name, strlen(found->name));
	wire_put_u64(out, (uint64_t)found->st.st_size);
	wire_put_i64(out, folder_mtime_usec(&found->st));
	wire_put_i64(out, appeared(&found->st));
	wire_put_u64(out, found->st.st_dev);
	wire_put_u64(out, found->st.st_ino);
	wire_put_u8(out, (uint8_t)found->what);
	return end_listed(listing);
}

static int
do_sweep(struct stage *stage, const struct folder *folder, const struct request *request, struct failure *failure)
{
	const struct janitor_rules rules = rules_of(&stage->config);
	struct listing_stage listing = { .stage = stage };

	(void)request;
	return janitor_sweep(folder, &rules, take_found, &listing, failure);
}

static void
tick(void *userdata)
{
	struct listing_stage *cleaning = userdata;
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec == cleaning->told)
		return;
	cleaning->told = now.tv_sec;
	if (wire_add_progress(&cleaning->stage->out, PHASE_LOOKING, 0, 0) == 0)
		(void)!stage_send(cleaning->stage); /* a supervisor that is gone ends this process */
}

static int
do_clean(struct stage *stage, const struct folder *folder, const struct request *request, struct failure *failure)
{
	const struct janitor_rules rules = rules_of(&stage->config);
	struct listing_stage cleaning = { .stage = stage };
	const struct clean clean = {
		.name = request->name,
		.size = request->size,
		.mtime = request->mtime,
		.device = request->device,
		.inode = request->inode,
		.tick = tick,
		.userdata = &cleaning,
	};
	enum clean_result result;

	if (stage->config.janitor.policy != JANITOR_DELETE) {
		*failure = failure_of(FAILURE_PROTOCOL, -EPERM);
		return -1;
	}
	if (janitor_clean(folder, &rules, &clean, &result, failure) < 0)
		return -1;
	wire_begin(&stage->out, WIRE_SHARE_CLEANED);
	wire_put_u8(&stage->out, (uint8_t)result);
	return wire_end(&stage->out);
}

static const struct handler handlers[] = {
	{ WIRE_SHARE_LIST, false, false, false, do_list },
	{ WIRE_SHARE_COPY, true, true, true, do_copy },
	{ WIRE_SHARE_DELIVER, true, false, true, do_deliver },
	{ WIRE_SHARE_REMOVE, true, false, false, do_remove },
	{ WIRE_SHARE_DONE, true, true, false, do_put_away },
	{ WIRE_SHARE_SWEEP, false, false, false, do_sweep },
	{ WIRE_SHARE_CLEAN, true, true, false, do_clean },
};

static const struct handler *
handler_of(enum wire_type type)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].type == type)
			return &handlers[i];
	return NULL;
}

/* Reads a request by what its handler says that it has. Returns 0 or -EBADMSG; a descriptor is the caller's either way. */
static int
read_request(struct stage *stage, struct wire_in *in, const struct handler *handler, struct request *ret)
{
	*ret = (struct request){ .type = in->type, .fd = -EBADF };
	if (stage->reader.fd_count != (handler->has_fd ? 1U : 0U))
		return -EBADMSG;
	if (handler->has_fd)
		ret->fd = wire_take_fd(&stage->reader);
	if (handler->has_name) {
		const char *name = wire_get_string(in, LIMIT_FILE_NAME, &ret->name_size);

		if (name == NULL || ret->name_size == 0 || memchr(name, '\0', ret->name_size) != NULL ||
		    memchr(name, '/', ret->name_size) != NULL)
			return -EBADMSG;
		memcpy(ret->name, name, ret->name_size);
	}
	if (handler->has_state) {
		ret->size = wire_get_u64(in);
		ret->mtime = wire_get_i64(in);
	}
	if (in->type == WIRE_SHARE_LIST && in->at != in->end)
		ret->look_only = wire_get_u8(in) == LOOK_ONLY;
	if (in->type == WIRE_SHARE_CLEAN) {
		ret->device = wire_get_u64(in);
		ret->inode = wire_get_u64(in);
	}
	if (in->type == WIRE_SHARE_DONE) {
		ret->action = wire_get_u8(in);
		if (ret->action >= SHARE_ACTION_MAX)
			return -EBADMSG;
	}
	return wire_finish(in);
}

/* The folder is not kept open for it: a share that is watched can be unmounted. Returns as serve. */
static int
serve_watch(struct stage *stage, const struct watch *watch)
{
	struct failure failure;
	int r = watch_run(stage, watch, &failure);

	if (r == 0)
		return stage_done(stage);
	if (r == -1)
		r = stage_fail(stage, &failure);
	/* What was watched is gone, and walls and watch with it: a new process has new ones. */
	return r == 0 ? 1 : r;
}

/* Serves one request. Returns 0 to go on, 1 to end well, or a negative errno to end. */
static int
serve(struct stage *stage, const struct watch *watch, struct wire_in *in)
{
	const struct handler *handler = handler_of(in->type);
	_cleanup_folder_ struct folder folder = FOLDER_INIT;
	struct failure failure = failure_of(FAILURE_PROTOCOL, -EBADMSG);
	struct request request;
	bool opened;
	int r;

	stage->cancelled = false; /* what was said before this request was about another */
	if (in->type == WIRE_SHARE_WATCH && wire_finish(in) == 0 && stage->reader.fd_count == 0)
		return serve_watch(stage, watch);
	r = handler != NULL ? read_request(stage, in, handler, &request) : -EBADMSG;
	if (r < 0) {
		(void)!stage_fail(stage, &failure);
		return r; /* a supervisor that does not speak as agreed is not listened to any longer */
	}
	r = folder_open(&folder, stage->config.share.path, &failure);
	opened = r == 0;
	if (opened)
		r = handler->handle(stage, &folder, &request, &failure);
	/* Before the answer: once it is there the share can be unmounted. */
	folder_done(&folder);
	request.fd = fd_close(request.fd);
	if (r == 0)
		return stage_done(stage);
	if (r == -1)
		r = stage_fail(stage, &failure);
	/* Denied by our own walls, perhaps (folder.c): a new process has new ones. */
	return r == 0 && !opened && failure.number == -EACCES ? 1 : r;
}

static int
run(struct stage *stage)
{
	struct sandbox_options options = { .share_path = stage->config.share.path };
	struct failure failure = failure_of(FAILURE_CONFIG, -ENOENT);
	_cleanup_watch_ struct watch watch = WATCH_INIT;
	struct wire_in in;
	int r;

	r = stage_begin(stage, PROGRAM_SHARE);
	if (r < 0)
		return r;
	if (stage->config.share.path[0] == '\0') {
		(void)!stage_fail(stage, &failure);
		return -ENOENT;
	}
	watch_begin(&watch, stage->config.share.path);
	r = stage_walls(stage, &options);
	if (r < 0)
		return r;
	for (;;) {
		r = stage_request(stage, &in);
		if (r <= 0)
			return r;
		r = serve(stage, &watch, &in);
		if (r != 0)
			return r;
	}
}

int
main(void)
{
	static struct stage stage;

	return stage_end(&stage, run(&stage));
}
