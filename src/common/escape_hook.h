/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_ESCAPE_HOOK_H
#define COMMON_ESCAPE_HOOK_H

/*
 * The three seams of the escape tests' build (PATROND_TEST_ESCAPE, see tests/escape): in any other there is nothing. Such
 * a build cannot be installed.
 */

#ifdef PATROND_TEST_ESCAPE
#include "escape/escape.h"
#else
#define escape_without() 0U
#define escape_hole(filter) 0
#define escape_serve(stage) ((void)0)
#endif

#endif
