/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading, checking and printing the values of the configuration, one function a kind. */

#include "common/config_values.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "common/keyrule.h"
#include "common/mailname.h"

struct problem {
	char *text;
	size_t size;
};

static int __attribute__((format(printf, 2, 3)))
refuse(const struct problem *problem, const char *format, ...)
{
	va_list args;

	if (problem->text != NULL) {
		va_start(args, format);
		(void)vsnprintf(problem->text, problem->size, format, args);
		va_end(args);
	}
	return -EINVAL;
}

/* Digits alone, up to max. Returns 0 with the rest of the text, or -EINVAL. */
static int
read_number(const char *text, uint64_t max, uint64_t *ret, const char **ret_rest)
{
	uint64_t number = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		unsigned int digit = (unsigned int)(*text - '0');

		if (number > (max - digit) / 10)
			return -EINVAL;
		number = number * 10 + digit;
	}
	*ret = number;
	*ret_rest = text;
	return 0;
}

/* --- texts --- */

static const char *
bad_url(const char *url)
{
	const char *host = url + strlen("https://");
	size_t size;

	if (strncmp(url, "https://", strlen("https://")) != 0)
		return "must begin with https://, since Sierra answers nothing else";
	size = strcspn(host, "/");
	if (size == 0)
		return "names no host";
	if (memchr(host, '@', size) != NULL)
		return "must not hold a user or password: the key is the credential sierra-key";
	if (strpbrk(url, "?# \t") != NULL)
		return "must not have blanks, ? or #";
	if (url[strlen(url) - 1] == '/')
		return "must not end with a slash: https://HOST/iii/sierra-api/v6";
	if (host[size] == '\0')
		return "has no path: https://HOST/iii/sierra-api/v6";
	return NULL;
}

static const char *
bad_relay(const char *value)
{
	struct relay relay;

	if (strchr(value, '@') != NULL)
		return "must not hold a user or password: see user, and the credential smtp-password";
	return relay_parse(value, &relay) < 0 ? "must be smtp://HOST[:PORT] (STARTTLS) or smtps://HOST[:PORT]" : NULL;
}

static const char *
bad_addresses(const char *value)
{
	const char *address;
	size_t size, count = 0;

	while (address_next(&value, &address, &size)) {
		if (!address_valid(address, size))
			return "must be mail addresses (NAME@DOMAIN), with blanks or commas between";
		if (++count > LIMIT_RECIPIENTS)
			return "has too many addresses: give a list's address instead";
	}
	return NULL;
}

static const char *
bad_regex(const char *pattern)
{
	struct key_rule *rule = NULL;
	int r = key_rule_new(&rule, pattern);

	key_rule_free(rule);
	if (r == -E2BIG)
		return "repeats too much: written out it has more than 1,000 pieces";
	return r < 0 ? "is not a regular expression (POSIX extended) that needs at least one character" : NULL;
}

static const char *
bad_profile(const char *value)
{
	if (*value == '/' || strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(value))
		return NULL;
	return "must be a profile's name (letters, digits, - and _), or the absolute path of one";
}

/* A leading - would be an option to those who pass names on; @ and / belong to other keys. */
static const char *
bad_host(const char *value)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%";

	if (*value == '-' || strspn(value, allowed) != strlen(value))
		return "must be a host name or an address";
	return NULL;
}

/* What libssh would refuse at run time (ssh_options_set, SSH_OPTIONS_USER), where no line can be named any more. */
static const char *
bad_ssh_user(const char *value)
{
	if (strpbrk(value, " \t") != NULL)
		return "must not have blanks";
	if (*value == '-' || value[strlen(value) - 1] == '\\' || strpbrk(value, "'`\";&<>|(){}") != NULL)
		return "must be a user's name, without quotes, brackets or ` ; & < > |, and not beginning with -";
	return NULL;
}

