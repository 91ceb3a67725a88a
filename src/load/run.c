/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every phase does in each turn. */

#include "load/run.h"

#include "load/clock.h"

void
run_fail(struct run *run, enum failure_code code, int number)
{
	struct failure failure = failure_of(code, number);

	sierra_break_off(run->sierra, &failure);
}

bool
run_over(const struct run *run)
{
	return sierra_failure(run->sierra) != NULL;
}

void
run_turn(struct run *run, bool asked)
{
	say_turn(&run->say);
	if (run->say.error < 0)
		run_fail(run, FAILURE_INTERNAL, run->say.error); /* nobody listens any more */
	/* heard before, where it was waited for something else: no poll would show it again */
	if (run->stage->cancelled || (asked && stage_cancelled(run->stage)))
		run_fail(run, FAILURE_CANCELLED, 0);
	if (clock_now() >= run->deadline)
		run_fail(run, FAILURE_DEADLINE, 0);
}
