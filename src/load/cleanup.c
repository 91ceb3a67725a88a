/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Malformed barcode fields: what class of trouble, and which keys must not be created beside them. */

#include "load/cleanup.h"

#include <string.h>
#include <unictype.h>

#include "load/fold.h"

/* What a character of a field is. Only 0–9 are digits here: digits of another script are trouble of their own. */
enum {
	SEEN_DIGIT = 1U << 0,
	SEEN_SEMICOLON = 1U << 1,
	SEEN_BLANK = 1U << 2,
	SEEN_PUNCTUATION = 1U << 3, /* the semicolon not included */
	SEEN_LETTER = 1U << 4,
	SEEN_OTHER = 1U << 5,
};

static bool
is_latin(uint32_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static unsigned int
kind_of(uint32_t c)
{
	if (c >= '0' && c <= '9')
		return SEEN_DIGIT;
	if (c == ';')
		return SEEN_SEMICOLON;
	if (fold_is_blank(c))
		return SEEN_BLANK;
	if (c < 0x80) /* what is left of ASCII has no other kind */
		return is_latin(c) ? SEEN_LETTER : SEEN_PUNCTUATION;
	if (uc_is_general_category(c, UC_CATEGORY_L))
		return SEEN_LETTER;
	return uc_is_general_category(c, UC_CATEGORY_P) ? SEEN_PUNCTUATION : SEEN_OTHER;
}

struct text
cleanup_trim(const struct text *field)
{
	struct text ret = { field->bytes, 0 };
	size_t at = 0, taken;
	uint32_t c;

	for (; at < field->size; at += taken) {
		taken = fold_decode(field->bytes + at, field->size - at, &c);
		if (!fold_is_blank(c)) {
			if (ret.size == 0)
				ret.bytes = field->bytes + at;
			ret.size = (size_t)(field->bytes + at + taken - ret.bytes);
		}
	}
	return ret;
}

bool
cleanup_is_clean(const struct text *trimmed, const struct key_rule *rule)
{
	size_t taken;
	uint32_t c;

	if (!key_rule_fits(rule, trimmed->bytes, trimmed->size))
		return false;
	/* Every blank of Unicode is one in a cell, too: key_normalise knows the plain one alone. */
	for (size_t at = 0; at < trimmed->size; at += taken) {
		taken = fold_decode(trimmed->bytes + at, trimmed->size - at, &c);
		if (c == '-' || (c == '#' && at == 0) || fold_is_blank(c))
			return false;
	}
	return true;
}

/* What there is to see in a field. */
struct seen {
	unsigned int all;      /* SEEN bits of the whole field */
	unsigned int runs;     /* runs of digits */
	bool number_then_blank; /* it begins with digits, and a blank follows them */
};

static struct seen
look(const struct text *field)
{
	struct seen seen = { 0 };
	unsigned int before = 0;
	bool first_run = true; /* nothing but digits so far */
	size_t taken;
	uint32_t c;

	for (size_t at = 0; at < field->size; at += taken) {
		unsigned int kind;

		taken = fold_decode(field->bytes + at, field->size - at, &c);
		kind = kind_of(c);
		if (kind == SEEN_DIGIT && before != SEEN_DIGIT)
			seen.runs++;
		if (kind != SEEN_DIGIT && first_run) {
			seen.number_then_blank = at > 0 && kind == SEEN_BLANK;
			first_run = false;
		}
		seen.all |= kind;
		before = kind;
	}
	return seen;
}

enum cleanup_class
cleanup_class_of(const struct text *trimmed)
{
	struct seen seen = look(trimmed);
	const unsigned int parted = SEEN_DIGIT | SEEN_SEMICOLON | SEEN_BLANK;
	const unsigned int marks = SEEN_SEMICOLON | SEEN_BLANK | SEEN_PUNCTUATION;

	if (seen.runs >= 2 && (seen.all & ~parted) == 0)
		return CLEANUP_SEVERAL;
	if (seen.number_then_blank)
		return CLEANUP_NOTE;
	/* Digits alone that do not fit the pattern (too short, say) have no punctuation to take out. */
	if ((seen.all & SEEN_DIGIT) != 0 && (seen.all & marks) != 0 && (seen.all & ~(marks | SEEN_DIGIT)) == 0)
		return CLEANUP_PUNCTUATION;
	if ((seen.all & SEEN_LETTER) != 0)
		return CLEANUP_LETTERS;
	return CLEANUP_OTHER;
}

struct bare_key
bare_key_of(const char *bytes, size_t size)
{
	struct bare_key key = { 0, bytes, size };

	while (key.size > 0 && key.bytes[0] == '0') {
		key.zeros++;
		key.bytes++;
		key.size--;
	}
	return key;
}

/* A key that is being collected from a field, its leading zeros counted apart. */
struct collector {
	size_t zeros;
	size_t size;
	bool too_long;
	char bytes[LIMIT_KEY];
};

static void
collect(struct collector *collector, const char *bytes, size_t size)
{
	if (collector->size == 0 && size == 1 && bytes[0] == '0') {
		collector->zeros++;
		return;
	}
	if (size > sizeof(collector->bytes) - collector->size) {
		collector->too_long = true;
		return;
	}
	memcpy(collector->bytes + collector->size, bytes, size);
	collector->size += size;
}

/* Gives out what was collected, and begins anew. */
static int
give(struct collector *collector, cleanup_key_fn fn, void *data)
{
	struct bare_key key = { collector->zeros, collector->bytes, collector->size };
	int r = 0;

	if (!collector->too_long && key.zeros + key.size > 0)
		r = fn(data, &key);
	collector->zeros = 0;
	collector->size = 0;
	collector->too_long = false;
	return r;
}

/* One character as a key has it: a digit of any script as 0–9, a letter as it stands. Returns its bytes, 0 for others. */
static size_t
key_char(const char *bytes, size_t taken, uint32_t c, char ret[static 4])
{
	int digit;

	if (c < 0x80) {
		ret[0] = (char)c;
		return is_latin(c) || (c >= '0' && c <= '9');
	}
	digit = uc_decimal_value(c);
	if (digit >= 0) {
		ret[0] = (char)('0' + digit);
		return 1;
	}
	if (taken > 4 || !uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M))
		return 0;
	memcpy(ret, bytes, taken);
	return taken;
}

