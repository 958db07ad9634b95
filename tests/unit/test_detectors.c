// SPDX-License-Identifier: GPL-2.0-only
/*
 * The detectors of the kernel's side: each on a sequence of its own, with the
 * figures that it must give. Stranded waiters are in tests/unit/test_stranded.c.
 */
#include "fixtures/queue_cases.h"

UNIT_TEST(overrun)
{
	const struct episode *e;
	struct pool_state s;

	model_start(4);
	session_becomes_system();
	at(1, 10 * MS);
	start_call(1, true);
	at(1, 20 * MS);
	end_call(1); /* one has its reserve */
	assert_counted(COND_OVERRUN, 0, 0, 0, 0);
	at(1, 30 * MS);
	start_call(1, true);
	at(2, 40 * MS);
	start_call(2, true);
	e = lasting(COND_OVERRUN);
	assert_non_null(e);
	assert_int_equal(e->since_ns, 40 * MS);
	assert_int_equal(e->peak, 2);
	assert_int_equal(e->driver_free, 2);
	assert_int_equal(e->driver_sys_sessions, 1);
	s = pool_state(e->state);
	assert_int_equal(s.in_use[CLASS_SYSTEM], 2);
	assert_int_equal(s.reserved, 1);
	assert_int_equal(e->nr_parties, 2);
	assert_party(e, 0, 1, false, 30 * MS);
	assert_party(e, 1, 2, false, 40 * MS);
	assert_int_equal(e->parties[1].class, CLASS_SYSTEM);
	assert_int_equal(e->parties[1].op, CMD_INVOKE);
	assert_int_equal(e->parties[1].serial, session_rows[e->parties[1].session_slot].serial);
	assert_int_not_equal(e->parties[1].serial, 0);
	at(3, 45 * MS);
	start_call(3, true);
	assert_int_equal(e->peak, 3);
	at(3, 50 * MS);
	end_call(3);
	at(1, 60 * MS);
	end_call(1);
	assert_null(lasting(COND_OVERRUN));
	assert_counted(COND_OVERRUN, 1, 20 * MS, 20 * MS, 3);
	assert_int_equal(sent(COND_OVERRUN)->end_ns, 60 * MS);
	assert_int_equal(sent(COND_OVERRUN)->peak, 3);
	assert_int_equal(sent(COND_OVERRUN)->nr_parties, 2);
	assert_counted(COND_HARMFUL_OVERRUN, 0, 0, 0, 0);
}

UNIT_TEST(harmful_overrun)
{
	const struct episode *e;

	model_start(2);
	session_becomes_system();
	at(1, 10 * MS);
	start_call(1, true);
	at(2, 20 * MS);
	start_call(2, true);
	at(3, 30 * MS);
	start_call(3, true); /* a system call that waits harms none */
	assert_null(lasting(COND_HARMFUL_OVERRUN));
	at(4, 40 * MS);
	start_call(4, false);
	at(5, 45 * MS);
	start_call(5, false);
	e = lasting(COND_HARMFUL_OVERRUN);
	assert_int_equal(e->since_ns, 40 * MS);
	assert_int_equal(e->peak, 2);
	assert_int_equal(e->nr_parties, 4);
	assert_party(e, 3, 4, true, 40 * MS);
	at(1, 50 * MS);
	end_call(1);
	at(2, 60 * MS);
	end_call(2);
	assert_counted(COND_HARMFUL_OVERRUN, 1, 10 * MS, 10 * MS, 2);
	assert_counted(COND_OVERRUN, 1, 30 * MS, 30 * MS, 2);
	assert_counted(COND_EXHAUSTED, 1, 30 * MS, 30 * MS, 3);
}

