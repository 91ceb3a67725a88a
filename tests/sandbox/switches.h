/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_SWITCHES_H
#define STANDIN_SWITCHES_H

/* Owns the switches that choose between the behaviours real sites show; faults.h has those that make it fail. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "text.h"

enum { SWITCH_TEXT_MAX = 256 };

enum empty_list { EMPTY_404, EMPTY_200, EMPTY_200_NO_TOTAL };
enum total { TOTAL_PAGE, TOTAL_TRUE, TOTAL_ABSENT };

struct switches {
	uint32_t empty_list;
	uint32_t total;
	uint32_t over_limit; /* rows; 0: refuse with 400 */
	uint32_t phones_append;
	uint32_t var_fields_add_only;
	uint32_t duplicate_reject;
	uint32_t find_deleted;
	uint32_t find_exact;
	uint32_t lag_ms;
	uint32_t pin_min;
	uint32_t pin_max;
	uint32_t pin_no_trivial;
	uint32_t pad_codes;
	uint32_t put_side_effects;
	uint32_t keepalive_close_after;
	uint32_t retry_after; /* seconds, 0: no header */
	uint32_t latency_ms;
	uint32_t slow_ms;
	uint32_t slow_commit_after;
	uint32_t token_lifetime; /* seconds */
	uint32_t token_single;
	uint32_t token_refusal_oauth;
	uint32_t list_error_entry;
	uint32_t dump_generated;
	char link_host[SWITCH_TEXT_MAX];
	char ghost_ids[SWITCH_TEXT_MAX];
};

void switches_init(struct switches *s);

/* Sets one switch; false when the name or the value is unknown, and then nothing has changed. */
bool switches_set(struct switches *s, const char *name, const char *value);

/* Adds all as members of a JSON object: "name":"value",… */
void switches_show(struct text *t, const struct switches *s);

/* Prints one line for each switch. */
void switches_help(FILE *f);

#endif
