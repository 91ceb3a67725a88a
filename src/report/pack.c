/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing the report's zip with libzip. */

#include "report/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zip.h>

#include "common/date.h"
#include "common/fd.h"

#define COPY_BLOCK 65536U
#define DOS_YEAR_FIRST 1980
#define DOS_NOON (12U << 11)
#define DEFLATE_LEVEL 6U /* libzip would take 9: twice the time for a few bytes */

static void
zip_discardp(zip_t **zip)
{
	if (*zip != NULL)
		zip_discard(*zip);
	*zip = NULL;
}

static void
zip_source_freep(zip_source_t **source)
{
	if (*source != NULL)
		zip_source_free(*source);
	*source = NULL;
}

#define _cleanup_zip_ __attribute__((cleanup(zip_discardp)))
#define _cleanup_zip_source_ __attribute__((cleanup(zip_source_freep)))

/* Translates libzip's codes: only memory is told apart. */
static int
zip_result(int code, int *ret_number)
{
	if (code == ZIP_ER_MEMORY)
		return -ENOMEM;
	*ret_number = code;
	return -EIO;
}

/* A date as a zip has it. It is given, not asked for: behind the walls there is no time zone to be read. */
static uint16_t
dos_date(int32_t today)
{
	struct date date = date_from_days(today);

	if (date.year < DOS_YEAR_FIRST || date.year > DOS_YEAR_FIRST + 127)
		date = (struct date){ .year = DOS_YEAR_FIRST, .month = 1, .day = 1 };
	return (uint16_t)((date.year - DOS_YEAR_FIRST) << 9 | date.month << 5 | date.day);
}

static int
add_table(zip_t *zip, const struct tables *tables, enum table table, const char *password, uint16_t date)
{
	const struct buf *csv = &tables->csv[table];
	zip_source_t *source = zip_source_buffer(zip, csv->bytes, csv->size, 0);
	zip_int64_t index;
	zip_uint64_t at;

	if (source == NULL)
		return -EIO;
	index = zip_file_add(zip, table_file_name(table), source, ZIP_FL_ENC_UTF_8);
	if (index < 0) {
		zip_source_free(source);
		return -EIO;
	}
	at = (zip_uint64_t)index;
	if (zip_set_file_compression(zip, at, ZIP_CM_DEFLATE, DEFLATE_LEVEL) < 0 ||
	    zip_file_set_encryption(zip, at, ZIP_EM_AES_256, password) < 0 ||
	    zip_file_set_dostime(zip, at, DOS_NOON, date, 0) < 0)
		return -EIO;
	return 0;
}

/* Builds the zip in target, a buffer source that outlives it. */
static int
build(const struct tables *tables, const char *password, int32_t today, zip_source_t *target, int *ret_number)
{
	_cleanup_zip_ zip_t *zip = NULL;
	zip_error_t error;
	int r;

	zip_error_init(&error);
	zip_source_keep(target); /* zip_close takes one reference, the caller's stays */
	zip = zip_open_from_source(target, ZIP_CREATE | ZIP_TRUNCATE, &error);
	if (zip == NULL) {
		zip_source_free(target);
		r = zip_result(zip_error_code_zip(&error), ret_number);
		zip_error_fini(&error);
		return r;
	}
	zip_error_fini(&error);
	for (size_t i = 0; i < TABLE_MAX; i++) {
		if (tables->rows[i] == 0)
			continue;
		if (add_table(zip, tables, (enum table)i, password, dos_date(today)) < 0)
			return zip_result(zip_error_code_zip(zip_get_error(zip)), ret_number);
	}
	if (zip_close(zip) < 0)
		return zip_result(zip_error_code_zip(zip_get_error(zip)), ret_number);
	zip = NULL; /* zip_close has freed it */
	return 0;
}

static int
copy_out(zip_source_t *source, int fd, uint64_t *ret_size, int *ret_number)
{
	_cleanup_free_ char *block = malloc(COPY_BLOCK);
	uint64_t size = 0;
	int r = 0;

	if (block == NULL)
		return -ENOMEM;
	if (zip_source_open(source) < 0)
		return zip_result(zip_error_code_zip(zip_source_error(source)), ret_number);
	for (;;) {
		zip_int64_t n = zip_source_read(source, block, COPY_BLOCK);

		if (n < 0)
			r = zip_result(zip_error_code_zip(zip_source_error(source)), ret_number);
		else if (n > 0 && fd >= 0)
			r = fd_pwrite_all(fd, block, (size_t)n, (off_t)size);
		if (n <= 0 || r < 0)
			break;
		size += (uint64_t)n;
	}
	(void)zip_source_close(source);
	if (r == 0)
		*ret_size = size;
	return r;
}

static int
pack(const struct tables *tables, const char *password, int32_t today, int fd, uint64_t *ret_size, int *ret_number)
{
	_cleanup_zip_source_ zip_source_t *target = NULL;
	zip_error_t error;
	int r;

	*ret_number = 0;
	zip_error_init(&error);
	target = zip_source_buffer_create(NULL, 0, 0, &error);
	r = target == NULL ? zip_result(zip_error_code_zip(&error), ret_number) : 0;
	zip_error_fini(&error);
	if (r == 0)
		r = build(tables, password, today, target, ret_number);
	return r < 0 ? r : copy_out(target, fd, ret_size, ret_number);
}

int
pack_tables(const struct tables *tables, const char *password, int32_t today, int fd, uint64_t *ret_size, int *ret_number)
{
	return pack(tables, password, today, fd, ret_size, ret_number);
}

int
pack_warm(void)
{
	static const struct outcome outcome = {
		.feed = FEED_STUDENT, .row = 1, .kind = OUTCOME_REJECTED, .reason = REASON_SHAPE
	};
	_cleanup_tables_ struct tables tables;
	uint64_t size;
	int number, r;

	tables_init(&tables, COPY_BLOCK);
	r = tables_add_rejected(&tables, &outcome);
	return r < 0 ? r : pack(&tables, "warm", 0, -EBADF, &size, &number);
}