/* Normal calls hold all threads when a session becomes a system session: seen with its first call. */
UNIT_TEST(reserve_breach)
{
	const struct episode *e;

	model_start(2);
	at(1, 10 * MS);
	start_call(1, false);
	at(2, 20 * MS);
	start_call(2, false);
	session_becomes_system();
	compare();
	assert_null(lasting(COND_RESERVE_BREACH));
	at(3, 30 * MS);
	call_begins(3, true);
	e = lasting(COND_RESERVE_BREACH);
	assert_non_null(e);
	assert_int_equal(e->since_ns, 30 * MS);
	assert_int_equal(e->peak, 2);
	assert_int_equal(e->nr_parties, 2);
	assert_party(e, 0, 1, false, 10 * MS);
	assert_party(e, 1, 2, false, 20 * MS);
	call_queues(3);
	call_sleeps(3);
	at(2, 40 * MS);
	end_call(2);
	assert_counted(COND_RESERVE_BREACH, 1, 10 * MS, 10 * MS, 2);
	at(3, 41 * MS);
	run_on(3);
	at(3, 50 * MS);
	end_call(3);
	/* A look sees it, too; and the end of the last system session ends it. */
	system_session_ends();
	at(2, 60 * MS);
	start_call(2, false);
	session_becomes_system();
	at(0, 70 * MS);
	a_look();
	compare();
	assert_int_equal(lasting(COND_RESERVE_BREACH)->since_ns, 70 * MS);
	at(0, 80 * MS);
	system_session_ends();
	compare();
	assert_counted(COND_RESERVE_BREACH, 2, 20 * MS, 10 * MS, 2);
}

UNIT_TEST(reserve_idle)
{
	const struct episode *e;

	model_start(2);
	session_becomes_system();
	at(1, 10 * MS);
	start_call(1, true);
	at(2, 20 * MS);
	start_call(2, false); /* one thread is free, and kept */
	e = lasting(COND_RESERVE_IDLE);
	assert_non_null(e);
	assert_int_equal(e->driver_free, 1);
	assert_null(lasting(COND_STRANDED));
	assert_null(lasting(COND_EXHAUSTED));
	at(3, 30 * MS);
	start_call(3, false);
	assert_int_equal(e->peak, 2);
	at(4, 40 * MS);
	start_call(4, true);
	assert_counted(COND_RESERVE_IDLE, 1, 20 * MS, 20 * MS, 2);
	at(4, 50 * MS);
	end_call(4);
	assert_int_equal(lasting(COND_RESERVE_IDLE)->since_ns, 50 * MS);
	assert_int_equal(lasting(COND_RESERVE_IDLE)->serial, 2);
}

/* Short episodes are counted and not sent. */
UNIT_TEST(exhausted)
{
	model_start(2);
	report_ns[COND_EXHAUSTED] = 10 * MS;
	at(1, 10 * MS);
	start_call(1, false);
	assert_null(lasting(COND_EXHAUSTED));
	at(2, 11 * MS);
	start_call(2, false);
	assert_int_equal(lasting(COND_EXHAUSTED)->peak, 0);
	at(2, 21 * MS - 1);
	end_call(2);
	assert_counted(COND_EXHAUSTED, 1, 10 * MS - 1, 10 * MS - 1, 0);
	assert_null(sent(COND_EXHAUSTED));
	at(2, 30 * MS);
	start_call(2, false);
	at(3, 31 * MS);
	start_call(3, false);
	at(4, 32 * MS);
	start_call(4, false);
	at(2, 40 * MS);
	end_call(2);
	assert_counted(COND_EXHAUSTED, 2, 20 * MS - 1, 10 * MS, 2);
	assert_int_equal(sent(COND_EXHAUSTED)->since_ns, 30 * MS);
	assert_int_equal(sent(COND_EXHAUSTED)->serial, 2);
	assert_int_equal(ring_nr, 1);
}

UNIT_TEST(starved)
{
	const struct episode *e;

	model_start(1);
	starved_ns = 100 * MS;
	at(0, 10 * MS);
	start_call(0, false);
	at(1, 20 * MS);
	start_call(1, true);
	at(2, 30 * MS);
	start_call(2, false);
	at(0, 120 * MS);
	end_call(0);
	run_on(1); /* waited just so long */
	assert_counted(COND_STARVED, 0, 0, 0, 0);
	at(1, 170 * MS);
	end_call(1);
	at(2, 171 * MS);
	run_on(2);
	assert_counted(COND_STARVED, 1, 41 * MS, 41 * MS, 1);
	e = sent(COND_STARVED);
	assert_int_equal(e->since_ns, 130 * MS);
	assert_int_equal(e->end_ns, 171 * MS);
	assert_int_equal(e->serial, 30 * MS);
	assert_int_equal(e->nr_parties, 1);
	assert_party(e, 0, 2, true, 30 * MS);
	/* A long time that was no wait: between the admission and the secure world. */
	at(2, 180 * MS);
	end_call(2);
	get_in_line(2, false);
	at(2, 400 * MS);
	call_enters(2);
	compare();
	assert_counted(COND_STARVED, 1, 41 * MS, 41 * MS, 1);
}

