/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of the runtime directory, and what is the same in them. */

#include "supervisor/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/present.h"

#define FILE_MAX (16U << 20) /* a memory that is full of feeds that guards hold, and of long names, is 12 MiB */

/* Returns 1 with the path of the file, 0 where there is no place for one. */
static int
file_path(char *path, size_t size, const char *name, const char *suffix)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");

	if (runtime == NULL || *runtime == '\0')
		return 0;
	return (size_t)snprintf(path, size, "%.*s/%s%s", (int)strcspn(runtime, ":"), runtime, name, suffix) < size;
}

int
state_file_read(const char *name, cJSON **ret)
{
	_cleanup_free_ char *bytes = NULL;
	char path[1024];
	size_t size;
	int r;

	*ret = NULL;
	if (file_path(path, sizeof(path), name, "") == 0)
		return 0;
	r = fd_read_file(path, FILE_MAX, &bytes, &size);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		*ret = cJSON_ParseWithLength(bytes, size);
	return *ret == NULL;
}

int
state_file_write(const char *name, const cJSON *root)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = -EBADF;
	char path[1024], temporary[1024];
	int r;

	if (file_path(path, sizeof(path), name, "") == 0 || file_path(temporary, sizeof(temporary), name, ".new") == 0)
		return 0;
	text = root != NULL ? cJSON_PrintUnformatted(root) : NULL;
	if (text == NULL)
		return -ENOMEM;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, strlen(text));
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

bool
state_get_guards(const cJSON *list, struct guard_figure *guards, uint32_t *ret_count)
{
	const cJSON *item;

	*ret_count = 0;
	cJSON_ArrayForEach(item, list) {
		double guard, feed, value, basis, limit;

		if (*ret_count == MEMORY_GUARDS_MAX || !get_number(item, "guard", 0, GUARD_MAX - 1, &guard) ||
		    !get_number(item, "feed", FEED_KIND_INVALID, FEED_KIND_MAX - 1, &feed) ||
		    !get_number(item, "value", 0, GET_EXACT, &value) || !get_number(item, "basis", 0, GET_EXACT, &basis) ||
		    !get_number(item, "limit", 0, UINT32_MAX, &limit))
			return false;
		guards[(*ret_count)++] = (struct guard_figure){
			.guard = (enum guard)(int)guard,
			.feed = feed < 0 ? FEED_KIND_INVALID : (enum feed_kind)(int)feed,
			.value = (uint64_t)value,
			.basis = (uint64_t)basis,
			.limit_percent = (uint32_t)limit,
		};
		if (get_number(item, "column", 0, COLUMN_MAX - 1, &limit))
			guards[*ret_count - 1].column = (uint8_t)limit;
	}
	return true;
}

void
state_put_guards(struct put *put, cJSON *object, const char *key, const struct guard_figure *guards, uint32_t count)
{
	cJSON *list = put_array(put, object, key);

	for (uint32_t i = 0; i < count; i++) {
		cJSON *item = put_item(put, list);

		put_number(put, item, "guard", (uint64_t)guards[i].guard);
		put_signed(put, item, "feed", guards[i].feed);
		put_number(put, item, "value", guards[i].value);
		put_number(put, item, "basis", guards[i].basis);
		put_number(put, item, "limit", guards[i].limit_percent);
		if (guard_column(&guards[i]) != NULL)
			put_number(put, item, "column", guards[i].column);
	}
}

/* --- shapes --- */

#define SHAPE_FIXED (7U + STATUS_VALUES + COLUMN_MAX)

/* The figures that are compared, in one order for both ways; the schools stand behind them. */
static void
shape_figures(struct feed_shape *shape, uint32_t *ret[static SHAPE_FIXED])
{
	size_t n = 0;

	ret[n++] = &shape->rows;
	ret[n++] = &shape->understood;
	ret[n++] = &shape->key_fits;
	ret[n++] = &shape->of_age;
	ret[n++] = &shape->active;
	ret[n++] = &shape->status_other;
	ret[n++] = &shape->reasons[REASON_OPTED_OUT].rows;
	for (size_t i = 0; i < STATUS_VALUES; i++)
		ret[n++] = &shape->status[i];
	for (size_t i = 0; i < COLUMN_MAX; i++)
		ret[n++] = &shape->columns[i].filled;
}

static void
put_figure(struct put *put, cJSON *list, uint32_t figure)
{
	cJSON *number = cJSON_CreateNumber(figure);

	if (list == NULL || number == NULL || !cJSON_AddItemToArray(list, number)) {
		cJSON_Delete(number);
		put->failed = true;
	}
}

void
state_put_shape(struct put *put, cJSON *object, const char *key, const struct feed_shape *shape)
{
	cJSON *list = put_array(put, object, key);
	struct feed_shape copy = *shape;
	uint32_t *figures[SHAPE_FIXED];

	shape_figures(&copy, figures);
	for (size_t i = 0; i < SHAPE_FIXED; i++)
		put_figure(put, list, *figures[i]);
	for (size_t i = 0; i < SHAPE_SCHOOLS && shape->school_rows[i] > 0; i++)
		put_figure(put, list, shape->school_rows[i]);
}

bool
state_get_shape(const cJSON *object, const char *key, struct feed_shape *shape)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key), *item;
	uint32_t *figures[SHAPE_FIXED];
	size_t n = 0;

	memset(shape, 0, sizeof(*shape));
	shape_figures(shape, figures);
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > LIMIT_ROWS ||
		    n == SHAPE_FIXED + SHAPE_SCHOOLS)
			return false;
		if (n < SHAPE_FIXED)
			*figures[n] = (uint32_t)item->valuedouble;
		else
			shape->school_rows[n - SHAPE_FIXED] = (uint32_t)item->valuedouble;
		n++;
	}
	return n >= SHAPE_FIXED && shape->understood <= shape->rows && shape->key_fits <= shape->rows &&
	    shape->of_age <= shape->understood;
}
