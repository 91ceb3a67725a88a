/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_RETRIEVE_H
#define LOAD_RETRIEVE_H

/* The first phase: the complete index from Sierra, while decode's records are drained. Complete or failed, never partial. */

#include "load/index.h"
#include "load/records.h"
#include "load/run.h"

/*
 * Retrieves all live patrons into index (not finished here) and drains records until the trailer. What goes wrong breaks
 * the load off (sierra_failure). Returns 0, or a negative errno where the machinery itself failed.
 */
int retrieve(struct run *run, struct index *index, struct records *records) WARN_UNUSED;

#endif
