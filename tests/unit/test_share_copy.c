/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "testkit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "share/copy.h"
#include "share/deliver.h"

#define SIZE 1000000U /* bytes: several blocks */

static char share[] = "/tmp/share-copy-XXXXXX";

/* What happens to the feed at which point of the copy: asked before each block, and before the end is seen. */
enum meddling { LEAVE, REWRITE_BACKDATED, CUT, GROW, REPLACE, UNLINK, CANCEL };

struct scene {
	const struct folder *folder;
	enum meddling meddling;
	uint64_t at; /* bytes done */
	struct timespec mtime;
	bool done;
};

static void
put(const struct folder *folder, const char *name, const struct timespec *mtime)
{
	static char bytes[SIZE];
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const struct timespec times[2] = { *mtime, *mtime };

	assert_true(fd >= 0);
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(fd_write_all(fd, bytes, sizeof(bytes)), 0);
	assert_int_equal(futimens(fd, times), 0);
	(void)fd_close(fd);
}

static void
change(const struct scene *scene, off_t offset, bool cut)
{
	const struct timespec times[2] = { scene->mtime, scene->mtime };
	int fd = openat(scene->folder->fd, "feed.zip", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(cut ? ftruncate(fd, offset) : fd_pwrite_all(fd, "!", 1, offset), 0);
	assert_int_equal(futimens(fd, times), 0); /* whoever meddles puts the time back */
	(void)fd_close(fd);
}

static bool
meddle(uint64_t done, void *userdata)
{
	struct scene *scene = userdata;

	if (done < scene->at || scene->done)
		return true;
	scene->done = true;
	switch (scene->meddling) {
	case LEAVE:
		return true;
	case REWRITE_BACKDATED:
		change(scene, 0, false);
		return true;
	case CUT:
		change(scene, 10, true);
		return true;
	case GROW:
		change(scene, SIZE, false);
		return true;
	case REPLACE:
		put(scene->folder, "new", &scene->mtime);
		assert_int_equal(renameat(scene->folder->fd, "new", scene->folder->fd, "feed.zip"), 0);
		return true;
	case UNLINK:
		assert_int_equal(unlinkat(scene->folder->fd, "feed.zip", 0), 0);
		return true;
	case CANCEL:
		return false;
	}
	return true;
}

static void
meddled_with(void **state)
{
	static const struct {
		enum meddling meddling;
		enum failure_code expected;
	} cases[] = {
		{ REWRITE_BACKDATED, FAILURE_FEED_CHANGED }, { CUT, FAILURE_FEED_CHANGED }, { GROW, FAILURE_FEED_CHANGED },
		{ REPLACE, FAILURE_FEED_CHANGED }, { UNLINK, FAILURE_FEED_CHANGED }, { CANCEL, FAILURE_CANCELLED },
		{ LEAVE, FAILURE_NONE },
	};
	/* before the first block, between two, and when all is read but the end not yet seen */
	static const uint64_t points[] = { 0, 262144, SIZE };
	struct folder folder = FOLDER_INIT;
	struct failure failure;

	(void)state;
	assert_int_equal(folder_open(&folder, share, &failure), 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t j = 0; j < COUNT(points); j++) {
			struct scene scene = {
				.folder = &folder, .meddling = cases[i].meddling, .at = points[j], .mtime = { 1700000000, 5000 }
			};
			_cleanup_fd_ int to = memfd_create("feed", MFD_CLOEXEC);
			const struct copy copy = {
				.name = "feed.zip", .size = SIZE, .mtime = 1700000000000005, .to_fd = to, .go_on = meddle, .userdata = &scene
			};
			struct stat st;
			int r;

			put(&folder, "feed.zip", &scene.mtime);
			failure.code = FAILURE_NONE;
			r = copy_feed(&folder, &copy, &failure);
			assert_true(scene.done);
			assert_int_equal(r, cases[i].expected == FAILURE_NONE ? 0 : -1);
			assert_int_equal(failure.code, cases[i].expected);
			assert_int_equal(fstat(to, &st), 0);
			/* never more than was listed, whatever the file became */
			assert_true(st.st_size <= SIZE && (r < 0 || st.st_size == SIZE));
		}
	folder_done(&folder);
}

static bool
go_on(uint64_t done, void *userdata)
{
	(void)done;
	(void)userdata;
	return true;
}

static void
targets_that_fail(void **state)
{
	static const struct timespec mtime = { 1, 0 };
	struct folder folder = FOLDER_INIT;
	struct failure failure;
	_cleanup_fd_ int full = open("/dev/full", O_RDWR | O_CLOEXEC), sealed = memfd_create("feed", MFD_ALLOW_SEALING);
	struct copy copy = { .name = "feed.zip", .size = SIZE, .mtime = 1000000, .go_on = go_on };

	(void)state;
	assert_int_equal(folder_open(&folder, share, &failure), 0);
	put(&folder, "feed.zip", &mtime);
	copy.to_fd = -EBADF;
	assert_int_equal(copy_feed(&folder, &copy, &failure), -1);
	assert_int_equal(failure.code, FAILURE_PROTOCOL);
	copy.to_fd = full;
	assert_int_equal(copy_feed(&folder, &copy, &failure), -1);
	assert_int_equal(failure.code, FAILURE_PROTOCOL); /* no regular file */
	assert_int_equal(fcntl(sealed, F_ADD_SEALS, F_SEAL_GROW), 0);
	copy.to_fd = sealed;
	assert_int_equal(copy_feed(&folder, &copy, &failure), -1);
	assert_int_equal(failure.code, FAILURE_INTERNAL);
	folder_done(&folder);
}

/* A delivery whose source lies about its size leaves nothing behind. */
static void
deliveries(void **state)
{
	static const char name[] = "barcode_errors-20251124.zip";
	static const char temporary[] = ".barcode_errors-20251124.zip.patrond";
	struct folder folder = FOLDER_INIT;
	struct failure failure;
	struct stat st;
	_cleanup_fd_ int zip = memfd_create("zip", MFD_CLOEXEC), writeonly = -EBADF;

	(void)state;
	assert_int_equal(folder_open(&folder, share, &failure), 0);
	assert_int_equal(deliver_report(&folder, name, sizeof(name) - 1, zip, &failure), -1);
	assert_int_equal(failure.code, FAILURE_PROTOCOL); /* empty */
	writeonly = openat(folder.fd, "feed.zip", O_WRONLY | O_CLOEXEC);
	assert_int_equal(deliver_report(&folder, name, sizeof(name) - 1, writeonly, &failure), -1);
	assert_int_equal(failure.code, FAILURE_INTERNAL); /* cannot be read */
	assert_int_equal(fstatat(folder.fd, name, &st, 0), -1);
	assert_int_equal(fstatat(folder.fd, temporary, &st, 0), -1);
	assert_int_equal(fd_pwrite_all(zip, "zip", 3, 0), 0);
	assert_int_equal(deliver_report(&folder, name, sizeof(name) - 1, zip, &failure), 0);
	assert_int_equal(fstatat(folder.fd, temporary, &st, 0), -1);
	assert_int_equal(fstatat(folder.fd, name, &st, 0), 0);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(deliver_remove(&folder, "feed.zip", 8, &failure), -1);
	assert_int_equal(failure.code, FAILURE_PROTOCOL);
	assert_int_equal(deliver_remove(&folder, name, sizeof(name) - 1, &failure), 0);
	assert_int_equal(fstatat(folder.fd, name, &st, 0), -1);
	folder_done(&folder);
}

static int
make_share(void **state)
{
	(void)state;
	(void)umask(0077); /* the group must be able to read a report all the same */
	return mkdtemp(share) != NULL ? 0 : -1;
}

static int
remove_share(void **state)
{
	char path[sizeof(share) + 16];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/feed.zip", share);
	(void)unlink(path);
	return rmdir(share);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meddled_with),
		cmocka_unit_test(targets_that_fail),
		cmocka_unit_test(deliveries),
	};

	return cmocka_run_group_tests(tests, make_share, remove_share);
}
