/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names taken apart and compared by keyed hashes of their foldings. */

#include "load/names.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>

#include "load/fold.h"

_Static_assert(NAMES_KEY_SIZE == crypto_shorthash_KEYBYTES, "the key of SipHash");
_Static_assert(sizeof(uint64_t) == crypto_shorthash_BYTES, "the hash is 64 bits");
_Static_assert(1U + NAMES_PARTS_MAX <= 15U, "name_pack gives the count of surnames four bits");

/* A folded text in which blanks, hyphens and commas are kept; a folding has none of these bytes of its own. */
struct folded {
	char bytes[NAMES_FOLDED_MAX];
	size_t size;
};

/* A word or a part of one, inside a folded text. */
struct piece {
	const char *bytes;
	size_t size;
};

/* What is joined of a name's pieces. */
struct joined {
	char bytes[NAMES_FOLDED_MAX];
	size_t size;
};

static const char *const suffixes[] = { "jr", "sr", "ii", "iii", "iv" };
static const char *const particles[] = { "de", "del", "la", "las", "los", "da", "dos", "van", "von", "der", "den", "el",
	"al", "bin", "st" };

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

int
names_key_init(struct names_key *ret)
{
	ssize_t n = getrandom(ret->bytes, sizeof(ret->bytes), 0);

	if (n < 0)
		return -errno;
	return (size_t)n == sizeof(ret->bytes) ? 0 : -EIO;
}

static uint64_t
hash(const struct names_key *key, const char *bytes, size_t size)
{
	uint64_t value;

	(void)crypto_shorthash((unsigned char *)&value, (const unsigned char *)bytes, size, key->bytes);
	return value;
}

int
names_fold(struct buf *out, const char *bytes, size_t size)
{
	char folded[FOLD_MAX];
	size_t taken, n;
	int r = 0;

	for (size_t i = 0; i < size && r == 0; i += taken)
		if (fold_char(bytes + i, size - i, &taken, folded, &n) == FOLD_LETTER)
			r = buf_add(out, folded, n);
	explicit_bzero(folded, sizeof(folded));
	return r;
}

/* Folds a text and keeps what parts a name. A text that is too long is cut: it agrees with no row's then. */
static void
fold_marked(const struct text *text, struct folded *ret)
{
	static const char marks[] = { [FOLD_BLANK] = ' ', [FOLD_HYPHEN] = '-', [FOLD_COMMA] = ',' };
	char letter[FOLD_MAX];
	size_t taken, n;

	ret->size = 0;
	for (size_t i = 0; i < text->size && ret->size + FOLD_MAX <= sizeof(ret->bytes); i += taken) {
		enum fold_kind kind = fold_char(text->bytes + i, text->size - i, &taken, letter, &n);

		if (kind == FOLD_NOTHING)
			continue;
		if (kind != FOLD_LETTER) {
			letter[0] = marks[kind];
			n = 1;
		}
		memcpy(ret->bytes + ret->size, letter, n);
		ret->size += n;
	}
}

static bool
is_one_of(const struct piece *piece, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == piece->size && memcmp(words[i], piece->bytes, piece->size) == 0)
			return true;
	return false;
}

static bool
is_mark(char c)
{
	return c == ' ' || c == '-' || c == ',';
}

/* The next piece between marks. ret_blank: whether a blank or a comma stood before it. */
static bool
next_piece(const char **at, const char *end, struct piece *ret, bool *ret_blank)
{
	const char *p = *at;

	*ret_blank = false;
	/* the analyser takes the fold's buffer for uninitialised: it does not see unistring fill it */
	while (p < end && is_mark(*p)) { /* NOLINT(clang-analyzer-core.CallAndMessage) */
		if (*p != '-')
			*ret_blank = true;
		p++;
	}
	ret->bytes = p;
	while (p < end && !is_mark(*p)) /* NOLINT(clang-analyzer-core.CallAndMessage) */
		p++;
	ret->size = (size_t)(p - ret->bytes);
	*at = p;
	return ret->size > 0;
}

/* Whether suffixes can be left out: not where nothing else is there ("J.R." is a first name, too). */
static bool
has_more_than_suffixes(const char *bytes, const char *end)
{
	struct piece piece;
	bool blank;

	while (next_piece(&bytes, end, &piece, &blank))
		if (!is_one_of(&piece, suffixes, ARRAY_SIZE(suffixes)))
			return true;
	return false;
}

static void
join(struct joined *whole, const struct piece *piece)
{
	memcpy(whole->bytes + whole->size, piece->bytes, piece->size);
	whole->size += piece->size;
}

/*
 * A part that may stand for a double surname: no particle, and no single Latin letter, or O'Brien written `O BRIEN`
 * would agree with every `O NEIL`. (In other scripts one letter is a surname.)
 */
static bool
is_part(const struct piece *piece)
{
	return piece->size > 1 && !is_one_of(piece, particles, ARRAY_SIZE(particles));
}

static void
add_surname(const struct names_key *key, const char *bytes, const char *end, bool parts, struct name *ret)
{
	bool leave_out = has_more_than_suffixes(bytes, end);
	struct joined whole;
	struct piece piece;
	bool blank;

	whole.size = 0;
	ret->surname_count = 1;
	while (next_piece(&bytes, end, &piece, &blank)) {
		if (leave_out && is_one_of(&piece, suffixes, ARRAY_SIZE(suffixes)))
			continue;
		join(&whole, &piece);
		if (parts && is_part(&piece) && ret->surname_count < ARRAY_SIZE(ret->surnames))
			ret->surnames[ret->surname_count++] = hash(key, piece.bytes, piece.size);
	}
	ret->surnames[0] = hash(key, whole.bytes, whole.size);
	/* One part that is the whole says nothing more. */
	if (ret->surname_count == 2 && ret->surnames[1] == ret->surnames[0])
		ret->surname_count = 1;
	if (whole.size == 0)
		ret->surname_count = 0;
	explicit_bzero(whole.bytes, whole.size);
}

