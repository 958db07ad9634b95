/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's call queue (Linux 6.12, drivers/tee/optee/call.c) in the plainest
 * way, as a reference: arrays, and each function cut wherever another task may
 * come between. It runs the hooks where the driver runs them, over real waiters
 * on stacks, and after each it works out from nothing which conditions hold.
 *
 * Where the hooks cannot see the driver, the model says what can be seen:
 * - a call is in flight from call_enter on, not from its admission;
 * - it waits from call_wait on, not from the refusal;
 * - a woken waiter is on its way, with a thread promised to it, until it enters or
 *   is about to sleep again, also while the rule has long refused it or given it one;
 * - a session that becomes a system session is seen with its first call, or at a look;
 * - what changes without any hook, the driver's count, is seen at the next hook.
 */
#ifndef OPTEE_TOP_QUEUE_MODEL_H
#define OPTEE_TOP_QUEUE_MODEL_H

#include "queue_state.h"

static void at(int t, u64 ns)
{
	current_task = task_at(t);
	current_ns = ns;
}

static struct model_call *innermost(int t)
{
	struct model_task *task = &model.tasks[t];

	return task->depth ? &task->calls[task->depth - 1] : NULL;
}

static void queue_add(struct model_call *c)
{
	model.queue[model.nr_queue++] = c;
}

static void queue_del(struct model_call *c)
{
	int i = 0;

	while (model.queue[i] != c)
		i++;
	for (model.nr_queue--; i < model.nr_queue; i++)
		model.queue[i] = model.queue[i + 1];
}

static bool rule_admits(const struct model_call *c)
{
	if (c->system || !model.sys_sessions)
		return model.free > 0;
	return model.free > 1;
}

/* optee_smc_do_call_with_arg() */
static void call_begins(int t, bool system)
{
	struct model_call *c = &model.tasks[t].calls[model.tasks[t].depth++];
	/* The stack grows down; where on it the waiter lies makes no difference. */
	char *frame = stack_at(t) + stack_bytes - 1024 - 2048 * model.tasks[t].depth;

	current_task = task_at(t);
	*c = (struct model_call){ .step = BEGUN,
				  .system = system,
				  .begun_ns = current_ns,
				  .phase_ns = current_ns,
				  .waiter = (struct optee_call_waiter *)frame };
	c->msg.head.cmd = CMD_INVOKE;
	c->msg.head.session = 1 + t % 4 + 4 * system;
	memset(c->waiter, 0xee, sizeof(*c->waiter));
	call_begin(&tee, (u64)&teedev, (u64)&c->msg, system);
	if (system)
		model_reserve();
}

/* optee_cq_wait_init(), to its first mutex_unlock() */
static void call_queues(int t)
{
	struct model_call *c = innermost(t);

	queue_add(c);
	c->step = rule_admits(c) ? TAKEN : REFUSED;
	model.free -= c->step == TAKEN;
	model_show();
}

/* As the first one begins to wait, the hooks learn which wakes went astray before. */
static void notice_spent_wakes(void)
{
	struct model_view v = model_look();

	if (v.waiting[0] + v.waiting[1])
		return;
	for (int i = 0; i < model.nr_queue; i++) {
		struct model_call *c = model.queue[i];

		if (!c->done || c->vain_ns)
			continue;
		c->vain_ns = WOKEN_IN_VAIN;
		c->vague |= task_of(c)->depth > 1;
	}
}

/* The entry of optee_cq_wait_for_completion() */
static void call_sleeps(int t)
{
	struct model_call *c = innermost(t);

	current_task = task_at(t);
	call_wait((u64)c->waiter);
	notice_spent_wakes();
	c->step = ASLEEP;
	c->waits = true;
	judge_state();
	judge_strands();
}

static void call_wakes(int t)
{
	struct model_call *c = innermost(t);

	c->done = false;
	c->step = RUNS;
	model_show();
}

