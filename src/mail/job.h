/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_JOB_H
#define MAIL_JOB_H

/* The MAIL frame: numbers, bits, and perhaps a zip. */

#include "common/config.h"
#include "common/wire.h"

struct mail_job {
	int32_t today;
	uint32_t kinds; /* of the load, for the name */
	uint32_t skip; /* bits: recipients who have it */
	uint32_t classes[CLEANUP_CLASS_MAX], held, rejected;
	int zip_fd;    /* -EBADF: a notice alone */
};

#define MAIL_JOB_INIT ((struct mail_job){ .zip_fd = -EBADF })
#define _cleanup_mail_job_ __attribute__((cleanup(mail_job_done)))

/*
 * Reads it, and takes the descriptor. Returns 0, -EBADMSG for one that cannot be true, or -ESTALE where the supervisor's
 * bits are of another list of recipients than the configuration has now.
 */
int mail_job_read(struct wire_in *in, struct wire_reader *reader, const struct config *config, struct mail_job *ret)
    WARN_UNUSED;

void mail_job_done(struct mail_job *job);

#endif
