/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/known_hosts.h"

/* Keys made by ssh-keygen, their private halves thrown away. */
#define ED_A "AAAAC3NzaC1lZDI1NTE5AAAAIGxJkSIqK4QCnSWDok6dlMjnDrMh5mHsB9979JpEXffg"
#define ED_B "AAAAC3NzaC1lZDI1NTE5AAAAIOLn2HrmcF6DwFTiMk1KFf15WAqeoMHrAyY43H47DVpe"
#define EC_A \
	"AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNeYiKwLacLo8MtohmLiHq1Trfk8qqQl5mrRWDU0v550YxidwA9/88k3OEA9" \
	"bUJkREIO7b08NoCv6xIQtHiGg0o="
#define RSA_A \
	"AAAAB3NzaC1yc2EAAAADAQABAAABAQDeSsMdrHxUh+OcnKuUwm9qn3XHOQI6vbKWYp8n+JFL8KyiCVuZo3T+jZOGr2qf6PlxK+Kji7vHXcb5DG7V" \
	"aH97yJSP9qHmJN1KrvguwCphsOelH4smV0zZRorc9kUBsSOluRPiAxDkYfxc1OQCjKt7/fWYRDnd0TK17kNHaFbR2k2H0WcdGyzlfH4XiYTUvnqY" \
	"kchgBDd3+/ZxoxS3hTUkFQuhe9CtJOosAThpIbEqSAiLZjE8lv/1/6KC37v3CJups85/KcrxHxzeQBwxXeYzsZ0YajCcKT0phMwiqaQg8CwSCzzM" \
	"VZvhkHrYI3kJP2Biz/jRA1nJAiGWzFEWVMcR"

/* Lines as `ssh-keygen -H` made them of sftp.example.org and of [sftp.example.org]:2222. */
#define HASH_22 "|1|T9ViO9/xczA0rS07HA4hFTw6hFY=|JdJIomLK3u0j3SJloQUQRHJAQA0="
#define HASH_2222 "|1|uZvCt4Ozf68kMkpPiVjE5UFWQWk=|2UJaVCnjGKCzf9xMDZwmaYt7PJ8="

#define A " ssh-ed25519 " ED_A "\n"
#define B " ssh-ed25519 " ED_B "\n"
#define R " ssh-rsa " RSA_A "\n"
#define HOST "sftp.example.org"

