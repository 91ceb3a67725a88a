/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The switches' table: name, values, default, meaning. */

#include "switches.h"

#include <stddef.h>
#include <string.h>

enum type { TYPE_CHOICE, TYPE_NUMBER, TYPE_LIMIT, TYPE_TEXT };

enum { CHOICES_MAX = 4, NUMBER_MAX = 100000000 };

static const struct switch_row {
	const char *name;
	enum type type;
	size_t offset;
	const char *initial;
	const char *choices[CHOICES_MAX];
	const char *help;
} rows[] = {
#define AT(field) offsetof(struct switches, field)
	{ "empty-list", TYPE_CHOICE, AT(empty_list), "404-107", { "404-107", "200-empty", "200-empty-without-total" },
	    "a list without a row" },
	{ "total", TYPE_CHOICE, AT(total), "page", { "page", "true", "absent" },
	    "total of a list: the page's count, the true one, none" },
	{ "over-limit", TYPE_LIMIT, AT(over_limit), "clamp:2000", { 0 }, "limit too large: clamp:N, or 400" },
	{ "phones-on-put", TYPE_CHOICE, AT(phones_append), "replace", { "replace", "append" }, "phones of a PUT" },
	{ "varfields-on-put", TYPE_CHOICE, AT(var_fields_add_only), "replace", { "replace", "add-only" },
	    "varFields of a PUT: each tag's group replaced, or only x, m, y added" },
	{ "duplicate-on-post", TYPE_CHOICE, AT(duplicate_reject), "accept", { "accept", "reject" },
	    "POST of a barcode that is there" },
	{ "find-deleted", TYPE_CHOICE, AT(find_deleted), "no", { "no", "yes" },
	    "find answers with a deleted record when none is live" },
	{ "find-match", TYPE_CHOICE, AT(find_exact), "folded", { "folded", "exact" },
	    "find without case and blanks, or exactly" },
	{ "read-after-write-lag-ms", TYPE_NUMBER, AT(lag_ms), "0", { 0 },
	    "GET, find, list see a new record after so long" },
	{ "pin-min", TYPE_NUMBER, AT(pin_min), "4", { 0 }, "shorter PINs: 400, 136/2" },
	{ "pin-max", TYPE_NUMBER, AT(pin_max), "30", { 0 }, "longer PINs: 400, 136/3" },
	{ "pin-trivial", TYPE_CHOICE, AT(pin_no_trivial), "reject", { "accept", "reject" },
	    "PINs with a character thrice in a row, or 2-4 characters repeated: 400, 136/6" },
	{ "code-padding", TYPE_CHOICE, AT(pad_codes), "yes", { "no", "yes" }, "codes in fixedFields padded to five" },
	{ "put-side-effects", TYPE_CHOICE, AT(put_side_effects), "yes", { "no", "yes" },
	    "a PUT bumps fixed fields 84, 85, 98, 163" },
	{ "keepalive-close-after", TYPE_NUMBER, AT(keepalive_close_after), "0", { 0 },
	    "a connection is closed without a word after N answers; 0: never" },
	{ "retry-after", TYPE_NUMBER, AT(retry_after), "0", { 0 },
	    "Retry-After of 429 and 503, seconds; 0: no header" },
	{ "latency-ms", TYPE_NUMBER, AT(latency_ms), "0", { 0 }, "added to every API request (same as --latency)" },
	{ "slow-ms", TYPE_NUMBER, AT(slow_ms), "5000", { 0 }, "what the fault slow adds" },
	{ "slow-commit", TYPE_CHOICE, AT(slow_commit_after), "before", { "before", "after" },
	    "a delayed request takes effect before or after its delay" },
	{ "token-lifetime", TYPE_NUMBER, AT(token_lifetime), "3600", { 0 }, "seconds (same as --token-lifetime)" },
	{ "token-single", TYPE_CHOICE, AT(token_single), "no", { "no", "yes" }, "a new token ends all older ones" },
	{ "token-refusal", TYPE_CHOICE, AT(token_refusal_oauth), "envelope", { "envelope", "oauth" },
	    "shape of a refused key" },
	{ "list-error-form", TYPE_CHOICE, AT(list_error_entry), "page", { "page", "entry" },
	    "fault list-error-mid: error in place of the page (with 200), or of the rows from the middle on" },
	{ "dump-generated", TYPE_CHOICE, AT(dump_generated), "no", { "no", "yes" },
	    "dumps show derived records that nobody wrote to" },
	{ "link-host", TYPE_TEXT, AT(link_host), "sierra.example.org", { 0 }, "host in the link of a POST's answer" },
	{ "ghost-ids", TYPE_TEXT, AT(ghost_ids), "", { 0 },
	    "ids, comma between, whose PUT gives 404 though GET answers" },
#undef AT
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool
parse_choice(const struct switch_row *row, const char *value, uint32_t *ret)
{
	for (uint32_t i = 0; i < CHOICES_MAX && row->choices[i]; i++) {
		if (!strcmp(row->choices[i], value)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool
parse_number(const struct switch_row *row, const char *value, uint32_t *ret)
{
	uint64_t n;

	if (row->type == TYPE_LIMIT) {
		if (!strcmp(value, "400")) {
			*ret = 0;
			return true;
		}
		if (strncmp(value, "clamp:", 6) != 0 || !strcmp(value, "clamp:0"))
			return false;
		value += 6;
	}
	if (!parse_u64(value, NUMBER_MAX, &n))
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool
set_row(struct switches *s, const struct switch_row *row, const char *value)
{
	void *at = (char *)s + row->offset;

	if (row->type == TYPE_TEXT) {
		if (strlen(value) >= SWITCH_TEXT_MAX)
			return false;
		memcpy(at, value, strlen(value) + 1);
		return true;
	}
	return row->type == TYPE_CHOICE ? parse_choice(row, value, at) : parse_number(row, value, at);
}

bool
switches_set(struct switches *s, const char *name, const char *value)
{
	for (int i = 0; i < N_ROWS; i++)
		if (!strcmp(rows[i].name, name))
			return set_row(s, &rows[i], value);
	return false;
}

void
switches_init(struct switches *s)
{
	memset(s, 0, sizeof(*s));
	for (int i = 0; i < N_ROWS; i++)
		set_row(s, &rows[i], rows[i].initial);
}

void
switches_show(struct text *t, const struct switches *s)
{
	for (int i = 0; i < N_ROWS; i++) {
		const struct switch_row *row = &rows[i];
		const void *at = (const char *)s + row->offset;
		uint32_t n = row->type == TYPE_TEXT ? 0 : *(const uint32_t *)at;

		text_addf(t, "%s\"%s\":", i ? "," : "", row->name);
		if (row->type == TYPE_TEXT)
			text_add_json(t, at);
		else if (row->type == TYPE_CHOICE)
			text_addf(t, "\"%s\"", row->choices[n]);
		else if (row->type == TYPE_LIMIT && n == 0)
			TEXT_LIT(t, "\"400\"");
		else
			text_addf(t, "\"%s%u\"", row->type == TYPE_LIMIT ? "clamp:" : "", n);
	}
}

void
switches_help(FILE *f)
{
	for (int i = 0; i < N_ROWS; i++) {
		const struct switch_row *row = &rows[i];
		struct text values = { 0 };

		for (int c = 0; c < CHOICES_MAX && row->choices[c]; c++)
			text_addf(&values, "%s%s", c ? "|" : "", row->choices[c]);
		if (!values.len)
			text_adds(&values, row->type == TYPE_NUMBER  ? "N"
					   : row->type == TYPE_LIMIT ? "clamp:N|400"
								     : "TEXT");
		fprintf(f, "  %s=%s (default %s)\n      %s\n", row->name, values.data,
		    *row->initial ? row->initial : "empty", row->help);
		text_done(&values);
	}
}
