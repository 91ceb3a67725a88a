/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Standard output, seen as what it is: a terminal, or not. */

#include "ctl/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define WIDTH_MIN 40U
#define WIDTH_MAX 120U
#define WIDTH_USUAL 80U

static bool terminal, colours, dumb;

void
show_begin(void)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	terminal = isatty(STDOUT_FILENO) == 1;
	dumb = term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;
	colours = terminal && !dumb && (no_color == NULL || no_color[0] == '\0');
}

bool
show_is_live(void)
{
	return terminal && !dumb;
}

unsigned int
show_width(void)
{
	struct winsize size;

	if (!terminal)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH_USUAL;
	return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

/* Characters that are not seen, and change what is seen. */
static bool
is_hidden(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x00, 0x1f },						/* C0: escape sequences begin there */
		{ 0x7f, 0x9f },						/* DEL; C1: CSI in one character */
		{ 0xad, 0xad }, { 0x061c, 0x061c }, { 0x200b, 0x200f }, /* without width; marks of direction */
		{ 0x2028, 0x202e }, /* separators of lines; overrides of direction */
		{ 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff }, /* tags */
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return false;
}

/* Reads a character of valid UTF-8. Returns its bytes. */
static size_t
next_character(const char *text, uint32_t *ret)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t size = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	uint32_t c = size == 1 ? at[0] : at[0] & (0x7fU >> size);

	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80) { /* no UTF-8 after all: never past the text's end */
			*ret = 0xad;
			return i;
		}
		c = c << 6 | (at[i] & 0x3fU);
	}
	*ret = c;
	return size;
}

/* Adds one character as JSON escapes it, which a person can read as well. */
static int
add_hidden(struct buf *out, uint32_t c)
{
	if (c < 0x10000)
		return buf_addf(out, "\\u%04x", c);
	c -= 0x10000;
	return buf_addf(out, "\\u%04x\\u%04x", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

static int
escape_up_to(struct buf *out, const char *text, size_t most)
{
	const char *begin = text;
	int r = 0;

	while (r == 0 && *text != '\0') {
		uint32_t c;
		size_t size = next_character(text, &c);

		if ((size_t)(text - begin) + size > most)
			return buf_add_text(out, "…");
		r = is_hidden(c) ? add_hidden(out, c) : buf_add(out, text, size);
		text += size;
	}
	return r;
}

int
show_escape(struct buf *out, const char *text)
{
	return escape_up_to(out, text, SHOW_TEXT_MAX);
}

void
show_escaped(const char *text, FILE *to)
{
	_cleanup_buf_ struct buf out = BUF_INIT(SHOW_TEXT_MAX * 12);

	if (show_escape(&out, text) == 0 && out.size > 0)
		(void)fwrite(out.bytes, 1, out.size, to);
}

void
show_painted(enum paint paint, const char *text)
{
	static const char *const codes[] = {
		[PAINT_BOLD] = "\033[1m",
		[PAINT_RED] = "\033[1;31m",
		[PAINT_YELLOW] = "\033[1;33m",
		[PAINT_GREEN] = "\033[32m",
	};

	if (colours)
		(void)fputs(codes[paint], stdout);
	show_escaped(text, stdout);
	if (colours)
		(void)fputs("\033[0m", stdout);
}

size_t
show_cut(const char *text, unsigned int columns)
{
	size_t at = 0;
	uint32_t c;

	while (text[at] != '\0' && columns > 0) {
		at += next_character(text + at, &c);
		columns--;
	}
	return at;
}

/* The bytes of a line of at most that many columns: to the last blank that fits, or through a word that is too long. */
static size_t
line_size(const char *text, unsigned int columns)
{
	size_t most = show_cut(text, columns), size = most;

	if (text[most] == '\0' || text[most] == ' ')
		return most;
	while (size > 0 && text[size] != ' ')
		size--;
	return size > 0 ? size : most;
}

void
show_wrapped(unsigned int indent, const char *text)
{
	_cleanup_buf_ struct buf out = BUF_INIT(SHOW_TEXT_MAX * 12);
	unsigned int width = show_width();
	const char *at;

	if (show_escape(&out, text) < 0)
		return;
	at = out.size > 0 ? out.bytes : "";
	do {
		size_t size = width == 0 ? strlen(at) : line_size(at, width - indent);

		(void)printf("%*s%.*s\n", (int)indent, "", (int)size, at);
		at += size;
		at += strspn(at, " ");
	} while (*at != '\0');
}

int
show_json(const cJSON *value)
{
	_cleanup_free_ char *text = cJSON_PrintUnformatted(value);
	_cleanup_buf_ struct buf out = BUF_INIT(64U << 20);

	/* Outside of its texts JSON has none of the characters that are escaped. */
	if (text == NULL || escape_up_to(&out, text, SIZE_MAX) < 0 || buf_add_text(&out, "\n") < 0)
		return -ENOMEM;
	(void)fwrite(out.bytes, 1, out.size, stdout);
	(void)fflush(stdout);
	return 0;
}

/* Returns -1 for anything else. */
static long
two_digits(const char *at)
{
	return at[0] >= '0' && at[0] <= '9' && at[1] >= '0' && at[1] <= '9' ? (at[0] - '0') * 10 + at[1] - '0' : -1;
}

/* Reads the zone after a time: Z, +01:00, or a fraction of a second before them. Returns false for anything else. */
static bool
read_zone(const char *at, long *ret_seconds)
{
	long hours, minutes;

	if (*at == '.')
		at += 1 + strspn(at + 1, "0123456789");
	*ret_seconds = 0;
	if (strcmp(at, "Z") == 0)
		return true;
	if ((*at != '+' && *at != '-') || strlen(at) != 6 || at[3] != ':')
		return false;
	hours = two_digits(at + 1);
	minutes = two_digits(at + 4);
	*ret_seconds = (hours * 3600 + minutes * 60) * (*at == '-' ? -1 : 1);
	return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60;
}

const char *
show_time(const char *iso, char ret[static SHOW_TIME])
{
	struct tm there = { 0 }, here, today;
	time_t now = time(NULL), when;
	const char *zone;
	long offset;

	if (iso == NULL) {
		(void)snprintf(ret, SHOW_TIME, "never");
		return ret;
	}
	zone = strptime(iso, "%Y-%m-%dT%H:%M:%S", &there);
	if (zone == NULL || !read_zone(zone, &offset)) {
		_cleanup_buf_ struct buf out = BUF_INIT(SHOW_TEXT_MAX * 12);

		if (show_escape(&out, iso) < 0 || out.size == 0)
			(void)snprintf(ret, SHOW_TIME, "?");
		else
			(void)snprintf(ret, SHOW_TIME, "%.*s", (int)show_cut(out.bytes, 20), out.bytes);
		return ret;
	}
	when = timegm(&there) - offset;
	if (localtime_r(&when, &here) == NULL || localtime_r(&now, &today) == NULL)
		(void)snprintf(ret, SHOW_TIME, "?");
	else
		(void)strftime(ret, SHOW_TIME,
		    here.tm_year == today.tm_year && here.tm_yday == today.tm_yday ? "%H:%M:%S" : "%Y-%m-%d %H:%M",
		    &here);
	return ret;
}