/* The rest of optee_cq_wait_for_completion() */
static void call_moves(int t)
{
	struct model_call *c = innermost(t);

	queue_del(c);
	queue_add(c);
	c->done = false;
	c->step = c->limited ? TAKEN : MOVED;
	model_show();
}

/* The loop of optee_cq_wait_init() */
static void call_retries(int t)
{
	struct model_call *c = innermost(t);

	c->step = rule_admits(c) ? TAKEN : REFUSED;
	model.free -= c->step == TAKEN;
	model_show();
}

static void call_enters(int t)
{
	struct model_call *c = innermost(t);
	u64 waited = current_ns - c->phase_ns;
	bool from_rpc = c->step == RPC;

	current_task = task_at(t);
	call_enter(enter_ctx);
	if (!from_rpc) {
		if (c->limited)
			judge_call(c, COND_COUNT_MISMATCH, c->phase_ns);
		else
			c->admit_ns = current_ns;
		if (c->waits && waited > starved_ns)
			judge_call(c, COND_STARVED, c->phase_ns + starved_ns);
		if (!c->done)
			c->vain_ns = 0; /* that wake was wiped out */
		c->waits = c->limited = false;
	}
	c->step = SECURE;
	c->phase_ns = current_ns;
	if (from_rpc)
		return;
	judge_state();
	judge_strands();
}

static void call_leaves(int t, u64 a0)
{
	struct model_call *c = innermost(t);
	struct arm_smccc_res res = { .a0 = a0 };

	current_task = task_at(t);
	call_exit(a0, &res);
	c->step = a0 >= RPC_PREFIX ? RPC : a0 == OPTEE_SMC_RETURN_ETHREAD_LIMIT ? LIMITED : DONE;
	c->limited = c->step == LIMITED;
	c->phase_ns = current_ns;
	judge_state();
}

static struct model_call *next_to_wake(void)
{
	for (int i = 0; i < model.nr_queue; i++)
		if (model.queue[i]->system && !model.queue[i]->done)
			return model.queue[i];
	for (int i = 0; i < model.nr_queue; i++)
		if (!model.queue[i]->done)
			return model.queue[i];
	return NULL;
}

/*
 * ends: a call has just left. Else the hooks look at the reserve, too.
 * again: it is called once more at once; strands are looked for after that.
 */
static void complete_one(bool ends, bool again)
{
	struct model_call *c = next_to_wake();
	struct model_view v;

	model_show();
	call_ends_and_wakes((u64)&optee.call_queue);
	if (ends)
		judge_state();
	else
		model_reserve();
	v = model_look();
	if (c) {
		/* Nobody waits: the hooks do not look whom it reaches. */
		if (v.waiting[0] + v.waiting[1] && (!c->waits || on_its_way(c)))
			c->vain_ns = current_ns | WOKEN_IN_VAIN;
		c->vague |= task_of(c)->depth > 1;
		c->done = true;
	}
	model_show();
	if (!again)
		judge_strands();
}

/* Its wake went astray, for all that the hooks know: they may take two calls of a task for each other. */
static bool known_in_vain(int t)
{
	const struct model_call *c = innermost(t);

	if (c->vague || model.tasks[t].depth > 1)
		return call_find((u64)task_at(t))->woken_ns & WOKEN_IN_VAIN;
	return c->vain_ns;
}

/* optee_cq_wait_final() */
static void call_ends(int t)
{
	struct model_call *c = innermost(t);
	bool again = known_in_vain(t);

	current_task = task_at(t);
	queue_del(c);
	model.free++;
	model.tasks[t].depth--;
	model.ending = task_of(c);
	complete_one(true, again);
	model.ending = NULL;
	if (c->done)
		complete_one(false, false);
}

/* tee_client_system_session() */
static void session_becomes_system(void)
{
	model.sys_sessions++;
	model_show();
}

