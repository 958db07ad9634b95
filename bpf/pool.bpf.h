/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pool: the T threads of one TEE instance, who uses them, who waits, and whom a
 * wake reaches.
 */
#ifndef OPTEE_TOP_POOL_BPF_H
#define OPTEE_TOP_POOL_BPF_H

/*
 * Set as we attach: calls from before are still looked for, and one that ends just
 * as it is found counts twice until inspect() has looked again. Nothing is judged
 * by such a state.
 */
bool unsettled;

static __always_inline struct pool *pool_at(u32 i)
{
	struct pool *p = &shared.pools[i & (MAX_POOLS - 1)];

	barrier_var(p); /* else clang works it out anew for each member */
	return p;
}

static __always_inline void pool_peaks(struct pool *p, const struct pool_state *s)
{
	s32 waiting = 0, in_use = 0, kept = s->reserved > 0 ? s->reserved : 0;

	for (u32 class = 0; class < NR_CLASSES; class ++) {
		peak_s32(p->in_use_peak[class], s->in_use[class]);
		peak_s32(p->waiting_peak[class], s->waiting[class]);
		in_use += s->in_use[class];
		waiting += s->waiting[class];
	}
	peak_s32(p->in_use_all_peak, in_use);
	peak_s32(p->waiting_all_peak, waiting);
	/* Up to here another normal call changes no peak and no condition. */
	p->quiet = p->in_use_peak[CLASS_NORMAL];
	if (p->total && p->quiet > p->total - kept - 1)
		p->quiet = p->total - kept - 1;
}

/*
 * Begins or ends an episode, by the state of now, not by the change: the CPUs get
 * here in any order. Whoever has begun or ended one looks again. An episode that
 * is over before anybody looks is not seen.
 */
__noinline int pool_step(u32 pool, u32 cond, u64 now)
{
	struct pool *p = pool_at(pool);
	struct lasting *l = lasting_at(pool, cond);

	if (cond >= NR_POOL_CONDS)
		return 0;
	for (int i = 0; i < 3; i++) {
		u64 serial = *(volatile u64 *)&l->serial;
		struct pool_state s = pool_state(*(volatile u64 *)&p->state);
		bool is = conds_of(&s, p->total) & COND_BIT(cond);

		if (is && !serial)
			episode_begin(pool, cond, now, cond_figure(cond, &s));
		else if (!is && serial)
			episode_end(pool, cond, now, serial);
		else {
			if (is)
				episode_peak(p, cond, cond_figure(cond, &s));
			break;
		}
	}
	return 0;
}

/*
 * The change from one state to another, which this CPU alone made. A global
 * function, as the next ones: the verifier looks at it once.
 */
__noinline int pool_changed(u32 pool, u64 old, u64 new, u64 now)
{
	struct pool *p = pool_at(pool);
	struct pool_state before = pool_state(old), after = pool_state(new);
	u32 conds;

	if (unsettled)
		return 0;
	pool_peaks(p, &after);
	conds = conds_of(&before, p->total) | conds_of(&after, p->total);
	if (!conds)
		return 0;
	for (u32 cond = 0; cond < NR_STATE_CONDS; cond++)
		if (conds & COND_BIT(cond))
			pool_step(pool, cond, now);
	return 0;
}

#define STATE_PLAIN_IN_USE  ((1ULL << STATE_IN_USE_BITS) - 1)
#define STATE_RESERVED_MASK (~0ULL << STATE_RESERVED)

/* Only normal calls are in flight, and no more than usual. */
static __always_inline bool pool_is_quiet(const struct pool *p, u64 state)
{
	return !(state & ~(STATE_PLAIN_IN_USE | STATE_RESERVED_MASK)) &&
	       (s32)(state & STATE_PLAIN_IN_USE) <= p->quiet;
}

static __always_inline u64 one_in_use(const struct call *c)
{
	return STATE_ONE(STATE_IN_USE(c->class));
}

static __always_inline u64 one_waiting(const struct call *c)
{
	return STATE_ONE(STATE_WAITING(c->class));
}

static __always_inline bool pool_waits(u64 state)
{
	return state >> STATE_WAITING(0) & ((1U << 2 * STATE_WAITING_BITS) - 1);
}

/* Calls that sleep after ETHREAD_LIMIT. */
static __always_inline void pool_limited(const struct call *c, s32 n)
{
	if (c->class == CLASS_NORMAL || !driver_is_v6())
		add(pool_at(c->pool)->limited, n);
}

