/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ESCAPE_H
#define ESCAPE_H

/*
 * A stage that tries to get out: the real program, built with PATROND_TEST_ESCAPE, does all that it does up to its walls,
 * enters them, and then, in the place of its work, tries what it is told on descriptor 3. In lines of text:
 *
 *   list            each try's name and how it can be proved, a line each, then `end`
 *   set KEY VALUE   what the tries are aimed at; no answer
 *   try NAME        `answer N`: 0, it worked; an errno, it was refused. Or the end of the connection: it was killed
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/sandbox.h"
#include "common/stage.h"

/* What the tries are aimed at; every one of them is there, and can be had by the stage's user without walls. */
struct escape_aim {
	char config[256];      /* the stage's own configuration */
	char file[256];        /* one that the stage's user owns, in a folder that it owns */
	char credential[256];  /* a credential of another stage, readable by this one's user */
	char stream[108];      /* a unix socket that listens */
	char datagram[108];    /* one that takes datagrams */
	char abstract[64];     /* an abstract name that listens, without its leading NUL */
	uint16_t tcp, udp;     /* ports of 127.0.0.1 that listen; never the one that load has */
	uint16_t tcp6;         /* one of ::1; 0: this machine has no IPv6 */
	pid_t stage;           /* another stage's process, of the same user */
	pid_t process;         /* a process of the same user that anybody may look into */
	uintptr_t stage_bytes; /* readable memory of it */
	uintptr_t process_bytes;
};

extern struct escape_aim escape_aim;

/* OPEN: without walls it works for an ordinary user. CLOSED: the kernel, or this machine, may refuse it anyway. */
enum escape_proof { ESCAPE_OPEN, ESCAPE_CLOSED };

struct escape_try {
	const char *name;
	int (*run)(void); /* 0, or an errno */
	enum escape_proof proof;
};

extern const struct escape_try escape_files[], escape_network[], escape_process[], escape_kernel[];

/* What a call answered: 0 or its errno; a descriptor is closed. */
int escape_answer(long r);
int escape_answer_fd(long fd);

/* The walls (enum wall bits) that $PATROND_ESCAPE_WITHOUT leaves out: a test's own control. */
uint32_t escape_without(void);

/* Adds the system call that $PATROND_ESCAPE_HOLE names to a filter: a hole that the tries must find. 0 or an errno. */
int escape_hole(void *filter);

/* Serves tries on the stage's connection until it ends; never returns. */
void escape_serve(const struct stage *stage) __attribute__((noreturn));

#endif
