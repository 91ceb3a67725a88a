/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SUPERVISOR_FORGET_H
#define SUPERVISOR_FORGET_H

/*
 * What waits to be run, due or held, is waited for only as long as its source shows it. Which feeds a content has
 * is known as long as feeds keep their names.
 */

#include "supervisor/manager.h"

/*
 * Lets go each due or held content none of whose files is shown any more, and tells it. Listed: the sources, as a mask,
 * whose last listing went well; of the others nothing is known, and nothing is forgotten. What is let go keeps its time,
 * by which the newest is told: should it be shown again, it is looked at as one that was seen and not run yet.
 */
void forget_gone(struct manager *manager, unsigned int listed);

/*
 * Where the configuration calls the feeds otherwise than when the memory was last asked: which feeds are in a content that
 * can be read is unknown again, until it is inspected anew. All else is still known of it.
 */
void forget_renamed(struct memory *memory, const struct config *config);

#endif