/* So many threads are not free by the driver's count if that is right. */
static __always_inline s32 pool_taken(const struct pool *p, const struct pool_state *s)
{
	s32 others = driver_is_v6() ? queue_reserved(p->queue) : s->in_use[CLASS_SYSTEM];

	return s->in_use[CLASS_NORMAL] + others + p->limited;
}

/*
 * Where T is unknown. A call in an RPC has a thread, whichever the driver's rule: OP-TEE cannot
 * have fewer threads than there ever were such calls at once.
 */
static __always_inline void pool_rpc_begins(struct pool *p, struct call *c)
{
	s32 in_rpc = __sync_fetch_and_add(&p->in_rpc, 1) + 1;

	c->flags |= CALL_RPC_COUNTED;
	peak_s32(p->threads_at_least, in_rpc);
}

static __always_inline void pool_rpc_ends(struct pool *p, struct call *c)
{
	c->flags &= ~CALL_RPC_COUNTED;
	add(p->in_rpc, -1);
}

/*
 * Threads that are free for sure: those that the driver counts; or, where it does not, as many as
 * there are fewer calls now than threads at least.
 */
static __always_inline s32 pool_free(const struct pool *p, const struct pool_state *s)
{
	if (p->total)
		return queue_free(p->queue);
	return p->threads_at_least - s->in_use[CLASS_NORMAL] - s->in_use[CLASS_SYSTEM];
}

/* On 32 bits only so much of it is seen, and perhaps not whom a wake has reached. */
static __always_inline bool queue_is_too_long(const struct pool_state *s)
{
	s32 in_use = s->in_use[CLASS_NORMAL] + s->in_use[CLASS_SYSTEM];
	s32 waiting = s->waiting[CLASS_NORMAL] + s->waiting[CLASS_SYSTEM];

	return LOOP_STEPS < MAX_CALLS && in_use + waiting > LOOP_STEPS;
}

/*
 * Stranded waiters: those with no wake on its way to them, in each class that
 * the driver's rule would admit with the threads that are free and not already
 * promised to woken ones. A policy (kernel/) hands threads over, and strands nobody. A call that
 * we do not know may have a thread that the driver does not count.
 */
static __always_inline s32 pool_stranded(const struct pool *p)
{
	struct pool_state s = pool_state(*(volatile u64 *)&p->state);
	s32 normal = p->woken[CLASS_NORMAL], system = p->woken[CLASS_SYSTEM];
	s32 spare = pool_free(p, &s) - normal - system, n = 0;

	if (queue_has_policy(p->queue) || queue_is_too_long(&s))
		return 0;
	/* One that v6 holds back was refused by OP-TEE. */
	if (spare > 0 && s.waiting[CLASS_SYSTEM] > system && !driver_is_v6())
		n += s.waiting[CLASS_SYSTEM] - system;
	if (spare > queue_keeps(p->queue) && s.waiting[CLASS_NORMAL] > normal)
		n += s.waiting[CLASS_NORMAL] - normal;
	return n && !p->total && has_entry(p->queue, 0) ? 0 : n;
}

const volatile bool sees_wakes = true; /* pool_wake() is called */

/*
 * Begins or ends the episode of stranded waiters. Unlike the others it is no
 * function of one word, so two CPUs may judge at once: who has begun or ended
 * one looks again.
 */
__noinline int pool_strands(u32 pool, u64 now)
{
	struct pool *p = pool_at(pool);

	if (!sees_wakes || unsettled)
		return 0;
	for (int i = 0; i < 3; i++) {
		u64 serial = p->lasting[COND_STRANDED].serial;
		s32 n = pool_stranded(p);

		if (n && !serial)
			episode_begin(pool, COND_STRANDED, now, n);
		else if (!n && serial)
			episode_end(pool, COND_STRANDED, now, serial);
		else {
			if (n)
				episode_peak(p, COND_STRANDED, n);
			break;
		}
	}
	return 0;
}

/* A change by someone who waits, or while someone does. */
static __always_inline void pool_contended(u32 pool, u64 old, u64 new, u64 now)
{
	pool_changed(pool, old, new, now);
	if (pool_waits(old | new))
		pool_strands(pool, now);
}

/*
 * A wake is on its way to a waiter: a thread is promised to it. Counted once, by
 * whichever of the waker and the waiter sees it first.
 */
