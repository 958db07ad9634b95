/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the model of tests/unit/queue_model.h knows of the queue, and what holds in
 * it: worked out anew each time, by the definitions of include/abi.h.
 */
#ifndef OPTEE_TOP_QUEUE_STATE_H
#define OPTEE_TOP_QUEUE_STATE_H

#pragma GCC diagnostic ignored "-Wunused-function" /* no test uses all of it */

#include <stdio.h>
#include <stdlib.h>
#include "unit.h"
#include "bpf_native.h"

#define MODEL_TASKS 16
#define MODEL_DEPTH 3
#define MODEL_STACK 65536 /* at most */
#define WOKEN_BIT   14ULL /* of a time: may be flags */

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
	struct list_head sleeper;
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
	int reserved;              /* as the hooks know it; -1: a policy decides */
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
#define MODEL_ALIGNMENT ((u64)STACK_HOMES << STACK_BITS)

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
	policy_attached = false;
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
		/* Who is woken is taken off at once. */
		w->c.wait.task_list.next = model.queue[i]->step == ASLEEP && !w->c.done ?
						   &model.queue[i]->sleeper :
						   &w->c.wait.task_list;
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

	if (policy_attached && cond != COND_EXHAUSTED)
		return false;
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
	for (int cond = 0; cond < NR_STATE_CONDS; cond++)
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
	model.reserved = what_if_reserved >= 0 ? what_if_reserved :
			 policy_attached       ? -1 :
						 model.sys_sessions > 0;
	judge_state();
}

#endif
