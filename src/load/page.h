/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_PAGE_H
#define LOAD_PAGE_H

/* What Sierra answers, as patrons: a page of the list, or one record. Pure: bytes in, struct patron out. */

#include "load/patron.h"

struct page;

/*
 * Parses a page of the list: an object with `entries`, an array of patrons. Unknown keys are ignored. A NUL must follow
 * the bytes. Returns 0, -EBADMSG where the page, or any entry of it, is unreadable: a page with a hole would become
 * a duplicate patron; -ENOMEM.
 */
int page_parse_list(const char *bytes, size_t size, struct page **ret) WARN_UNUSED;

/* Parses a bare patron object, as find and GET answer with. Errors as page_parse_list. */
int page_parse_patron(const char *bytes, size_t size, struct page **ret) WARN_UNUSED;

size_t page_count(const struct page *page);
const struct patron *page_patron(const struct page *page, size_t n); /* n < page_count; as long-lived as the page */

struct page *page_free(struct page *page); /* wipes; accepts NULL, returns NULL */
void page_freep(struct page **page);

#define _cleanup_page_ __attribute__((cleanup(page_freep)))

#endif