static __always_inline void pool_promise(struct pool *p, struct call *c, u64 was, u64 wake)
{
	if (__sync_val_compare_and_swap(&c->woken_ns, was, wake | WOKEN_COUNTED) == was)
		add(p->woken[c->class & 1], 1);
}

/*
 * The wake that it got has had its effect: it runs. A second one is wiped out
 * where it came before the waiter moved, and is still with it where it came after.
 */
static __always_inline void pool_awake(struct pool *p, struct call *c)
{
	u64 woken = c->woken_ns, left = 0;

	if (!woken)
		return;
	if (woken & WOKEN_IN_VAIN && waiter_is_done(c->waiter))
		left = woken & ~WOKEN_COUNTED;
	woken = __sync_lock_test_and_set(&c->woken_ns, left);
	if (woken & WOKEN_COUNTED)
		add(p->woken[c->class & 1], -1);
}

/*
 * It is about to sleep, but not if it was woken since the rule refused it: no
 * wake of before counts, which may have gone to the call that it is nested in.
 */
static __always_inline void pool_sleeps(struct pool *p, struct call *c, u64 now)
{
	u64 woken = *(volatile u64 *)&c->woken_ns;

	if (!waiter_is_done(c->waiter))
		pool_awake(p, c);
	else if (!(woken & WOKEN_COUNTED))
		pool_promise(p, c, woken, now & ~WOKEN_FLAGS);
}

static __always_inline void pool_wait(struct pool *p, struct call *c, u64 now)
{
	u64 one = one_waiting(c), old;

	c->flags |= CALL_WAITED | CALL_WAITING;
	old = __sync_fetch_and_add(&p->state, one);
	pool_sleeps(p, c, now);
	if (sees_wakes && !pool_waits(old))
		queue_find_spent_wakes(p->queue);
	pool_contended(c->pool, old, old + one, now);
}

/* It sleeps again: the driver's rule did not admit it. */
static __always_inline void pool_wait_on(struct pool *p, struct call *c, u64 now)
{
	pool_sleeps(p, c, now);
	pool_strands(c->pool, now);
}

/* The call left the queue without getting a thread; what ended its wait was not seen. */
static __always_inline void pool_wait_over(struct pool *p, struct call *c, u64 now)
{
	u64 one = one_waiting(c);
	u64 old;

	c->flags &= ~CALL_WAITING;
	pool_awake(p, c);
	old = __sync_fetch_and_add(&p->state, -one);
	pool_contended(c->pool, old, old - one, now);
}

/* An entry is taken; by a waiter in the same step in which it ceases to be one. */
static __always_inline void pool_enter(struct pool *p, struct call *c, u64 now)
{
	u64 delta = one_in_use(c), old;

	if (c->flags & CALL_WAITING) {
		c->flags &= ~CALL_WAITING; /* first: from here on no wake is counted */
		pool_awake(p, c);
		delta -= one_waiting(c);
	}
	old = __sync_fetch_and_add(&p->state, delta);
	if (!pool_is_quiet(p, old + delta))
		pool_contended(c->pool, old, old + delta, now);
}

static __always_inline void pool_leave(struct pool *p, struct call *c, u64 now)
{
	u64 one = one_in_use(c);
	u64 old = __sync_fetch_and_add(&p->state, -one);

	if (!pool_is_quiet(p, old))
		pool_changed(c->pool, old, old - one, now);
}

/*
 * optee_cq_complete_one(): whom does it wake, and is that one asleep? again: the
 * driver calls it once more at once, and only then is the queue to be judged.
 */
