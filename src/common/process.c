/* SPDX-License-Identifier: GPL-3.0-or-later */
/* No core, no debugger, lower limits. */

#include "common/process.h"

#include <errno.h>
#include <sys/prctl.h>

int
process_lower_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	if (value == RLIM_INFINITY)
		return 0;
	if (getrlimit(resource, &limit) < 0)
		return -errno;
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > value)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

int
process_not_dumpable(void)
{
	/* The prctl is what counts: systemd-coredump on Debian 12 writes a core whatever RLIMIT_CORE says. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return process_lower_limit(RLIMIT_CORE, 0);
}
