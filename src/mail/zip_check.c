/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directory of the report's zip against its local headers (APPNOTE 4.3.7, 4.3.12, 4.3.16; WinZip's AES). */

#include "mail/zip_check.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "patrond/limits.h"
#include "patrond/report_files.h"

#define END_SIZE 22U
#define END_MAGIC 0x06054b50U
#define CENTRAL_SIZE 46U
#define CENTRAL_MAGIC 0x02014b50U
#define LOCAL_SIZE 30U
#define LOCAL_MAGIC 0x04034b50U
#define DESCRIPTOR_MAGIC 0x08074b50U
#define DESCRIPTOR_SIZE 16U
#define FLAG_ENCRYPTED 1U
#define FLAG_DESCRIPTOR (1U << 3)
#define METHOD_AES 99U
#define EXTRA_AES 0x9901U
#define EXTRA_AES_SIZE 7U
#define STRENGTH_256 3U
#define DIRECTORY_MAX 4096U /* a few entries of some hundred bytes */

static const char *const names[] = {
#define NAME_OF(table, name, header) name,
	REPORT_FILES(NAME_OF)
#undef NAME_OF
};

#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

static uint32_t
get16(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t
get32(const uint8_t *bytes)
{
	return get16(bytes) | get16(bytes + 2) << 16;
}

/* Exactly size bytes at an offset. */
static int
read_at(int fd, void *bytes, size_t size, uint64_t at)
{
	ssize_t n = fd_pread_all(fd, bytes, size, (off_t)at);

	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : -EBADMSG;
}

static bool
is_report_name(const uint8_t *bytes, size_t size, bool seen[static NAME_COUNT])
{
	for (size_t i = 0; i < NAME_COUNT; i++)
		if (strlen(names[i]) == size && memcmp(names[i], bytes, size) == 0 && !seen[i]) {
			seen[i] = true;
			return true;
		}
	return false;
}

/* AES-256 as the extra field says it; a second one might say otherwise. */
static bool
is_aes_256(const uint8_t *extra, size_t size)
{
	unsigned int count = 0;

	while (size >= 4) {
		size_t length = get16(extra + 2);

		if (length > size - 4)
			return false;
		if (get16(extra) == EXTRA_AES) {
			if (length != EXTRA_AES_SIZE || memcmp(extra + 6, "AE", 2) != 0 || extra[8] != STRENGTH_256)
				return false;
			count++;
		}
		extra += 4 + length;
		size -= 4 + length;
	}
	return size == 0 && count == 1;
}

/* The local header at *at, which must say what the directory says. Moves *at behind the entry. */
static int
check_local(int fd, const uint8_t *central, const uint8_t *name, uint64_t *at)
{
	uint8_t local[LOCAL_SIZE], local_name[64], extra[256], descriptor[4];
	size_t name_size = get16(central + 28), extra_size;
	int r = read_at(fd, local, sizeof(local), *at);

	if (r < 0)
		return r;
	extra_size = get16(local + 28);
	if (get32(local) != LOCAL_MAGIC || get16(local + 6) != get16(central + 8) || get16(local + 8) != METHOD_AES ||
	    get16(local + 26) != name_size || name_size > sizeof(local_name) || extra_size > sizeof(extra))
		return -EBADMSG;
	r = read_at(fd, local_name, name_size, *at + LOCAL_SIZE);
	if (r == 0)
		r = read_at(fd, extra, extra_size, *at + LOCAL_SIZE + name_size);
	if (r < 0)
		return r;
	if (memcmp(local_name, name, name_size) != 0 || !is_aes_256(extra, extra_size))
		return -EBADMSG;
	*at += LOCAL_SIZE + name_size + extra_size + get32(central + 20);
	if ((get16(central + 8) & FLAG_DESCRIPTOR) == 0)
		return get32(local + 18) == get32(central + 20) ? 0 : -EBADMSG;
	r = read_at(fd, descriptor, sizeof(descriptor), *at);
	if (r < 0)
		return r;
	*at += DESCRIPTOR_SIZE;
	return get32(descriptor) == DESCRIPTOR_MAGIC ? 0 : -EBADMSG;
}

/* One entry of the directory, size bytes left of it. Returns its size, or a negative errno. */
static int
check_entry(int fd, const uint8_t *central, size_t size, bool seen[static NAME_COUNT], uint64_t *at)
{
	size_t name_size, extra_size, whole;
	int r;

	if (size < CENTRAL_SIZE || get32(central) != CENTRAL_MAGIC)
		return -EBADMSG;
	name_size = get16(central + 28);
	extra_size = get16(central + 30);
	whole = CENTRAL_SIZE + name_size + extra_size;
	if (get16(central + 32) != 0 || whole > size) /* no comment: that would be in the clear */
		return -EBADMSG;
	if ((get16(central + 8) & FLAG_ENCRYPTED) == 0 || get16(central + 10) != METHOD_AES || get32(central + 42) != *at ||
	    !is_report_name(central + CENTRAL_SIZE, name_size, seen) ||
	    !is_aes_256(central + CENTRAL_SIZE + name_size, extra_size))
		return -EBADMSG;
	r = check_local(fd, central, central + CENTRAL_SIZE, at);
	return r < 0 ? r : (int)whole;
}

static int
check_directory(int fd, const uint8_t *directory, size_t size, unsigned int entries, uint64_t at_most)
{
	bool seen[NAME_COUNT] = { false };
	uint64_t at = 0;
	size_t used = 0;

	for (unsigned int i = 0; i < entries; i++) {
		int r = check_entry(fd, directory + used, size - used, seen, &at);

		if (r < 0)
			return r;
		used += (size_t)r;
	}
	return used == size && at == at_most ? 0 : -EBADMSG;
}

int
zip_check(int fd, uint64_t *ret_size)
{
	uint8_t end[END_SIZE], directory[DIRECTORY_MAX];
	uint64_t size, at, length;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)END_SIZE || (uint64_t)st.st_size > LIMIT_REPORT_SIZE)
		return -EBADMSG;
	size = (uint64_t)st.st_size;
	r = read_at(fd, end, sizeof(end), size - END_SIZE);
	if (r < 0)
		return r;
	length = get32(end + 12);
	at = get32(end + 16);
	if (get32(end) != END_MAGIC || get32(end + 4) != 0 || get16(end + 8) != get16(end + 10) || get16(end + 10) == 0 ||
	    get16(end + 10) > NAME_COUNT || get16(end + 20) != 0 || length > DIRECTORY_MAX || at + length + END_SIZE != size)
		return -EBADMSG;
	r = read_at(fd, directory, (size_t)length, at);
	if (r == 0)
		r = check_directory(fd, directory, (size_t)length, get16(end + 10), at);
	if (r < 0)
		return r;
	*ret_size = size;
	return 0;
}