UNIT_TEST(count_mismatch)
{
	const struct episode *e;

	model_start(2);
	starved_ns = 5 * MS;
	at(0, 10 * MS);
	start_call(0, false);
	at(1, 20 * MS);
	start_call(1, false);
	at(1, 30 * MS);
	call_leaves(1, OPTEE_SMC_RETURN_ETHREAD_LIMIT);
	compare();
	assert_counted(COND_EXHAUSTED, 1, 10 * MS, 10 * MS, 0);
	at(1, 31 * MS);
	call_sleeps(1);
	compare();
	assert_null(lasting(COND_STRANDED)); /* its entry is its own all the while */
	at(0, 40 * MS);
	innermost(0)->done = true;
	end_call(0);
	at(1, 42 * MS);
	run_on(1);
	assert_counted(COND_COUNT_MISMATCH, 1, 12 * MS, 12 * MS, 1);
	e = sent(COND_COUNT_MISMATCH);
	assert_int_equal(e->since_ns, 30 * MS);
	assert_int_equal(e->end_ns, 42 * MS);
	assert_party(e, 0, 1, true, 30 * MS);
	assert_counted(COND_STARVED, 1, 7 * MS, 7 * MS, 1);
}

UNIT_TEST(what_if)
{
	model_start(4);
	shared.pools[0].teedev = 0; /* it is met again, with the setting */
	memset(&shared.pools[0], 0, sizeof(shared.pools[0]));
	what_if_reserved = 2;
	pool_find((u64)&teedev);
	model_reserve();
	compare();
	for (int i = 0; i < 3; i++) {
		at(i, (10 + i) * MS);
		start_call(i, true);
		assert_int_equal(lasting(COND_OVERRUN) != NULL, i == 2);
	}
	for (int i = 0; i < 3; i++)
		end_call(i);
	assert_counted(COND_OVERRUN, 1, 0, 0, 3);
	for (int i = 0; i < 3; i++) {
		at(i, (20 + i) * MS);
		start_call(i, false);
		assert_int_equal(lasting(COND_RESERVE_BREACH) != NULL, i == 2);
	}
	/* The driver's rule is still the driver's: none of the reserve is in it. */
	at(3, 30 * MS);
	start_call(3, false);
	at(4, 31 * MS);
	start_call(4, false);
	at(0, 32 * MS);
	end_call(0);
	assert_non_null(lasting(COND_STRANDED));
}

/* What is in reserve is not known under a policy: what is judged by it is not judged. */
UNIT_TEST(under_policy)
{
	model_start(2);
	policy_attached = true;
	pool_reserve(0, 1 * MS);
	model_reserve();
	compare();
	start_call(0, true);
	start_call(1, true);
	at(2, 10 * MS);
	start_call(2, false);
	assert_non_null(lasting(COND_EXHAUSTED));
	assert_null(lasting(COND_OVERRUN));
	assert_null(lasting(COND_HARMFUL_OVERRUN));
	at(1, 30 * MS);
	policy_attached = false; /* the driver's rule is in force again */
	pool_reserve(0, 30 * MS);
	model_reserve();
	compare();
	assert_int_equal(lasting(COND_HARMFUL_OVERRUN)->since_ns, 30 * MS);
	end_call(0);
	assert_non_null(lasting(COND_RESERVE_IDLE));
}

UNIT_TEST(ring_full)
{
	model_start(2);
	starved_ns = 1 * MS;
	ring_room = 1;
	what_if_reserved = 0;
	for (int i = 1; i <= 3; i++) {
		at(0, 100 * i * MS);
		call_begins(0, true);
		call_queues(0);
		call_enters(0);
		at(0, (100 * i + 10) * MS);
		call_leaves(0, 0);
		call_ends(0);
	}
	assert_counted(COND_OVERRUN, 3, 30 * MS, 10 * MS, 1);
	assert_int_equal(ring_nr, 1);
	assert_int_equal(shared.loss[LOSS_EPISODE], 2);
	for (int i = 0; i < 3; i++) {
		at(i, 1 * SECONDS);
		get_in_line(i, false);
		if (i < 2)
			call_enters(i);
		else
			call_sleeps(i);
	}
	at(0, 2 * SECONDS);
	call_leaves(0, 0);
	innermost(1)->done = true;
	call_ends(0);
	call_wakes(2);
	call_moves(2);
	call_retries(2);
	call_enters(2);
	assert_counted(COND_STARVED, 1, 999 * MS, 999 * MS, 1);
	assert_int_equal(shared.loss[LOSS_EPISODE], 4); /* exhausted, starved */
}

