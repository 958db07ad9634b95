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

#include <stdio.h>
#include <stdlib.h>
#include "unit.h"
#include "bpf_native.h"

#define MODEL_TASKS 16
#define MODEL_DEPTH 3
#define MODEL_STACK 65536 /* at most */
#define WOKEN_BIT   2ULL  /* of a time: may be a flag */

enum step {
	BEGUN,   /* not in the queue yet */
	TAKEN,   /* has an entry, is not in the secure world yet */
	REFUSED, /* will wait */
	ASLEEP,  /* in wait_for_completion(), woken or not */
	RUNS,    /* has used its wake up, does not have the mutex yet */
	MOVED,   /* at the end of the queue, the rule not tested again yet */
	SECURE,
	RPC,
	LIMITED, /* ETHREAD_LIMIT: will wait */
	DONE,    /* back from the secure world */
};

struct model_call {
	enum step step;
	bool system, done;
	bool waits;   /* as the hooks see it */
	bool limited; /* its wait is one after an ETHREAD_LIMIT: it has an entry all the while */
	u64 begun_ns, admit_ns, phase_ns;
	u64 vain_ns; /* the last wake that reached it in vain */
	bool vague;  /* the hooks may have taken that for one of another call of its task */
	struct optee_call_waiter *waiter;
	struct msg_open msg;
};

struct model_task {
	int depth;
	struct model_call calls[MODEL_DEPTH]; /* the innermost last */
};

/* An episode of a condition, or of one that lasts. */
struct model_episode {
	bool lasts;
	u64 serial, since_ns, end_ns, peak, state;
	int cond, driver_free, driver_sys_sessions, nr_parties;
	struct {
		u32 tid;
		bool nested, system, waits;
		enum call_phase phase;
		u64 since_ns;
	} parties[MAX_PARTIES];
};

#define MODEL_RECORDS 32768

static struct {
	struct model_task tasks[MODEL_TASKS];
	struct model_call *queue[MODEL_TASKS * MODEL_DEPTH];
	int nr_queue;
	int threads, free, sys_sessions;
	int reserved;              /* as the hooks know it */
	struct model_task *ending; /* its innermost call ends just now */
	int in_use_peak[2], in_use_all_peak, waiting_peak[2], waiting_all_peak;
	struct model_episode lasting[NR_POOL_CONDS];
	struct cond_count counts[NR_COUNTED_CONDS];
	struct model_episode records[MODEL_RECORDS];
	int nr_records, nr_compared;
} model;

/*
 * Tasks so far apart that the nested calls of all find a slot. Where they and their
 * stacks lie decides upon the slots: it is the same in each run, and begins at 0.
 */
#define MODEL_TASK      16384
#define MODEL_ALIGNMENT ((u64)MAX_CALLS << STACK_BITS)

static char *tasks_room, *stacks_room;
static struct optee optee;
static const struct tee_desc desc = { "optee-clnt" };
static struct tee_device teedev = { .desc = &desc, .dev = { &optee } };
static struct tee_context tee = { .teedev = &teedev, .supp_nowait = true };

static struct task_struct *task_at(int t)
{
	return (void *)(tasks_room + t * MODEL_TASK);
}

static char *stack_at(int t)
{
	return stacks_room + t * MODEL_STACK;
}

static void model_rooms(void)
{
	if (ring)
		return;
	ring = calloc(RING_ROOM, sizeof(*ring));
	tasks_room = aligned_alloc(MODEL_ALIGNMENT, MODEL_ALIGNMENT);
	stacks_room = aligned_alloc(MODEL_ALIGNMENT, MODEL_ALIGNMENT);
	assert_true(ring && tasks_room && stacks_room);
}

