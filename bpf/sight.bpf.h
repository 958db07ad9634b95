/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Do we see the calls at all? Hooks may be attached and not fire: the kernel's switch for them is
 * off, or another kind of call enters the secure world. The evidence is what the hooks themselves
 * say: a call that comes back from the secure world and that none of them saw begin.
 *
 * While we are blind every call is unknown, and nothing is judged. Sight comes back when the
 * hooks fire again and all the calls that we did not see begin have ended.
 */
#ifndef OPTEE_TOP_SIGHT_BPF_H
#define OPTEE_TOP_SIGHT_BPF_H

#define UNSEEN_BLIND  2 /* so many unseen calls in a row, and none that was seen to begin */
#define END_MISSED_NS 500000000
#define MAX_NESTED    3 /* calls of one task, each in an RPC of the one before */

static u64 unseen_in_a_row;
static u64 looked_ns;    /* the look before */
static bool ends_missed; /* the driver and we count differently: calls may have ended unseen */

/* Its end was missed, or will be: takes the slot from its task. */
static __always_inline void call_let_go(struct call *c, u64 task, u64 now)
{
	if (!call_claim(c, task, CALL_KEY_SUSPENDED))
		return;
	if (c->phase != PHASE_DONE && !pool_at(c->pool)->ffa)
		inc(exits_expected);
	call_abandon(c, now);
	c->key = task;
	call_release(c);
}

struct letting_go {
	u64 now;
	bool all;
};

LOOKED_AT_ONCE int call_let_go_look(u32 i, u64 now, bool all)
{
	struct call *c = call_at(i);
	u64 key = c->key;

	if (!key || key & CALL_KEY_IDLE || c->phase == PHASE_FREE)
		return 0;
	if (at_arguments(c->phase))
		return 0; /* not a call: the hooks of contended locks end it */
	if (all) {
		/* The outer call of a nested one has its turn once that has gone. */
		if (!(key & CALL_KEY_SUSPENDED))
			call_let_go(c, key, now);
	} else if (c->phase == PHASE_DONE && !(key & CALL_KEY_SUSPENDED) &&
		   (s64)(now - c->phase_ns) > END_MISSED_NS &&
		   !has_entry(pool_at(c->pool)->queue, c->stack)) {
		call_let_go(c, key, now);
	}
	return 0;
}

static long call_let_go_check(u32 i, void *data)
{
	struct letting_go *l = data;

	return call_let_go_look(i, l->now, l->all);
}

/* The calls that came back long ago and are in no queue: nobody saw them leave it. */
static __always_inline void sight_missed_ends(u64 now)
{
	struct letting_go l = { .now = now };

	each_call(1, call_let_go_check, &l);
}

struct begin_search {
	u64 since_ns;
	bool found;
};

static long begin_found(u32 i, void *data)
{
	struct begin_search *search = data;

	search->found = call_at(i)->start_ns >= search->since_ns;
	return search->found;
}

/* A slot keeps the start of its last call. */
static __always_inline bool began_since(u64 ns)
{
	struct begin_search search = { .since_ns = ns };

	each_call(1, begin_found, &search);
	return search.found;
}

static __always_inline void sight_lost(u64 now)
{
	struct letting_go l = { .now = now, .all = true };

	blind = true;
	each_call(MAX_NESTED, call_let_go_check, &l);
	unsettled = true; /* only now: the episodes that lasted have ended with their calls */
	lose(LOSS_SIGHT);
}

static __always_inline bool queue_is_empty(u64 queue)
{
	struct walk walk;

	walk_queue(&walk, queue);
	return walk_done(&walk);
}

/*
 * All that is in the queue is known, and the driver and we count the same. A global function, as
 * the next one: the verifier looks at it once.
 */
__noinline int sight_is_back(u32 pool)
{
	struct pool *p = pool_at(pool);
	u64 state = *(volatile u64 *)&p->state;
	struct pool_state s;
	s32 counted = p->total - queue_free(p->queue);
	struct pool_state idle = {};

	if (has_entry(p->queue, 0))
		return false;
	/* Nobody is there: what is left is of a call that was just changing it as it was let go. */
	if (state & ~STATE_RESERVED_MASK && queue_is_empty(p->queue) &&
	    (!p->total || counted == pool_taken(p, &idle)))
		__sync_val_compare_and_swap(&p->state, state, state & STATE_RESERVED_MASK);
	s = pool_state(*(volatile u64 *)&p->state);
	return !p->total || !knows_rule || counted == pool_taken(p, &s);
}

#define LOOKS_BETWEEN 8

/*
 * The driver counts other calls in flight than we do: are there some that we do not see? True, now
 * and then: an end may have been missed. So it may be whenever the driver does not count.
 */
__noinline int sight_differs(u32 pool)
{
	struct pool *p = pool_at(pool);
	s32 counted = p->total ? p->driver_total - p->driver_free : 0;

	p->driver_unseen = 0;
	if (counted == p->driver_in_use) {
		p->driver_differs = 0;
		return 0;
	}
	if (p->total || pool_waits(p->state))
		p->driver_unseen = has_entry(p->queue, 0);
	return ++p->driver_differs % LOOKS_BETWEEN == 0;
}

/*
 * At each look, before inspect() judges anything. It is a program of its own because both
 * together need more stack than the verifier of 6.1 grants.
 */
SEC("syscall")
int look_sight(struct look_args *args)
{
	u64 now = bpf_ktime_get_ns();
	bool silent = args->silent; /* user space knows that hooks do not fire */
	u64 seen = shared.loss[LOSS_CALL_UNSEEN], unseen = exits_unseen - exits_expected;
	bool all = true;

	if ((s64)(unseen - seen) > 0) {
		shared.loss[LOSS_CALL_UNSEEN] = unseen;
		unseen_in_a_row = began_since(looked_ns) ? 0 : unseen_in_a_row + unseen - seen;
	} else if (unseen_in_a_row && began_since(looked_ns)) {
		unseen_in_a_row = 0;
	}
	looked_ns = now;
	silent |= unseen_in_a_row >= UNSEEN_BLIND;
	if (silent && !blind)
		sight_lost(now);
	for (u32 i = 0; blind && i < MAX_POOLS; i++) {
		struct pool *p = pool_at(i);

		if (!p->ready || p->sight != SIGHT_FOLLOWED)
			continue;
		p->blind = silent || !sight_is_back(i);
		all &= !p->blind;
	}
	if (all && !silent)
		blind = false; /* inspect() settles */
	if (ends_missed) {
		ends_missed = false;
		sight_missed_ends(now);
	}
	return 0;
}

#endif
