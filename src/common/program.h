/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

/* The programs: one power and one secret each. */

enum program {
	PROGRAM_PATROND,
	PROGRAM_SHARE,
	PROGRAM_FETCH,
	PROGRAM_DECODE,
	PROGRAM_LOAD,
	PROGRAM_REPORT,
	PROGRAM_MAIL,
	PROGRAM_MAX,
};

#endif
