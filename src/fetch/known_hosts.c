/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parses known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) and judges a server's key by it. */

#include "fetch/known_hosts.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HASH_SIZE 20U /* of SHA-1, the one hash of hashed names; the salt is as long */

/* A piece of the file. */
struct span {
	const char *at;
	size_t size;
};

struct line {
	bool revoked;
	struct span hosts;
	struct span type;
	uint8_t key[KNOWN_HOSTS_KEY];
	size_t key_size;
};

struct reader {
	const char *at;
	const char *end;
	unsigned int number; /* of the line read last, from 1 */
};

/* Types of keys in the file and the algorithms that they sign with; ssh-rsa's own, with SHA-1, is never asked for. */
static const struct {
	const char *type;
	const char *algorithms;
} algorithm_table[] = {
	{ "ssh-ed25519", "ssh-ed25519" },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256" },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384" },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521" },
	{ "ssh-rsa", "rsa-sha2-512,rsa-sha2-256" },
};

#define ALGORITHM_COUNT (sizeof(algorithm_table) / sizeof(algorithm_table[0]))

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

ssize_t
known_hosts_base64(const char *text, size_t size, uint8_t *ret, size_t max)
{
	size_t padding = 0, out = 0;
	uint32_t bits = 0;

	if (size == 0 || size % 4 != 0)
		return -EINVAL;
	while (padding < 2 && text[size - 1 - padding] == '=')
		padding++;
	if (size / 4 * 3 - padding > max)
		return -ENOBUFS;
	for (size_t i = 0; i < size - padding; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 0)
			ret[out++] = (uint8_t)(bits >> (6 - i % 4 * 2));
	}
	/* what the padding covers must be zero, so that each key has one text only */
	if (padding > 0 && (bits & (padding == 1 ? 0x3U : 0xfU)) != 0)
		return -EINVAL;
	return (ssize_t)out;
}

static bool
span_is(struct span span, const char *text)
{
	return span.size == strlen(text) && memcmp(span.at, text, span.size) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the next word off a line; empty at its end. */
static struct span
take_word(struct span *line)
{
	struct span word;

	while (line->size > 0 && is_blank(*line->at)) {
		line->at++;
		line->size--;
	}
	word.at = line->at;
	while (line->size > 0 && !is_blank(*line->at)) {
		line->at++;
		line->size--;
	}
	word.size = (size_t)(line->at - word.at);
	return word;
}

/* The key's own idea of its type, its first string, must be the word of the line. */
static bool
key_has_type(const uint8_t *key, size_t size, struct span type)
{
	size_t length;

	if (size < 4)
		return false;
	length = (size_t)key[0] << 24 | (size_t)key[1] << 16 | (size_t)key[2] << 8 | key[3];
	return length == type.size && length < size - 4 && memcmp(key + 4, type.at, length) == 0;
}

static int
parse_line(struct span text, struct line *ret)
{
	struct span word = take_word(&text);
	ssize_t size;

	ret->revoked = false;
	if (word.at[0] == '@') {
		if (!span_is(word, "@revoked"))
			return -EBADMSG;
		ret->revoked = true;
		word = take_word(&text);
	}
	ret->hosts = word;
	ret->type = take_word(&text);
	word = take_word(&text);
	if (ret->hosts.size == 0 || ret->type.size == 0 || word.size == 0)
		return -EBADMSG;
	size = known_hosts_base64(word.at, word.size, ret->key, sizeof(ret->key));
	if (size < 0)
		return -EBADMSG;
	ret->key_size = (size_t)size;
	return key_has_type(ret->key, ret->key_size, ret->type) ? 0 : -EBADMSG;
}

static struct reader
reader_of(const char *bytes, size_t size)
{
	/* editors of Windows put one there, and the first host would be lost */
	static const char bom[] = "\xef\xbb\xbf";
	size_t skip = size >= 3 && memcmp(bytes, bom, 3) == 0 ? 3 : 0;

	return (struct reader){ .at = bytes + skip, .end = bytes + size };
}

/* Gives out the next line that is not blank or a comment. Returns 1, 0 at the end, or -EBADMSG for a bad line. */
static int
next_line(struct reader *reader, struct line *ret)
{
	while (reader->at < reader->end) {
		size_t left = (size_t)(reader->end - reader->at);
		const char *newline = memchr(reader->at, '\n', left);
		struct span text = { reader->at, newline != NULL ? (size_t)(newline - reader->at) : left };

		reader->at += text.size + (newline != NULL ? 1 : 0);
		reader->number++;
		if (text.size > 0 && text.at[text.size - 1] == '\r')
			text.size--;
		while (text.size > 0 && is_blank(*text.at)) {
			text.at++;
			text.size--;
		}
		if (text.size == 0 || *text.at == '#')
			continue;
		if (memchr(text.at, '\0', text.size) != NULL || parse_line(text, ret) < 0)
			return -EBADMSG;
		return 1;
	}
	return 0;
}

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* `*` and `?` without recursion: after a mismatch the last `*` takes one byte more, so it ends in length x length. */
static bool
pattern_matches(struct span pattern, const char *name)
{
	size_t p = 0, n = 0, star = SIZE_MAX, star_n = 0;

	while (name[n] != '\0') {
		if (p < pattern.size && pattern.at[p] == '*') {
			star = p++;
			star_n = n;
		} else if (p < pattern.size && (pattern.at[p] == '?' || lower(pattern.at[p]) == name[n])) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++star_n;
		} else {
			return false;
		}
	}
	while (p < pattern.size && pattern.at[p] == '*')
		p++;
	return p == pattern.size;
}

