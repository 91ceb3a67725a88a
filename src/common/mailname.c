/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses and relays: allow-lists, since each of them goes into a header, a command or an URL. */

#include "common/mailname.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define LOCAL_MAX 64U
#define LABEL_MAX 63U
#define PORT_STARTTLS 587U
#define PORT_TLS 465U

/* RFC 5322's atext, in ASCII alone: a relay without SMTPUTF8 would refuse more. */
static bool
is_atext(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Words with dots between, none empty, each byte one of ok's. */
static bool
is_dotted(const char *bytes, size_t size, size_t word_max, bool (*ok)(char c))
{
	size_t word = 0;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '.' && word > 0)
			word = 0;
		else if (!ok(bytes[i]) || ++word > word_max)
			return false;
	}
	return word > 0;
}

static bool
is_host_byte(char c)
{
	return isalnum((unsigned char)c) || c == '-';
}

static bool
is_domain(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] == '-' && (i == 0 || i + 1 == size || bytes[i - 1] == '.' || bytes[i + 1] == '.'))
			return false;
	return is_dotted(bytes, size, LABEL_MAX, is_host_byte);
}

bool
address_valid(const char *bytes, size_t size)
{
	const char *at = memchr(bytes, '@', size);
	size_t local;

	if (at == NULL || size > ADDRESS_MAX)
		return false;
	local = (size_t)(at - bytes);
	/* one that begins with - could be an option to a program behind the relay */
	return local <= LOCAL_MAX && bytes[0] != '-' && is_dotted(bytes, local, LOCAL_MAX, is_atext) &&
	       is_domain(at + 1, size - local - 1);
}

bool
address_next(const char **list, const char **ret, size_t *ret_size)
{
	*list += strspn(*list, " \t,");
	if (**list == '\0')
		return false;
	*ret = *list;
	*ret_size = strcspn(*list, " \t,");
	*list += *ret_size;
	return true;
}

uint32_t
address_list_bits(const char *list)
{
	const char *address;
	uint32_t bits = 0;
	size_t size;

	while (address_next(&list, &address, &size))
		bits = bits << 1 | 1U;
	return bits;
}

/* FNV-1a over the addresses with one blank after each: how they are parted does not matter. */
uint64_t
address_list_tag(const char *list)
{
	uint64_t tag = 14695981039346656037ULL;
	const char *address;
	size_t size;

	while (address_next(&list, &address, &size)) {
		for (size_t i = 0; i <= size; i++)
			tag = (tag ^ (uint8_t)(i < size ? address[i] : ' ')) * 1099511628211ULL;
	}
	return tag;
}

static int
read_port(const char *text, uint16_t *ret)
{
	unsigned int port = 0;

	if (*text == '\0' || strlen(text) > 5)
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		port = port * 10 + (unsigned int)(*text - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

static bool
is_ipv6_byte(char c)
{
	return isxdigit((unsigned char)c) || c == ':' || c == '.';
}

static int
read_host(const char *host, size_t size, bool bracketed, struct relay *relay)
{
	if (size == 0 || size > RELAY_HOST_MAX)
		return -EINVAL;
	for (size_t i = 0; bracketed && i < size; i++)
		if (!is_ipv6_byte(host[i]))
			return -EINVAL;
	if (!bracketed && !is_domain(host, size))
		return -EINVAL;
	memcpy(relay->host, host, size);
	return 0;
}

int
relay_parse(const char *url, struct relay *ret)
{
	static const struct {
		const char *scheme;
		bool tls_first;
		uint16_t port;
	} schemes[] = { { "smtp://", false, PORT_STARTTLS }, { "smtps://", true, PORT_TLS } };
	struct relay relay = { 0 };
	const char *host = NULL, *end;
	bool bracketed;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) == 0) {
			host = url + strlen(schemes[i].scheme);
			relay.tls_first = schemes[i].tls_first;
			relay.port = schemes[i].port;
		}
	if (host == NULL)
		return -EINVAL;
	bracketed = *host == '[';
	host += bracketed;
	end = host + strcspn(host, bracketed ? "]" : ":");
	if ((bracketed && *end == '\0') || read_host(host, (size_t)(end - host), bracketed, &relay) < 0)
		return -EINVAL;
	end += bracketed;
	if (*end != '\0' && (*end != ':' || read_port(end + 1, &relay.port) < 0))
		return -EINVAL;
	*ret = relay;
	return 0;
}
