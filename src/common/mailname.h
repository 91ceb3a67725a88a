/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_MAILNAME_H
#define COMMON_MAILNAME_H

/* The names that a mail needs, as the configuration has them: addresses, lists of them, the relay. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fd.h"

#define ADDRESS_MAX 254U    /* bytes, RFC 5321 4.5.3.1.3 less the angle brackets */
#define RELAY_HOST_MAX 255U

/*
 * True for NAME@DOMAIN of the letters, digits and signs that need no quoting (RFC 5321's dot-string and domain): no blank,
 * no control character, no angle bracket, nothing that could end a header or a command.
 */
bool address_valid(const char *bytes, size_t size);

/* Takes the next address off a list (blanks or commas between), valid or not. Returns false at its end. */
bool address_next(const char **list, const char **ret, size_t *ret_size);

/* One bit for each address of a list, from the lowest on: everybody. The configuration takes no more than there are bits. */
uint32_t address_list_bits(const char *list);

/* A number for a list: equal lists have equal ones. It tells who is meant by bits, not whether anybody may be. */
uint64_t address_list_tag(const char *list);

struct relay {
	char host[RELAY_HOST_MAX + 1]; /* without brackets */
	uint16_t port;
	bool tls_first; /* smtps: TLS from the first byte; else STARTTLS */
};

/* Reads smtp://HOST[:PORT] (default 587) or smtps://HOST[:PORT] (465). Returns 0 or -EINVAL. */
int relay_parse(const char *url, struct relay *ret) WARN_UNUSED;

#endif
