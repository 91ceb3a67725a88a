/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_INI_H
#define COMMON_INI_H

/* Files of sections and key = value, in systemd's manner: what the configuration and the profiles are written in. */

#include <stddef.h>

#include "common/fd.h"

#define INI_TEXT 1024U /* bytes of a path */

/* Where reading failed. file and text are for the administrator; text never quotes a value. */
struct config_error {
	char file[INI_TEXT];
	unsigned int line; /* 0: about the file as a whole, or about what is missing */
	char text[512];
};

/*
 * Takes a section's name, or a key and its value; both trimmed, changeable, and gone after the call. Returns 0, or a
 * negative errno with the error's text set (ini_refuse).
 */
struct ini_handler {
	int (*on_section)(void *data, char *name);
	int (*on_pair)(void *data, char *key, char *value);
};

/* Reads one file's bytes. Returns 0, or a negative errno with the error's line and text set. */
int ini_parse(const char *bytes, size_t size, const struct ini_handler *handler, void *data, struct config_error *error)
    WARN_UNUSED;

/* Sets the text of an error. Returns -EINVAL. */
int ini_refuse(struct config_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Cuts blanks off both ends, in place. */
char *ini_trim(char *text);

#endif
