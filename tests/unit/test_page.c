/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load/json.h"
#include "load/page.h"
#include "testkit.h"

#define LIST(entries) "{\"total\":2,\"start\":0,\"entries\":[" entries "]}"
#define ONE "{\"id\":1000042,\"barcodes\":[\"12345\"],\"expirationDate\":\"2022-08-30\"}"

/* A page with any of these is unreadable as a whole. */
static const char *const refused[] = {
	"",
	" ",
	"null",
	"[]",
	"5",
	"{}",
	"{\"total\":0,\"start\":0}",
	"{\"code\":123,\"httpStatus\":401,\"name\":\"Unauthorized\"}",
	"<html></html>",
	"{\"entries\":null}",
	"{\"entries\":{}}",
	"{\"httpStatus\":500,\"entries\":[]}",
	"{\"entries\":[" ONE "],\"entries\":[]}",
	"{\"Entries\":[]}",
	"{\"total\":2,\"start\":0,\"entries\":[" ONE, /* cut */
	LIST(ONE) "x",
	LIST(ONE) LIST(ONE),
	LIST(ONE ","),
	LIST("null"),
	LIST("7"),
	LIST("{}"),
	LIST("{\"barcodes\":[\"1\"]}"),
	LIST("{\"id\":null}"),
	LIST("{\"id\":0}"),
	LIST("{\"id\":-1}"),
	LIST("{\"id\":1.5}"),
	LIST("{\"id\":1e999}"),
	LIST("{\"id\":9007199254740993}"),
	LIST("{\"id\":\"\"}"),
	LIST("{\"id\":\"12x\"}"),
	LIST("{\"id\":\"-12\"}"),
	LIST("{\"id\":1,\"id\":2}"),
	LIST("{\"id\":1,\"barcodes\":\"1\"}"),
	LIST("{\"id\":1,\"barcodes\":[1]}"),
	LIST("{\"id\":1,\"barcodes\":[null]}"),
	LIST("{\"id\":1,\"barcodes\":[[\"1\"]]}"),
	LIST("{\"id\":1,\"barcodes\":[\"1\"],\"barcodes\":[\"2\"]}"),
	LIST("{\"id\":1,\"barcodes\":[\"1\\u00002\"]}"),
	LIST("{\"id\":1,\"barcodes\":[\"1\\\\\\u00002\"]}"),
	LIST("{\"id\":1,\"names\":{}}"),
	LIST("{\"id\":1,\"names\":[\"\xff\"]}"),
	LIST("{\"id\":1,\"names\":[\"\\ud800\"]}"),
	LIST("{\"id\":1,\"deleted\":\"no\"}"),
	LIST("{\"id\":1,\"deleted\":1}"),
	LIST("{\"id\":1,\"birthDate\":\"2001-01-01\",\"birthDate\":\"2002-01-01\"}"),
	LIST(ONE ",{\"code\":111,\"name\":\"Internal server error\"}"),
};

static void
refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct page *page = NULL;

		if (page_parse_list(refused[i], strlen(refused[i]), &page) != -EBADMSG || page != NULL)
			fail_msg("taken: %s", refused[i]);
	}
}

static void
refuses_raw_nul(void **state)
{
	static const char bytes[] = LIST("{\"id\":1,\"names\":[\"a\0b\"]}");
	struct page *page = NULL;

	(void)state;
	assert_int_equal(page_parse_list(bytes, sizeof(bytes) - 1, &page), -EBADMSG);
}

/* Every cut of a good page is refused: half a page must never be the end of the list. */
static void
refuses_every_cut(void **state)
{
	static const char bytes[] = LIST(ONE "," ONE);

	(void)state;
	for (size_t size = 0; size < sizeof(bytes) - 1; size++) {
		char *cut = calloc(1, size + 1);
		struct page *page = NULL;

		assert_non_null(cut);
		memcpy(cut, bytes, size);
		assert_int_equal(page_parse_list(cut, size, &page), -EBADMSG);
		free(cut);
	}
}

static void
refuses_depth(void **state)
{
	char bytes[8192] = "{\"entries\":[{\"id\":1,\"x\":";
	size_t at = strlen(bytes);
	struct page *page = NULL;

	(void)state;
	memset(bytes + at, '[', 4000);
	assert_int_equal(page_parse_list(bytes, at + 4000, &page), -EBADMSG);
}

