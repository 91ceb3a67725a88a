/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loop behind the walls. It uses no more of the C library than reading, writing and comparing. */

#include "escape/escape.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE 512

struct escape_aim escape_aim;

static const struct escape_try *const tables[] = { escape_files, escape_network, escape_process, escape_kernel };

/* Executed by one of its tries: it says so on the connection that it got. */
static void __attribute__((constructor))
say_executed(void)
{
	static const char worked[] = "answer 0\n";

	if (getenv("PATROND_ESCAPE_EXECUTED") == NULL)
		return;
	(void)!write(STAGE_FD, worked, sizeof(worked) - 1);
	_exit(0);
}

int
escape_answer(long r)
{
	return r < 0 ? errno : 0;
}

int
escape_answer_fd(long fd)
{
	if (fd < 0)
		return errno;
	(void)close((int)fd);
	return 0;
}

uint32_t
escape_without(void)
{
	const char *text = getenv("PATROND_ESCAPE_WITHOUT");

	return text != NULL ? (uint32_t)strtoul(text, NULL, 0) : 0;
}

int
escape_hole(void *filter)
{
	const char *name = getenv("PATROND_ESCAPE_HOLE");
	int call;

	if (name == NULL)
		return 0;
	call = seccomp_syscall_resolve_name(name);
	if (call == __NR_SCMP_ERROR)
		return -EINVAL;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
}

static void
say(const char *text)
{
	if (write(STAGE_FD, text, strlen(text)) < 0)
		_exit(1);
}

/* Reads a line, without its end. Nothing of the next one is read. */
static void
read_line(char line[static LINE])
{
	size_t size = 0;

	while (size < LINE - 1) {
		ssize_t n = read(STAGE_FD, line + size, 1);

		if (n <= 0)
			_exit(0);
		if (line[size] == '\n')
			break;
		size++;
	}
	line[size] = '\0';
}

static void
list(void)
{
	char line[LINE];

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct escape_try *try = tables[t]; try->name != NULL; try++) {
			(void)snprintf(line, sizeof(line), "%s %s\n", try->name, try->proof == ESCAPE_OPEN ? "open" : "closed");
			say(line);
		}
	say("end\n");
}

static void
set(const char *key, const char *value)
{
	struct escape_aim *aim = &escape_aim;
	const struct {
		const char *key;
		char *text;
		size_t size;
	} texts[] = {
		{ "config", aim->config, sizeof(aim->config) },
		{ "file", aim->file, sizeof(aim->file) },
		{ "credential", aim->credential, sizeof(aim->credential) },
		{ "stream", aim->stream, sizeof(aim->stream) },
		{ "datagram", aim->datagram, sizeof(aim->datagram) },
		{ "abstract", aim->abstract, sizeof(aim->abstract) },
	};
	unsigned long number = strtoul(value, NULL, 0);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(key, texts[i].key) == 0)
			(void)snprintf(texts[i].text, texts[i].size, "%s", value);
	if (strcmp(key, "tcp") == 0)
		aim->tcp = (uint16_t)number;
	else if (strcmp(key, "tcp6") == 0)
		aim->tcp6 = (uint16_t)number;
	else if (strcmp(key, "udp") == 0)
		aim->udp = (uint16_t)number;
	else if (strcmp(key, "stage") == 0)
		aim->stage = (pid_t)number;
	else if (strcmp(key, "process") == 0)
		aim->process = (pid_t)number;
	else if (strcmp(key, "stage_bytes") == 0)
		aim->stage_bytes = number;
	else if (strcmp(key, "process_bytes") == 0)
		aim->process_bytes = number;
}

static void
run(const char *name)
{
	char line[LINE];
	int r = -1;

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct escape_try *try = tables[t]; try->name != NULL; try++)
			if (strcmp(try->name, name) == 0)
				r = try->run();
	(void)snprintf(line, sizeof(line), "answer %d\n", r);
	say(line);
}

void
escape_serve(const struct stage *stage)
{
	char line[LINE];

	(void)stage;
	for (;;) {
		char *value;

		read_line(line);
		value = strchr(line, ' ');
		if (strcmp(line, "list") == 0)
			list();
		else if (value != NULL && strncmp(line, "try ", 4) == 0)
			run(value + 1);
		else if (value != NULL && strncmp(line, "set ", 4) == 0) {
			char *key = value + 1;

			value = strchr(key, ' ');
			if (value == NULL)
				_exit(2);
			*value = '\0';
			set(key, value + 1);
		} else
			_exit(2); /* the test and its stage are of different ages */
	}
}