__noinline int pool_wake(u32 pool, u64 now, bool again)
{
	struct pool *p = pool_at(pool);
	struct pool_state s = pool_state(p->state);
	u64 woken, wake = now & ~WOKEN_FLAGS;
	struct target t = {};
	struct call *c;

	/* A policy wakes whom it likes. */
	if (queue_has_policy(p->queue))
		return again ? 0 : pool_strands(pool, now);
	/* One that has its entry, or was refused, may not have been seen yet. */
	if (queue_sys_sessions(p->queue) > 0 || s.in_use[CLASS_SYSTEM] || s.waiting[CLASS_SYSTEM])
		queue_target(p->queue, &t, true);
	if (!t.waiter)
		queue_target(p->queue, &t, false);
	if (t.unsure)
		wake |= WOKEN_UNSURE;
	c = t.waiter ? call_of_waiter(t.waiter) : NULL;
	woken = c ? *(volatile u64 *)&c->woken_ns : 0;
	if (c && c->flags & CALL_WAITING && !(woken & WOKEN_COUNTED)) {
		pool_promise(p, c, woken, wake);
	} else if (c && c->flags & CALL_WAITING && waiter_is_asleep(t.waiter)) {
		/* The wake of before never came. This one takes its place, and its promise. */
		__sync_val_compare_and_swap(&c->woken_ns, woken, wake | WOKEN_COUNTED);
	} else if (c) {
		/*
		 * It holds a thread; or it is on its way already, and has taken the first
		 * wake, so that it looks as if it had none, and will wipe the second out.
		 */
		__sync_val_compare_and_swap(&c->woken_ns, woken,
					    wake | WOKEN_IN_VAIN | (woken & WOKEN_COUNTED));
	}
	return again ? 0 : pool_strands(pool, now);
}

struct lost_search {
	struct walk walk;
	struct pool *pool;
	u64 now;
	u64 strands_since; /* 0: nobody turned out to be stranded */
};

/* The wake went to another, in vain: its waiter was promised nothing. */
static __always_inline void wake_went_elsewhere(struct lost_search *search, struct call *c,
						u64 woken)
{
	u64 since = woken & ~WOKEN_FLAGS;

	if (__sync_val_compare_and_swap(&c->woken_ns, woken, 0) != woken)
		return;
	add(search->pool->woken[c->class & 1], -1);
	if (!search->strands_since || since < search->strands_since)
		search->strands_since = since;
}

static long lost_wake_found(u32 i, void *data)
{
	struct lost_search *search = data;
	struct call *c;
	u64 waiter, woken;

	if (walk_done(&search->walk))
		return 1;
	waiter = walk_waiter(&search->walk);
	walk_on(&search->walk);
	c = call_of_waiter(waiter);
	if (!c || c->waiter != waiter || !(c->flags & CALL_WAITING))
		return 0;
	woken = *(volatile u64 *)&c->woken_ns;
	if ((woken & WOKEN_FLAGS & ~WOKEN_UNSURE) != WOKEN_COUNTED ||
	    (s64)(search->now - (woken & ~WOKEN_FLAGS)) < LOST_WAKE_NS)
		return 0;
	if (!waiter_is_asleep(waiter))
		return 0;
	if (woken & WOKEN_UNSURE)
		wake_went_elsewhere(search, c, woken);
	else
		__sync_val_compare_and_swap(&c->woken_ns, woken, woken | WOKEN_LOST);
	return 0;
}

/*
 * Marks the waiters that were to be woken long ago and sleep on. Nobody must have
 * the queue's lock: so whoever was to give the wake has done all he would, and
 * did not merely lack his CPU. Nor does the waiter: who is woken is no sleeper, even
 * before it runs.
 *
 * Its promise stays, and with it the thread is out of pool_stranded(): what is
 * wrong is told once, and the next wake that reaches it takes the lost one's place.
 *
 * Where it is not sure that the wake was for this waiter, it was for another, and
 * this one has been stranded all the while.
 */
__noinline int pool_lost_wakes(u32 pool, u64 now)
{
	struct pool *p = pool_at(pool);
	struct lost_search search = { .pool = p, .now = now };

	if (p->woken[CLASS_NORMAL] + p->woken[CLASS_SYSTEM] <= 0)
		return 0;
	walk_queue(&search.walk, p->queue);
	bpf_loop(MAX_WALK, lost_wake_found, &search, 0);
	if (search.strands_since)
		pool_strands(pool, search.strands_since);
	return 0;
}

/*
 * What no call tells: that a strand ended, that a wake was lost. Who has the queue's
 * lock may be about to wake somebody, on a CPU that is slower than ours: then he
 * judges himself, or the next look does.
 */
static __always_inline void pool_look(u32 pool, u64 now)
{
	if (queue_is_locked(pool_at(pool)->queue))
		return;
	pool_strands(pool, now);
	pool_lost_wakes(pool, now);
}

const volatile bool knows_rule = true; /* by which the driver admits calls */

/* --reserved: the reserve to judge by; -1: that of the driver. */
const volatile s32 what_if_reserved = -1;

static __always_inline u64 reserve_of(const struct pool *p)
{
	if (what_if_reserved >= 0)
		return what_if_reserved;
	if (!knows_rule || queue_has_policy(p->queue))
		return RESERVED_UNKNOWN;
	return (u32)queue_reserved(p->queue);
}

