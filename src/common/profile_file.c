/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where profiles are looked for, and which ones the configuration names. */

#include "common/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The path of this program; asked for once, before any walls. */
static const char *
own_path(void)
{
	static char self[CONFIG_TEXT];

	if (self[0] == '\0') {
		ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

		self[n > 0 ? n : 0] = '\0';
	}
	return self;
}

/* Puts the folder of a file, and what follows it, into ret. False where it has none, or it is too long. */
static bool
beside(const char *file, const char *then, char *ret, size_t size)
{
	const char *slash = strrchr(file, '/');

	return slash != NULL && (size_t)snprintf(ret, size, "%.*s/%s", (int)(slash - file), file, then) < size;
}

size_t
profile_folders(const char *config_path, char ret[static PROFILE_FOLDERS_MAX][CONFIG_TEXT])
{
	/* of one build, and of one installation wherever it was put: programs lie in bin and in libexec/patrond */
	static const char *const own[] = { "profiles", "../share/patrond/profiles", "../../share/patrond/profiles" };
	size_t count = 0;

	count += beside(config_path, "profiles", ret[count], CONFIG_TEXT);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		count += beside(own_path(), own[i], ret[count], CONFIG_TEXT);
	(void)snprintf(ret[count++], CONFIG_TEXT, "%s", PATROND_PROFILESDIR);
	return count;
}

static int
read_path(struct profile **ret, const char *path, struct config_error *error)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0;
	int r = fd_read_file(path, LIMIT_CONFIG_SIZE, &bytes, &size);

	(void)snprintf(error->file, sizeof(error->file), "%s", path);
	error->line = 0;
	if (r < 0) {
		(void)snprintf(error->text, sizeof(error->text), "cannot be read: %s", strerror(-r));
		return r;
	}
	return profile_parse(ret, bytes, size, error);
}

int
profile_read(struct profile **ret, const char *name, const char *config_path, struct config_error *error)
{
	char folders[PROFILE_FOLDERS_MAX][CONFIG_TEXT], path[CONFIG_TEXT + 64];
	size_t count;

	if (*name == '/')
		return read_path(ret, name, error);
	count = profile_folders(config_path, folders);
	for (size_t i = 0; i < count; i++) {
		int r = -ENOENT;

		if ((size_t)snprintf(path, sizeof(path), "%s/%s.conf", folders[i], name) < sizeof(path))
			r = read_path(ret, path, error);
		if (r != -ENOENT && r != -ENOTDIR)
			return r;
	}
	(void)snprintf(error->file, sizeof(error->file), "%s", config_path);
	error->line = 0;
	(void)snprintf(error->text, sizeof(error->text),
	    "there is no profile of that name, neither in profiles/ beside this configuration nor in %s", PATROND_PROFILESDIR);
	return -ENOENT;
}

/* --- those that the configuration names --- */

/* An error of [feed …] profile, at the line that says it where there is one. */
static int
refuse_profile(struct config_error *error, const char *config_path, enum feed_kind feed, const struct config_feed *config,
    const char *what)
{
	const bool said = config->profile_line > 0;
	char text[sizeof(error->text)];

	(void)snprintf(text, sizeof(text), "[feed %s] profile: %s", feed_kind_name(feed), what);
	(void)snprintf(error->text, sizeof(error->text), "%s", text);
	(void)snprintf(error->file, sizeof(error->file), "%s", said ? config->profile_file : config_path);
	error->line = said ? config->profile_line : 0;
	return -EINVAL;
}

static int
refuse(struct config_error *error, const char *config_path, enum feed_kind feed, const char *what)
{
	(void)snprintf(error->file, sizeof(error->file), "%s", config_path);
	error->line = 0;
	(void)snprintf(error->text, sizeof(error->text), "[feed %s] %s", feed_kind_name(feed), what);
	return -EINVAL;
}

/* Statuses of the configuration that the profile's column could never hold would make every row inactive. */
static bool
statuses_fit(const struct profile *profile, const struct profile_table *table, const char *statuses)
{
	if (profile_has_any(profile, table->inactive) || profile_has_any(profile, table->active))
		return true;
	while (*statuses != '\0') {
		size_t size = strcspn(statuses, " \t");

		if (size > 0 && !profile_has_word(profile, table->active, statuses, size) &&
		    !profile_has_word(profile, table->inactive, statuses, size))
			return false;
		statuses += size;
		statuses += strspn(statuses, " \t");
	}
	return true;
}

static int
check_against(const struct profile *profile, enum feed_kind feed, struct config_feed *config, const char *config_path,
    struct config_error *error)
{
	const struct profile_table *table = &profile->tables[feed];

	if (!table->given)
		return refuse_profile(error, config_path, feed, config, "that profile has no such section");
	/* the child's own word: nobody but the administrator may say that there is none */
	if (feed == FEED_STUDENT && config->opt_out != OPT_OUT_NONE && profile_column(table, COLUMN_OPT_OUT) == NULL)
		return refuse_profile(error, config_path, feed, config,
		    "that profile has no opt_out column, so no child who has opted out could be told; say opt_out = none "
		    "here where none can have");
	if (profile_column(table, COLUMN_STATUS) == NULL && config->statuses[0] != '\0')
		return refuse(error, config_path, feed, "statuses: that profile has no status column");
	if (!statuses_fit(profile, table, config->statuses))
		return refuse(error, config_path, feed, "statuses: a value that the profile has in neither active nor inactive");
	if (config->pattern[0] == '\0') {
		if (strlen(profile->words[table->file]) >= sizeof(config->pattern))
			return refuse_profile(error, config_path, feed, config, "its file is too long a pattern");
		memcpy(config->pattern, profile->words[table->file], strlen(profile->words[table->file]) + 1);
	}
	return 0;
}

int
profiles_read(struct profiles *ret, struct config *config, const char *config_path, struct config_error *error)
{
	_cleanup_profiles_ struct profiles profiles = { { NULL } };

	for (unsigned int feed = 0; feed < FEED_KIND_MAX; feed++) {
		int r = profile_read(&profiles.of[feed], config->feed[feed].profile, config_path, error);

		if (r == -ENOENT) /* the line is wrong rather than a file */
			(void)refuse_profile(error, config_path, (enum feed_kind)feed, &config->feed[feed], error->text);
		if (r == 0)
			r = check_against(profiles.of[feed], (enum feed_kind)feed, &config->feed[feed], config_path, error);
		if (r < 0)
			return r;
	}
	*ret = profiles;
	profiles = (struct profiles){ { NULL } };
	return 0;
}

void
profiles_done(struct profiles *profiles)
{
	for (unsigned int feed = 0; feed < FEED_KIND_MAX; feed++)
		profiles->of[feed] = profile_free(profiles->of[feed]);
}
