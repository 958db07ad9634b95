// SPDX-License-Identifier: GPL-2.0-only
/*
 * The detectors of the kernel's side: each on a sequence of its own, with the
 * figures that it must give; and all at once over ten thousand random steps,
 * against the model of the queue.
 */
#include "queue_model.h"

#define MS      1000000ULL
#define SECONDS (1000 * MS)
#define RPC_A0  (RPC_PREFIX | OPTEE_SMC_RPC_FOREIGN_INTR)

/* Steps that follow each other when nobody comes between. */

static void get_in_line(int t, bool system)
{
	call_begins(t, system);
	call_queues(t);
}

static void start_call(int t, bool system)
{
	get_in_line(t, system);
	if (innermost(t)->step == TAKEN)
		call_enters(t);
	else
		call_sleeps(t);
	compare();
}

static void end_call(int t)
{
	call_leaves(t, 0);
	call_ends(t);
	compare();
}

/* A woken waiter gets to run. */
static void run_on(int t)
{
	call_wakes(t);
	call_moves(t);
	if (innermost(t)->step == MOVED)
		call_retries(t);
	if (innermost(t)->step == TAKEN)
		call_enters(t);
	else
		call_sleeps(t);
	compare();
}

/* What is to be seen. */

static struct cond_count counted(int cond)
{
	return shared.pools[0].conds[cond];
}

static void assert_counted(int cond, u64 count, u64 ns, u64 longest, u64 peak)
{
	assert_int_equal(counted(cond).count, count);
	assert_int_equal(counted(cond).ns, ns);
	assert_int_equal(counted(cond).longest_ns, longest);
	assert_int_equal(counted(cond).peak, peak);
}

/* The episode that lasts; NULL: none. */
static const struct episode *lasting(int cond)
{
	const struct lasting *l = &shared.pools[0].lasting[cond];

	if (!l->serial)
		return NULL;
	assert_int_equal(l->episodes[l->serial & 1].serial, l->serial);
	assert_int_equal(l->episodes[l->serial & 1].cond, cond);
	return &l->episodes[l->serial & 1];
}

/* The last of the condition that was sent; NULL: none. */
static const struct episode *sent(int cond)
{
	for (size_t i = ring_nr; i-- > 0;)
		if (ring[i].cond == cond)
			return &ring[i];
	return NULL;
}

static void assert_party(const struct episode *e, int i, int t, bool waits, u64 since)
{
	assert_in_range(i, 0, e->nr_parties - 1);
	assert_int_equal(e->parties[i].tid, task_at(t)->pid);
	assert_int_equal(e->parties[i].tgid, task_at(t)->tgid);
	assert_int_equal(!!(e->parties[i].flags & CALL_WAITING), waits);
	assert_int_equal(e->parties[i].since_ns, since);
}

/* The task whose wake was in vain, of those that took part; -1: none. */
static int culprit(const struct episode *e)
{
	for (int i = 0; i < e->nr_parties; i++)
		if (e->parties[i].woken_ns & WOKEN_IN_VAIN)
			return (int)e->parties[i].tid - 100;
	return -1;
}