/* What a walk over a field collects. Where digits of two scripts touch, those of ASCII count alone, too. */
struct walk {
	struct collector run;
	struct collector ascii;
	struct collector whole;
	bool mixed; /* the run has digits of another script */
};

/* The end of a run of ASCII digits, and perhaps of the whole run around it. */
static int
end_run(struct walk *walk, bool whole_run, cleanup_key_fn fn, void *data)
{
	int r = 0;

	if (whole_run)
		r = give(&walk->run, fn, data);
	if (r == 0 && walk->mixed)
		r = give(&walk->ascii, fn, data);
	walk->ascii = (struct collector){ .size = 0 };
	if (whole_run)
		walk->mixed = false;
	return r;
}

static int
walk_char(struct walk *walk, const char *bytes, size_t taken, uint32_t c, cleanup_key_fn fn, void *data)
{
	char one[4];
	size_t n = key_char(bytes, taken, c, one);
	bool digit = n == 1 && one[0] >= '0' && one[0] <= '9';

	if (n > 0)
		collect(&walk->whole, one, n);
	if (!digit)
		return end_run(walk, true, fn, data);
	collect(&walk->run, one, n);
	if (c < 0x80) {
		collect(&walk->ascii, one, n);
		return 0;
	}
	walk->mixed = true;
	return end_run(walk, false, fn, data);
}

static int
give_runs_and_whole(const struct text *field, cleanup_key_fn fn, void *data)
{
	struct walk walk = { .mixed = false };
	size_t taken;
	uint32_t c;
	int r;

	for (size_t at = 0; at < field->size; at += taken) {
		taken = fold_decode(field->bytes + at, field->size - at, &c);
		r = walk_char(&walk, field->bytes + at, taken, c, fn, data);
		if (r < 0)
			return r;
	}
	r = end_run(&walk, true, fn, data);
	return r < 0 ? r : give(&walk.whole, fn, data);
}

/* Blanks and punctuation part pieces; a hyphen and # do not, since a key's are removed. */
static bool
parts_pieces(uint32_t c)
{
	return fold_is_blank(c) || (c < 0x80 && strchr(";,/|:()[]{}<>\"'", (int)c) != NULL);
}

static int
give_piece(const char *bytes, size_t size, const struct key_rule *rule, cleanup_key_fn fn, void *data)
{
	char key[LIMIT_KEY];
	int n = key_normalise(bytes, size, key);
	struct bare_key bare;

	if (n <= 0 || !key_rule_fits(rule, key, (size_t)n))
		return 0;
	bare = bare_key_of(key, (size_t)n);
	return fn(data, &bare);
}

/* `12-3456 / OLD` and, where a pattern has letters, `A123456 / OLD`: neither a run nor the whole shows the key. */
static int
give_pieces(const struct text *field, const struct key_rule *rule, cleanup_key_fn fn, void *data)
{
	size_t start = 0, taken;
	uint32_t c;

	for (size_t at = 0; at < field->size; at += taken) {
		int r;

		taken = fold_decode(field->bytes + at, field->size - at, &c);
		if (!parts_pieces(c))
			continue;
		r = give_piece(field->bytes + start, at - start, rule, fn, data);
		if (r < 0)
			return r;
		start = at + taken;
	}
	return give_piece(field->bytes + start, field->size - start, rule, fn, data);
}

int
cleanup_keys(const struct text *trimmed, const struct key_rule *rule, cleanup_key_fn fn, void *data)
{
	int r = give_runs_and_whole(trimmed, fn, data);

	return r < 0 ? r : give_pieces(trimmed, rule, fn, data);
}

size_t
cleanup_show(const struct text *trimmed, char ret[static LIMIT_CLEANUP_FIELD])
{
	size_t used = 0, taken;
	uint32_t c;

	for (size_t at = 0; at < trimmed->size; at += taken) {
		taken = fold_decode(trimmed->bytes + at, trimmed->size - at, &c);
		if (used + taken > LIMIT_CLEANUP_FIELD)
			break;
		/* Control characters and line separators would break the report's lines. */
		if (c != 0xFFFD && fold_is_blank(c)) {
			ret[used++] = ' ';
			continue;
		}
		memcpy(ret + used, trimmed->bytes + at, taken);
		used += taken;
	}
	return used;
}
