/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_CONFIG_VALUES_H
#define COMMON_CONFIG_VALUES_H

/* The kinds of values of the configuration: how each is read, checked and printed. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/config.h"

enum value_kind {
	VALUE_TEXT,          /* not empty, printable */
	VALUE_OPTIONAL,      /* may be empty */
	VALUE_SSH_USER,      /* as libssh takes it */
	VALUE_WORD_OR_NONE,  /* the same, or empty */
	VALUE_PATH,          /* absolute */
	VALUE_PATH_OR_NONE,  /* the same, or empty */
	VALUE_PATTERN,       /* a shell pattern of a file's name: no slash */
	VALUE_PATTERNS,      /* several, separated by blanks */
	VALUE_PATTERNS_OR_NONE, /* the same, or empty */
	VALUE_CLOCK,         /* a time of day, HH:MM: minutes since midnight */
	VALUE_DAYS,          /* days of the week, `Mon-Fri` or `Mon Wed`: bit 0 Sunday */
	VALUE_NAME,          /* the name of a file or folder: no slash, not hidden */
	VALUE_HOST,          /* a host name or address */
	VALUE_URL,           /* https://HOST[:PORT]/PATH */
	VALUE_RELAY,         /* smtp://HOST[:PORT] or smtps://HOST[:PORT] */
	VALUE_ADDRESS,       /* of a mail */
	VALUE_ADDRESSES,     /* several, blanks or commas between, or none */
	VALUE_REGEX,         /* a barcode pattern */
	VALUE_PROFILE,       /* a profile's name or path */
	VALUE_NUMBER,        /* low to high */
	VALUE_NUMBER_OR_ALL, /* the same, or `all` (UINT32_MAX) */
	VALUE_PERCENT,       /* `30%` or `30`, or `off` (GUARD_OFF) */
	VALUE_TIME,          /* microseconds, written with ms, s, min or h */
	VALUE_BOOL,          /* yes, no */
	VALUE_CHOICE,        /* one of a list */
	VALUE_KIND_MAX,
};

struct choice {
	const char *word;
	int value;
};

struct config_item {
	enum section section;
	const char *key;
	size_t offset; /* in struct config */
	enum value_kind kind;
	uint64_t low, high;
	const char *preset;
	const struct choice *choices;
};

/*
 * Reads a value into its place. problem (may be NULL with size 0) gets what is wrong and what is allowed, never the value.
 * Returns 0 or -EINVAL, the place untouched.
 */
int config_value_parse(const struct config_item *item, const char *value, struct config *config, char *problem,
    size_t problem_size) WARN_UNUSED;

/* Prints `key = value`, as config_value_parse reads it. */
void config_value_print(const struct config_item *item, const struct config *config, FILE *to);

#endif