/* The server shows ED_A, at port 22 unless said otherwise. */
static const struct {
	const char *what;
	const char *file;
	unsigned int port;
	enum known_hosts_verdict verdict;
	unsigned int line;
} cases[] = {
	/* refusals */
	{ "empty", "", 22, KNOWN_HOSTS_EMPTY, 0 },
	{ "comments alone", "# nothing here\n\n  \t\n#" HOST A, 22, KNOWN_HOSTS_EMPTY, 0 },
	{ "another host", "other.example.org" A, 22, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "part of the name", "sftp.example.or" A, 22, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "name with an end", "sftp.example.org.evil" A, 22, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "entry without port", HOST A, 2222, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "entry of another port", "[" HOST "]:2223" A, 2222, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "entry with port for 22", "[" HOST "]:2222" A, 22, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "another type alone", HOST R, 22, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "another key", HOST B, 22, KNOWN_HOSTS_CHANGED, 0 },
	{ "another key, hashed", HASH_22 B, 22, KNOWN_HOSTS_CHANGED, 0 },
	{ "another key by wildcard", "*.example.org" B, 22, KNOWN_HOSTS_CHANGED, 0 },
	{ "hash of the other port", HASH_22 A, 2222, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "negated", "*,!" HOST A, 22, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "negated first", "!" HOST ",*" A, 22, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "negated alone", "!other" A, 22, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "revoked before", "@revoked *" A HOST A, 22, KNOWN_HOSTS_REVOKED, 0 },
	{ "revoked after", HOST A "@revoked " HOST A, 22, KNOWN_HOSTS_REVOKED, 0 },
	{ "revoked alone", "@revoked " HOST A, 22, KNOWN_HOSTS_REVOKED, 0 },
	{ "revoked, hashed", HOST A "@revoked " HASH_22 A, 22, KNOWN_HOSTS_REVOKED, 0 },
	{ "other key revoked, none known", "@revoked " HOST B, 22, KNOWN_HOSTS_UNKNOWN, 0 },
	{ "authority", HOST A "@cert-authority *" B, 22, KNOWN_HOSTS_BAD_LINE, 2 },
	{ "authority of another host", HOST A "@cert-authority other" B, 22, KNOWN_HOSTS_BAD_LINE, 2 },
	{ "unknown marker", HOST A "\n@revokd *" A, 22, KNOWN_HOSTS_BAD_LINE, 3 },
	{ "marker in capitals", HOST A "@REVOKED *" A, 22, KNOWN_HOSTS_BAD_LINE, 2 },
	{ "revoked without key", HOST A "@revoked " HOST "\n", 22, KNOWN_HOSTS_BAD_LINE, 2 },
	{ "host alone", HOST A "other\n", 22, KNOWN_HOSTS_BAD_LINE, 2 },
	{ "no key", HOST A "other ssh-ed25519\n", 22, KNOWN_HOSTS_BAD_LINE, 2 },
	{ "key cut off", HOST " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxJkSIqK4QCnS\n", 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "no base64", HOST " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxJ*SIq\n", 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "type of another key", HOST " ssh-rsa " ED_A "\n", 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "type alone as key", HOST " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\n", 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "length past the end", HOST " ssh-ed25519 /////3NzaC1lZDI1NTE5\n", 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "SSH 1", HOST " 1024 35 1234567890\n", 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "unknown hash", "|2|T9ViO9/xczA0rS07HA4hFTw6hFY=|JdJIomLK3u0j3SJloQUQRHJAQA0=" A, 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "short salt", "|1|T9ViO9/x|JdJIomLK3u0j3SJloQUQRHJAQA0=" A, 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "no hash", "|1|T9ViO9/xczA0rS07HA4hFTw6hFY=" A, 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "hash empty", "|1|T9ViO9/xczA0rS07HA4hFTw6hFY=|" A, 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "bar alone", "|" A, 22, KNOWN_HOSTS_BAD_LINE, 1 },
	{ "bad line after the good one", HOST A "garbage\n", 22, KNOWN_HOSTS_BAD_LINE, 2 },
	/* accepted */
	{ "plain", HOST A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "no newline at the end", HOST " ssh-ed25519 " ED_A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "comment", HOST " ssh-ed25519 " ED_A " root@sftp # of 2024\n", 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "CRLF", "# comment\r\n\r\n" HOST " ssh-ed25519 " ED_A "\r\n", 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "tabs and blanks", " \t" HOST "\t \tssh-ed25519\t\t" ED_A "  \n", 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "byte order mark", "\xef\xbb\xbf" HOST A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "case of the name", "SFTP.Example.ORG" A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "port", "[" HOST "]:2222" A, 2222, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "list", "other,[x]:22," HOST ",192.0.2.7" A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "list with an empty one", ",," HOST "," A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "all", "*" A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "all, with port", "*" A, 2222, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "wildcard", "s?tp.*.org" A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "many stars", "*****************s*****f*t*p**********g" A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "star for nothing", HOST "*" A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "another negated", "*,!other.example.org" A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "negated on one line, named on another", "!" HOST ",*" B HOST A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "hashed", HASH_22 A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "hashed, port", HASH_2222 A, 2222, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "other types beside", HOST R HOST " ecdsa-sha2-nistp256 " EC_A "\n" HOST A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "two of the type, rotation", HOST B HOST A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "the old one revoked", "@revoked " HOST B HOST A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
	{ "revoked for another host", "@revoked other" A HOST A, 22, KNOWN_HOSTS_ACCEPTED, 0 },
};

static size_t
key_of(const char *text, uint8_t ret[static KNOWN_HOSTS_KEY])
{
	ssize_t size = known_hosts_base64(text, strlen(text), ret, KNOWN_HOSTS_KEY);

	assert_true(size > 0);
	return (size_t)size;
}

/* A copy of the exact size, so that a read past the end is seen. */
static int
check(const char *file, size_t size, unsigned int port, const char *key_text, unsigned int *ret_line)
{
	uint8_t key[KNOWN_HOSTS_KEY];
	size_t key_size = key_of(key_text, key);
	char name[KNOWN_HOSTS_NAME], *copy = malloc(size > 0 ? size : 1);
	int verdict;

	assert_non_null(copy);
	memcpy(copy, file, size);
	assert_int_equal(known_hosts_name(HOST, port, name), 0);
	verdict = known_hosts_check(copy, size, name, key, key_size, ret_line);
	free(copy);
	return verdict;
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int line = 99;
		int verdict = check(cases[i].file, strlen(cases[i].file), cases[i].port, ED_A, &line);

		if (verdict != (int)cases[i].verdict || line != cases[i].line)
			print_error("%s: verdict %d, line %u\n", cases[i].what, verdict, line);
		assert_int_equal(verdict, cases[i].verdict);
		assert_int_equal(line, cases[i].line);
	}
}

