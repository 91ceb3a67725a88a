/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses, lists and relays of any bytes: what is taken has nothing that could end a header, a command or an URL, and a
 * list is the same to those who count it and to those who number it.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/mailname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_address(const char *address, size_t size)
{
	if (!address_valid(address, size))
		return;
	if (size > ADDRESS_MAX || address[0] == '-')
		abort();
	for (size_t i = 0; i < size; i++)
		if (address[i] <= ' ' || address[i] > '~' || strchr("<>()[]\\,;:\"", address[i]) != NULL)
			abort();
}

static void
check_relay(const char *text)
{
	struct relay relay;

	if (relay_parse(text, &relay) < 0)
		return;
	if (relay.port == 0 || relay.host[0] == '\0' || strlen(relay.host) > RELAY_HOST_MAX || strpbrk(relay.host, "/@?# \r\n") != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *again = malloc(2 * size + 1);
	const char *list = text, *address;
	size_t used = 0, length, count = 0;

	if (text == NULL || again == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	check_address(text, size);
	check_relay(text);
	while (address_next(&list, &address, &length)) {
		check_address(address, length);
		memcpy(again + used, address, length);
		used += length;
		again[used++] = ',';
		count++;
	}
	again[used] = '\0';
	if (address_list_tag(text) != address_list_tag(again) || address_list_bits(text) != address_list_bits(again))
		abort();
	if (count < 32 && address_list_bits(text) != (UINT32_C(1) << count) - 1)
		abort();
	free(text);
	free(again);
	return 0;
}
