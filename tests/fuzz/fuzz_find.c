/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The answer to a look-up by barcode, or to a GET of one patron: what is taken is one patron, and the list reads it the same. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "load/answers.h"
#include "load/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same_texts(const struct text *a, size_t a_count, const struct text *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (a[i].size != b[i].size || (a[i].size > 0 && memcmp(a[i].bytes, b[i].bytes, a[i].size) != 0))
			return false;
	return true;
}

/* One patron read alone and as the only entry of a list. */
static void
check_as_list(const char *bytes, size_t size, const struct patron *alone)
{
	_cleanup_buf_ struct buf list = BUF_INIT(1U << 24);
	_cleanup_page_ struct page *page = NULL;
	const struct patron *listed;

	if (buf_add(&list, "{\"entries\":[", 12) < 0 || buf_add(&list, bytes, size) < 0 || buf_add(&list, "]}", 3) < 0)
		abort();
	if (page_parse_list(list.bytes, list.size - 1, &page) < 0 || page_count(page) != 1)
		abort();
	listed = page_patron(page, 0);
	if (listed->id != alone->id || listed->deleted != alone->deleted || listed->expiration != alone->expiration ||
	    listed->birth_date != alone->birth_date ||
	    !same_texts(listed->barcodes, listed->barcode_count, alone->barcodes, alone->barcode_count) ||
	    !same_texts(listed->names, listed->name_count, alone->names, alone->name_count))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_page_ struct page *page = NULL;
	char *bytes = malloc(size + 1);

	if (bytes == NULL)
		return 0;
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	/* Absent is said by a 404 in Sierra's own words alone: taken for it, a patron would be created twice. */
	if (answer_verdict(answer_classify(CALL_FIND, EXCHANGE_ANSWERED, 200, bytes, size), CALL_FIND).action == ACTION_ABSENT)
		abort();
	if (page_parse_patron(bytes, size, &page) == 0) {
		const struct patron *patron = page_patron(page, 0);

		if (page_count(page) != 1 || patron->id == 0)
			abort();
		/* trailing blanks and the like may stand behind one, not inside a list: as it came */
		check_as_list(bytes, size, patron);
	}
	free(bytes);
	return 0;
}