static const char *
bad_text(enum value_kind kind, const char *value)
{
	if (*value == '\0')
		return kind == VALUE_OPTIONAL || kind == VALUE_PATH_OR_NONE || kind == VALUE_PATTERNS_OR_NONE ||
		               kind == VALUE_WORD_OR_NONE || kind == VALUE_ADDRESSES
		           ? NULL
		           : "must not be empty";
	for (const char *at = value; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return "must not have control characters";
	switch (kind) {
	case VALUE_SSH_USER:
		return bad_ssh_user(value);
	case VALUE_WORD_OR_NONE:
		return strpbrk(value, " \t") != NULL ? "must not have blanks" : NULL;
	case VALUE_HOST:
		return bad_host(value);
	case VALUE_PATH:
	case VALUE_PATH_OR_NONE:
		return *value != '/' ? "must be an absolute path" : NULL;
	case VALUE_PATTERN:
	case VALUE_PATTERNS:
	case VALUE_PATTERNS_OR_NONE:
		return strchr(value, '/') != NULL ? "must be a pattern of a file name, without /" : NULL;
	case VALUE_NAME:
		if (strlen(value) > LIMIT_FILE_NAME)
			return "must be a name of at most 255 bytes";
		return strchr(value, '/') != NULL || *value == '.' ? "must be a name, without / and not beginning with a dot"
		                                                   : NULL;
	case VALUE_URL:
		return bad_url(value);
	case VALUE_RELAY:
		return bad_relay(value);
	case VALUE_ADDRESS:
		return address_valid(value, strlen(value)) ? NULL : "must be a mail address: NAME@DOMAIN";
	case VALUE_ADDRESSES:
		return bad_addresses(value);
	case VALUE_REGEX:
		return bad_regex(value);
	case VALUE_PROFILE:
		return bad_profile(value);
	default:
		return NULL;
	}
}

static int
parse_text(const struct config_item *item, const char *value, void *place, const struct problem *problem)
{
	const char *bad;

	if (strlen(value) >= CONFIG_TEXT)
		return refuse(problem, "is longer than %u bytes", CONFIG_TEXT - 1);
	bad = bad_text(item->kind, value);
	if (bad != NULL)
		return refuse(problem, "%s", bad);
	memcpy(place, value, strlen(value) + 1);
	return 0;
}

/* --- numbers --- */

static int
parse_number(const struct config_item *item, const char *value, void *place, const struct problem *problem)
{
	uint32_t *number = place;
	const char *rest;
	uint64_t n;

	if (item->kind == VALUE_NUMBER_OR_ALL && strcmp(value, "all") == 0) {
		*number = UINT32_MAX;
		return 0;
	}
	if (read_number(value, UINT32_MAX, &n, &rest) < 0 || *rest != '\0' || n < item->low || n > item->high)
		return refuse(problem, "must be a whole number from %" PRIu64 " to %" PRIu64 "%s", item->low, item->high,
		    item->kind == VALUE_NUMBER_OR_ALL ? ", or all" : "");
	*number = (uint32_t)n;
	return 0;
}

static int
parse_percent(const struct config_item *item, const char *value, void *place, const struct problem *problem)
{
	uint32_t *percent = place;
	const char *rest;
	uint64_t n;

	if (strcmp(value, "off") == 0) {
		*percent = GUARD_OFF;
		return 0;
	}
	if (read_number(value, item->high, &n, &rest) < 0 || (*rest != '\0' && strcmp(rest, "%") != 0))
		return refuse(problem, "must be a percentage from 0%% to 100%%, or off");
	*percent = (uint32_t)n;
	return 0;
}

static const struct {
	const char *unit;
	usec_t usec;
} units[] = { { "h", 3600 * USEC_PER_SEC }, { "min", 60 * USEC_PER_SEC }, { "s", USEC_PER_SEC }, { "ms", USEC_PER_MSEC } };

static void
format_time(usec_t time, char *text, size_t size)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (time % units[i].usec == 0) {
			(void)snprintf(text, size, "%" PRIu64 "%s", (uint64_t)(time / units[i].usec), units[i].unit);
			return;
		}
	(void)snprintf(text, size, "%" PRIu64 "ms", (uint64_t)(time / USEC_PER_MSEC));
}

