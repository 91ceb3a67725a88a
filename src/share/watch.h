/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SHARE_WATCH_H
#define SHARE_WATCH_H

/*
 * Watching the share: inotify where it sees, looking again and again where it cannot. Nothing on the share is kept open
 * meanwhile, so that it can be unmounted.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "common/stage.h"
#include "patrond/failure.h"

struct watch {
	int fd;       /* inotify, or negative: the errno of what could not be watched */
	struct stat folder;
	bool local;   /* inotify sees every change */
};

#define WATCH_INIT ((struct watch){ .fd = -EBADF })
#define _cleanup_watch_ __attribute__((cleanup(watch_done)))

/*
 * Makes the watch, before the walls: behind them a process that was taken over could watch, by name, whatever its user
 * may read, since Landlock does not speak of watching. What fails is told by watch_run.
 */
void watch_begin(struct watch *watch, const char *path);
void watch_done(struct watch *watch);

/*
 * Says SHARE_WATCHED, and SHARE_CHANGED for each change, until CANCEL. Returns 0 then, -1 with ret_failure filled where
 * the folder is not what was watched any more, or another negative errno where the connection is of no use.
 */
int watch_run(struct stage *stage, const struct watch *watch, struct failure *ret_failure) WARN_UNUSED;

#endif
