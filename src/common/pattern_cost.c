/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The size of a compiled pattern, by one walk over its text. */

#include "common/pattern_cost.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define DEPTH_MAX 32U /* groups in each other */

/* A group that is open: what it has so far, and the piece that a repetition would repeat, which is in sum too. */
struct level {
	uint64_t sum;
	uint64_t last;
	bool last_repeats; /* there is a repetition in the last piece, or it is one */
	bool repeats;      /* there is one anywhere */
};

static uint64_t
capped(uint64_t value)
{
	return value < UINT32_MAX ? value : UINT32_MAX;
}

static void
add_piece(struct level *level, uint64_t cost, bool repeats)
{
	level->last = cost;
	level->last_repeats = repeats;
	level->repeats |= repeats;
	level->sum = capped(level->sum + cost);
}

/*
 * The piece before stands there so many times. Where that is a repetition already the C library's way through it doubles,
 * each time, even for a `?`: it looks for every way of leaving out.
 */
static void
repeat(struct level *level, uint64_t times)
{
	uint64_t ways = (times > 0 ? times : 1) * (level->last_repeats ? 2 : 1);
	uint64_t cost = capped(level->last * ways + 1);

	level->sum = capped(level->sum - level->last + cost);
	level->last = cost;
	level->last_repeats = level->repeats = true;
}

/* Behind a bracket expression; `]` first, or in a class as [:alpha:], is none of its end. */
static const char *
skip_bracket(const char *at)
{
	at++;
	if (*at == '^')
		at++;
	if (*at == ']')
		at++;
	while (*at != '\0' && *at != ']') {
		const char *end = NULL;

		if (at[0] == '[' && (at[1] == ':' || at[1] == '.' || at[1] == '=')) {
			const char close[] = { at[1], ']', '\0' };

			end = strstr(at + 2, close);
		}
		at = end != NULL ? end + 2 : at + 1;
	}
	return *at == ']' ? at + 1 : at;
}

/* Behind a repetition's braces; the larger of its numbers. */
static const char *
read_braces(const char *at, uint64_t *ret_times)
{
	uint64_t number = 0;

	*ret_times = 0;
	for (at++; *at != '\0' && *at != '}'; at++) {
		number = *at >= '0' && *at <= '9' ? capped(10 * number + (uint64_t)(*at - '0')) : 0;
		if (number > *ret_times)
			*ret_times = number;
	}
	return *at == '}' ? at + 1 : at;
}

uint32_t
pattern_cost(const char *pattern)
{
	struct level levels[DEPTH_MAX] = { 0 };
	size_t depth = 0;

	for (const char *at = pattern; *at != '\0';) {
		struct level *level = &levels[depth];
		uint64_t times;

		switch (*at) {
		case '(':
			if (++depth == DEPTH_MAX)
				return UINT32_MAX;
			levels[depth] = (struct level){ 0 };
			at++;
			break;
		case ')':
			if (depth == 0)
				add_piece(level, 1, false);
			else
				add_piece(&levels[--depth], capped(level->sum + 1), level->repeats);
			at++;
			break;
		case '[':
			at = skip_bracket(at);
			add_piece(level, 1, false);
			break;
		case '{':
			at = read_braces(at, &times);
			repeat(level, times);
			break;
		case '*':
		case '?':
			repeat(level, 1);
			at++;
			break;
		case '+':
			repeat(level, 2);
			at++;
			break;
		default:
			add_piece(level, 1, false);
			at += *at == '\\' && at[1] != '\0' ? 2 : 1;
			break;
		}
	}
	for (size_t i = 1; i <= depth; i++)
		levels[0].sum = capped(levels[0].sum + levels[i].sum);
	return (uint32_t)levels[0].sum;
}
