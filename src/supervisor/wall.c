/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supervisor behind walls of its own. */

#include "supervisor/wall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/profile.h"
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

struct wall_paths {
	struct sandbox_path paths[4 + FEED_KIND_MAX + PROFILE_FOLDERS_MAX];
	size_t count;
	char config[1200], work[1200], profiles[FEED_KIND_MAX][CONFIG_TEXT], folders[PROFILE_FOLDERS_MAX][CONFIG_TEXT];
};

static void
add_path(struct wall_paths *wall, const char *path, bool writable)
{
	wall->paths[wall->count++] = (struct sandbox_path){ .path = path, .writable = writable };
}

/* Profiles are read again at each reload: those that are named now, and whatever lies where names are looked for. */
static void
add_profiles(struct wall_paths *wall, const char *config_path, const struct config *config)
{
	size_t count = profile_folders(config_path, wall->folders);

	for (size_t i = 0; i < count; i++)
		add_path(wall, wall->folders[i], false);
	for (size_t i = 0; i < FEED_KIND_MAX; i++)
		if (config->feed[i].profile[0] == '/' &&
		    folder_of(config->feed[i].profile, wall->profiles[i], sizeof(wall->profiles[i])) == 0)
			add_path(wall, wall->profiles[i], false);
}

int
wall_enter(const char *config_path, const struct config *config)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	struct wall_paths wall = { .count = 0 };
	struct sandbox_options options = { .paths = wall.paths };
	uint32_t walls;
	int r;

	if (getenv("PATROND_STAGES") == NULL)
		return 0;
	r = folder_of(config_path, wall.config, sizeof(wall.config));
	if (r < 0)
		return r;
	add_path(&wall, wall.config, false);
	add_path(&wall, "/usr/share/zoneinfo", false);
	add_path(&wall, "/etc/localtime", false);
	add_profiles(&wall, config_path, config);
	if (runtime != NULL && *runtime != '\0') {
		if ((size_t)snprintf(wall.work, sizeof(wall.work), "%.*s", (int)strcspn(runtime, ":"), runtime) >= sizeof(wall.work))
			return -ENAMETOOLONG;
		add_path(&wall, wall.work, true);
	}
	options.path_count = wall.count;
	r = sandbox_enter(PROGRAM_PATROND, &options, &walls);
	if (r == 0)
		tell(walls);
	return r;
}
