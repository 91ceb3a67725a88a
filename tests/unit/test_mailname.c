/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/mailname.h"

static void
bad_addresses(void **state)
{
	static const char *const bad[] = {
		"", "@", "a", "a@", "@b", "a@b@c", "a b@c", "a@b c", "<a@b>", "a@b>", "a@b\r", "a@b\n", "a@b\r\nRCPT TO:<c@d>", "a\t@b",
		"\"a\"@b", "a,b@c", "a;b@c", "a:b@c", "a(b)@c", "a@[127.0.0.1]", ".a@b", "a.@b", "a..b@c", "a@.b", "a@b.", "a@b..c",
		"a@-b", "a@b-", "a@b.-c", "a@b-.c", "-a@b", "a@b_c", "m\xc3\xbcller@b", "a@m\xc3\xbcller", "a\\@b", "a@b/c", "a@b?c",
		"a@b#c", "a@b:25",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (address_valid(bad[i], strlen(bad[i])))
			fail_msg("taken: %s", bad[i]);
	/* a NUL is no end: it is given with its size */
	assert_false(address_valid("a@b\0c", 5));
	assert_false(address_valid("a\0@b", 4));
}

static void
good_addresses(void **state)
{
	static const char *const good[] = { "a@b", "anna.beispiel@example.org", "a+b@c-d.example", "o'neil@x.example",
		"{weird}|~@b", "1@2.3", "a-@b" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!address_valid(good[i], strlen(good[i])))
			fail_msg("refused: %s", good[i]);
}

static void
address_sizes(void **state)
{
	char text[400];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[64] = '@';
	assert_true(address_valid(text, 65 + 63));
	assert_false(address_valid(text, 65 + 64)); /* a label of 64 */
	memset(text, 'a', sizeof(text));
	text[65] = '@';
	assert_false(address_valid(text, 65 + 2)); /* a name of 65 */
	memset(text, 'a', sizeof(text));
	text[1] = '@';
	for (size_t i = 11; i < sizeof(text); i += 10)
		text[i] = '.';
	assert_true(address_valid(text, ADDRESS_MAX));
	assert_false(address_valid(text, ADDRESS_MAX + 1));
}

static void
lists(void **state)
{
	static const struct {
		const char *list;
		const char *parts[4];
		uint32_t bits;
	} cases[] = {
		{ "", { NULL }, 0 },
		{ " ,\t, ", { NULL }, 0 },
		{ "a@b", { "a@b" }, 1 },
		{ "a@b c@d", { "a@b", "c@d" }, 3 },
		{ ",a@b,,c@d , e@f,", { "a@b", "c@d", "e@f" }, 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *list = cases[i].list, *part;
		size_t size, n = 0;

		while (address_next(&list, &part, &size)) {
			assert_non_null(cases[i].parts[n]);
			assert_int_equal(size, strlen(cases[i].parts[n]));
			assert_memory_equal(part, cases[i].parts[n], size);
			n++;
		}
		assert_null(cases[i].parts[n]);
		assert_int_equal(address_list_bits(cases[i].list), cases[i].bits);
	}
}

static void
tags(void **state)
{
	(void)state;
	assert_true(address_list_tag("a@b, c@d") == address_list_tag(" a@b c@d "));
	assert_false(address_list_tag("a@b c@d") == address_list_tag("c@d a@b"));
	assert_false(address_list_tag("a@b c@d") == address_list_tag("a@b"));
	assert_false(address_list_tag("a@bc @d") == address_list_tag("a@b c@d"));
	/* what docs/wire.md says, by its definition: FNV-1a of "a@b " */
	assert_true(address_list_tag("a@b") == 0xd752778348b18956ULL);
}

static void
bad_relays(void **state)
{
	static const char *const bad[] = { "", "relay", "relay:25", "http://relay", "smtp:/relay", "smtp://", "smtps://", "smtp://:587",
		"smtp://relay:", "smtp://relay:0", "smtp://relay:65536", "smtp://relay:587x", "smtp://relay:-1", "smtp://relay:000587",
		"smtp://relay/", "smtp://relay/path", "smtp://user@relay", "smtp://user:pass@relay", "smtp://re lay", "smtp://relay?x",
		"smtp://[::1", "smtp://[]", "smtp://[::1]x", "smtp://[::1]:", "smtp://[relay]", "smtp://[fe80::1%eth0]", "smtp://-relay",
		"smtp://relay.", "smtp://re..lay", "SMTP://relay", "smtp://relay\n", "smtp://r\xc3\xa9lay" };
	struct relay relay;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (relay_parse(bad[i], &relay) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
}

static void
good_relays(void **state)
{
	static const struct {
		const char *url, *host;
		unsigned int port;
		bool tls_first;
	} cases[] = {
		{ "smtp://relay", "relay", 587, false },
		{ "smtps://relay", "relay", 465, true },
		{ "smtp://mail.example.org:25", "mail.example.org", 25, false },
		{ "smtps://192.0.2.1:65535", "192.0.2.1", 65535, true },
		{ "smtp://[::1]", "::1", 587, false },
		{ "smtps://[2001:db8::192.0.2.1]:2465", "2001:db8::192.0.2.1", 2465, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct relay relay;

		assert_int_equal(relay_parse(cases[i].url, &relay), 0);
		assert_string_equal(relay.host, cases[i].host);
		assert_int_equal(relay.port, cases[i].port);
		assert_int_equal(relay.tls_first, cases[i].tls_first);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(good_addresses),
		cmocka_unit_test(address_sizes),
		cmocka_unit_test(lists),
		cmocka_unit_test(tags),
		cmocka_unit_test(bad_relays),
		cmocka_unit_test(good_relays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
