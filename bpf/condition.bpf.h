/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The conditions of a pool: each lasts while a function of pool.state holds.
 * An episode is kept with who took part as it began, counted when it ends, and
 * sent to user space then, unless it was too short to be of interest.
 */
#ifndef OPTEE_TOP_CONDITION_BPF_H
#define OPTEE_TOP_CONDITION_BPF_H

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 10);
} ended_episodes SEC(".maps");

/* Shorter episodes are counted and not sent. */
const volatile u64 report_ns[NR_COUNTED_CONDS];

const volatile u64 starved_ns = ~0ULL; /* a wait that is longer than this starves */

#define COND_BIT(cond) (1U << (cond))

/* Is an entry kept while so many system calls are in flight? Only merged drivers keep it always. */
static __always_inline bool reserve_stays(s32 reserved, s32 system)
{
	return system < reserved || !(driver_is_v6() || driver_is_single());
}

static __always_inline u32 conds_of(const struct pool_state *s, s32 total)
{
	s32 normal = s->in_use[CLASS_NORMAL], system = s->in_use[CLASS_SYSTEM];
	s32 waiting = s->waiting[CLASS_NORMAL];
	u32 conds = 0;

	if (s->reserved >= 0 && system > s->reserved && !driver_is_single()) {
		conds |= COND_BIT(COND_OVERRUN);
		if (waiting)
			conds |= COND_BIT(COND_HARMFUL_OVERRUN);
	}
	if (!total)
		return conds;
	if (s->reserved >= 0 && normal > total - s->reserved)
		conds |= COND_BIT(COND_RESERVE_BREACH);
	if (normal + system >= total)
		conds |= COND_BIT(COND_EXHAUSTED);
	else if (s->reserved >= 0 && waiting && system && reserve_stays(s->reserved, system))
		conds |= COND_BIT(COND_RESERVE_IDLE);
	return conds;
}

/* The figure that makes the condition: its largest value is the episode's peak. */
static __always_inline s32 cond_figure(u32 cond, const struct pool_state *s)
{
	switch (cond) {
	case COND_OVERRUN:
		return s->in_use[CLASS_SYSTEM];
	case COND_RESERVE_BREACH:
		return s->in_use[CLASS_NORMAL];
	case COND_EXHAUSTED:
		return s->waiting[CLASS_NORMAL] + s->waiting[CLASS_SYSTEM];
	}
	return s->waiting[CLASS_NORMAL];
}

static __always_inline struct lasting *lasting_at(u32 pool, u32 cond)
{
	if (cond >= NR_POOL_CONDS)
		cond = 0;
	return &shared.pools[pool & (MAX_POOLS - 1)].lasting[cond];
}

static __always_inline u64 serial_of(const struct call *c)
{
	const struct session *s = session_at(c->session_slot);

	return s ? s->serial : 0;
}

struct gathering {
	struct walk walk;
	struct episode *episode;
};

static long party_found(u32 i, void *data)
{
	struct gathering *g = data;
	struct episode *e = g->episode;
	struct call *c;
	u32 n;

	if (walk_done(&g->walk))
		return 1;
	c = call_of_waiter(walk_waiter(&g->walk));
	walk_on(&g->walk);
	n = e->nr_parties;
	if (n >= MAX_PARTIES)
		return 1;
	if (c) {
		party_of(&e->parties[n], c, serial_of(c));
		e->nr_parties = n + 1;
	}
	return 0;
}

/* Who is in the queue, in its order. It is not locked: who comes or goes meanwhile may be missed. */
static __always_inline void episode_gather(struct episode *e, const struct pool *p)
{
	struct gathering g = { .episode = e };

	e->nr_parties = 0;
	walk_queue(&g.walk, p->queue);
	bpf_loop(4 * MAX_PARTIES, party_found, &g, 0);
}

static __always_inline void episode_count(struct cond_count *to, u64 ns, u32 peak)
{
	inc(to->count);
	add(to->ns, ns);
	if (ns > to->longest_ns)
		raise_u64(&to->longest_ns, ns);
	if (peak > to->peak)
		raise_u64(&to->peak, peak);
}

/* A global function: the verifier looks at it once. */
__noinline int episode_begin(u32 pool, u32 cond, u64 now, u32 figure)
{
	struct pool *p = &shared.pools[pool & (MAX_POOLS - 1)];
	struct lasting *l = lasting_at(pool, cond);
	u64 serial = __sync_fetch_and_add(&l->begun, 1) + 1;
	struct episode *e = &l->episodes[serial & 1];

	e->serial = serial;
	e->since_ns = now;
	e->end_ns = 0;
	e->state = p->state;
	e->driver_free = queue_free(p->queue);
	e->driver_sys_sessions = queue_sys_sessions(p->queue);
	e->peak = figure;
	e->cond = cond;
	e->pool = pool;
	episode_gather(e, p);
	__sync_val_compare_and_swap(&l->serial, 0, serial);
	return 0;
}

static __always_inline void episode_send(struct episode *e)
{
	u32 n = e->nr_parties, size;

	if (n > MAX_PARTIES)
		n = MAX_PARTIES;
	size = __builtin_offsetof(struct episode, parties) + n * sizeof(struct party);
	if (bpf_ringbuf_output(&ended_episodes, e, size, BPF_RB_NO_WAKEUP))
		lose(LOSS_EPISODE);
}

/* serial: of the episode that ends, unless another CPU has ended it. */
__noinline int episode_end(u32 pool, u32 cond, u64 now, u64 serial)
{
	struct pool *p = &shared.pools[pool & (MAX_POOLS - 1)];
	struct lasting *l = lasting_at(pool, cond);
	struct episode *e;
	u64 ns;

	if (cond >= NR_POOL_CONDS)
		return 0;
	if (!serial || __sync_val_compare_and_swap(&l->serial, serial, 0) != serial)
		return 0;
	e = &l->episodes[serial & 1];
	ns = now > e->since_ns ? now - e->since_ns :
				 0; /* two CPUs may take the time in either order */
	e->end_ns = e->since_ns + ns;
	episode_count(&p->conds[cond], ns, e->peak);
	if (ns >= report_ns[cond])
		episode_send(e);
	return 0;
}

static __always_inline void episode_peak(struct pool *p, u32 cond, s32 figure)
{
	struct lasting *l = &p->lasting[cond];
	struct episode *e = &l->episodes[l->serial & 1];

	if (figure > (s32)e->peak)
		raise_s32((s32 *)&e->peak, figure);
}

#define EPISODE_OF_CALL (__builtin_offsetof(struct episode, parties) + sizeof(struct party))

/* Of a condition of one call, which is over. While it lasts user space finds it in the call. */
static __noinline void episode_of_call(struct call *c, u32 cond, u64 since, u64 now, u32 peak)
{
	struct episode *e;
	struct pool *p;

	if (!c || cond >= NR_COUNTED_CONDS)
		return;
	p = &shared.pools[c->pool & (MAX_POOLS - 1)];
	episode_count(&p->conds[cond], now - since, peak);
	e = bpf_ringbuf_reserve(&ended_episodes, EPISODE_OF_CALL, 0);
	if (!e) {
		lose(LOSS_EPISODE);
		return;
	}
	e->serial = c->start_ns;
	e->since_ns = since;
	e->end_ns = now;
	e->state = p->state;
	e->driver_free = queue_free(p->queue);
	e->driver_sys_sessions = queue_sys_sessions(p->queue);
	e->peak = peak;
	e->cond = cond;
	e->pool = c->pool;
	e->nr_parties = 1;
	party_of(&e->parties[0], c, serial_of(c));
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

#endif