static int
parse_time(const struct config_item *item, const char *value, void *place, const struct problem *problem)
{
	usec_t *time = place;
	char low[32], high[32];
	const char *rest;
	uint64_t n;

	if (read_number(value, UINT64_MAX / (3600 * USEC_PER_SEC), &n, &rest) == 0) {
		rest += strspn(rest, " ");
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (strcmp(rest, units[i].unit) == 0 && n * units[i].usec >= item->low &&
			    n * units[i].usec <= item->high) {
				*time = n * units[i].usec;
				return 0;
			}
		if (n == 0 && *rest == '\0' && item->low == 0) {
			*time = 0;
			return 0;
		}
	}
	format_time(item->low, low, sizeof(low));
	format_time(item->high, high, sizeof(high));
	return refuse(problem, "must be a time with its unit (ms, s, min, h) from %s to %s", low, high);
}

static int
parse_bool(const struct config_item *item, const char *value, void *place, const struct problem *problem)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "yes", true }, { "no", false }, { "true", true }, { "false", false }, { "on", true }, { "off", false } };

	(void)item;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i].word) == 0) {
			*(bool *)place = words[i].value;
			return 0;
		}
	return refuse(problem, "must be yes or no");
}

static int
parse_choice(const struct config_item *item, const char *value, void *place, const struct problem *problem)
{
	char list[128] = "";
	size_t used = 0;

	for (const struct choice *c = item->choices; c->word != NULL; c++) {
		int n;

		if (strcmp(value, c->word) == 0) {
			*(int *)place = c->value;
			return 0;
		}
		n = snprintf(list + used, sizeof(list) - used, "%s%s", used > 0 ? ", " : "", c->word);
		if (n > 0 && used + (size_t)n < sizeof(list))
			used += (size_t)n;
	}
	return refuse(problem, "must be one of: %s", list);
}

/* --- times of the week --- */

static int
parse_clock(const struct config_item *item, const char *value, void *place, const struct problem *problem)
{
	const char *rest;
	uint64_t hours, minutes;

	(void)item;
	if (read_number(value, 23, &hours, &rest) < 0 || *rest != ':' || strlen(rest) != strlen(":00") ||
	    read_number(rest + 1, 59, &minutes, &rest) < 0 || *rest != '\0')
		return refuse(problem, "must be a time of day from 00:00 to 23:59");
	*(uint32_t *)place = (uint32_t)(hours * 60 + minutes);
	return 0;
}

static const char day_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/* Reads a day's name. Returns 0 Sunday … 6 Saturday with the rest of the text, or -EINVAL. */
static int
read_day(const char *text, const char **ret_rest)
{
	for (int day = 0; day < 7; day++)
		if (strncasecmp(text, day_names[day], 3) == 0) {
			*ret_rest = text + 3;
			return day;
		}
	return -EINVAL;
}

static int
parse_days(const struct config_item *item, const char *value, void *place, const struct problem *problem)
{
	uint32_t days = 0;

	(void)item;
	for (const char *at = value; *at != '\0'; at += strspn(at, " ")) {
		int first = read_day(at, &at), last = first;

		if (first >= 0 && *at == '-')
			last = read_day(at + 1, &at);
		if (first < 0 || last < 0 || (*at != '\0' && *at != ' '))
			return refuse(problem, "must be days of the week, like Mon-Fri or Mon Wed Fri");
		for (int day = first; day != last; day = (day + 1) % 7)
			days |= 1U << day;
		days |= 1U << last;
	}
	if (days == 0)
		return refuse(problem, "must be days of the week, like Mon-Fri or Mon Wed Fri");
	*(uint32_t *)place = days;
	return 0;
}

static void
print_clock(const struct config_item *item, const void *place, FILE *to)
{
	uint32_t minutes = *(const uint32_t *)place;

	fprintf(to, "%s = %02" PRIu32 ":%02" PRIu32 "\n", item->key, minutes / 60, minutes % 60);
}

static void
print_days(const struct config_item *item, const void *place, FILE *to)
{
	fprintf(to, "%s =", item->key);
	for (int i = 1; i <= 7; i++) /* weeks begin on Monday here */
		if ((*(const uint32_t *)place & 1U << i % 7) != 0)
			fprintf(to, " %s", day_names[i % 7]);
	fprintf(to, "\n");
}

