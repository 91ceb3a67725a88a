/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever Sierra answers as a page or a patron: parsed or refused; what is parsed is all readable. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "load/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_texts(const struct text *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!text_is_utf8(texts[i].bytes, texts[i].size))
			abort();
}

static void
check(const struct page *page)
{
	for (size_t i = 0; i < page_count(page); i++) {
		const struct patron *patron = page_patron(page, i);

		if (patron->id == 0)
			abort();
		check_texts(patron->barcodes, patron->barcode_count);
		check_texts(patron->names, patron->name_count);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_page_ struct page *list = NULL;
	_cleanup_page_ struct page *one = NULL;
	char *bytes = malloc(size + 1);

	if (bytes == NULL)
		return 0;
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	if (page_parse_list(bytes, size, &list) == 0)
		check(list);
	if (page_parse_patron(bytes, size, &one) == 0) {
		if (page_count(one) != 1)
			abort();
		check(one);
	}
	free(bytes);
	return 0;
}
