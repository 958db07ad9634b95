/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waits for the driver's argument cache, before a call queues and after it has ended. The driver
 * keeps the memory for calls' messages there: optee_get_msg_arg() takes some, and
 * optee_free_msg_arg() gives it back, both under the cache's lock. The kernel tells of all locks
 * that are contended, so a call that finds this one free pays nothing here.
 */
#ifndef OPTEE_TOP_ARGUMENT_BPF_H
#define OPTEE_TOP_ARGUMENT_BPF_H

/* The functions' addresses. */
const volatile u64 get_argument, free_argument;

#define FUNCTION_BYTES 2048 /* neither is longer */
#define STACK_FRAMES   16

enum argument_place { ARGUMENT_NOWHERE, ARGUMENT_GET, ARGUMENT_FREE };

/* In which of the two is the lock wanted? The innermost frame in either tells, by the nearer start. */
static __noinline u32 argument_place(void *ctx)
{
	u64 frames[STACK_FRAMES] = {};

	bpf_get_stack(ctx, frames, sizeof(frames), 0);
	for (u32 i = 0; i < STACK_FRAMES; i++) {
		u64 in_get = frames[i] - get_argument, in_free = frames[i] - free_argument;

		if (in_get < FUNCTION_BYTES || in_free < FUNCTION_BYTES)
			return in_free < in_get ? ARGUMENT_FREE : ARGUMENT_GET;
	}
	return ARGUMENT_NOWHERE;
}

/* The pool whose lock it is, or MAX_POOLS. */
static __always_inline u32 pool_of_arguments(u64 lock)
{
	for (u32 i = 0; i < MAX_POOLS; i++)
		if (shared.pools[i].arguments == lock)
			return i;
	return MAX_POOLS;
}

/* As account_argument(): what was waited for another call, which was not made. */
static __always_inline void argument_forget_old(struct call *c, u64 now)
{
	if (!c->argument_ns || !argument_is_old(c, now))
		return;
	c->argument_ns = 0;
	lose(LOSS_ARGUMENT);
}

/* Nothing is known of the call, but whose it will be. */
static __always_inline void argument_init(struct call *c, u32 pool)
{
	task_ids(&c->tid, &c->tgid);
	c->flags = 0;
	c->waiter = 0;
	c->woken_ns = 0;
	c->msg = 0;
	c->session_id = 0;
	c->session_slot = SESSION_SLOTS;
	c->func = 0;
	c->pool = pool;
	c->op = CMD_UNKNOWN;
	c->class = CLASS_NORMAL;
	c->stack = 0; /* no waiter in the queue is this one's */
}

/*
 * Of a task that has just ended a call, that call's slot. In place of the waiter it has the row's
 * serial, which tells whether the row has changed hands.
 */
static __noinline struct call *release_slot(u64 task)
{
	struct call *c = call_own(task);
	struct session *s;

	if (!c || !call_claim(c, task | CALL_KEY_IDLE, task))
		return NULL;
	s = session_at(c->session_slot);
	c->waiter = s ? s->serial : 0;
	c->flags = 0; /* it is over: above all it is no late call any more */
	return c;
}

static __always_inline struct call *argument_slot(u64 task, u32 pool, u64 now)
{
	struct call *missed, *c = call_slot_find(task, &missed, false);

	if (!c)
		return NULL;
	argument_init(c, pool);
	argument_forget_old(c, now);
	return c;
}

/* A global function: the verifier looks at it once. */
__noinline int argument_begins(u32 pool, bool release)
{
	u64 task = bpf_get_current_task(), now = bpf_ktime_get_ns();
	struct call *c = call_find(task);
	struct pool *p = pool_at(pool);

	/* Of a call in an RPC of another one no more is known than that its task gives it back. */
	c = release && !c ? release_slot(task) : argument_slot(task, pool, now);
	if (!c)
		return 0; /* its end will be a loss */
	if (!(mutex_word(p->arguments) & MUTEX_WAITERS))
		p->at_arguments_since_ns = now;
	add(p->at_arguments, 1);
	c->phase_ns = now;
	c->phase = release ? PHASE_RELEASE : PHASE_ARGUMENT;
	return 0;
}

/* The task wants a lock that is taken: first it spins, and then perhaps it sleeps. */
static __always_inline void lock_contended(u64 lock, void *ctx)
{
	u32 pool = pool_of_arguments(lock), place;
	struct call *c;

	if (pool >= MAX_POOLS)
		return;
	c = call_find(bpf_get_current_task());
	if (c && waits_at_arguments(c))
		return;
	/* In neither it is another lock: the device is gone, and its memory is used again. */
	place = argument_place(ctx);
	if (place != ARGUMENT_NOWHERE)
		argument_begins(pool, place == ARGUMENT_FREE);
}

/* Its row; or, where it has none any more, that of the calls without a session. */
static __always_inline struct session *release_row(const struct call *c)
{
	struct session *s = session_at(c->session_slot);

	if (s && (c->session_slot >= MAX_SESSIONS ||
		  (s->state == SESSION_OPEN && s->serial == c->waiter)))
		return s;
	return session_at(SLOT_NONE(c->pool));
}

static __noinline int account_release(struct call *c, u64 spent)
{
	struct session *s;
	struct class_sums *sums;

	if (!c)
		return 0;
	s = release_row(c);
	if (!s)
		return 0;
	sums = &s->sums[c->class & 1];
	inc(sums->releases);
	add(sums->release_ns, spent);
	if (record_calls && *(volatile u32 *)&records_wanted)
		record_release(c, s, spent);
	return 0;
}

static __noinline int argument_ends(void)
{
	struct call *c = call_find(bpf_get_current_task());
	u64 now = bpf_ktime_get_ns(), spent;

	if (!c || !waits_at_arguments(c)) {
		lose(LOSS_ARGUMENT);
		return 0;
	}
	spent = now - c->phase_ns;
	add(pool_at(c->pool)->at_arguments, -1);
	if (c->phase == PHASE_RELEASE) {
		account_release(c, spent);
		call_release(c);
		return 0;
	}
	c->argument_ns += spent;
	c->argument_end_ns = now;
	if (!c->outer)
		call_release(c);
	return 0;
}

/* It has the lock. */
static __always_inline void lock_taken(u64 lock)
{
	if (pool_of_arguments(lock) < MAX_POOLS)
		argument_ends();
}

#endif
