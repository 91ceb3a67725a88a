/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LOAD_WRITE_H
#define LOAD_WRITE_H

/*
 * The writing phase: renewals, then creates, each row on its own.
 *
 *   RENEW ─┬─ index young ──────────────────▶ PUT ─┬─ done ──────▶ renewed
 *          └─ index old ─▶ GET ─┬ due ─────▶ ▲     ├─ refused ───▶ failed
 *                               ├ current    │     └─ answer lost ─▶ GET, GET, … ─┬ the date is there ─▶ renewed
 *                               ├ held       └─ it is not, [sierra] retries times ┴ gone, not known ──▶ failed
 *                               └ failed
 *   CREATE ─┬─ index young ──────────────▶ POST ─┬─ id ───────▶ created
 *           └─ index old ─▶ find ─┬ absent ─▶ ▲   ├─ refused ──▶ failed
 *                                 ├ found ─▶ renewed, current, held
 *                                 └ not known ─▶ failed        └─ answer lost ─▶ find, find, … ─┬ found ─▶ created | failed
 *                                                                                             ├ absent ─▶ POST, once
 *                                                                                             └ not known ─▶ failed
 */

#include "load/plan.h"
#include "load/run.h"

/*
 * Writes all rows of a plan that have an action, and tells the outcome of each. In a dry run nothing is written: rows
 * end as planned, and what an old index asks for is read. What ends the load is found in sierra_failure; rows that
 * were not tried keep their action then. Returns 0, or a negative errno where the machinery itself failed.
 */
int write_plan(struct run *run, struct plan *plan) WARN_UNUSED;

#endif
