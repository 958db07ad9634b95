// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks and all detectors at once, over random steps of many tasks, against the
 * model of the queue: after every step all must be the same.
 */
#include "fixtures/queue_random.h"

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

UNIT_TEST(random_steps)
{
	static const int threads[] = { 1, 2, 3, 4, 8 };

	memset(seen, 0, sizeof(seen));
	for (unsigned int i = 0; i < 5; i++)
		for (unsigned int seed = 0; seed < 6; seed++) {
			int nr_tasks = seed ? threads[i] + (int)seed : MODEL_TASKS;

			run_random(100 * i + seed, threads[i], nr_tasks,
				   seed % 2 ? MODEL_STACK : 1 << STACK_BITS, seed == 5 ? 2 : -1);
		}
	/* They came to all of them, often. */
	for (int cond = 0; cond < COND_CONVOY; cond++) /* that one: test_argument.c */
		assert_in_range(seen[cond].count, 25, 1000000);
	assert_in_range(seen[COND_STRANDED].peak, 3, MODEL_TASKS);
}
