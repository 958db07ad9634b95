/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's own queue: its counters, and its list of all calls, those in
 * flight too, in the order in which they are considered for a wake.
 */
#ifndef OPTEE_TOP_QUEUE_BPF_H
#define OPTEE_TOP_QUEUE_BPF_H

/* Where a walk along one of the driver's lists stands. */
struct walk {
	u64 head, node;
};

static __always_inline void walk_list(struct walk *w, u64 head)
{
	w->head = head;
	w->node = word_at(head); /* next */
}

static __always_inline bool walk_done(const struct walk *w)
{
	return !w->node || w->node == w->head;
}

static __always_inline void walk_on(struct walk *w)
{
	w->node = word_at(w->node);
}

static __always_inline void walk_queue(struct walk *w, u64 queue)
{
	walk_list(w, queue + bpf_core_field_offset(struct optee_call_queue, waiters));
}

/* struct optee_call_waiter */
static __always_inline u64 walk_waiter(const struct walk *w)
{
	return w->node - bpf_core_field_offset(struct optee_call_waiter, list_node);
}

/*
 * Whose a waiter is. It lies on the stack of the task that makes the call, so
 * the calls are found by their stacks; two of one task are told apart by the
 * waiter, where it is known. NULL: not known.
 */
#define STACK_TRIES 4    /* larger ones than the least size take several */
#define STACK_HOMES 4096 /* a power of two: stacks are side by side, with a gap each */

static u64 stack_bytes = 1 << STACK_BITS;
static u32 calls_by_stack[STACK_HOMES];

static __always_inline void call_on_stack(struct call *c, u64 stack)
{
	c->stack = stack;
	/* Read back: a verifier that takes it for a pointer lets nobody shift it. */
	stack = *(volatile u64 *)&c->stack;
	calls_by_stack[stack >> STACK_BITS & (STACK_HOMES - 1)] = call_index(c);
}

static __noinline struct call *call_of_waiter(u64 waiter)
{
	for (u32 i = 0; i < STACK_TRIES; i++) {
		u32 home = ((waiter >> STACK_BITS) - i) & (STACK_HOMES - 1);
		struct call *c = call_at(calls_by_stack[home]);

		/* Where no stack begins the table has slot 0. */
		if ((c->stack >> STACK_BITS & (STACK_HOMES - 1)) != home)
			continue;
		if (waiter - c->stack >= stack_bytes || c->phase == PHASE_FREE)
			continue;
		if (c->outer && c->waiter && c->waiter != waiter)
			return call_at(c->outer - 1);
		return c;
	}
	return NULL;
}

/*
 * The one that optee_cq_complete_one() is about to wake, asleep or not; 0: none.
 * unsure: another one, which was woken before, may use that wake up on its CPU
 * before the driver looks, and is the one then.
 */
struct target {
	struct walk walk;
	u64 waiter;
	bool system, unsure;
};

/* A woken waiter uses its wake up without the queue's lock. Who holds a thread does not sleep. */
static __always_inline bool waiter_may_sleep(u64 waiter)
{
	struct call *c = call_of_waiter(waiter);

	return !c || c->flags & CALL_WAITING || c->phase == PHASE_QUEUED || c->phase == PHASE_LIMIT;
}

/* Four times the calls that we know: what a longer queue has beyond is not seen. */
#define MAX_WALK 4096

static long target_found(u32 i, void *data)
{
	struct target *t = data;
	u64 waiter;

	if (walk_done(&t->walk))
		return 1;
	waiter = walk_waiter(&t->walk);
	walk_on(&t->walk);
	if (t->system && !waiter_is_system(waiter))
		return 0;
	if (waiter_is_done(waiter)) {
		t->unsure |= waiter_may_sleep(waiter);
		return 0;
	}
	t->waiter = waiter;
	return 1;
}

/*
 * Wakes are not tracked while nobody waits. If a call in flight was given one in that
 * time, all that is known is that the wake was wasted.
 */
static long spent_wake_found(u32 i, void *data)
{
	struct walk *w = data;
	struct call *c;
	u64 waiter;

	if (walk_done(w))
		return 1;
	waiter = walk_waiter(w);
	walk_on(w);
	if (!waiter_is_done(waiter))
		return 0;
	c = call_of_waiter(waiter);
	if (c && !(c->flags & CALL_WAITING) && !c->woken_ns)
		c->woken_ns = WOKEN_IN_VAIN;
	return 0;
}

static __always_inline void queue_find_spent_wakes(u64 queue)
{
	struct walk w;

	walk_queue(&w, queue);
	bpf_loop(MAX_WALK, spent_wake_found, &w, 0);
}

static __always_inline void queue_target(u64 queue, struct target *t, bool system)
{
	t->system = system;
	walk_queue(&t->walk, queue);
	bpf_loop(MAX_WALK, target_found, t, 0);
}

/* An entry of the driver's queue that lies on one stack. */
struct entry_search {
	struct walk walk;
	u64 stack; /* 0: one that lies on the stack of no call of ours */
	bool found;
};

static long entry_found(u32 i, void *data)
{
	struct entry_search *search = data;
	u64 waiter;

	if (walk_done(&search->walk))
		return 1;
	waiter = walk_waiter(&search->walk);
	walk_on(&search->walk);
	if (search->stack ? waiter - search->stack >= stack_bytes : call_of_waiter(waiter) != NULL)
		return 0;
	search->found = true;
	return 1;
}

static __always_inline bool has_entry(u64 queue, u64 stack)
{
	struct entry_search search = { .stack = stack };

	walk_queue(&search.walk, queue);
	bpf_loop(MAX_WALK, entry_found, &search, 0);
	return search.found;
}

#endif
