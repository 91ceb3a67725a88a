/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which names are ours, what a mount's type says, and that taking aside never replaces anything. */

#include "testkit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "share/aside.h"
#include "share/janitor.h"
#include "share/mounts.h"

static void
names(void **state)
{
	static const struct janitor_rules rules = { "patron_barcodes.csv update_*.csv  log-*.txt", "*.csv *.zip" };
	static const struct {
		const char *name;
		enum plaintext what;
	} cases[] = {
		{ "", PLAINTEXT_MAX },
		{ "book.pdf", PLAINTEXT_MAX },
		{ ".update_1.csv", PLAINTEXT_MAX },
		{ "barcode_errors-20260101.zip", PLAINTEXT_MAX },
		{ "update_1.csv.bak", PLAINTEXT_MAX },
		{ "books.csv", PLAINTEXT_UNKNOWN },
		{ "feed.zip", PLAINTEXT_UNKNOWN },
		{ "barcode_errors-20261301.zip", PLAINTEXT_UNKNOWN },
		{ "patron_barcodes.csv", PLAINTEXT_KNOWN },
		{ "Patron_Barcodes.CSV", PLAINTEXT_KNOWN },
		{ "update_.csv", PLAINTEXT_KNOWN },
		{ "log-x.txt", PLAINTEXT_KNOWN },
		{ "patron_barcodes.zip", PLAINTEXT_KNOWN_ZIP },
		{ "patron_barcodes.csv.ZIP", PLAINTEXT_KNOWN_ZIP },
		{ "log-x.zip", PLAINTEXT_KNOWN_ZIP },
		{ ".zip", PLAINTEXT_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (janitor_name(cases[i].name, &rules) != cases[i].what)
			fail_msg("%s: %d", cases[i].name, (int)janitor_name(cases[i].name, &rules));
	assert_false(janitor_name_fits("a", ""));
	assert_false(janitor_name_fits("a", "  "));
}

static void
mounts(void **state)
{
	static const char text[] =
	    "25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
	    "36 35 98:0 /a\\040-\\040b /point rw,noatime master:1 - ext4 /dev/root rw\n"
	    "37 35 0:51 / /srv/share rw,relatime - cifs //server/share rw\n"
	    "38 35 0:52 / /srv/share rw,relatime - fuse.sshfs user@server:/ rw\n"
	    "39 35 0:53 / /tmp rw\n";
	static const struct {
		uint64_t id;
		bool local;
	} cases[] = { { 36, true }, { 37, false }, { 38, false }, { 39, false }, { 25, false }, { 3, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		FILE *file = fmemopen((void *)(uintptr_t)text, sizeof(text) - 1, "r");

		assert_non_null(file);
		assert_int_equal(mounts_read_local(file, cases[i].id), cases[i].local);
		(void)fclose(file);
	}
	assert_true(mounts_type_is_local("ext4"));
	assert_true(mounts_type_is_local("tmpfs"));
	for (size_t i = 0; i < 9; i++)
		assert_false(mounts_type_is_local(
		    ((const char *const[]){ "cifs", "smb3", "nfs4", "nfs", "fuse", "fuseblk", "9p", "overlay", "" })[i]));
}

static void
make(const struct folder *folder, const char *name, const char *text)
{
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void
aside(void **state)
{
	char path[] = "/tmp/patrond-aside-XXXXXX", name[ASIDE_NAME_SIZE];
	struct folder folder = FOLDER_INIT;
	struct stat looked, st;

	(void)state;
	assert_non_null(mkdtemp(path));
	folder.fd = open(path, O_RDONLY | O_DIRECTORY);
	make(&folder, "a", "first");
	assert_int_equal(fstatat(folder.fd, "a", &looked, 0), 0);
	assert_int_equal(aside_take(&folder, "b", &looked, name), -ESTALE);
	assert_int_equal(aside_take(&folder, "a", &looked, name), 0);
	assert_int_equal(faccessat(folder.fd, "a", F_OK, 0), -1);
	assert_true(aside_is_left(name, &looked));
	st = looked;
	st.st_ino++;
	assert_false(aside_is_left(name, &st));
	/* its name was taken meanwhile: nothing is replaced */
	make(&folder, "a", "second");
	assert_int_equal(aside_put_back(&folder, name, "a"), 0);
	assert_int_equal(fstatat(folder.fd, "a.1", &st, 0), 0);
	assert_int_equal(st.st_ino, looked.st_ino);
	assert_int_equal(fstatat(folder.fd, "a", &st, 0), 0);
	assert_int_equal(aside_take(&folder, "a", &looked, name), -ESTALE);
	assert_int_equal(aside_rename(folder.fd, "a", folder.fd, "a.1"), -EEXIST);
	(void)unlinkat(folder.fd, "a", 0);
	(void)unlinkat(folder.fd, "a.1", 0);
	folder_done(&folder);
	assert_int_equal(rmdir(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(mounts), cmocka_unit_test(aside) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
