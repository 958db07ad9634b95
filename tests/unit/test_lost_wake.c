// SPDX-License-Identifier: GPL-2.0-only
/* Lost wakes: whose is one and whose only takes its time, and what the looks make of them. */
#include "fixtures/queue_cases.h"
#include "collect/lost_wake.h"

static u64 woken(int t)
{
	return call_find((u64)task_at(t))->woken_ns;
}

static bool is_lost(int t, u64 now)
{
	pool_look(0, now);
	return woken(t) & WOKEN_LOST;
}

/* 0 and 1 hold both threads; 2 and 3 wait, and the wake of 0's end, at 100 ms, is for 2. */
static void wake_2(void)
{
	model_start(2);
	for (int t = 0; t < 4; t++) {
		at(t, (10 + (u64)t) * MS);
		start_call(t, false);
	}
	innermost(1)->done = true; /* so that it does not swallow the wake */
	model_show();
	at(0, 100 * MS);
	end_call(0);
	assert_int_equal(woken(2), (100 * MS) | WOKEN_COUNTED);
}

static void lose_it(void)
{
	innermost(2)->done = false;
	model_show();
}

UNIT_TEST(sleeps_on)
{
	u64 since;

	wake_2();
	lose_it();
	assert_false(is_lost(2, 90 * MS)); /* the time was taken before the wake */
	assert_false(is_lost(2, 200 * MS - 1));
	assert_false(lost_wake_of(call_find((u64)task_at(2)), &since));
	assert_true(is_lost(2, 200 * MS));
	assert_true(is_lost(2, 300 * MS));
	assert_int_equal(woken(2), (100 * MS) | WOKEN_COUNTED | WOKEN_LOST);
	assert_true(lost_wake_of(call_find((u64)task_at(2)), &since));
	assert_int_equal(since, 100 * MS);
	assert_false(is_lost(1, 300 * MS));
	assert_false(is_lost(3, 300 * MS));
	/* The thread is promised to it still: it is not stranded, too. */
	assert_null(lasting(COND_STRANDED));
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 1);
}

/* It only lacks its CPU: awake, but it has not run; or it has, and waits for the lock. */
UNIT_TEST(awake_at_last)
{
	wake_2();
	assert_false(is_lost(2, 10 * SECONDS));
	call_wakes(2);
	assert_false(is_lost(2, 10 * SECONDS));
	call_moves(2);
	assert_false(is_lost(2, 10 * SECONDS));
}

/* Who is to wake it lacks his CPU. */
UNIT_TEST(not_while_it_is_given)
{
	wake_2();
	lose_it();
	optee.call_queue.mutex.owner = task_at(0);
	assert_false(is_lost(2, 10 * SECONDS));
	optee.call_queue.mutex.owner = NULL;
	assert_true(is_lost(2, 10 * SECONDS));
}

/* The next wake is no second one for it: nothing is in vain, and it is the waiter behind that strands. */
UNIT_TEST(the_next_wake_is_its)
{
	const struct episode *e;

	for (int looked = 0; looked < 2; looked++) {
		wake_2();
		lose_it();
		if (looked)
			assert_true(is_lost(2, 250 * MS));
		innermost(1)->done = false;
		at(1, 300 * MS);
		call_leaves(1, 0);
		call_ends(1);
		assert_int_equal(woken(2), (300 * MS) | WOKEN_COUNTED);
		assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 1);
		compare();
		e = lasting(COND_STRANDED);
		assert_non_null(e);
		assert_int_equal(e->peak, 1);
		assert_int_equal(culprit(e), -1);
		at(2, 301 * MS);
		run_on(2);
		assert_int_equal(woken(2), 0);
		assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 0);
		end_call(2);
		run_on(3);
		assert_counted(COND_STRANDED, 1, 1 * MS, 1 * MS, 1);
	}
}

/* 2 uses its wake up between our look and the driver's: it is woken again, in vain, and not 3. */
UNIT_TEST(goes_elsewhere)
{
	const struct episode *e;

	wake_2();
	at(1, 150 * MS);
	call_leaves(1, 0);
	call_ends(1);
	assert_int_equal(woken(3), (150 * MS) | WOKEN_COUNTED | WOKEN_UNSURE);
	innermost(3)->done = false;
	call_wakes(2);
	innermost(2)->done = true;
	model_show();
	assert_false(is_lost(3, 250 * MS - 1));
	assert_null(lasting(COND_STRANDED));
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 2);
	assert_false(is_lost(3, 250 * MS));
	assert_int_equal(woken(3), 0);
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 1);
	e = lasting(COND_STRANDED);
	assert_non_null(e);
	assert_int_equal(e->since_ns, 150 * MS);
	assert_int_equal(e->peak, 1);
}

/* Both are woken, one after the other, and sleep no longer. */
UNIT_TEST(both_are_woken)
{
	wake_2();
	at(1, 150 * MS);
	end_call(1);
	assert_false(is_lost(3, 10 * SECONDS));
	assert_null(lasting(COND_STRANDED));
	run_on(2);
	run_on(3);
	assert_int_equal(shared.pools[0].woken[CLASS_NORMAL], 0);
}

UNIT_TEST(look_by_look)
{
	static struct lost_wakes l;

	lost_wakes_looked(&l, 1000);
	assert_int_equal(l.nr + l.since_ns + l.over.count, 0);
	lost_wakes_see(&l, 900);
	lost_wakes_see(&l, 300);
	lost_wakes_looked(&l, 1050);
	assert_int_equal(l.nr, 2);
	assert_int_equal(l.since_ns, 300);
	lost_wakes_see(&l, 900);
	lost_wakes_looked(&l, 1100);
	assert_int_equal(l.nr, 1);
	assert_int_equal(l.since_ns, 900);
	assert_int_equal(l.over.count, 1);
	assert_int_equal(l.over.ns, 800);
	/* The same call, woken again. */
	lost_wakes_see(&l, 950);
	lost_wakes_looked(&l, 1150);
	assert_int_equal(l.nr, 1);
	assert_int_equal(l.since_ns, 950);
	assert_int_equal(l.over.count, 2);
	lost_wakes_looked(&l, 1200);
	assert_int_equal(l.nr + l.since_ns, 0);
	assert_int_equal(l.over.count, 3);
	assert_int_equal(l.over.ns, 800 + 250 + 250);
	assert_int_equal(l.over.longest_ns, 800);
	assert_int_equal(l.over.peak, 1);
	for (u64 i = 0; i < 2 * MAX_LOST_WAKES; i++)
		lost_wakes_see(&l, 8 + 8 * i);
	assert_int_equal(l.nr, MAX_LOST_WAKES);
}
