/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTKIT_H
#define TESTKIT_H

/* What every unit test includes first: cmocka and its prerequisites, and the size of a table. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#endif