static void
test_nul_byte(void **state)
{
	static const char hidden[] = HOST A "#\0\n" HOST "\0.other" A;
	static const char cut[] = HOST "\0" A;
	unsigned int line;

	(void)state;
	assert_int_equal(check(hidden, sizeof(hidden) - 1, 22, ED_A, &line), KNOWN_HOSTS_BAD_LINE);
	assert_int_equal(line, 3);
	assert_int_equal(check(cut, sizeof(cut) - 1, 22, ED_A, &line), KNOWN_HOSTS_BAD_LINE);
}

/* One bit of the key or of the file's copy of it: never accepted. */
static void
test_each_bit(void **state)
{
	static const char file[] = HOST A;
	uint8_t key[KNOWN_HOSTS_KEY];
	size_t size = key_of(ED_A, key);
	unsigned int line;

	(void)state;
	for (size_t bit = 0; bit < size * 8; bit++) {
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(known_hosts_check(file, strlen(file), HOST, key, size, &line), KNOWN_HOSTS_ACCEPTED);
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_int_equal(known_hosts_check(file, strlen(file), HOST, key, size, &line), KNOWN_HOSTS_ACCEPTED);
	assert_int_not_equal(known_hosts_check(file, strlen(file), HOST, key, size - 1, &line), KNOWN_HOSTS_ACCEPTED);
	assert_int_not_equal(known_hosts_check(file, strlen(file), HOST, key, 0, &line), KNOWN_HOSTS_ACCEPTED);
}

/* Every cut of a good file: accepted only where the whole key stands. */
static void
test_each_cut(void **state)
{
	static const char file[] = "# first\n" HOST A;
	size_t whole = strlen(file) - 1; /* without the newline */
	unsigned int line;

	(void)state;
	for (size_t size = 0; size < whole; size++)
		assert_int_not_equal(check(file, size, 22, ED_A, &line), KNOWN_HOSTS_ACCEPTED);
	assert_int_equal(check(file, whole, 22, ED_A, &line), KNOWN_HOSTS_ACCEPTED);
}

static void
test_names(void **state)
{
	char name[KNOWN_HOSTS_NAME], host[KNOWN_HOSTS_NAME + 1];

	(void)state;
	memset(host, 'a', sizeof(host));
	host[KNOWN_HOSTS_NAME] = '\0';
	assert_int_equal(known_hosts_name(host, 22, name), -ENAMETOOLONG);
	host[KNOWN_HOSTS_NAME - 3] = '\0';
	assert_int_equal(known_hosts_name(host, 65535, name), -ENAMETOOLONG);
	assert_int_equal(known_hosts_name("Sftp.Example.ORG", 22, name), 0);
	assert_string_equal(name, "sftp.example.org");
	assert_int_equal(known_hosts_name("2001:DB8::1", 2222, name), 0);
	assert_string_equal(name, "[2001:db8::1]:2222");
}

static void
test_algorithms(void **state)
{
	static const struct {
		const char *file;
		const char *list;
	} lists[] = {
		{ "", "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256" },
		{ HOST R, "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521" },
		{ HOST " ecdsa-sha2-nistp256 " EC_A "\n" HOST R,
		  "ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521" },
		/* revoked and foreign lines do not count */
		{ "@revoked " HOST R "other" R,
		  "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		char list[KNOWN_HOSTS_ALGORITHMS];

		known_hosts_algorithms(lists[i].file, strlen(lists[i].file), HOST, list);
		assert_string_equal(list, lists[i].list);
	}
}

static void
test_base64(void **state)
{
	static const char *const bad[] = {
		"", "A", "AA", "AAA", "AAAAA", "====", "A===", "AA=A", "AA A", "AAA\n", "AAA-", "AB==", "AAB=",
	};
	uint8_t out[8];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(known_hosts_base64(bad[i], strlen(bad[i]), out, sizeof(out)), -EINVAL);
	assert_int_equal(known_hosts_base64("AAAAAAAAAAAA", 12, out, sizeof(out)), -ENOBUFS);
	assert_int_equal(known_hosts_base64("/+8=", 4, out, sizeof(out)), 2);
	assert_memory_equal(out, "\xff\xef", 2);
	assert_int_equal(known_hosts_base64("Zg==", 4, out, sizeof(out)), 1);
	assert_int_equal(known_hosts_base64("Zm9vYmFy", 8, out, sizeof(out)), 6);
	assert_memory_equal(out, "foobar", 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_each_cut),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
