// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stranded waiters: whom each wake reaches, whichever way it is given, and who
 * is left asleep.
 */
#include "fixtures/queue_cases.h"

/* The case of driver-facts.md: B's end wakes A, which is in flight; C sleeps until A ends. */
UNIT_TEST(stranded_behind_a_call_in_flight)
{
	const struct episode *e;

	for (int system = 0; system < 2; system++) {
		model_start(2);
		if (system)
			session_becomes_system();
		at(0, 1 * SECONDS);
		start_call(0, system);
		at(1, 1300 * MS);
		start_call(1, system);
		at(2, 1600 * MS);
		start_call(2, system);
		assert_null(lasting(COND_STRANDED));
		at(1, 2300 * MS);
		end_call(1);
		e = lasting(COND_STRANDED);
		assert_non_null(e);
		assert_int_equal(e->since_ns, 2300 * MS);
		assert_int_equal(e->peak, 1);
		assert_int_equal(e->driver_free, 1);
		assert_int_equal(e->nr_parties, 2);
		assert_party(e, 0, 0, false, 1 * SECONDS);
		assert_party(e, 1, 2, true, 1600 * MS);
		assert_int_equal(culprit(e), 0);
		assert_int_equal(e->parties[0].woken_ns, (2300 * MS) | WOKEN_IN_VAIN);
		assert_int_equal(e->parties[1].woken_ns, 0);
		at(0, 7 * SECONDS);
		end_call(0);
		assert_null(lasting(COND_STRANDED));
		assert_counted(COND_STRANDED, 1, 4700 * MS, 4700 * MS, 1);
		assert_int_equal(culprit(sent(COND_STRANDED)), 0);
		at(2, 7 * SECONDS + 1);
		run_on(2);
		at(2, 8 * SECONDS);
		end_call(2);
		assert_counted(COND_STRANDED, 1, 4700 * MS, 4700 * MS, 1);
	}
}

/* A wake goes to system calls first: to one in flight, then to one that waits behind a normal one. */
UNIT_TEST(the_systems_wake_comes_first)
{
	model_start(3);
	session_becomes_system();
	at(0, 10 * MS);
	start_call(0, false);
	at(1, 11 * MS);
	start_call(1, false);
	at(2, 12 * MS);
	start_call(2, false); /* needs two free ones */
	at(3, 13 * MS);
	start_call(3, true);
	at(4, 14 * MS);
	start_call(4, true);
	at(0, 20 * MS);
	end_call(0);
	assert_non_null(lasting(COND_STRANDED));
	assert_int_equal(culprit(lasting(COND_STRANDED)), 3);
	assert_int_equal(lasting(COND_STRANDED)->peak, 1);
	at(1, 30 * MS);
	end_call(1);
	assert_counted(COND_STRANDED, 1, 10 * MS, 10 * MS, 1);
	assert_int_equal(shared.pools[0].woken[CLASS_SYSTEM], 1);
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 0);
}

/* It has used its wake up but not left its place yet: the next one is its, too, and lost. */
UNIT_TEST(stranded_behind_a_waiter_woken_twice)
{
	const struct episode *e;

	model_start(2);
	at(0, 10 * MS);
	start_call(0, false);
	at(1, 11 * MS);
	start_call(1, false);
	at(2, 12 * MS);
	start_call(2, false);
	at(3, 13 * MS);
	start_call(3, false);
	model.queue[0]->done = model.queue[1]->done = true; /* wakes from before anybody waited */
	model_show();
	at(0, 20 * MS);
	end_call(0);
	/* Passed on: 2 and 3 are on their way, for one free thread. */
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 2);
	at(2, 21 * MS);
	run_on(2);
	at(3, 22 * MS);
	run_on(3);
	assert_null(lasting(COND_STRANDED)); /* none was free: it sleeps again */
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 0);
	at(4, 30 * MS);
	start_call(4, false);
	/* Now both that are in flight have had theirs. */
	model.queue[1]->done = true;
	model_show();
	at(1, 40 * MS);
	call_leaves(1, 0);
	model.tasks[1].calls[0].done = false;
	model_show();
	call_ends(1);
	compare();
	at(3, 41 * MS);
	call_wakes(3);
	compare();
	at(2, 42 * MS);
	call_leaves(2, 0);
	innermost(2)->done = false;
	model_show();
	call_ends(2);
	compare();
	e = lasting(COND_STRANDED);
	assert_non_null(e);
	assert_int_equal(e->since_ns, 42 * MS);
	assert_int_equal(culprit(e), 3);
	assert_int_equal(e->peak, 1);
	at(3, 43 * MS);
	call_moves(3);
	call_retries(3);
	call_enters(3);
	compare();
	assert_non_null(lasting(COND_STRANDED));
	at(3, 50 * MS);
	end_call(3);
	assert_counted(COND_STRANDED, 1, 8 * MS, 8 * MS, 1);
}