/* The reserve in force may be another one now. */
__noinline int pool_reserve(u32 pool, u64 now)
{
	struct pool *p = pool_at(pool);
	u64 old, new, reserved = reserve_of(p);

	for (int i = 0; i < 3; i++) {
		old = *(volatile u64 *)&p->state;
		if (old >> STATE_RESERVED == reserved)
			break;
		new = (old & ~STATE_RESERVED_MASK) | reserved << STATE_RESERVED;
		p->quiet = -1; /* until pool_changed() says more, all changes are looked at */
		if (__sync_val_compare_and_swap(&p->state, old, new) == old) {
			pool_changed(pool, old, new, now);
			break;
		}
	}
	return 0;
}

static __always_inline bool device_is_optee(struct tee_device *dev)
{
	char name[8] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dev, desc, name));
	return name[0] == 'o' && name[1] == 'p' && name[2] == 't' && name[3] == 'e' &&
	       name[4] == 'e';
}

const volatile bool follows_smc = true, follows_ffa; /* our hooks for it are attached */
const volatile u64 smc_function, ffa_function;       /* they are on these; 0: not known */

/* Will our hooks see the calls of a device? function: by which the driver calls OP-TEE. */
static __always_inline u8 device_sight(bool ffa, u64 function)
{
	u64 hooked = ffa ? ffa_function : smc_function;

	if (!(ffa ? follows_ffa : follows_smc))
		return ffa ? SIGHT_FFA : SIGHT_OTHER;
	return function && hooked && function != hooked ? SIGHT_OTHER : SIGHT_FOLLOWED;
}

#define POOL_TAKEN 1ULL /* a teedev: the place is being filled */

/*
 * Takes a TEE instance in. One that was unbound and bound again has a new
 * address and the old number: it keeps its place. Its address is set last, so
 * that nobody counts in a pool whose T is not known yet; calls that begin
 * meanwhile are lost.
 */
static __noinline u32 pool_search(u64 teedev)
{
	struct tee_device *dev = (void *)teedev;
	struct optee *optee;
	u32 id;

	for (u32 i = 0; i < MAX_POOLS; i++)
		if (pool_at(i)->teedev == teedev)
			return i;
	optee = BPF_CORE_READ(dev, dev.driver_data);
	id = BPF_CORE_READ(dev, id);
	for (u32 i = 0; i < MAX_POOLS; i++) {
		struct pool *p = pool_at(i);
		u64 old = p->teedev;

		if (old > POOL_TAKEN && p->id != id)
			continue;
		if (old == POOL_TAKEN ||
		    __sync_val_compare_and_swap(&p->teedev, old, POOL_TAKEN) != old) {
			lose(LOSS_CALL_SLOT);
			return MAX_POOLS;
		}
		p->id = id;
		p->queue = (u64)&optee->call_queue;
		p->requests = (u64)&optee->supp.reqs;
		p->arguments = argument_lock(optee);
		p->arguments_late = p->arguments && mutex_word(p->arguments) & MUTEX_WAITERS;
		p->total = queue_total(&optee->call_queue);
		p->quiet = -1;
		p->ffa = device_ffa(dev, optee);
		p->sight = device_sight(p->ffa, device_function(optee));
		p->rpc_appended = p->ffa || BPF_CORE_READ(optee, rpc_param_count) != 0;
		/* As pool_reserve(), but nobody is there yet: there is nothing to judge. */
		old = p->state;
		__sync_val_compare_and_swap(&p->state, old,
					    (old & ~STATE_RESERVED_MASK) |
						    reserve_of(p) << STATE_RESERVED);
		p->ready = 1;
		__sync_lock_test_and_set(&p->teedev, teedev);
		return i;
	}
	lose(LOSS_POOL_SLOT);
	return MAX_POOLS;
}

/* MAX_POOLS: no place for it. */
static __always_inline u32 pool_find(u64 teedev)
{
	if (shared.pools[0].teedev == teedev) /* most systems have one */
		return 0;
	return pool_search(teedev);
}

/* The pool of a queue; MAX_POOLS: nobody has made a call on it. */
static __noinline u32 pool_of_queue(u64 queue)
{
	for (u32 i = 0; i < MAX_POOLS; i++)
		if (pool_at(i)->queue == queue)
			return i;
	return MAX_POOLS;
}

#endif