/* Two CPUs take the time in either order; and who is late ends nothing. */
UNIT_TEST(late_ends)
{
	const struct lasting *l = &shared.pools[0].lasting[COND_EXHAUSTED];

	model_start(2);
	episode_begin(0, COND_EXHAUSTED, 30 * MS, 1);
	episode_end(0, COND_EXHAUSTED, 30 * MS - 5, l->serial);
	assert_counted(COND_EXHAUSTED, 1, 0, 0, 1);
	assert_int_equal(sent(COND_EXHAUSTED)->end_ns, 30 * MS);
	episode_begin(0, COND_EXHAUSTED, 40 * MS, 2);
	episode_end(0, COND_EXHAUSTED, 45 * MS, l->serial - 1);
	assert_int_equal(lasting(COND_EXHAUSTED)->since_ns, 40 * MS);
	episode_begin(0, COND_EXHAUSTED, 46 * MS, 3);
	assert_int_equal(lasting(COND_EXHAUSTED)->since_ns, 40 * MS);
	episode_end(0, COND_EXHAUSTED, 50 * MS, l->serial);
	assert_counted(COND_EXHAUSTED, 2, 10 * MS, 10 * MS, 2);
}

/*
 * The CPUs that change the state make their changes in one order and look at
 * them in any other: what lasts is right when all have looked, and from then on.
 */

#define CHANGES 5

static void look_in_order(const int *order, int n)
{
	struct pool *p = &shared.pools[0];
	u64 now = 10 * MS;

	model_start(1);
	p->state = n % 2;
	for (int i = 0; i < n; i++) {
		u64 old = order[i] % 2; /* 0: on, 1: off, 2: on ... */

		pool_changed(0, old, !old, now++);
	}
	assert_int_equal(p->lasting[COND_EXHAUSTED].serial != 0, n % 2);
	for (int i = n; i < n + 4; i++) {
		u64 old = p->state;

		p->state = !old;
		pool_changed(0, old, !old, now++);
		assert_int_equal(p->lasting[COND_EXHAUSTED].serial != 0, !old);
	}
}

static void each_order(int *order, int fixed, int n)
{
	if (fixed == n)
		look_in_order(order, n);
	for (int i = fixed; i < n; i++) {
		int swap = order[fixed];

		order[fixed] = order[i];
		order[i] = swap;
		each_order(order, fixed + 1, n);
		order[i] = order[fixed];
		order[fixed] = swap;
	}
}

UNIT_TEST(changes_seen_in_any_order)
{
	for (int n = 1; n <= CHANGES; n++) {
		int order[CHANGES] = { 0, 1, 2, 3, 4 };

		each_order(order, 0, n);
	}
}

/* As we attach, a call that ends as it is found may count twice: nothing is made of it. */
UNIT_TEST(nothing_is_judged_unsettled)
{
	u64 full = 2 * STATE_ONE(STATE_IN_USE(CLASS_NORMAL));

	model_start(2);
	shared.pools[0].state = full;
	unsettled = true;
	pool_changed(0, 0, full, 10 * MS);
	assert_null(lasting(COND_EXHAUSTED));
	assert_int_equal(shared.pools[0].in_use_all_peak, 0);
	unsettled = false;
	pool_changed(0, full, full, 20 * MS);
	assert_non_null(lasting(COND_EXHAUSTED));
	assert_int_equal(lasting(COND_EXHAUSTED)->since_ns, 20 * MS);
	assert_int_equal(shared.pools[0].in_use_all_peak, 2);
}

/* Of a long queue the first are named. */
UNIT_TEST(a_long_queue)
{
	const struct episode *e;

	model_start(2);
	for (int i = 0; i < MODEL_TASKS; i++) {
		at(i, (10 + (u64)i) * MS);
		start_call(i, false);
	}
	assert_int_equal(lasting(COND_EXHAUSTED)->peak, MODEL_TASKS - 2);
	assert_int_equal(lasting(COND_EXHAUSTED)->nr_parties, 2);
	at(1, 50 * MS);
	end_call(1);
	e = lasting(COND_STRANDED);
	assert_non_null(e);
	assert_int_equal(e->peak, MODEL_TASKS - 2);
	assert_int_equal(e->nr_parties, MAX_PARTIES);
	assert_party(e, 0, 0, false, 10 * MS);
	assert_party(e, MAX_PARTIES - 1, MAX_PARTIES, true, (10 + MAX_PARTIES) * MS);
}
