/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of values, measured once. */

#include "decode/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

int
words_of_list(struct words *ret, const struct profile *profile, struct profile_words list)
{
	*ret = (struct words){ 0 };
	ret->at = calloc(list.count + 1U, sizeof(*ret->at));
	if (ret->at == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < list.count; i++) {
		const char *word = profile->words[list.first + i];

		if (strcmp(word, PROFILE_WORD_EMPTY) == 0)
			ret->empty = true;
		else if (strcmp(word, PROFILE_WORD_DIGIT) == 0)
			ret->digit = true;
		else if (strcmp(word, PROFILE_WORD_ANY) == 0)
			ret->any = true;
		else
			ret->at[ret->count++] = (struct text){ word, strlen(word) };
	}
	return 0;
}

int
words_of_text(struct words *ret, const char *text)
{
	*ret = (struct words){ 0 };
	ret->at = calloc(strlen(text) / 2 + 1, sizeof(*ret->at));
	if (ret->at == NULL)
		return -ENOMEM;
	text += strspn(text, " \t");
	while (*text != '\0') {
		size_t size = strcspn(text, " \t");

		ret->at[ret->count++] = (struct text){ text, size };
		text += size;
		text += strspn(text, " \t");
	}
	return 0;
}

void
words_done(struct words *words)
{
	free(words->at);
	*words = (struct words){ 0 };
}

static bool
is_digit(const struct text *cell)
{
	size_t digit = cell->size == 2 && cell->bytes[0] == '-' ? 1 : 0;

	return cell->size == digit + 1 && cell->bytes[digit] >= '0' && cell->bytes[digit] <= '9';
}

int
words_place(const struct words *words, const struct text *cell)
{
	for (size_t i = 0; i < words->count; i++) {
		const struct text *word = &words->at[i];

		if ((words->loose || word->size == cell->size) &&
		    text_same_name(word->bytes, word->size, cell->bytes, cell->size))
			return (int)i;
	}
	return -1;
}

bool
words_have(const struct words *words, const struct text *cell)
{
	if (cell->size == 0)
		return words->empty;
	return words_place(words, cell) >= 0 || (words->digit && is_digit(cell));
}
