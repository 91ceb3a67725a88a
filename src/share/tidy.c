/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tidying: by the exact names of our own alone, whatever else lies there. */

#include "share/tidy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "common/date.h"
#include "common/feed_name.h"
#include "share/deliver.h"

#define LEFT_BEHIND 3600 /* seconds: another patrond (--once, by hand) may be delivering at this moment */

static bool
is_left_behind(const struct folder *folder, const char *name, int64_t now)
{
	struct stat st;

	if (!deliver_is_temporary(name, strlen(name)) || fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	/* Either way: the server's clock may be ahead of ours. */
	return st.st_mtim.tv_sec < now - LEFT_BEHIND || st.st_mtim.tv_sec > now + LEFT_BEHIND;
}

static bool
is_replaced(const struct tidy *tidy, const char *name)
{
	int32_t date = report_name_date(name, strlen(name));

	if (date == DATE_NONE || (tidy->keep != NULL && strcmp(name, tidy->keep) == 0))
		return false;
	return date < tidy->remove_before ||
	       (date == tidy->remove_before && (report_name_kinds(name, strlen(name)) & ~tidy->kinds) == 0);
}

static int
visit(const struct folder *folder, const char *name, void *userdata)
{
	const struct tidy *tidy = userdata;

	if (is_replaced(tidy, name) || is_left_behind(folder, name, tidy->now))
		(void)!folder_remove(folder, name);
	return 0;
}

int
tidy_reports(const struct folder *folder, const struct tidy *tidy)
{
	struct tidy copy = *tidy;

	return folder_each(folder, visit, &copy);
}
