/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The barcode pattern: which keys and barcode fields are clean, and how two of them compare. */

#include "common/keyrule.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/pattern_cost.h"

#define PATTERN_DIGITS "[0-9]+"

struct key_rule {
	bool digits; /* the default; regex is not compiled then */
	regex_t regex;
};

/*
 * Whether the pattern matches the text from end to end. Not by `^(…)$` around the pattern: one with a stray parenthesis
 * (`1)|2`) would break out of the anchors and let half a text pass. POSIX matches are leftmost and longest, so when any
 * match is the whole text, this one is.
 */
static bool
matches_whole(const regex_t *regex, const char *text, size_t size)
{
	regmatch_t match[1];

	return regexec(regex, text, 1, match, 0) == 0 && match[0].rm_so == 0 && (size_t)match[0].rm_eo == size;
}

int
key_rule_new(struct key_rule **ret, const char *pattern)
{
	struct key_rule *rule = calloc(1, sizeof(*rule));
	int r;

	if (rule == NULL)
		return -ENOMEM;
	if (strcmp(pattern, PATTERN_DIGITS) == 0) {
		rule->digits = true;
		*ret = rule;
		return 0;
	}
	/* `a++++++++++++++++++++++++++++++` would take more memory than there is. */
	if (pattern_cost(pattern) > LIMIT_PATTERN_COST) {
		free(rule);
		return -E2BIG;
	}
	r = regcomp(&rule->regex, pattern, REG_EXTENDED | REG_ICASE);
	if (r != 0) {
		free(rule);
		return r == REG_ESPACE ? -ENOMEM : -EINVAL;
	}
	/* An empty barcode field must never count as a barcode: every patron without one would be one patron. */
	if (matches_whole(&rule->regex, "", 0)) {
		(void)key_rule_free(rule);
		return -EINVAL;
	}
	*ret = rule;
	return 0;
}

struct key_rule *
key_rule_free(struct key_rule *rule)
{
	if (rule != NULL && !rule->digits)
		regfree(&rule->regex);
	free(rule);
	return NULL;
}

void
key_rule_freep(struct key_rule **rule)
{
	*rule = key_rule_free(*rule);
}

bool
key_rule_fits(const struct key_rule *rule, const char *bytes, size_t size)
{
	char text[LIMIT_KEY + 1];
	bool fits;

	if (size == 0 || size > LIMIT_KEY)
		return false;
	if (rule->digits) {
		for (size_t i = 0; i < size; i++)
			if (bytes[i] < '0' || bytes[i] > '9')
				return false;
		return true;
	}
	/* `$` is Sierra's own line break: a key with it rejects the row, whatever the pattern says. */
	if (memchr(bytes, '\0', size) != NULL || memchr(bytes, '$', size) != NULL)
		return false;
	memcpy(text, bytes, size);
	text[size] = '\0';
	fits = matches_whole(&rule->regex, text, size);
	explicit_bzero(text, sizeof(text));
	return fits;
}

int
key_normalise(const char *cell, size_t size, char ret[static LIMIT_KEY])
{
	bool began = false;
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		if (cell[i] == ' ' || cell[i] == '-')
			continue;
		if (!began) {
			began = true;
			if (cell[i] == '#')
				continue;
		}
		if (used == LIMIT_KEY)
			return -E2BIG;
		ret[used++] = cell[i];
	}
	return (int)used;
}

void
key_fold(char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] >= 'a' && bytes[i] <= 'z')
			bytes[i] = (char)(bytes[i] - 'a' + 'A');
}
