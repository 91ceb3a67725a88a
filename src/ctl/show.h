/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

/* The terminal: foreign text made harmless, colours, width, times. What names no stream goes to standard output. */

#include <stdbool.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "common/buf.h"

#define SHOW_TEXT_MAX 4096U /* bytes of one foreign text that are shown */
#define SHOW_TIME 32U

enum paint { PAINT_BOLD, PAINT_RED, PAINT_YELLOW, PAINT_GREEN };

/* Looks what standard output is. Colours: on a terminal alone, and never with NO_COLOR or TERM=dumb. */
void show_begin(void);

/* True where lines may be drawn over again. */
bool show_is_live(void);

/* Columns of the terminal, 40 to 120; 80 where it does not say, 0 where there is none: lines are not broken then. */
unsigned int show_width(void);

/*
 * Adds a text in UTF-8 with everything written as \u001b that could move a cursor, change a title or turn the direction
 * of writing: control characters, format characters, line separators. A long one is cut (…). Errors as buf_add.
 */
int show_escape(struct buf *out, const char *text) WARN_UNUSED;

/* Prints a text so. */
void show_escaped(const char *text, FILE *to);

/* Prints a text so, in a colour. */
void show_painted(enum paint paint, const char *text);

/* Prints a text so, as lines broken at blanks to the terminal's width, each indented by that many columns. */
void show_wrapped(unsigned int indent, const char *text);

/* Prints a value as one line of JSON, with the same characters escaped in its texts. Returns 0 or -ENOMEM. */
int show_json(const cJSON *value) WARN_UNUSED;

/*
 * Writes a time (2026-03-02T06:15:00Z, or with an offset +01:00) as local time: 06:15:00 where it is today, else
 * 2026-03-02 06:15. What is no such time is copied, escaped and cut. NULL is "never". Returns ret.
 */
const char *show_time(const char *iso, char ret[static SHOW_TIME]);

/* The first bytes of a text that take at most that many columns, counted in code points. */
size_t show_cut(const char *text, unsigned int columns);

#endif
