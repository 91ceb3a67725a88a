/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COMMON_SHAPE_H
#define COMMON_SHAPE_H

/* The SHAPE frame: written by decode, read and checked by the supervisor. */

#include "common/wire.h"
#include "patrond/shape.h"

/* Adds a SHAPE frame. Returns as wire_end. */
int wire_add_shape(struct wire_out *out, enum feed_kind feed, const struct feed_shape *shape) WARN_UNUSED;

/*
 * Reads a SHAPE frame and checks that no figure says more than those that it is a part of. Returns 0 or -EBADMSG.
 */
int wire_get_shape(struct wire_in *in, enum feed_kind *ret_feed, struct feed_shape *ret) WARN_UNUSED;

#endif
