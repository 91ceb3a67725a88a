/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A window of read requests. libssh's own offset moves by what was asked for, not by what came: every request is
 * therefore preceded by a seek to its own place, and what a short answer left out is asked for again.
 */

#include "fetch/sftp_copy.h"

#include <errno.h>
#include <stdbool.h>

/*
 * 32 KiB is what every server answers in full (OpenSSH cuts larger requests at 255 KiB, others earlier). 32 of them
 * fill 8 MB/s at a round trip of 120 ms.
 */
#define REQUEST_SIZE 32768U
#define WINDOW 32U

struct request {
	uint64_t offset;
	uint32_t size;
	uint32_t id;
};

struct window {
	struct request requests[WINDOW]; /* a ring, oldest first: answers are awaited in the order of asking */
	unsigned int first;
	unsigned int count;
	uint64_t next;       /* the first byte never asked for */
	struct request hole; /* size 0: none. It is asked for before anything new, so there is never a second one */
};

/* Takes what is to be asked for next. Returns false where all has been. */
static bool
next_request(struct window *window, uint64_t size, struct request *ret)
{
	uint64_t left = size - window->next;

	if (window->hole.size > 0) {
		*ret = window->hole;
		window->hole.size = 0;
		return true;
	}
	if (left == 0)
		return false;
	ret->offset = window->next;
	ret->size = left < REQUEST_SIZE ? (uint32_t)left : REQUEST_SIZE;
	window->next += ret->size;
	return true;
}

static int
ask(sftp_file file, struct request *request)
{
	int id;

	if (sftp_seek64(file, request->offset) < 0)
		return -EREMOTEIO;
	id = sftp_async_read_begin(file, request->size);
	if (id < 0)
		return -EREMOTEIO;
	request->id = (uint32_t)id;
	return 0;
}

static int
fill_window(struct window *window, sftp_file file, uint64_t size)
{
	struct request request;

	while (window->count < WINDOW && next_request(window, size, &request)) {
		if (ask(file, &request) < 0)
			return -EREMOTEIO;
		window->requests[(window->first + window->count) % WINDOW] = request;
		window->count++;
	}
	return 0;
}

/* Awaits the oldest answer and writes it to its place. Returns the bytes, or -1 with ret_result set. */
static int
take_answer(struct window *window, sftp_file file, int fd, int *ret_result)
{
	static char bytes[REQUEST_SIZE];
	struct request request = window->requests[window->first];
	int n, r;

	window->first = (window->first + 1) % WINDOW;
	window->count--;
	n = sftp_async_read(file, bytes, request.size, request.id);
	if (n < 0 || (uint32_t)n > request.size) {
		*ret_result = SFTP_COPY_REMOTE;
		return -1;
	}
	if (n == 0) {
		*ret_result = SFTP_COPY_CHANGED;
		return -1;
	}
	r = fd_pwrite_all(fd, bytes, (size_t)n, (off_t)request.offset);
	if (r < 0) {
		*ret_result = r;
		return -1;
	}
	if ((uint32_t)n < request.size)
		window->hole = (struct request){ .offset = request.offset + (uint64_t)n, .size = request.size - (uint32_t)n };
	return n;
}

/* One byte more must not be there: a file that grew without a new time is seen by this alone. */
static int
check_end(sftp_file file, uint64_t size)
{
	struct request request = { .offset = size, .size = 1 };
	char byte;
	int n;

	if (ask(file, &request) < 0)
		return SFTP_COPY_REMOTE;
	n = sftp_async_read(file, &byte, request.size, request.id);
	return n < 0 ? SFTP_COPY_REMOTE : n > 0 ? SFTP_COPY_CHANGED : SFTP_COPY_DONE;
}

int
sftp_copy(sftp_file file, uint64_t size, int fd, sftp_copy_got got, void *userdata)
{
	struct window window = { .next = 0 };
	uint64_t done = 0;
	int result = SFTP_COPY_REMOTE;

	for (;;) {
		int n, r;

		if (fill_window(&window, file, size) < 0)
			return SFTP_COPY_REMOTE;
		if (window.count == 0)
			break;
		n = take_answer(&window, file, fd, &result);
		if (n < 0)
			return result;
		done += (uint64_t)n;
		r = got(done, userdata);
		if (r != 0)
			return r < 0 ? r : SFTP_COPY_STOPPED;
	}
	return check_end(file, size);
}
