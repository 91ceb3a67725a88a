/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "load/pacer.h"
#include "testkit.h"

#define S USEC_PER_SEC
#define NEVER UINT64_MAX

static struct pacer
new_pacer(unsigned int connections)
{
	static struct config config;
	struct pacer pacer;

	config.sierra.connections = connections;
	config.sierra.retry_pause = S;
	config.sierra.retry_pause_max = 30 * S;
	config.sierra.rate_pause = 60 * S;
	pacer_init(&pacer, &config, 42);
	return pacer;
}

static void
assert_between(usec_t value, usec_t low, usec_t high)
{
	if (value < low || value > high)
		fail_msg("%llu is not within %llu and %llu", (unsigned long long)value, (unsigned long long)low,
		    (unsigned long long)high);
}

static void
keeps_within_its_connections(void **state)
{
	struct pacer pacer = new_pacer(4);

	(void)state;
	assert_int_equal(pacer_wait(&pacer, 0, 3), 0);
	assert_int_equal(pacer_wait(&pacer, 0, 4), NEVER);
	assert_int_equal(pacer_wait(&pacer, 0, 5), NEVER);
	pacer = new_pacer(0); /* a configuration cannot say so, but it must not stop for ever */
	assert_int_equal(pacer_wait(&pacer, 0, 0), 0);
}

static void
obeys_retry_after(void **state)
{
	struct pacer pacer = new_pacer(4);

	(void)state;
	pacer_slow_down(&pacer, PACER_RATE, 100 * S, 99 * S, 7 * S);
	assert_int_equal(pacer_wait(&pacer, 100 * S, 0), 7 * S);
	assert_int_equal(pacer_wait(&pacer, 107 * S, 0), 0);
	assert_int_equal(pacer_wait(&pacer, 107 * S, 2), NEVER);
	/* a date of next year is no reason to wait until then */
	pacer_slow_down(&pacer, PACER_RATE, 200 * S, 199 * S, 365 * 86400 * S);
	assert_int_equal(pacer_wait(&pacer, 200 * S, 0), PACER_WAIT_MAX);
	/* a shorter one does not end a longer one */
	pacer_slow_down(&pacer, PACER_RATE, 201 * S, 200 * S, S);
	assert_int_equal(pacer_wait(&pacer, 201 * S, 0), PACER_WAIT_MAX - S);
}

static void
counts_one_event_once(void **state)
{
	struct pacer pacer = new_pacer(8);

	(void)state;
	/* four calls that were under way together are turned away one after the other */
	for (unsigned int i = 0; i < 4; i++)
		pacer_slow_down(&pacer, PACER_CLOSED, (10 + i) * S, 9 * S, 0);
	assert_int_equal(pacer.limit, 4);
	assert_between(pacer_wait(&pacer, 10 * S, 0), S * 3 / 4, S * 5 / 4);
	/* one that was started later is news */
	pacer_slow_down(&pacer, PACER_CLOSED, 30 * S, 20 * S, 0);
	assert_int_equal(pacer.limit, 2);
	assert_between(pacer_wait(&pacer, 30 * S, 0), 2 * S * 3 / 4, 2 * S * 5 / 4);
}

static void
never_below_one(void **state)
{
	struct pacer pacer = new_pacer(4);

	(void)state;
	for (unsigned int i = 1; i < 10; i++)
		pacer_slow_down(&pacer, PACER_CLOSED, i * 1000 * S, i * 1000 * S - S, 0);
	assert_int_equal(pacer.limit, 1);
	assert_int_equal(pacer_wait(&pacer, 20000 * S, 0), 0);
	/* pauses grow to their maximum, jitter included no further than a quarter over it */
	assert_between(pacer.paused_until - 9000 * S, 30 * S * 3 / 4, 30 * S * 5 / 4);
}

static void
grows_back_slowly(void **state)
{
	struct pacer pacer = new_pacer(4);
	unsigned int answers = 0;

	(void)state;
	pacer_slow_down(&pacer, PACER_CLOSED, 10 * S, 9 * S, 0);
	assert_int_equal(pacer.limit, 2);
	while (pacer.limit < 4 && answers < 10000) {
		pacer_success(&pacer, 20 * S);
		answers++;
	}
	assert_between(answers, 20, 1000);
	pacer_success(&pacer, 20 * S);
	for (unsigned int i = 0; i < 1000; i++)
		pacer_success(&pacer, 20 * S);
	assert_int_equal(pacer.limit, 4);
	/* and a success ends the growing of pauses; one of a call from before the trouble does not */
	pacer_slow_down(&pacer, PACER_RATE, 100 * S, 99 * S, 0);
	pacer_success(&pacer, 99 * S);
	assert_int_equal(pacer.troubles, 1);
	pacer_success(&pacer, 101 * S);
	assert_int_equal(pacer.troubles, 0);
}

static void
pauses_have_jitter(void **state)
{
	struct pacer pacer = new_pacer(4);
	usec_t first = pacer_pause(&pacer, S, 30 * S, 0);
	bool differ = false;

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		usec_t pause = pacer_pause(&pacer, S, 30 * S, 0);

		assert_between(pause, S * 3 / 4, S * 5 / 4);
		differ = differ || pause != first;
	}
	assert_true(differ);
	assert_between(pacer_pause(&pacer, S, 30 * S, 3), 8 * S * 3 / 4, 8 * S * 5 / 4);
	assert_between(pacer_pause(&pacer, S, 30 * S, 4000000000U), 30 * S * 3 / 4, 30 * S * 5 / 4);
	assert_int_equal(pacer_pause(&pacer, 0, 0, 5), 0);
}

static void
gives_up_keeping_connections(void **state)
{
	struct pacer pacer = new_pacer(4);

	(void)state;
	for (unsigned int i = 0; i < PACER_EARLY_CLOSES; i++) {
		assert_true(pacer_keeps(&pacer));
		pacer_early_close(&pacer);
	}
	assert_false(pacer_keeps(&pacer));
	pacer_success(&pacer, 10 * S);
	assert_false(pacer_keeps(&pacer));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_within_its_connections),
		cmocka_unit_test(obeys_retry_after),
		cmocka_unit_test(counts_one_event_once),
		cmocka_unit_test(never_below_one),
		cmocka_unit_test(grows_back_slowly),
		cmocka_unit_test(pauses_have_jitter),
		cmocka_unit_test(gives_up_keeping_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
