/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DECODE_WORDS_H
#define DECODE_WORDS_H

/* A list of a profile in the form in which each row's cells are compared with it. */

#include "common/fd.h"
#include "common/profile.h"
#include "common/record.h"

struct words {
	struct text *at;
	size_t count;
	bool empty, digit, any; /* (empty), (digit), (any) */
	bool loose;             /* blanks aside too */
};

/* Takes a list of a profile, or words parted by blanks. Both return 0 or -ENOMEM; what they point into stays the caller's. */
int words_of_list(struct words *ret, const struct profile *profile, struct profile_words list) WARN_UNUSED;
int words_of_text(struct words *ret, const char *text) WARN_UNUSED;
void words_done(struct words *words);

/* True where a cell is in the list, letters of ASCII without case. (any) is not looked at. */
bool words_have(const struct words *words, const struct text *cell);

/* The place of a cell in the list from 0, or -1. */
int words_place(const struct words *words, const struct text *cell);

#endif
