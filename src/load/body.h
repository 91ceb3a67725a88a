/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_BODY_H
#define LOAD_BODY_H

/* The JSON bodies of the requests that write, and what of a row they are made of. */

#include <stdint.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/record.h"
#include "patrond/outcome.h"

#define BODY_MAX (128U << 10) /* bytes of a body: the limits of a record, all bytes escaped */

struct body_rules {
	uint32_t patron_type;
	enum email_style email_style;
	int32_t expiration; /* days since 1970: plan_expiration */
};

/*
 * What makes a row impossible to create: REASON_NAME (nothing left of either part), REASON_KEY (a staff key without
 * four digits for the PIN), else REASON_NONE. The plan asks this: a row with action PLAN_CREATE always has a body.
 */
enum reason body_obstacle(const struct record *record);

/* Adds the body of POST patrons. Returns 0, -EINVAL where there is an obstacle, -ENOBUFS or -ENOMEM. */
int body_create(struct buf *out, const struct record *record, const struct body_rules *rules) WARN_UNUSED;

/* Adds the body of PUT patrons/ID: the expiration date and nothing else. Errors as buf_add. */
int body_renew(struct buf *out, int32_t expiration) WARN_UNUSED;

/* Adds the one name that a create sends (`LAST, FIRST`, upper case), not as JSON: for reading back. */
int body_name(struct buf *out, const struct record *record) WARN_UNUSED;

/* The birth date that a create sends: the row's, or the placeholder of staff. */
int32_t body_birth_date(const struct record *record);

#endif
