/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A configuration read, looked through and told of. */

#include "common/config_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/profile.h"

int
config_read_whole(const char *path, struct config *config, struct config_error *error)
{
	_cleanup_profiles_ struct profiles profiles = { { NULL } };
	int r = config_read(path, SECTIONS_ALL, config, error);

	return r < 0 ? r : profiles_read(&profiles, config, path, error);
}

int
config_read_told(const char *program, const char *path, struct config *config)
{
	struct config_error error;
	int r = config_read_whole(path, config, &error);

	if (r < 0) {
		if (error.line > 0)
			fprintf(stderr, "%s: %s:%u: %s\n", program, error.file, error.line, error.text);
		else
			fprintf(stderr, "%s: %s: %s\n", program, error.file, error.text);
	}
	return r;
}

size_t
config_missing(const struct config *config, const char *ret_missing[static CONFIG_MISSING_MAX])
{
	const struct {
		enum section section;
		const char *value, *what;
	} needed[] = {
		{ SECTION_SHARE, config->share.path, "[share] path is missing" },
		{ SECTION_SFTP, config->sftp.host, "[sftp] host is missing" },
		{ SECTION_SFTP, config->sftp.user, "[sftp] user is missing" },
		{ SECTION_SIERRA, config->sierra.url, "[sierra] url is missing" },
		{ SECTION_MAIL, config->mail.relay, "[mail] relay is missing" },
		{ SECTION_MAIL, config->mail.from, "[mail] from is missing" },
		{ SECTION_MAIL, config->report.recipients, "[mail] needs [report] recipients, who get the mail" },
	};
	const bool share = (config->sections & SECTION_BIT(SECTION_SHARE)) != 0;
	const bool mail = (config->sections & SECTION_BIT(SECTION_MAIL)) != 0;
	size_t missing = 0;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if ((config->sections & SECTION_BIT(needed[i].section)) != 0 && needed[i].value[0] == '\0')
			ret_missing[missing++] = needed[i].what;
	if ((config->sections & SECTION_BIT(SECTION_SIERRA)) == 0)
		ret_missing[missing++] = "the section [sierra] is missing";
	if ((config->sections & SECTION_BIT(SECTION_REPORT)) != 0 && !share && !mail)
		ret_missing[missing++] = "[report] needs [share], where the report is delivered, or [mail]";
	if (config->report.recipients[0] != '\0' && !mail)
		ret_missing[missing++] = "[report] recipients need [mail], which says by which relay";
	if (mail && !share && config->mail.notify == MAIL_NOTICE)
		ret_missing[missing++] = "[mail] notify = notice needs [share], where the report is delivered";
	if ((config->sections & (SECTION_BIT(SECTION_SHARE) | SECTION_BIT(SECTION_SFTP))) == 0)
		ret_missing[missing++] = "there is no source: neither [share] nor [sftp]";
	return missing;
}

int
config_missing_told(const char *program, const char *path, const struct config *config)
{
	const char *missing[CONFIG_MISSING_MAX];
	size_t count = config_missing(config, missing);

	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "%s: %s: %s\n", program, path, missing[i]);
	return (int)count;
}

int
config_ca_told(const char *program, const char *path, const struct config *config)
{
	const char *file = config->sierra.ca_file;

	if (getenv("PATROND_STAGES") != NULL || file[0] == '\0' || access(file, R_OK) == 0)
		return 0;
	fprintf(stderr, "%s: %s: [sierra] ca_file cannot be read: %s\n", program, path, strerror(errno));
	return 1;
}

/* The share's unit sees /srv/patrond alone: a share elsewhere needs a drop-in, printed as comments. */
static void
tell_bind(const struct config *config, FILE *to)
{
	static const char shown[] = "/srv/patrond/";
	const char *path = config->share.path, *slash = strrchr(path, '/');

	if ((config->sections & SECTION_BIT(SECTION_SHARE)) == 0 || slash == NULL ||
	    strncmp(path, shown, strlen(shown)) == 0)
		return;
	fprintf(to,
	    "# [share] path is not below /srv/patrond. patrond.service reaches it with this drop-in, made by\n"
	    "# systemctl edit patrond-share@.service (the parent, so that what is mounted later is seen):\n"
	    "#   [Service]\n#   BindPaths=-%.*s\n#   NoExecPaths=-+%.*s\n\n",
	    slash == path ? (int)strlen(path) : (int)(slash - path), path, slash == path ? (int)strlen(path) : (int)(slash - path),
	    path);
}

int
config_print_effective(const struct config *config, FILE *to)
{
	/* sections whose absence switches something off */
	const uint32_t optional = SECTION_BIT(SECTION_SHARE) | SECTION_BIT(SECTION_SFTP) | SECTION_BIT(SECTION_REPORT) |
	                          SECTION_BIT(SECTION_MAIL);

	tell_bind(config, to);
	return config_print(config, config->sections | ~optional, to);
}
