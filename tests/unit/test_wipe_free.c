/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a stage frees is wiped, whoever frees it. */
#include "testkit.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The allocator's own links stand at the head of a free block. */
#define HEAD 32U

/* Read by the kernel: the compiler must not know that a freed block is looked at. */
static size_t
left_of(uintptr_t address, size_t size)
{
	size_t marks = 0;
	int fd = memfd_create("block", MFD_CLOEXEC);
	char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(fd >= 0);
	assert_ptr_not_equal(copy, MAP_FAILED);
	assert_int_equal(pwrite(fd, (void *)address, size, 0), (ssize_t)size);
	assert_int_equal(pread(fd, copy, size, 0), (ssize_t)size);
	for (size_t i = HEAD; i < size; i++)
		marks += copy[i] == 'x';
	(void)munmap(copy, size);
	(void)close(fd);
	return marks;
}

static uintptr_t
marked(size_t size, void **ret)
{
	void *block = malloc(size);

	assert_non_null(block);
	memset(block, 'x', size);
	assert_int_equal(left_of((uintptr_t)block, size), size - HEAD);
	*ret = block;
	return (uintptr_t)block;
}

static const size_t sizes[] = { 64, 200, 1000, 5000, 60000 };

static void
freed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		void *block;
		uintptr_t at = marked(sizes[i], &block);

		free(block);
		assert_int_equal(left_of(at, sizes[i]), 0);
	}
	free(NULL);
}

static void
moved(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		void *block, *wall;
		uintptr_t at = marked(sizes[i], &block);

		(void)marked(64, &wall); /* so that it cannot grow where it is */
		block = realloc(block, sizes[i] * 4);
		assert_non_null(block);
		assert_ptr_not_equal(block, (void *)at);
		assert_int_equal(left_of((uintptr_t)block, sizes[i]), sizes[i] - HEAD);
		assert_int_equal(left_of(at, sizes[i]), 0);
		free(block);
		free(wall);
	}
}

/* The C library's own buffers go the same way. */
static void
freed_by_the_library(void **state)
{
	char *line = NULL;
	size_t room = 0;
	FILE *file = tmpfile();
	uintptr_t at;

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < 1500; i++)
		assert_int_equal(fputc('x', file), 'x');
	rewind(file);
	assert_int_equal(getline(&line, &room, file), 1500);
	at = (uintptr_t)line;
	line = reallocarray(line, 100, 100);
	assert_non_null(line);
	assert_int_equal(left_of(at, 1000), 0);
	free(line);
	(void)fclose(file);
}

static void
as_before(void **state)
{
	char *block = realloc(NULL, 100), *same;
	char *volatile kept; /* the compiler holds a block that could not grow for freed */

	(void)state;
	assert_non_null(block);
	memset(block, 'y', 100);
	same = realloc(block, 90);
	assert_non_null(same);
	assert_int_equal(same[89], 'y');
	same = realloc(same, 10);
	assert_non_null(same);
	assert_int_equal(same[9], 'y');
	kept = same;
	assert_null(realloc(same, SIZE_MAX / 2));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(kept[9], 'y');
	assert_null(realloc(kept, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(freed),
		cmocka_unit_test(moved),
		cmocka_unit_test(freed_by_the_library),
		cmocka_unit_test(as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