/* Its close, after the call that closes it */
static void system_session_ends(void)
{
	model.sys_sessions--;
	complete_one(false, false);
}

/* What a look of user space does: inspect(). */
static void a_look(void)
{
	pool_reserve(0, current_ns);
	pool_strands(0, current_ns);
	model_reserve();
	judge_strands();
}

/* The comparison. */

static void compare_episode(const struct episode *e, const struct model_episode *m)
{
	assert_int_equal(e->cond, m->cond);
	assert_int_equal(e->serial, m->serial);
	assert_int_equal(e->since_ns, m->since_ns);
	assert_int_equal(e->peak, m->peak);
	assert_int_equal(e->state, m->state);
	assert_int_equal(e->driver_free, m->driver_free);
	assert_int_equal(e->driver_sys_sessions, m->driver_sys_sessions);
	assert_int_equal(e->nr_parties, m->nr_parties);
	for (int i = 0; i < m->nr_parties; i++) {
		const struct party *p = &e->parties[i];

		assert_int_equal(p->tid, m->parties[i].tid);
		/* Of two calls of a task that have not waited, one is as good as the other. */
		if (m->parties[i].nested)
			continue;
		assert_int_equal(p->class, m->parties[i].system);
		assert_int_equal(p->phase, m->parties[i].phase);
		assert_int_equal(!!(p->flags & CALL_WAITING), m->parties[i].waits);
		assert_int_equal(p->since_ns, m->parties[i].since_ns);
	}
}

static void compare_wakes(int t)
{
	const struct model_call *c = innermost(t);
	const struct call *call = call_find((u64)task_at(t));

	if (model.tasks[t].depth != 1)
		return;
	assert_non_null(call);
	assert_int_equal(!!(call->flags & CALL_WAITING), c->waits);
	if (c->waits)
		assert_int_equal(call->woken_ns != 0, on_its_way(c));
	else if (in_flight(c) && !c->vague)
		assert_int_equal(call->woken_ns | WOKEN_BIT, c->vain_ns | WOKEN_BIT);
}

static void compare(void)
{
	const struct pool *p = &shared.pools[0];
	struct pool_state s = pool_state(p->state);
	struct model_view v = model_look();

	for (int class = 0; class < 2; class ++) {
		assert_int_equal(s.in_use[class], v.in_use[class]);
		assert_int_equal(s.waiting[class], v.waiting[class]);
		assert_int_equal(p->woken[class], v.woken[class]);
		assert_int_equal(p->in_use_peak[class], model.in_use_peak[class]);
		assert_int_equal(p->waiting_peak[class], model.waiting_peak[class]);
	}
	assert_int_equal(s.reserved, model.reserved);
	assert_int_equal(p->in_use_all_peak, model.in_use_all_peak);
	assert_int_equal(p->waiting_all_peak, model.waiting_all_peak);
	for (int cond = 0; cond < NR_POOL_CONDS; cond++) {
		const struct lasting *l = &p->lasting[cond];
		const struct model_episode *m = &model.lasting[cond];

		assert_int_equal(l->serial, m->lasts ? m->serial : 0);
		if (m->lasts)
			compare_episode(&l->episodes[l->serial & 1], m);
	}
	for (int cond = 0; cond < NR_COUNTED_CONDS; cond++)
		assert_memory_equal(&p->conds[cond], &model.counts[cond],
				    sizeof(model.counts[cond]));
	assert_int_equal(ring_nr, model.nr_records);
	for (; model.nr_compared < model.nr_records; model.nr_compared++) {
		compare_episode(&ring[model.nr_compared], &model.records[model.nr_compared]);
		assert_int_equal(ring[model.nr_compared].end_ns,
				 model.records[model.nr_compared].end_ns);
	}
	for (int t = 0; t < MODEL_TASKS; t++)
		compare_wakes(t);
	for (int i = 0; i < NR_LOSSES; i++)
		assert_int_equal(shared.loss[i], 0);
}

#endif
