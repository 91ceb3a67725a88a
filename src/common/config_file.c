/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of the configuration: patrond.conf, then patrond.conf.d/ *.conf in the order of their names. */

#include "common/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
read_one(const char *path, uint32_t sections, struct config *config, struct config_error *error)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	int r;

	(void)snprintf(error->file, sizeof(error->file), "%s", path);
	error->line = 0;
	r = fd_read_file(path, LIMIT_CONFIG_SIZE, &bytes, &size);
	if (r < 0) {
		(void)snprintf(error->text, sizeof(error->text), "cannot be read: %s", strerror(-r));
		return r;
	}
	return config_parse(bytes, size, sections, config, error);
}

static int
is_conf(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name);

	return entry->d_name[0] != '.' && size > strlen(".conf") && strcmp(entry->d_name + size - strlen(".conf"), ".conf") == 0;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* not strcoll: the order must not depend on the locale */
}

static int
read_folder(const char *folder, uint32_t sections, struct config *config, struct config_error *error)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_conf, by_name);
	int r = 0;

	if (n < 0) {
		if (errno == ENOENT)
			return 0;
		r = -errno;
		(void)snprintf(error->file, sizeof(error->file), "%s", folder);
		(void)snprintf(error->text, sizeof(error->text), "cannot be read: %s", strerror(-r));
		return r;
	}
	for (int i = 0; i < n; i++) {
		char path[CONFIG_TEXT];

		if (r == 0) {
			if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) < sizeof(path))
				r = read_one(path, sections, config, error);
			else
				r = -ENAMETOOLONG;
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

int
config_read(const char *path, uint32_t sections, struct config *config, struct config_error *error)
{
	char folder[CONFIG_TEXT];
	int r;

	memset(error, 0, sizeof(*error));
	config_defaults(config);
	if ((size_t)snprintf(folder, sizeof(folder), "%s.d", path) >= sizeof(folder)) {
		(void)snprintf(error->text, sizeof(error->text), "the path is too long");
		return -ENAMETOOLONG;
	}
	r = read_one(path, sections, config, error);
	return r < 0 ? r : read_folder(folder, sections, config, error);
}