static struct page *
parse(const char *bytes)
{
	struct page *page = NULL;

	assert_int_equal(page_parse_list(bytes, strlen(bytes), &page), 0);
	return page;
}

static void
is_text(const struct text *text, const char *value)
{
	assert_int_equal(text->size, strlen(value));
	assert_memory_equal(text->bytes, value, text->size);
}

static void
reads_a_page(void **state)
{
	_cleanup_page_ struct page *page = parse(LIST(
	    "{\"id\":\"17\",\"names\":[\"McNameName, Namey\",\"x\"],\"barcodes\":[\"\",\"201975\",\"9 / PREV ID\"],"
	    "\"birthDate\":\"1896-11-22\",\"moneyOwed\":10.00,\"addresses\":[{\"lines\":[\"a\"]}],\"deleted\":false},"
	    "{\"id\":9007199254740991,\"expirationDate\":\"2022-02-30\",\"birthDate\":5,\"barcodes\":null,\"names\":[]},"
	    "{\"id\":19,\"expirationDate\":\"2022-08-30T08:00:00Z\",\"deleted\":true,\"deletedDate\":\"2020-01-01\"},"
	    "{\"id\":20,\"names\":[\"\\\\u0000, \xc3\x89mile\"]}"));
	const struct patron *patron;

	(void)state;
	assert_int_equal(page_count(page), 4);
	patron = page_patron(page, 0);
	assert_int_equal(patron->id, 17);
	assert_int_equal(patron->name_count, 2);
	is_text(&patron->names[0], "McNameName, Namey");
	assert_int_equal(patron->barcode_count, 3);
	is_text(&patron->barcodes[0], "");
	is_text(&patron->barcodes[1], "201975");
	is_text(&patron->barcodes[2], "9 / PREV ID");
	assert_int_equal(patron->birth_date, date_to_days((struct date){ 1896, 11, 22 }));
	assert_int_equal(patron->expiration, DATE_NONE);
	assert_false(patron->deleted);
	patron = page_patron(page, 1);
	assert_int_equal(patron->id, 9007199254740991);
	assert_int_equal(patron->expiration, DATE_NONE);
	assert_int_equal(patron->birth_date, DATE_NONE);
	assert_int_equal(patron->barcode_count, 0);
	assert_int_equal(patron->name_count, 0);
	assert_true(page_patron(page, 2)->deleted);
	/* a time behind the date: the date counts, lest a later one be taken for none and moved backwards */
	assert_int_equal(page_patron(page, 2)->expiration, date_to_days((struct date){ 2022, 8, 30 }));
	/* an escaped backslash and a plain u0000: no NUL */
	is_text(&page_patron(page, 3)->names[0], "\\u0000, \xc3\x89mile");
}

static void
reads_an_empty_page(void **state)
{
	static const char *const empty[] = { "{\"start\":0,\"entries\":[]}", "{\"total\":0,\"start\":0,\"entries\":[]}",
		"  {\"entries\" : [ ] } \n" };

	(void)state;
	for (size_t i = 0; i < COUNT(empty); i++) {
		_cleanup_page_ struct page *page = parse(empty[i]);

		assert_int_equal(page_count(page), 0);
	}
}

static void
reads_one_patron(void **state)
{
	static const char bytes[] = "{\"id\":5,\"barcodes\":[\"a\"],\"deleted\":false}";
	static const char *const bad[] = { "{}", "[]", LIST(ONE), "{\"link\":\"x\"}", "{\"id\":5} 6", "\"5\"", "5" };
	_cleanup_page_ struct page *page = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(page_parse_patron(bad[i], strlen(bad[i]), &page), -EBADMSG);
	assert_int_equal(page_parse_patron(bytes, sizeof(bytes) - 1, &page), 0);
	assert_int_equal(page_count(page), 1);
	assert_int_equal(page_patron(page, 0)->id, 5);
	is_text(&page_patron(page, 0)->barcodes[0], "a");
}

static void
frees_nothing(void **state)
{
	(void)state;
	assert_null(page_free(NULL));
	assert_null(json_free(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_raw_nul),
		cmocka_unit_test(refuses_every_cut),
		cmocka_unit_test(refuses_depth),
		cmocka_unit_test(reads_a_page),
		cmocka_unit_test(reads_an_empty_page),
		cmocka_unit_test(reads_one_patron),
		cmocka_unit_test(frees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
