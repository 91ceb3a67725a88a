/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_CONFIG_CHECK_H
#define COMMON_CONFIG_CHECK_H

/* What patrond and patronctl tell an administrator of a configuration, in the same words, on standard error. */

#include "common/config.h"

/*
 * Reads all sections, and the profiles that they name, whose values the empty keys of [feed student] and [feed staff] get.
 * Errors as config_read.
 */
int config_read_whole(const char *path, struct config *config, struct config_error *error) WARN_UNUSED;

/* config_read_whole; an error is told, after "PROGRAM: ". Errors as config_read. */
int config_read_told(const char *program, const char *path, struct config *config) WARN_UNUSED;

#define CONFIG_MISSING_MAX 16

/* Looks for what a section needs to be of use. Returns the number of things that are missing, each as a sentence of ours. */
size_t config_missing(const struct config *config, const char *ret_missing[static CONFIG_MISSING_MAX]);

/* The same, told. Returns the number of things that are missing, each told. */
int config_missing_told(const char *program, const char *path, const struct config *config) WARN_UNUSED;

/*
 * Looks whether this user can read the CA bundle: nothing works without it. (known_hosts concerns one source alone, and fetch
 * says what is wrong with it.) Not where the stages are units of their own ($PATROND_STAGES). Returns 1, told, or 0.
 */
int config_ca_told(const char *program, const char *path, const struct config *config) WARN_UNUSED;

/* Prints every effective value; an optional section that is absent is left out. Returns 0 or -EIO. */
int config_print_effective(const struct config *config, FILE *to) WARN_UNUSED;

#endif
