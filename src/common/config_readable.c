/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What root reads and a stage may not: read again by a child that is nobody, so that folders and ACLs count, too. */

#include "common/config_readable.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/profile.h"

#define NOT_NOBODY 255 /* the child's exit status, else a count */
#define NOBODY 65534   /* where the name is unknown: the kernel's own number */

static bool
is_denied(int r)
{
	return r == -EACCES || r == -EPERM;
}

static int
tell(const char *program, const char *path, const char *what)
{
	fprintf(stderr, "%s: %s: %s is not readable by all: the stages, which run as users of their own, cannot read it; "
	                "chmod a+r it, and let all into its folders (a+x)\n", program, path, what);
	return 1;
}

/* As a stage begins: the first file that it may not read ends its reading. */
static int
read_as_stages(const char *program, const char *path, const struct config *config)
{
	struct config_error error;
	struct config again;
	int r = config_read(path, SECTIONS_ALL, &again, &error), told = 0;

	if (is_denied(r))
		told += tell(program, error.file, "the configuration");
	for (unsigned int feed = 0; feed < FEED_KIND_MAX; feed++) {
		_cleanup_profile_ struct profile *profile = NULL;

		/* once, where both feeds have the same */
		if (feed > 0 && strcmp(config->feed[feed].profile, config->feed[feed - 1].profile) == 0)
			continue;
		r = profile_read(&profile, config->feed[feed].profile, path, &error);
		if (is_denied(r))
			told += tell(program, error.file, "the profile");
	}
	return told;
}

static int
look_at_files(const char *program, const struct config *config)
{
	const struct {
		enum section section;
		const char *path, *what;
	} files[] = {
		{ SECTION_SIERRA, config->sierra.ca_file, "[sierra] ca_file" },
		{ SECTION_SFTP, config->sftp.known_hosts, "[sftp] known_hosts" },
		{ SECTION_MAIL, config->mail.ca_file, "[mail] ca_file" },
	};
	int told = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if ((config->sections & SECTION_BIT(files[i].section)) != 0 && files[i].path[0] != '\0' &&
		    access(files[i].path, R_OK) < 0 && is_denied(-errno))
			told += tell(program, files[i].path, files[i].what);
	return told;
}

static bool
become_nobody(void)
{
	const struct passwd *user = getpwnam("nobody");
	uid_t uid = user != NULL ? user->pw_uid : NOBODY;
	gid_t gid = user != NULL ? user->pw_gid : NOBODY;

	return setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0 && geteuid() != 0;
}

int
config_unreadable_told(const char *program, const char *path, const struct config *config)
{
	int status = 0;
	pid_t pid;

	if (geteuid() != 0)
		return 0;
	(void)fflush(NULL); /* or the child's exit would print it again */
	pid = fork();
	if (pid == 0)
		_exit(become_nobody() ? read_as_stages(program, path, config) + look_at_files(program, config) : NOT_NOBODY);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			pid = -1;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) != NOT_NOBODY)
		return WEXITSTATUS(status);
	/* unknown, in a container of one user perhaps: said, and no reason to refuse */
	fprintf(stderr, "%s: whether the stages' users may read these files could not be looked at\n", program);
	return 0;
}
