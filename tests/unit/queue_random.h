/* SPDX-License-Identifier: GPL-2.0-only */
/* Random steps of many tasks through the model of the queue. */
#ifndef OPTEE_TOP_QUEUE_RANDOM_H
#define OPTEE_TOP_QUEUE_RANDOM_H

#include "queue_cases.h"

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

#endif