static void model_start(int threads)
{
	memset(&shared, 0, sizeof(shared));
	memset(session_rows, 0, sizeof(session_rows));
	memset(refs, 0, sizeof(refs));
	memset(calls_by_stack, 0, sizeof(calls_by_stack));
	for (int cond = 0; cond < NR_COUNTED_CONDS; cond++)
		report_ns[cond] = 0;
	memset(&model, 0, sizeof(model));
	model_rooms();
	memset(ring, 0, ring_nr * sizeof(*ring));
	ring_nr = 0;
	ring_room = RING_ROOM;
	starved_ns = ~0ULL;
	what_if_reserved = -1;
	stack_bytes = 1 << STACK_BITS;
	model.threads = model.free = threads;
	optee = (struct optee){ .call_queue = { .total_thread_count = threads,
						.free_thread_count = threads },
				.rpc_param_count = 1 };
	optee.call_queue.waiters = (struct list_head){ &optee.call_queue.waiters,
						       &optee.call_queue.waiters };
	for (int i = 0; i < MODEL_TASKS; i++)
		*task_at(i) = (struct task_struct){ .pid = 100 + i,
						    .tgid = 100 + i,
						    .stack = stack_at(i),
						    .group_leader = task_at(i) };
	current_ns = 1000000;
	pool_find((u64)&teedev);
}

/* The driver's own list and counters, as the hooks read them. */
static void model_show(void)
{
	struct list_head *head = &optee.call_queue.waiters, *last = head;

	for (int i = 0; i < model.nr_queue; i++) {
		struct optee_call_waiter *w = model.queue[i]->waiter;

		w->c.done = model.queue[i]->done;
		w->sys_thread = model.queue[i]->system;
		last->next = &w->list_node;
		w->list_node.prev = last;
		last = &w->list_node;
	}
	last->next = head;
	head->prev = last;
	optee.call_queue.free_thread_count = model.free;
	optee.call_queue.sys_thread_req_count = model.sys_sessions;
}

/* What holds now, from nothing. */

static bool in_flight(const struct model_call *c)
{
	return c->step == SECURE || c->step == RPC || c->step == DONE;
}

static bool on_its_way(const struct model_call *c)
{
	return c->waits && (c->done || c->step != ASLEEP);
}

struct model_view {
	int in_use[2], waiting[2], woken[2];
	int stranded;
};

static struct model_view model_look(void)
{
	struct model_view v = {};
	int spare = model.free, needs_more_than = model.sys_sessions > 0;

	for (int t = 0; t < MODEL_TASKS; t++)
		for (int d = 0; d < model.tasks[t].depth; d++) {
			const struct model_call *c = &model.tasks[t].calls[d];

			v.in_use[c->system] += in_flight(c);
			v.waiting[c->system] += c->waits;
			v.woken[c->system] += on_its_way(c);
			spare -= on_its_way(c);
		}
	for (int t = 0; t < MODEL_TASKS; t++)
		for (int d = 0; d < model.tasks[t].depth; d++) {
			const struct model_call *c = &model.tasks[t].calls[d];

			if (c->waits && !on_its_way(c))
				v.stranded += spare > (c->system ? 0 : needs_more_than);
		}
	return v;
}

static u64 packed(const struct model_view *v)
{
	return (u64)v->in_use[0] << STATE_IN_USE(0) | (u64)v->in_use[1] << STATE_IN_USE(1) |
	       (u64)v->waiting[0] << STATE_WAITING(0) | (u64)v->waiting[1] << STATE_WAITING(1) |
	       (u64)model.reserved << STATE_RESERVED;
}

static bool holds(int cond, const struct model_view *v)
{
	int normal = v->in_use[0], system = v->in_use[1];

	switch (cond) {
	case COND_OVERRUN:
		return system > model.reserved;
	case COND_HARMFUL_OVERRUN:
		return system > model.reserved && v->waiting[0] > 0;
	case COND_RESERVE_BREACH:
		return normal > model.threads - model.reserved;
	case COND_RESERVE_IDLE:
		return v->waiting[0] > 0 && system > 0 && normal + system < model.threads;
	case COND_EXHAUSTED:
		return normal + system >= model.threads;
	default:
		return v->stranded > 0;
	}
}

static u64 figure(int cond, const struct model_view *v)
{
	switch (cond) {
	case COND_OVERRUN:
		return v->in_use[1];
	case COND_RESERVE_BREACH:
		return v->in_use[0];
	case COND_EXHAUSTED:
		return v->waiting[0] + v->waiting[1];
	case COND_STRANDED:
		return v->stranded;
	default: /* harmful overrun, reserve idle */
		return v->waiting[0];
	}
}

