/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pool: the T threads of one TEE instance, who uses them and who waits.
 */
#ifndef OPTEE_TOP_POOL_BPF_H
#define OPTEE_TOP_POOL_BPF_H

static __always_inline struct pool *pool_at(u32 i)
{
	return &shared.pools[i & (MAX_POOLS - 1)];
}

static __always_inline bool device_is_optee(struct tee_device *dev)
{
	char name[8] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dev, desc, name));
	return name[0] == 'o' && name[1] == 'p' && name[2] == 't' && name[3] == 'e' &&
	       name[4] == 'e';
}

/*
 * Takes a TEE instance in. One that was unbound and bound again has a new
 * address and the old number: it keeps its place.
 */
static __noinline u32 pool_register(u64 teedev)
{
	struct tee_device *dev = (void *)teedev;
	struct optee *optee = BPF_CORE_READ(dev, dev.driver_data);
	u32 id = BPF_CORE_READ(dev, id);

	for (u32 i = 0; i < MAX_POOLS; i++) {
		struct pool *p = pool_at(i);
		u64 old = p->teedev;

		if (old == teedev)
			return i;
		if (old && p->id != id)
			continue;
		if (__sync_val_compare_and_swap(&p->teedev, old, teedev) != old) {
			if (p->teedev == teedev)
				return i;
			continue;
		}
		p->id = id;
		p->queue = (u64)&optee->call_queue;
		p->total = queue_total(&optee->call_queue);
		p->rpc_appended = BPF_CORE_READ(optee, rpc_param_count) != 0;
		p->ready = 1;
		return i;
	}
	lose(LOSS_POOL_SLOT);
	return MAX_POOLS;
}

/* MAX_POOLS: no place for it. */
static __always_inline u32 pool_find(u64 teedev)
{
	for (u32 i = 0; i < MAX_POOLS; i++)
		if (shared.pools[i].teedev == teedev)
			return i;
	return pool_register(teedev);
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

/*
 * An entry is taken or given back. in_use_all alone decides when the pool
 * becomes and ceases to be exhausted, so that ends and starts alternate and
 * the sum of (end - start) is right whichever CPU is first to add its part.
 */
static __always_inline void pool_enter(struct pool *p, struct call *c, u64 now)
{
	u32 class = c->class & 1;
	s32 of_class = __sync_fetch_and_add(&p->in_use[class], 1) + 1;
	s32 all = __sync_fetch_and_add(&p->in_use_all, 1) + 1;

	c->flags |= CALL_TOOK_ENTRY;
	if (of_class > p->in_use_peak[class])
		raise_s32(&p->in_use_peak[class], of_class);
	if (all > p->in_use_all_peak)
		raise_s32(&p->in_use_all_peak, all);
	if (all == p->total) {
		add(p->exhausted_ns, -now);
		inc(p->exhausted);
	}
}

static __always_inline void pool_leave(struct pool *p, struct call *c, u64 now)
{
	s32 all = __sync_fetch_and_add(&p->in_use_all, -1);

	add(p->in_use[c->class & 1], -1);
	c->flags &= ~CALL_TOOK_ENTRY;
	if (all == p->total) {
		add(p->exhausted_ns, now);
		inc(p->exhausted_ended);
	}
}

#endif
