/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SANDBOX_KIT_H
#define SANDBOX_KIT_H

/*
 * The walls from inside: each attempt runs in a child of its own, as a user without rights, behind the walls of each
 * program. What is expected stands in a table: it works, it is answered with an errno, or it kills.
 */

#include "testkit.h"

#include <errno.h>

#include "common/fd.h"
#include "common/sandbox.h"
#include "common/secret.h"

#define WORKS 0
#define KILLED (-1)
#define PROGRAMS 6

#ifdef PATROND_SANITIZE
#define UNLESS_SANITIZED(otherwise, sanitized) (sanitized)
#else
#define UNLESS_SANITIZED(otherwise, sanitized) (otherwise)
#endif

/* What a stage has when it enters its walls. */
struct world {
	int feed;
	int connection, peer;
	int listener, other_listener;
	uint16_t port, other_port;
	int stream, accepted; /* a TCP connection that stood before the walls */
	char folder[64];      /* the share */
	char outside[64];     /* a folder beside it, of the same user */
	struct secret secret;
};

extern struct world world;

struct attempt {
	const char *name;
	int (*run)(void);	/* 0 where it worked, or an errno */
	int expected[PROGRAMS]; /* share, fetch, decode, load, report, mail */
};

#define ALL(expected)                                                                                                  \
	{                                                                                                              \
		expected, expected, expected, expected, expected, expected                                             \
	}
#define NOT_SHARE(share, others)                                                                                       \
	{                                                                                                              \
		share, others, others, others, others, others                                                          \
	}
#define NOT_LOAD(load, others)                                                                                         \
	{                                                                                                              \
		others, others, others, load, others, others                                                           \
	}

/* Mail has one connection and no other: libcurl's attempts are answered, not done. */
#define DIALS(load, mail, others)                                                                                      \
	{                                                                                                              \
		others, others, others, load, others, mail                                                             \
	}

static inline int
answer(long r)
{
	return r < 0 ? errno : 0;
}

/* Make and remove the world: a cmocka group's set-up and tear-down. */
int begin_world(void **state);
int end_world(void **state);

/* Becomes a user without rights, where the test is run by root; ends the process where it cannot. */
void drop_rights(void);

/* Forks; the child runs an attempt behind the walls. Returns what came of it, as in the table. */
int run_behind(enum program program, int (*run)(void));

/* Runs each attempt behind the walls of each program, and fails where one went otherwise than expected. */
void run_table(const struct attempt *table, size_t count);

#endif