/* The wake comes between the refusal and the sleep, to one that is the only one to wait. */
UNIT_TEST(woken_before_it_sleeps)
{
	model_start(1);
	at(0, 10 * MS);
	start_call(0, false);
	at(1, 11 * MS);
	get_in_line(1, false);
	at(0, 12 * MS);
	end_call(0);
	at(1, 13 * MS);
	call_sleeps(1);
	compare();
	assert_null(lasting(COND_STRANDED));
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 1);
	run_on(1);
	end_call(1);
	assert_counted(COND_STRANDED, 0, 0, 0, 0);
}

/* The same when it has been refused again: its second wake is not in vain. */
UNIT_TEST(woken_before_it_sleeps_again)
{
	model_start(1);
	at(0, 10 * MS);
	start_call(0, false);
	at(1, 11 * MS);
	start_call(1, false);
	at(0, 12 * MS);
	end_call(0);
	at(2, 13 * MS);
	start_call(2, false); /* it is quicker */
	call_wakes(1);
	call_moves(1);
	call_retries(1);
	compare();
	assert_int_equal(innermost(1)->step, REFUSED);
	at(2, 14 * MS);
	end_call(2);
	at(1, 15 * MS);
	call_sleeps(1);
	compare();
	assert_null(lasting(COND_STRANDED));
	at(1, 16 * MS);
	run_on(1);
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 0);
	end_call(1);
	assert_counted(COND_STRANDED, 0, 0, 0, 0);
}

/* The end of the last system session frees a thread for a normal waiter, and wakes it. */
UNIT_TEST(no_strand_at_a_sessions_end)
{
	model_start(2);
	session_becomes_system();
	at(0, 10 * MS);
	start_call(0, true);
	at(1, 11 * MS);
	start_call(1, false);
	at(2, 12 * MS);
	model.queue[0]->done = true; /* so that the wake reaches the waiter */
	system_session_ends();
	compare();
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 1);
	assert_counted(COND_STRANDED, 0, 0, 0, 0);
	assert_counted(COND_RESERVE_IDLE, 0, 0, 0, 0);
	assert_non_null(lasting(COND_RESERVE_IDLE)); /* it is still there, and in no reserve */
}

/* The wake goes to a system call that was admitted just now and has done nothing yet. */
UNIT_TEST(woken_before_it_enters)
{
	model_start(3);
	at(0, 10 * MS);
	start_call(0, false);
	at(1, 11 * MS);
	start_call(1, false);
	session_becomes_system();
	at(2, 12 * MS);
	start_call(2, false);
	at(3, 13 * MS);
	get_in_line(3, true);
	assert_int_equal(innermost(3)->step, TAKEN);
	at(0, 20 * MS);
	end_call(0);
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 0);
	at(3, 21 * MS);
	call_enters(3);
	compare();
	assert_int_equal(call_find((u64)task_at(3))->woken_ns, (20 * MS) | WOKEN_IN_VAIN);
}

/* A nested call has not slept yet when its task's outer one, in flight, swallows the wake. */
UNIT_TEST(stranded_behind_its_own_task)
{
	model_start(2);
	at(0, 10 * MS);
	start_call(0, false);
	at(1, 11 * MS);
	start_call(1, false);
	at(2, 12 * MS);
	start_call(2, false);
	at(0, 13 * MS);
	call_leaves(0, RPC_A0);
	get_in_line(0, false);
	at(1, 20 * MS);
	end_call(1); /* to 0's outer call */
	assert_int_equal(lasting(COND_STRANDED)->peak, 1);
	at(0, 21 * MS);
	call_sleeps(0);
	compare();
	assert_int_equal(lasting(COND_STRANDED)->peak, 2);
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 0);
}

/* The same on a large stack, and in the first slots of the tables. */
UNIT_TEST(waiters_of_one_large_stack)
{
	model_start(2);
	stack_bytes = MODEL_STACK;
	at(0, 10 * MS);
	start_call(0, false);
	at(1, 11 * MS);
	start_call(1, false);
	innermost(0)->done = true;
	at(0, 12 * MS);
	call_leaves(0, RPC_A0);
	start_call(0, false);
	assert_ptr_equal(call_of_waiter((u64)model.tasks[0].calls[0].waiter), &shared.calls[0]);
	assert_ptr_equal(call_of_waiter((u64)innermost(0)->waiter), call_find((u64)task_at(0)));
	assert_ptr_equal(call_of_waiter((u64)innermost(1)->waiter), call_find((u64)task_at(1)));
	assert_null(call_of_waiter((u64)stack_at(1) + MODEL_STACK));
	at(1, 20 * MS);
	end_call(1);
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 1);
}

/* A party that has its entry, but does not hold the thread yet, holds it since no time. */
UNIT_TEST(not_yet_in)
{
	const struct episode *e;

	model_start(3);
	at(0, 10 * MS);
	start_call(0, false);
	at(0, 20 * MS);
	end_call(0);
	at(0, 30 * MS);
	get_in_line(0, false);
	at(1, 31 * MS);
	what_if_reserved = 0;
	start_call(1, true);
	e = lasting(COND_OVERRUN);
	assert_non_null(e);
	assert_party(e, 0, 0, false, 0);
	assert_party(e, 1, 1, false, 31 * MS);
}
