/* SPDX-License-Identifier: GPL-2.0-only */
/* What single cases of the queue are told with: steps of the model, and what is to be seen. */
#ifndef OPTEE_TOP_QUEUE_CASES_H
#define OPTEE_TOP_QUEUE_CASES_H

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

#endif