/* --- printing --- */

/* A text that may be empty although its default is not. */
static void
print_empty_text(const struct config_item *item, const void *place, FILE *to)
{
	fprintf(to, "%s = %s\n", item->key, (const char *)place);
}

static void
print_text(const struct config_item *item, const void *place, FILE *to)
{
	const char *text = place;

	/* what is not set must not be read back as an empty value */
	fprintf(to, *text != '\0' ? "%s = %s\n" : "#%s =%s\n", item->key, text);
}

static void
print_number(const struct config_item *item, const void *place, FILE *to)
{
	uint32_t n = *(const uint32_t *)place;

	if (item->kind == VALUE_NUMBER_OR_ALL && n == UINT32_MAX)
		fprintf(to, "%s = all\n", item->key);
	else if (item->kind == VALUE_PERCENT && n == GUARD_OFF)
		fprintf(to, "%s = off\n", item->key);
	else
		fprintf(to, "%s = %" PRIu32 "%s\n", item->key, n, item->kind == VALUE_PERCENT ? "%" : "");
}

static void
print_time(const struct config_item *item, const void *place, FILE *to)
{
	char text[32];

	format_time(*(const usec_t *)place, text, sizeof(text));
	fprintf(to, "%s = %s\n", item->key, text);
}

static void
print_bool(const struct config_item *item, const void *place, FILE *to)
{
	fprintf(to, "%s = %s\n", item->key, *(const bool *)place ? "yes" : "no");
}

static void
print_choice(const struct config_item *item, const void *place, FILE *to)
{
	for (const struct choice *c = item->choices; c->word != NULL; c++)
		if (c->value == *(const int *)place)
			fprintf(to, "%s = %s\n", item->key, c->word);
}

static const struct {
	int (*parse)(const struct config_item *item, const char *value, void *place, const struct problem *problem);
	void (*print)(const struct config_item *item, const void *place, FILE *to);
} kinds[VALUE_KIND_MAX] = {
	[VALUE_TEXT] = { parse_text, print_text },
	[VALUE_OPTIONAL] = { parse_text, print_text },
	[VALUE_SSH_USER] = { parse_text, print_text },
	[VALUE_WORD_OR_NONE] = { parse_text, print_text },
	[VALUE_PATH] = { parse_text, print_text },
	[VALUE_PATH_OR_NONE] = { parse_text, print_text },
	[VALUE_PATTERN] = { parse_text, print_text },
	[VALUE_PATTERNS] = { parse_text, print_text },
	[VALUE_PATTERNS_OR_NONE] = { parse_text, print_empty_text },
	[VALUE_CLOCK] = { parse_clock, print_clock },
	[VALUE_DAYS] = { parse_days, print_days },
	[VALUE_NAME] = { parse_text, print_text },
	[VALUE_HOST] = { parse_text, print_text },
	[VALUE_URL] = { parse_text, print_text },
	[VALUE_RELAY] = { parse_text, print_text },
	[VALUE_ADDRESS] = { parse_text, print_text },
	[VALUE_ADDRESSES] = { parse_text, print_text },
	[VALUE_REGEX] = { parse_text, print_text },
	[VALUE_PROFILE] = { parse_text, print_text },
	[VALUE_NUMBER] = { parse_number, print_number },
	[VALUE_NUMBER_OR_ALL] = { parse_number, print_number },
	[VALUE_PERCENT] = { parse_percent, print_number },
	[VALUE_TIME] = { parse_time, print_time },
	[VALUE_BOOL] = { parse_bool, print_bool },
	[VALUE_CHOICE] = { parse_choice, print_choice },
};

int
config_value_parse(const struct config_item *item, const char *value, struct config *config, char *problem,
    size_t problem_size)
{
	const struct problem to = { problem, problem_size };

	return kinds[item->kind].parse(item, value, (char *)config + item->offset, &to);
}

void
config_value_print(const struct config_item *item, const struct config *config, FILE *to)
{
	kinds[item->kind].print(item, (const char *)config + item->offset, to);
}