static struct model_task *task_of(const struct model_call *c)
{
	return &model.tasks[((const char *)c - (const char *)model.tasks) / sizeof(*model.tasks)];
}

static int tid_of(const struct model_call *c)
{
	return 100 + (int)(task_of(c) - model.tasks);
}

static enum call_phase phase_of(const struct model_call *c)
{
	return c->limited        ? PHASE_LIMIT :
	       c->step == SECURE ? PHASE_SECURE :
	       c->step == RPC    ? PHASE_RPC :
	       c->step == DONE   ? PHASE_DONE :
				   PHASE_QUEUED;
}

static void note_party(struct model_episode *e, const struct model_call *c)
{
	int n = e->nr_parties++;

	e->parties[n].tid = tid_of(c);
	e->parties[n].nested = task_of(c)->depth > 1 || task_of(c) == model.ending;
	e->parties[n].system = c->system;
	e->parties[n].waits = c->waits;
	e->parties[n].phase = phase_of(c);
	e->parties[n].since_ns = c->waits ? c->phase_ns : c->admit_ns;
}

static void model_count(int cond, u64 ns, u64 peak)
{
	struct cond_count *n = &model.counts[cond];

	n->count++;
	n->ns += ns;
	n->longest_ns = ns > n->longest_ns ? ns : n->longest_ns;
	n->peak = peak > n->peak ? peak : n->peak;
}

static void model_record(const struct model_episode *e)
{
	assert_in_range(model.nr_records, 0, MODEL_RECORDS - 1);
	model.records[model.nr_records++] = *e;
}

static void judge(int cond, const struct model_view *v)
{
	struct model_episode *e = &model.lasting[cond];

	if (holds(cond, v)) {
		if (!e->lasts) {
			*e = (struct model_episode){ .lasts = true,
						     .serial = e->serial + 1,
						     .since_ns = current_ns,
						     .cond = cond,
						     .state = packed(v),
						     .driver_free = model.free,
						     .driver_sys_sessions = model.sys_sessions };
			for (int i = 0; i < model.nr_queue && i < MAX_PARTIES; i++)
				note_party(e, model.queue[i]);
		}
		if (figure(cond, v) > e->peak)
			e->peak = figure(cond, v);
	} else if (e->lasts) {
		e->lasts = false;
		e->end_ns = current_ns;
		model_count(cond, e->end_ns - e->since_ns, e->peak);
		if (e->end_ns - e->since_ns >= report_ns[cond])
			model_record(e);
	}
}

static void raise(int *max, int v)
{
	*max = v > *max ? v : *max;
}

/* After a change that the hooks have seen. */
static void judge_state(void)
{
	struct model_view v = model_look();

	for (int class = 0; class < 2; class ++) {
		raise(&model.in_use_peak[class], v.in_use[class]);
		raise(&model.waiting_peak[class], v.waiting[class]);
	}
	raise(&model.in_use_all_peak, v.in_use[0] + v.in_use[1]);
	raise(&model.waiting_all_peak, v.waiting[0] + v.waiting[1]);
	for (int cond = 0; cond < COND_STRANDED; cond++)
		judge(cond, &v);
}

static void judge_strands(void)
{
	struct model_view v = model_look();

	judge(COND_STRANDED, &v);
}

/* A condition of one call, which is over. */
static void judge_call(const struct model_call *c, int cond, u64 since)
{
	struct model_view v = model_look();
	struct model_episode e = { .serial = c->begun_ns,
				   .since_ns = since,
				   .end_ns = current_ns,
				   .peak = 1,
				   .cond = cond,
				   .state = packed(&v),
				   .driver_free = model.free,
				   .driver_sys_sessions = model.sys_sessions };

	note_party(&e, c);
	model_count(cond, current_ns - since, 1);
	model_record(&e);
}

static void model_reserve(void)
{
	model.reserved = what_if_reserved >= 0 ? what_if_reserved : model.sys_sessions > 0;
	judge_state();
}

/* The driver. */

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
	call_enter();
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
