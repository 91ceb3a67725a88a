/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef STANDIN_API_H
#define STANDIN_API_H

/* Owns the ILS's side of a request: routes, authorisation, faults, and the operations on patrons. */

#include "standin.h"

struct route;

/* What the router found, handed to an operation. */
struct call {
	const struct route *route; /* NULL: refused already */
	enum kind kind;
	int version; /* 5 or 6; 0: none in the path */
	uint64_t id;
	struct strike strike;
};

/*
 * A request is handled in two steps, so that its delay can lie before or after its effect: first it is routed, counted
 * and its faults and delay decided, then it is run. Both fill r, which the caller zero-initialised and will
 * text_done(). Not thread-safe: the caller holds the lock.
 */
void api_decide(struct standin *s, const struct request *q, struct call *c, struct reply *r);
void api_run(struct standin *s, const struct request *q, const struct call *c, struct reply *r);

/* The operations; each answers as if no fault struck but those that shape its very content. */
typedef void api_fn(struct standin *s, const struct request *q, const struct call *c, struct reply *r);
api_fn api_list, api_find, api_get, api_query;	    /* read.c, query.c */
api_fn api_post, api_put, api_delete, api_validate; /* write.c */

/* Reads the fields parameters into a mask; false when refused, and then r says why. */
bool api_fields(const struct request *q, uint32_t *ret, bool *all, struct reply *r);

/* Does the world see this record yet? */
bool api_visible(const struct patron *p);

#endif
