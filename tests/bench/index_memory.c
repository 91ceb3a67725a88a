/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench-index: what the index of so many patrons with a barcode each costs, and how long it takes to make and to ask.
 *
 *   bench-index PATRONS ROWS FIRST-BARCODE
 *
 * Prints `NAME VALUE`, one a line. The allocator's own account is printed beside the index's, which it must bear out.
 */

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/date.h"
#include "common/keyrule.h"
#include "load/index.h"

static const char *const surnames[] = { "ADAMS", "BAKER", "CARTER", "DIAZ", "EVANS", "FLORES", "GARCIA", "HUGHES", "IVERSON",
	"JENKINS", "KELLER", "LOPEZ", "MILLER" };
static const char *const first_names[] = { "ADA", "BEN", "CLARA", "DAVID", "EMMA", "FELIX", "GRACE MARIE", "HENRY", "IRIS" };

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Bytes that the allocator has given out. */
static size_t
heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static int
add(struct index *index, uint64_t first, uint64_t i)
{
	char barcode[32], name[64];
	struct text barcodes = { barcode, 0 }, names = { name, 0 };
	struct patron patron = {
		.id = 1000001 + i,
		.barcodes = &barcodes,
		.barcode_count = 1,
		.names = &names,
		.name_count = 1,
		.birth_date = 12784 + (int32_t)(i % 5000),
		.expiration = 19723 + (int32_t)(i % 700),
	};

	barcodes.size = (size_t)snprintf(barcode, sizeof(barcode), "%" PRIu64, first + i);
	names.size = (size_t)snprintf(name, sizeof(name), "%s, %s", surnames[i % 13], first_names[i / 13 % 9]);
	return index_add(index, &patron);
}

/* Asks for `rows` barcodes, spread over all and over as many that are absent. Returns how many were found. */
static uint64_t
ask(const struct index *index, uint64_t first, uint64_t patrons, uint64_t rows)
{
	uint64_t found = 0;

	for (uint64_t i = 0; i < rows; i++) {
		char barcode[32];
		uint64_t at = i * 2654435761U % (2 * patrons);
		size_t size = (size_t)snprintf(barcode, sizeof(barcode), "%" PRIu64, first + at);
		struct index_hit hit;

		index_find(index, barcode, size, &hit);
		if (hit.verdict != (at < patrons ? INDEX_CLEAN : INDEX_ABSENT) ||
		    (at < patrons && hit.patron_id != 1000001 + at))
			return UINT64_MAX;
		found += hit.verdict == INDEX_CLEAN;
	}
	return found;
}

/*
 * Bytes for each barcode beyond the names. The index counts birth dates among what confirmation needs; here they are the
 * index's, which is the stricter reading.
 */
static double
bytes_a_barcode(const struct index *index)
{
	struct index_memory memory;
	size_t beyond;

	index_memory(index, &memory);
	beyond = memory.total - memory.confirmation + index_patrons(index) * sizeof(int32_t);
	return memory.keys > 0 ? (double)beyond / (double)memory.keys : 0;
}

static int
measure(struct index *index, uint64_t patrons, uint64_t rows, uint64_t first, size_t before)
{
	struct index_memory memory;
	double begun = now(), made, dearest = 0;
	uint64_t found;

	for (uint64_t i = 0; i < patrons; i++) {
		int r = add(index, first, i);

		if (r != 0)
			return r;
		/* a table that has just grown is half empty */
		if (i >= 100000 && i % 1024 == 0 && bytes_a_barcode(index) > dearest)
			dearest = bytes_a_barcode(index);
	}
	index_finish(index);
	made = now();
	found = ask(index, first, patrons, rows);
	if (found == UINT64_MAX)
		return -EBADMSG;
	index_memory(index, &memory);
	if (memory.keys != patrons)
		return -EBADMSG;
	(void)printf("make_seconds %.3f\nask_seconds %.3f\nfound %" PRIu64 "\n", made - begun, now() - made, found);
	(void)printf("total %zu\nconfirmation %zu\nkeys %" PRIu64 "\nheap %zu\n", memory.total, memory.confirmation,
	    memory.keys, heap() - before);
	(void)printf("bytes_a_barcode %.2f\ndearest %.2f\n", bytes_a_barcode(index), dearest);
	return 0;
}

int
main(int argc, char **argv)
{
	struct key_rule *rule = NULL;
	struct index *index = NULL;
	size_t before = heap();
	int r;

	if (argc != 4) {
		(void)fprintf(stderr, "Usage: bench-index PATRONS ROWS FIRST-BARCODE\n");
		return 1;
	}
	r = key_rule_new(&rule, "[0-9]+");
	if (r == 0)
		r = index_new(&index, rule);
	if (r == 0)
		r = measure(index, strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10), before);
	if (r != 0)
		(void)fprintf(stderr, "bench-index: the index is not as it should be: %d\n", r);
	index_free(index);
	key_rule_free(rule);
	return r != 0;
}
