/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines, comments, sections and pairs: the form, not the meaning. */

#include "common/ini.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "patrond/limits.h"

struct ini {
	const struct ini_handler *handler;
	void *data;
	struct config_error *error;
	bool in_section;
};

int
ini_refuse(struct config_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}

char *
ini_trim(char *text)
{
	size_t size;

	text += strspn(text, " \t");
	size = strlen(text);
	while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t' || text[size - 1] == '\r'))
		text[--size] = '\0';
	return text;
}

static int
parse_section(struct ini *ini, char *line)
{
	char *end = strchr(line, ']');

	if (end == NULL || end[1] != '\0')
		return ini_refuse(ini->error, "a section is written [name]");
	*end = '\0';
	ini->in_section = true;
	return ini->handler->on_section(ini->data, ini_trim(line + 1));
}

/* As in a shell or in TOML: taken as it stands it would be another name than the one that is meant. */
static bool
is_quoted(const char *value)
{
	size_t size = strlen(value);

	return size > 1 && (*value == '"' || *value == '\'') && value[size - 1] == *value;
}

static int
parse_pair(struct ini *ini, char *line)
{
	char *equals = strchr(line, '='), *value;

	if (equals == NULL)
		return ini_refuse(ini->error, "neither [section] nor key = value");
	*equals = '\0';
	if (!ini->in_section)
		return ini_refuse(ini->error, "a key stands before the first [section]");
	value = ini_trim(equals + 1);
	if (is_quoted(value))
		return ini_refuse(ini->error, "values are not quoted: leave the quotes out");
	return ini->handler->on_pair(ini->data, ini_trim(line), value);
}

static int
parse_line(struct ini *ini, const char *bytes, size_t size)
{
	char line[LIMIT_CONFIG_LINE];
	char *text;

	if (size >= sizeof(line))
		return ini_refuse(ini->error, "the line is longer than %u bytes", LIMIT_CONFIG_LINE - 1);
	if (memchr(bytes, '\0', size) != NULL)
		return ini_refuse(ini->error, "the line has a NUL byte");
	memcpy(line, bytes, size);
	line[size] = '\0';
	text = ini_trim(line);
	if (*text == '\0' || *text == '#' || *text == ';')
		return 0;
	return *text == '[' ? parse_section(ini, text) : parse_pair(ini, text);
}

int
ini_parse(const char *bytes, size_t size, const struct ini_handler *handler, void *data, struct config_error *error)
{
	struct ini ini = { .handler = handler, .data = data, .error = error };
	const char *end = bytes + size;

	error->line = 1;
	if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		return ini_refuse(error, "the file begins with a byte order mark: save it as plain UTF-8");
	error->line = 0;
	while (bytes < end) {
		const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t length = (size_t)((stop != NULL ? stop : end) - bytes);
		int r;

		error->line++;
		r = parse_line(&ini, bytes, length);
		if (r < 0)
			return r;
		bytes += length + (stop != NULL ? 1 : 0);
	}
	error->line = 0;
	return 0;
}
