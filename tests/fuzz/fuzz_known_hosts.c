/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The known_hosts parser on any bytes. Beyond memory it checks what must hold whatever the file says: a key is accepted
 * only where its base64 stands in the file, and a bad line is told with its number.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/known_hosts.h"

/* An ed25519 key whose private half was thrown away. */
#define KEY_TEXT "AAAAC3NzaC1lZDI1NTE5AAAAIGxJkSIqK4QCnSWDok6dlMjnDrMh5mHsB9979JpEXffg"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int ports[] = { 22, 2222 };
	const char *bytes = (const char *)data;
	uint8_t key[KNOWN_HOSTS_KEY];
	ssize_t key_size = known_hosts_base64(KEY_TEXT, strlen(KEY_TEXT), key, sizeof(key));

	if (key_size < 0)
		abort();
	for (size_t i = 0; i < 2; i++) {
		char name[KNOWN_HOSTS_NAME], algorithms[KNOWN_HOSTS_ALGORITHMS];
		unsigned int line = 0;
		int verdict;

		if (known_hosts_name("sftp.example.org", ports[i], name) < 0)
			abort();
		verdict = known_hosts_check(bytes, size, name, key, (size_t)key_size, &line);
		if (verdict < 0 || verdict > KNOWN_HOSTS_ACCEPTED || (verdict == KNOWN_HOSTS_BAD_LINE) != (line > 0))
			abort();
		if (verdict == KNOWN_HOSTS_ACCEPTED && memmem(data, size, KEY_TEXT, strlen(KEY_TEXT)) == NULL)
			abort();
		known_hosts_algorithms(bytes, size, name, algorithms);
		if (strlen(algorithms) != strlen("ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
						 "ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"))
			abort();
	}
	return 0;
}
