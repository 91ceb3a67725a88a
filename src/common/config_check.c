/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A configuration read, looked through and told of. */

#include "common/config_check.h"

int
config_read_told(const char *program, const char *path, struct config *config)
{
	struct config_error error;
	int r = config_read(path, SECTIONS_ALL, config, &error);

	if (r < 0) {
		if (error.line > 0)
			fprintf(stderr, "%s: %s:%u: %s\n", program, error.file, error.line, error.text);
		else
			fprintf(stderr, "%s: %s: %s\n", program, error.file, error.text);
	}
	return r;
}

int
config_missing_told(const char *program, const char *path, const struct config *config)
{
	const struct {
		enum section section;
		const char *value, *what;
	} needed[] = {
		{ SECTION_SHARE, config->share.path, "[share] path" },
		{ SECTION_SFTP, config->sftp.host, "[sftp] host" },
		{ SECTION_SFTP, config->sftp.user, "[sftp] user" },
		{ SECTION_SIERRA, config->sierra.url, "[sierra] url" },
	};
	int missing = 0;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if ((config->sections & SECTION_BIT(needed[i].section)) != 0 && needed[i].value[0] == '\0') {
			fprintf(stderr, "%s: %s: %s is missing\n", program, path, needed[i].what);
			missing++;
		}
	if ((config->sections & SECTION_BIT(SECTION_SIERRA)) == 0) {
		fprintf(stderr, "%s: %s: the section [sierra] is missing\n", program, path);
		missing++;
	}
	if ((config->sections & (SECTION_BIT(SECTION_SHARE) | SECTION_BIT(SECTION_REPORT))) == SECTION_BIT(SECTION_REPORT)) {
		fprintf(stderr, "%s: %s: [report] needs [share], where the report is delivered\n", program, path);
		missing++;
	}
	if ((config->sections & (SECTION_BIT(SECTION_SHARE) | SECTION_BIT(SECTION_SFTP))) == 0) {
		fprintf(stderr, "%s: %s: there is no source: neither [share] nor [sftp]\n", program, path);
		missing++;
	}
	return missing;
}

int
config_print_effective(const struct config *config, FILE *to)
{
	/* sections whose absence switches something off */
	const uint32_t optional = SECTION_BIT(SECTION_SHARE) | SECTION_BIT(SECTION_SFTP) | SECTION_BIT(SECTION_REPORT);

	return config_print(config, config->sections | ~optional, to);
}
