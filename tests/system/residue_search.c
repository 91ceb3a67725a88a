/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * residue-search NEEDLES [--pid PID]... [PATH]...: looks for each line of NEEDLES (8 bytes or more) in every regular file at
 * or below the paths, in standard input (-), and in all memory of processes: as UTF-8 and as UTF-16 of either order, capitals
 * or not. Prints a line `hit WHERE OFFSET LINE FORM` for each (the first ones), then `searched BYTES bytes in N, H hits`.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD 8U                /* bytes of a needle that the filter sees */
#define FILTER_BITS 24U
#define NEEDLE_MAX 256U
#define BLOCK (4U << 20)
#define SHOWN_MAX 40U

enum form { FORM_UTF8, FORM_UTF16LE, FORM_UTF16BE, FORM_MAX };

static const char *const form_names[FORM_MAX] = { "UTF-8", "UTF-16LE", "UTF-16BE" };

struct needle {
	uint64_t head;
	uint8_t bytes[NEEDLE_MAX];
	uint32_t size, line;
	enum form form;
	struct needle *next;
};

static uint8_t *filter;
static struct needle **table; /* by the hash of the head */
static unsigned long long searched, places, hits;

static uint32_t
hash(uint64_t head)
{
	return (uint32_t)((head * 0x9e3779b97f4a7c15ULL) >> (64 - FILTER_BITS));
}

static uint64_t
head_of(const uint8_t *bytes)
{
	uint64_t head;

	memcpy(&head, bytes, HEAD);
	return head;
}

static void
die(const char *what)
{
	fprintf(stderr, "residue-search: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint8_t
folded(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static void
add_needle(const char *text, size_t size, enum form form, uint32_t line)
{
	struct needle *needle = calloc(1, sizeof(*needle));
	uint32_t h;

	if (needle == NULL)
		die("memory");
	for (size_t i = 0; i < size; i++) {
		uint8_t c = folded((uint8_t)text[i]);

		if (form == FORM_UTF16BE)
			needle->bytes[needle->size++] = 0;
		needle->bytes[needle->size++] = c;
		if (form == FORM_UTF16LE)
			needle->bytes[needle->size++] = 0;
	}
	needle->form = form;
	needle->line = line;
	needle->head = head_of(needle->bytes);
	h = hash(needle->head);
	filter[h / 8] |= (uint8_t)(1U << (h % 8));
	needle->next = table[h];
	table[h] = needle;
}

/* Only ASCII is looked for: what is not stands in UTF-16 otherwise than with a NUL beside each byte. */
static uint32_t
read_needles(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[NEEDLE_MAX];
	uint32_t count = 0;

	if (file == NULL)
		die(path);
	while (fgets(line, sizeof(line), file) != NULL) {
		size_t size = strcspn(line, "\n");

		count++;
		if (size < HEAD || 2 * size > NEEDLE_MAX) {
			fprintf(stderr, "residue-search: %s:%u is too short or too long\n", path, count);
			exit(2);
		}
		for (int form = 0; form < FORM_MAX; form++)
			add_needle(line, size, (enum form)form, count);
	}
	(void)fclose(file);
	return count;
}

/* Looks at the places of bytes that lie before limit; a needle may reach beyond it, as far as size. */
static void
search(const uint8_t *bytes, size_t limit, size_t size, const char *where, unsigned long long offset)
{
	for (size_t i = 0; i < limit && i + HEAD <= size; i++) {
		uint64_t head = head_of(bytes + i);
		uint32_t h = hash(head);

		if ((filter[h / 8] & (1U << (h % 8))) == 0)
			continue;
		for (const struct needle *needle = table[h]; needle != NULL; needle = needle->next)
			if (needle->head == head && i + needle->size <= size && memcmp(bytes + i, needle->bytes, needle->size) == 0 &&
			    hits++ < SHOWN_MAX)
				printf("hit %s %llu %u %s\n", where, offset + i, needle->line, form_names[needle->form]);
	}
}

/* A stream of bytes from a descriptor; at: SEEK to it first where it is no pipe; length 0: to the end. */
static void
search_fd(int fd, const char *where, unsigned long long at, unsigned long long length, bool seek)
{
	static uint8_t block[BLOCK + NEEDLE_MAX];
	size_t kept = 0;
	unsigned long long done = 0;

	places++;
	for (;;) {
		size_t want = BLOCK - kept;
		ssize_t n;

		if (length != 0 && want > length - done)
			want = (size_t)(length - done);
		n = want == 0 ? 0 : seek ? pread(fd, block + kept, want, (off_t)(at + done)) : read(fd, block + kept, want);
		if (n <= 0) {
			search(block, kept, kept, where, at + done - kept);
			return;
		}
		for (ssize_t i = 0; i < n; i++)
			block[kept + (size_t)i] = folded(block[kept + (size_t)i]);
		done += (unsigned long long)n;
		searched += (unsigned long long)n;
		kept += (size_t)n;
		if (kept > NEEDLE_MAX) {
			search(block, kept - NEEDLE_MAX, kept, where, at + done - kept);
			memmove(block, block + kept - NEEDLE_MAX, NEEDLE_MAX);
			kept = NEEDLE_MAX;
		}
	}
}

static int
on_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	int fd;

	(void)ftw;
	if (type != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT)
			fprintf(stderr, "residue-search: %s: %s\n", path, strerror(errno));
		return 0;
	}
	search_fd(fd, path, 0, 0, false);
	(void)close(fd);
	return 0;
}

static void
search_process(const char *pid)
{
	char path[64], line[1024], where[160];
	FILE *maps;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "re");
	if (maps == NULL)
		die(path);
	(void)snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long long from, to;
		char rights[8];

		if (sscanf(line, "%llx-%llx %7s", &from, &to, rights) != 3 || rights[0] != 'r')
			continue;
		(void)snprintf(where, sizeof(where), "memory-of-%s", pid);
		search_fd(fd, where, from, to - from, true);
	}
	(void)close(fd);
	(void)fclose(maps);
}

int
main(int argc, char **argv)
{
	filter = calloc(1, (1U << FILTER_BITS) / 8);
	table = calloc(1U << FILTER_BITS, sizeof(struct needle *));
	if (filter == NULL || table == NULL || argc < 3) {
		fprintf(stderr, "Usage: residue-search NEEDLES [--pid PID]... [PATH]...\n");
		return 2;
	}
	(void)read_needles(argv[1]);
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--pid") == 0 && i + 1 < argc)
			search_process(argv[++i]);
		else if (strcmp(argv[i], "-") == 0)
			search_fd(STDIN_FILENO, "standard-input", 0, 0, false);
		else if (nftw(argv[i], on_file, 64, FTW_PHYS) < 0 && errno != ENOENT)
			die(argv[i]);
	}
	printf("searched %llu bytes in %llu, %llu hits\n", searched, places, hits);
	return 0;
}