/* A list of patterns: one must match, and none with `!` may. */
static bool
list_matches(struct span list, const char *name)
{
	bool matched = false;

	while (list.size > 0) {
		const char *comma = memchr(list.at, ',', list.size);
		struct span pattern = { list.at, comma != NULL ? (size_t)(comma - list.at) : list.size };
		bool negated = pattern.size > 0 && *pattern.at == '!';

		list.at += pattern.size;
		list.size -= pattern.size;
		if (comma != NULL) {
			list.at++;
			list.size--;
		}
		if (negated) {
			pattern.at++;
			pattern.size--;
		}
		if (pattern.size == 0 || !pattern_matches(pattern, name))
			continue;
		if (negated)
			return false;
		matched = true;
	}
	return matched;
}

/* `|1|salt|hash`, both in base64: the HMAC-SHA1 of the name with the salt as its key. */
static int
hash_matches(struct span hashed, const char *name)
{
	uint8_t salt[HASH_SIZE], want[HASH_SIZE], have[EVP_MAX_MD_SIZE];
	const char *salt_text = hashed.at + 3, *hash_text;
	size_t left = hashed.size - 3;
	unsigned int have_size = 0;

	hash_text = memchr(salt_text, '|', left);
	if (hash_text == NULL)
		return -EBADMSG;
	hash_text++;
	left -= (size_t)(hash_text - salt_text);
	if (known_hosts_base64(salt_text, (size_t)(hash_text - 1 - salt_text), salt, sizeof(salt)) != HASH_SIZE ||
	    known_hosts_base64(hash_text, left, want, sizeof(want)) != HASH_SIZE)
		return -EBADMSG;
	if (HMAC(EVP_sha1(), salt, HASH_SIZE, (const unsigned char *)name, strlen(name), have, &have_size) == NULL ||
	    have_size != HASH_SIZE)
		return -EIO;
	return CRYPTO_memcmp(have, want, HASH_SIZE) == 0;
}

/* Returns 1 or 0, -EBADMSG for a hashed name that is none, or -EIO. */
static int
host_matches(struct span hosts, const char *name)
{
	if (hosts.at[0] != '|')
		return list_matches(hosts, name);
	if (hosts.size < 3 || memcmp(hosts.at, "|1|", 3) != 0)
		return -EBADMSG;
	return hash_matches(hosts, name);
}

int
known_hosts_name(const char *host, unsigned int port, char ret_name[static KNOWN_HOSTS_NAME])
{
	int n;

	if (port == 22)
		n = snprintf(ret_name, KNOWN_HOSTS_NAME, "%s", host);
	else
		n = snprintf(ret_name, KNOWN_HOSTS_NAME, "[%s]:%u", host, port);
	if (n < 0 || (size_t)n >= KNOWN_HOSTS_NAME)
		return -ENAMETOOLONG;
	for (char *c = ret_name; *c != '\0'; c++)
		*c = lower(*c);
	return 0;
}

int
known_hosts_check(const char *bytes, size_t size, const char *name, const uint8_t *key, size_t key_size,
    unsigned int *ret_line)
{
	struct reader reader = reader_of(bytes, size);
	bool found = false, other = false, revoked = false;
	unsigned int lines = 0;
	struct line line;
	int r;

	*ret_line = 0;
	for (;;) {
		r = next_line(&reader, &line);
		if (r == 0)
			break;
		if (r > 0)
			r = host_matches(line.hosts, name);
		if (r == -EBADMSG) {
			*ret_line = reader.number;
			return KNOWN_HOSTS_BAD_LINE;
		}
		if (r < 0)
			return r;
		lines++;
		if (r == 0)
			continue;
		if (line.key_size == key_size && memcmp(line.key, key, key_size) == 0) {
			found = found || !line.revoked;
			revoked = revoked || line.revoked;
		} else if (!line.revoked && key_has_type(key, key_size, line.type)) {
			other = true;
		}
	}
	/* refused, unless a line has this key for this host and none revokes it */
	if (revoked)
		return KNOWN_HOSTS_REVOKED;
	if (found)
		return KNOWN_HOSTS_ACCEPTED;
	if (lines == 0)
		return KNOWN_HOSTS_EMPTY;
	return other ? KNOWN_HOSTS_CHANGED : KNOWN_HOSTS_UNKNOWN;
}

void
known_hosts_algorithms(const char *bytes, size_t size, const char *name,
    char ret_list[static KNOWN_HOSTS_ALGORITHMS])
{
	struct reader reader = reader_of(bytes, size);
	bool known[ALGORITHM_COUNT] = { false };
	struct line line;
	size_t used = 0;
	int r;

	for (;;) {
		r = next_line(&reader, &line);
		if (r == 0)
			break;
		if (r < 0 || line.revoked || host_matches(line.hosts, name) <= 0)
			continue;
		for (size_t i = 0; i < ALGORITHM_COUNT; i++)
			if (span_is(line.type, algorithm_table[i].type))
				known[i] = true;
	}
	ret_list[0] = '\0';
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < ALGORITHM_COUNT; i++)
			if (known[i] == (round == 0))
				used += (size_t)snprintf(ret_list + used, KNOWN_HOSTS_ALGORITHMS - used, "%s%s",
				    used > 0 ? "," : "", algorithm_table[i].algorithms);
}
