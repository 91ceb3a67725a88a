/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/show.h"

static void
escapes(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "\033[2J", "\\u001b[2J" },
		{ "a\r\nb\tc\x7f", "a\\u000d\\u000ab\\u0009c\\u007f" },
		{ "\xc2\x9b"
		  "2J",
		    "\\u009b2J" },				    /* CSI in one character */
		{ "\xe2\x80\xaegpj.exe", "\\u202egpj.exe" },	    /* turned around */
		{ "a\xe2\x80\x8b\xef\xbb\xbf", "a\\u200b\\ufeff" }, /* nothing is seen of it */
		{ "\xf3\xa0\x81\x81", "\\udb40\\udc41" },	    /* a tag: two halves, as JSON writes it */
		{ "Gr\xc3\xb6\xc3\x9f"
		  "e \xf0\x9f\x93\x96 \\ \"",
		    "Gr\xc3\xb6\xc3\x9f"
		    "e \xf0\x9f\x93\x96 \\ \"" },
		{ "", "" },
		{ "\xc3", "\\u00ad" }, /* no UTF-8: never past its end */
		{ "\xf0\x9f", "\\u00ad" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(1024);

		assert_int_equal(show_escape(&out, cases[i].text), 0);
		assert_string_equal(out.size > 0 ? out.bytes : "", cases[i].shown);
	}
}

static void
long_text_is_cut(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT(SHOW_TEXT_MAX * 12);
	_cleanup_free_ char *text = malloc(100001);

	(void)state;
	assert_non_null(text);
	memset(text, '\033', 100000);
	text[100000] = '\0';
	assert_int_equal(show_escape(&out, text), 0);
	assert_int_equal(out.size, SHOW_TEXT_MAX * 6 + strlen("…"));
	assert_string_equal(out.bytes + out.size - strlen("…"), "…");
}

static void
cuts(void **state)
{
	(void)state;
	assert_int_equal(show_cut("abc", 2), 2);
	assert_int_equal(show_cut("abc", 9), 3);
	assert_int_equal(show_cut("\xc3\xb6\xc3\xb6z", 2), 4);
	assert_int_equal(show_cut("", 5), 0);
	assert_int_equal(show_cut("abc", 0), 0);
}

static void
times(void **state)
{
	static const struct {
		const char *iso, *shown;
	} cases[] = {
		{ NULL, "never" },
		{ "", "?" },
		{ "soon", "soon" },
		{ "2026-03-02T06:15:00", "2026-03-02T06:15:00" }, /* no zone */
		{ "2026-03-02T06:15:00+1:00", "2026-03-02T06:15:00+" },
		{ "2026-03-02T06:15:00+24:00", "2026-03-02T06:15:00+" },
		{ "2026-03-02T06:15:00+0x:00", "2026-03-02T06:15:00+" },
		{ "2026-02-30T06:15:00Zulu", "2026-02-30T06:15:00Z" },
		{ "2026-03-02T06:15:00Z", "2026-03-02 07:15" },
		{ "2026-07-02T06:15:00Z", "2026-07-02 08:15" },
		{ "2026-03-02T06:15:00.123456Z", "2026-03-02 07:15" },
		{ "2026-03-02T06:15:00-05:00", "2026-03-02 12:15" },
	};
	char text[SHOW_TIME], iso[64];
	time_t now = time(NULL);
	struct tm utc;

	(void)state;
	(void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(show_time(cases[i].iso, text), cases[i].shown);
	/* of today only the time is told */
	assert_non_null(gmtime_r(&now, &utc));
	(void)strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%SZ", &utc);
	assert_int_equal(strlen(show_time(iso, text)), strlen("06:15:00"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(long_text_is_cut),
		cmocka_unit_test(cuts),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
