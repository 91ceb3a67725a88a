/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supervisor behind walls of its own. */

#include "supervisor/wall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/sandbox.h"
#include "supervisor/journal.h"

/* The folder, not the file: an editor puts a new file in its place, and drop-ins lie beside it. */
static int
folder_of(const char *file, char *ret, size_t size)
{
	const char *slash = strrchr(file, '/');
	int n;

	if (slash == NULL)
		n = snprintf(ret, size, ".");
	else
		n = snprintf(ret, size, "%.*s", slash == file ? 1 : (int)(slash - file), file);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static void
tell(uint32_t walls)
{
	struct entry entry;

	entry_begin(&entry, 7, MESSAGE_WALLS, FEED_KIND_INVALID, NULL, "patrond entered its sandbox%s%s.",
	    (walls & WALL_LANDLOCK_NET) != 0 ? ", no TCP" : "", (walls & WALL_LANDLOCK_SCOPE) != 0 ? ", scope limited" : "");
	entry_field(&entry, "STAGE", "%s", "patrond");
	entry_field(&entry, "WALLS", "0x%x", walls);
	entry_send(&entry);
}

int
wall_enter(const char *config_path)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	char config[1200], work[1200];
	struct sandbox_path paths[4] = {
		{ .path = config },
		{ .path = "/usr/share/zoneinfo" },
		{ .path = "/etc/localtime" },
	};
	struct sandbox_options options = { .paths = paths, .path_count = 3 };
	uint32_t walls;
	int r;

	if (getenv("PATROND_STAGES") == NULL)
		return 0;
	r = folder_of(config_path, config, sizeof(config));
	if (r < 0)
		return r;
	if (runtime != NULL && *runtime != '\0') {
		if ((size_t)snprintf(work, sizeof(work), "%.*s", (int)strcspn(runtime, ":"), runtime) >= sizeof(work))
			return -ENAMETOOLONG;
		paths[options.path_count++] = (struct sandbox_path){ .path = work, .writable = true };
	}
	r = sandbox_enter(PROGRAM_PATROND, &options, &walls);
	if (r == 0)
		tell(walls);
	return r;
}