static void overrun(void **state)
{
	const struct episode *e;
	struct pool_state s;

	(void)state;
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

static void harmful_overrun(void **state)
{
	const struct episode *e;

	(void)state;
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
static void reserve_breach(void **state)
{
	const struct episode *e;

	(void)state;
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

static void reserve_idle(void **state)
{
	const struct episode *e;

	(void)state;
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
static void exhausted(void **state)
{
	(void)state;
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

/* The case of driver-facts.md: B's end wakes A, which is in flight; C sleeps until A ends. */
static void stranded_behind_a_call_in_flight(void **state)
{
	const struct episode *e;

	for (int system = 0; system < 2; system++) {
		(void)state;
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
static void the_systems_wake_comes_first(void **state)
{
	(void)state;
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
static void stranded_behind_a_waiter_woken_twice(void **state)
{
	const struct episode *e;

	(void)state;
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
static void woken_before_it_sleeps(void **state)
{
	(void)state;
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
static void woken_before_it_sleeps_again(void **state)
{
	(void)state;
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
static void no_strand_at_a_sessions_end(void **state)
{
	(void)state;
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
static void woken_before_it_enters(void **state)
{
	(void)state;
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
static void stranded_behind_its_own_task(void **state)
{
	(void)state;
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
static void waiters_of_one_large_stack(void **state)
{
	(void)state;
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
static void not_yet_in(void **state)
{
	const struct episode *e;

	(void)state;
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

static void starved(void **state)
{
	const struct episode *e;

	(void)state;
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

static void count_mismatch(void **state)
{
	const struct episode *e;

	(void)state;
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

static void what_if(void **state)
{
	(void)state;
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

static void ring_full(void **state)
{
	(void)state;
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
static void late_ends(void **state)
{
	const struct lasting *l = &shared.pools[0].lasting[COND_EXHAUSTED];

	(void)state;
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

static void changes_seen_in_any_order(void **state)
{
	(void)state;
	for (int n = 1; n <= CHANGES; n++) {
		int order[CHANGES] = { 0, 1, 2, 3, 4 };

		each_order(order, 0, n);
	}
}

/* Of a long queue the first are named. */
static void a_long_queue(void **state)
{
	const struct episode *e;

	(void)state;
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

/* Random steps. */

static u32 below(u32 n)
{
	return (u32)random() % n;
}

/* While a session lasts that made them: no client closes one under its own call. */
static int unseen_system_calls(void)
{
	int n = 0;

	for (int t = 0; t < MODEL_TASKS; t++) {
		const struct model_call *c = innermost(t);

		n += c && c->system && !c->waits && !in_flight(c);
	}
	return n;
}

static void random_start(int t, bool nested)
{
	if (!nested && !below(20) && model.threads > 1 && model.sys_sessions < 3)
		session_becomes_system();
	else if (!below(20) && model.sys_sessions &&
		 (model.sys_sessions > 1 || !unseen_system_calls()))
		system_session_ends();
	else
		call_begins(t, model.sys_sessions && below(4) == 0);
}

static void random_step(int t)
{
	struct model_call *c = innermost(t);

	if (!c) {
		random_start(t, false);
		return;
	}
	switch (c->step) {
	case BEGUN:
		call_queues(t);
		break;
	case TAKEN:
		call_enters(t);
		break;
	case REFUSED:
	case LIMITED:
		call_sleeps(t);
		break;
	case ASLEEP:
		if (c->done)
			call_wakes(t);
		break;
	case RUNS:
		call_moves(t);
		break;
	case MOVED:
		call_retries(t);
		break;
	case SECURE:
		if (!below(100))
			call_leaves(t, OPTEE_SMC_RETURN_ETHREAD_LIMIT);
		else
			call_leaves(t, below(3) ? 0 : RPC_A0);
		break;
	case RPC:
		if (model.tasks[t].depth < MODEL_DEPTH && !below(16))
			random_start(t, true);
		else
			call_enters(t);
		break;
	case DONE:
		call_ends(t);
		break;
	}
}

/* Between two steps of the driver there is nobody: what is seen is what is. */
static void compare_with_the_truth(void)
{
	struct model_view v = model_look();
	int limited = 0;

	for (int t = 0; t < MODEL_TASKS; t++)
		for (int d = 0; d < model.tasks[t].depth; d++) {
			const struct model_call *c = &model.tasks[t].calls[d];

			if (c->step == TAKEN || c->step == REFUSED || c->step == RUNS ||
			    c->step == MOVED || c->step == LIMITED)
				return;
			limited += c->limited;
		}
	a_look();
	compare();
	assert_int_equal(v.in_use[0] + v.in_use[1] + limited, model.threads - model.free);
	assert_int_equal(model.lasting[COND_STRANDED].lasts, v.stranded > 0);
	assert_int_equal(pool_state(shared.pools[0].state).reserved,
			 what_if_reserved >= 0 ? what_if_reserved : model.sys_sessions > 0);
}

#define STEPS 10000

static struct cond_count seen[NR_COUNTED_CONDS];

static void run_start(int threads, u64 stack, s32 what_if_reserve)
{
	model_start(threads);
	what_if_reserved = what_if_reserve;
	a_look();
	stack_bytes = stack;
	starved_ns = 5 * MS;
	report_ns[COND_EXHAUSTED] = MS / 2;
	report_ns[COND_STRANDED] = MS / 4;
}

static void run_finish(void)
{
	for (int cond = 0; cond < NR_COUNTED_CONDS; cond++) {
		seen[cond].count += counted(cond).count;
		if (counted(cond).peak > seen[cond].peak)
			seen[cond].peak = counted(cond).peak;
	}
}

/* A task that can go on; -1: none can, ever. Nested calls come to that, and ETHREAD_LIMIT. */
static int random_task(int nr_tasks)
{
	int movable[MODEL_TASKS], n = 0;

	for (int t = 0; t < nr_tasks; t++) {
		const struct model_call *c = innermost(t);

		if (!c || c->step != ASLEEP || c->done)
			movable[n++] = t;
	}
	return n ? movable[below((u32)n)] : -1;
}

static void run_random(unsigned int seed, int threads, int nr_tasks, u64 stack, s32 what_if_reserve)
{
	srandom(seed);
	run_start(threads, stack, what_if_reserve);
	for (int n = 0; n < STEPS; n++) {
		int t = random_task(nr_tasks);

		if (t < 0) {
			run_finish();
			run_start(threads, stack, what_if_reserve);
			continue;
		}
		current_ns += below(100000);
		current_task = task_at(t);
		if (!below(200))
			a_look();
		else
			random_step(t);
		compare();
		compare_with_the_truth();
	}
	run_finish();
}

static void random_steps(void **state)
{
	static const int threads[] = { 1, 2, 3, 4, 8 };

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (unsigned int i = 0; i < 5; i++)
		for (unsigned int seed = 0; seed < 6; seed++) {
			int nr_tasks = seed ? threads[i] + (int)seed : MODEL_TASKS;

			run_random(100 * i + seed, threads[i], nr_tasks,
				   seed % 2 ? MODEL_STACK : 1 << STACK_BITS, seed == 5 ? 2 : -1);
		}
	/* They came to all of them, often. */
	for (int cond = 0; cond < NR_COUNTED_CONDS; cond++)
		assert_in_range(seen[cond].count, 25, 1000000);
	assert_in_range(seen[COND_STRANDED].peak, 3, MODEL_TASKS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overrun),
		cmocka_unit_test(harmful_overrun),
		cmocka_unit_test(reserve_breach),
		cmocka_unit_test(reserve_idle),
		cmocka_unit_test(exhausted),
		cmocka_unit_test(stranded_behind_a_call_in_flight),
		cmocka_unit_test(the_systems_wake_comes_first),
		cmocka_unit_test(stranded_behind_a_waiter_woken_twice),
		cmocka_unit_test(starved),
		cmocka_unit_test(count_mismatch),
		cmocka_unit_test(what_if),
		cmocka_unit_test(ring_full),
		cmocka_unit_test(late_ends),
		cmocka_unit_test(a_long_queue),
		cmocka_unit_test(woken_before_it_sleeps),
		cmocka_unit_test(woken_before_it_sleeps_again),
		cmocka_unit_test(no_strand_at_a_sessions_end),
		cmocka_unit_test(woken_before_it_enters),
		cmocka_unit_test(stranded_behind_its_own_task),
		cmocka_unit_test(waiters_of_one_large_stack),
		cmocka_unit_test(not_yet_in),
		cmocka_unit_test(changes_seen_in_any_order),
		cmocka_unit_test(random_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
