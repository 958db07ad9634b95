/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pool: the T threads of one TEE instance, who uses them and who waits.
 */
#ifndef OPTEE_TOP_POOL_BPF_H
#define OPTEE_TOP_POOL_BPF_H

static __always_inline struct pool *pool_at(u32 i)
{
	struct pool *p = &shared.pools[i & (MAX_POOLS - 1)];

	barrier_var(p); /* else clang works it out anew for each member */
	return p;
}

static __always_inline bool device_is_optee(struct tee_device *dev)
{
	char name[8] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dev, desc, name));
	return name[0] == 'o' && name[1] == 'p' && name[2] == 't' && name[3] == 'e' &&
	       name[4] == 'e';
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
		p->total = queue_total(&optee->call_queue);
		p->rpc_appended = BPF_CORE_READ(optee, rpc_param_count) != 0;
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

static __always_inline void pool_wait(struct pool *p, struct call *c)
{
	u32 class = c->class & 1;
	s32 n = __sync_fetch_and_add(&p->waiting[class], 1) + 1;
	s32 all = __sync_fetch_and_add(&p->waiting_all, 1) + 1;

	raise_s32(&p->waiting_peak[class], n);
	raise_s32(&p->waiting_all_peak, all);
	c->flags |= CALL_WAITED | CALL_WAITING;
}

static __always_inline void pool_wait_over(struct pool *p, struct call *c)
{
	add(p->waiting[c->class & 1], -1);
	add(p->waiting_all, -1);
	c->flags &= ~CALL_WAITING;
}

static __noinline void pool_peak(struct pool *p, u64 both)
{
	s32 normal = both, system = both >> 32;

	if (!p)
		return;
	raise_s32(&p->in_use_peak[CLASS_NORMAL], normal);
	raise_s32(&p->in_use_peak[CLASS_SYSTEM], system);
	raise_s32(&p->in_use_all_peak, normal + system);
}

static __always_inline u64 in_use_one(const struct call *c)
{
	return 1ULL << c->class * 32;
}

/*
 * An entry is taken or given back. One word counts both classes: one atomic
 * instead of two, and the sum of its halves alone decides when the pool becomes
 * and ceases to be exhausted, so that ends and starts alternate and the sum of
 * (end - start) is right whichever CPU is first to add its part.
 */
static __always_inline void pool_enter(struct pool *p, struct call *c, u64 now)
{
	u64 one = in_use_one(c);
	u64 both = __sync_fetch_and_add(&p->in_use_both, one) + one;
	s32 normal = both, system = both >> 32, all = normal + system;

	if (normal > p->in_use_peak[CLASS_NORMAL] || system > p->in_use_peak[CLASS_SYSTEM] ||
	    all > p->in_use_all_peak)
		pool_peak(p, both);
	if (all == p->total) {
		add(p->exhausted_ns, -now);
		inc(p->exhausted);
	}
}

static __always_inline void pool_leave(struct pool *p, struct call *c, u64 now)
{
	u64 both = __sync_fetch_and_add(&p->in_use_both, -in_use_one(c));

	if ((s32)both + (s32)(both >> 32) == p->total) {
		add(p->exhausted_ns, now);
		inc(p->exhausted_ended);
	}
}

#endif