static size_t
count_letters(const char *bytes, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += (bytes[i] & 0xC0) != 0x80;
	return count;
}

static void
add_first(const struct names_key *key, const char *bytes, const char *end, struct name *ret)
{
	bool leave_out = has_more_than_suffixes(bytes, end);
	struct joined whole;
	size_t word = 0; /* bytes of the first word, once it has ended */
	struct piece piece;
	bool blank, ended = false;

	whole.size = 0;
	while (next_piece(&bytes, end, &piece, &blank)) {
		ended |= blank;
		if (leave_out && is_one_of(&piece, suffixes, ARRAY_SIZE(suffixes)))
			continue;
		if (ended && word == 0)
			word = whole.size;
		ended = false;
		join(&whole, &piece);
	}
	ret->first_count = 0;
	if (whole.size > 0)
		ret->firsts[ret->first_count++] = hash(key, whole.bytes, whole.size);
	if (word > 0 && count_letters(whole.bytes, word) >= 2)
		ret->firsts[ret->first_count++] = hash(key, whole.bytes, word);
	explicit_bzero(whole.bytes, whole.size);
}

void
name_from_row(const struct names_key *key, const struct text *last, const struct text *first, struct name *ret)
{
	struct folded folded;

	ret->surname_count = 0;
	fold_marked(last, &folded);
	add_surname(key, folded.bytes, folded.bytes + folded.size, true, ret);
	explicit_bzero(folded.bytes, folded.size);
	fold_marked(first, &folded);
	add_first(key, folded.bytes, folded.bytes + folded.size, ret);
	if (ret->surname_count == 0)
		add_surname(key, folded.bytes, folded.bytes + folded.size, false, ret);
	explicit_bzero(folded.bytes, folded.size);
}

void
name_from_patron(const struct names_key *key, const struct text *text, struct name *ret)
{
	struct folded folded;
	const char *comma, *end;

	fold_marked(text, &folded);
	end = folded.bytes + folded.size;
	comma = memchr(folded.bytes, ',', folded.size);
	add_surname(key, folded.bytes, comma != NULL ? comma : end, comma != NULL, ret);
	ret->first_count = 0;
	if (comma != NULL)
		add_first(key, comma, end, ret);
	explicit_bzero(folded.bytes, folded.size);
}

static bool
meet(const uint64_t *a, size_t a_count, const uint64_t *b, size_t b_count)
{
	for (size_t i = 0; i < a_count; i++)
		for (size_t j = 0; j < b_count; j++)
			if (a[i] == b[j])
				return true;
	return false;
}

void
names_compare(const struct name *row, const struct name *patron, struct names_verdict *verdict)
{
	bool surname = meet(row->surnames, row->surname_count, patron->surnames, patron->surname_count);
	bool first = meet(row->firsts, row->first_count, patron->firsts, patron->first_count);

	verdict->surname |= surname;
	verdict->first |= first;
	verdict->both |= surname && first;
	verdict->surname_comparable |= row->surname_count > 0 && patron->surname_count > 0;
	verdict->first_comparable |= row->first_count > 0 && patron->first_count > 0;
}

/* counts:u8 (surnames in the low four bits), surnames:u64*, firsts:u64*; this machine's byte order. */
size_t
name_pack(const struct name *name, unsigned char ret[static NAME_PACKED_MAX])
{
	size_t surnames = name->surname_count * sizeof(uint64_t), firsts = name->first_count * sizeof(uint64_t);

	ret[0] = (unsigned char)(name->surname_count | name->first_count << 4);
	memcpy(ret + 1, name->surnames, surnames);
	memcpy(ret + 1 + surnames, name->firsts, firsts);
	return 1 + surnames + firsts;
}

size_t
name_unpack(const unsigned char *bytes, struct name *ret)
{
	size_t surnames, firsts;

	ret->surname_count = bytes[0] & 0x0F;
	ret->first_count = bytes[0] >> 4;
	surnames = ret->surname_count * sizeof(uint64_t);
	firsts = ret->first_count * sizeof(uint64_t);
	memcpy(ret->surnames, bytes + 1, surnames);
	memcpy(ret->firsts, bytes + 1 + surnames, firsts);
	return 1 + surnames + firsts;
}

static int
part_same(const struct text *a, const struct text *b)
{
	_cleanup_buf_ struct buf fold_a = BUF_INIT(NAMES_FOLDED_MAX), fold_b = BUF_INIT(NAMES_FOLDED_MAX);
	int r;

	if (a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0))
		return 1;
	r = names_fold(&fold_a, a->bytes, a->size);
	if (r < 0)
		return r;
	r = names_fold(&fold_b, b->bytes, b->size);
	if (r < 0)
		return r;
	/* Two names of which nothing is left differ as they stand. */
	return fold_a.size > 0 && fold_a.size == fold_b.size && memcmp(fold_a.bytes, fold_b.bytes, fold_a.size) == 0;
}

int
names_same(const struct text *last, const struct text *first, const struct text *other_last,
    const struct text *other_first)
{
	int r = part_same(last, other_last);

	return r > 0 ? part_same(first, other_first) : r;
}
