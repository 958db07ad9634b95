// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the shared area and the session rows, without a lock and mostly without
 * a system call, and makes one plain snapshot of them. What changed since the
 * snapshot before is worked out here, so that no view has to remember anything.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <bpf/libbpf.h>
#include "base/clock.h"
#include "base/text.h"
#include "collect/call_copy.h"
#include "collect/collect.h"
#include "collect/collect_policies.h"
#include "collect/collect_sessions.h"
#include "collect/watch.h"
#include "model/class_sums.h"
#include "probe/attach.h"
#include "probe/probes_look.h"

struct collect {
	struct probes *probes;
	struct watch *watch;
	const struct shared *shared;
	struct collect_sessions *sessions;
	struct snap_cond past_conds[MAX_POOLS][NR_CONDS];
	int past_unseen[MAX_POOLS];  /* system sessions, of the snapshot before */
	struct call live[MAX_CALLS]; /* the calls of this snapshot */
	u32 nr_live;
	struct snapshot snap;
};

/* As many as there may ever be; those beyond MAX_CPUS share the counters of these. */
static u32 nr_cpus(void)
{
	int possible = libbpf_num_possible_cpus();

	return possible > 0 && possible < MAX_CPUS ? (u32)possible : MAX_CPUS;
}

struct collect *collect_new(struct probes *probes)
{
	struct collect *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->probes = probes;
	c->shared = probes->shared;
	c->snap.nr_cpus = nr_cpus();
	c->watch = watch_new(probes);
	c->sessions = collect_sessions_new(probes->shared, probes->rows);
	if (c->watch && c->sessions)
		return c;
	collect_free(c);
	return NULL;
}

void collect_free(struct collect *c)
{
	if (!c)
		return;
	watch_free(c->watch);
	collect_sessions_free(c->sessions);
	free(c->snap.sessions);
	free(c->snap.tas);
	free(c->snap.calls);
	free(c);
}

static void collect_design(struct snap_pool *to, const struct pool *p, bool knows_rule)
{
	to->driver_free = to->system_sessions = to->reserved = -1;
	if (!p->driver_ns)
		return;
	if (p->driver_flags & DRIVER_SYS_SESSIONS)
		to->system_sessions = p->driver_sys_sessions;
	if (p->total)
		to->driver_free = p->driver_free > 0 ? p->driver_free : 0;
	if (p->policy.name[0]) {
		to->design = DESIGN_POLICY;
		return;
	}
	if (!p->total) {
		to->design = DESIGN_NONE;
		to->reserved = 0;
		return;
	}
	if (!knows_rule) {
		to->design = DESIGN_OTHER;
	} else if (p->driver_flags & DRIVER_RESERVED) {
		to->design = DESIGN_V6;
		to->reserved = p->driver_reserved;
	} else {
		to->design = p->driver_flags & DRIVER_SHARES_RESERVE ? DESIGN_SINGLE :
								       DESIGN_MERGED;
		to->reserved = p->driver_sys_sessions > 0;
	}
}

static u64 min_of(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* A peak is raised after the figure itself has risen. */
static int peak_of(s32 peak, int now)
{
	return peak > now ? peak : now;
}

/*
 * Of some episodes it turns out later that they ended earlier, or they are in none of the
 * counters as they are read. What has been counted is not taken back: who adds up
 * differences would take it for a new beginning. And of a condition of a pool no interval
 * has more than its length: what was counted after s->mono_ns is the next one's.
 */
static void collect_conditions(struct collect *c, u32 pool, struct snap_pool *to)
{
	u64 exhausted_ns = c->past_conds[pool][COND_EXHAUSTED].ns;

	for (int cond = 0; cond < NR_CONDS; cond++) {
		struct snap_cond *now = &to->conds[cond], *past = &c->past_conds[pool][cond];

		watch_condition(c->watch, pool, cond, c->snap.mono_ns, now);
		now->count = max_of(now->count, past->count);
		now->ns = max_of(now->ns, past->ns);
		if (cond < NR_POOL_CONDS && c->snap.interval_ns)
			now->ns = min_of(now->ns, past->ns + c->snap.interval_ns);
		now->longest_ns = min_of(max_of(now->longest_ns, past->longest_ns), now->ns);
		now->peak = max_of(now->peak, past->peak);
		*past = *now;
	}
	to->exhausted_ns_iv = to->conds[COND_EXHAUSTED].ns - exhausted_ns;
}

static u64 read_u64(const u64 *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

/* The parts before the whole that they are of: scmi_count() adds to them in the other order. */
static void collect_scmi(const struct collect *c, struct snap_pool *to, const struct pool *p)
{
	to->scmi_known = c->probes->sees_scmi && pool_counted(to);
	for (int i = 0; i < MAX_SCMI; i++) {
		const struct scmi_sums *row = &p->scmi[i];
		u64 failed = read_u64(&row->failed), wait_ns = read_u64(&row->wait_ns);
		u64 ns = read_u64(&row->ns), max_ns = read_u64(&row->max_ns);
		u64 count = read_u64(&row->count);

		if (!count)
			continue;
		to->scmi[to->nr_scmi++] = (struct snap_scmi){
			.other = row->key == SCMI_KEY_OTHER,
			.protocol = row->key == SCMI_KEY_OTHER ? 0 : row->key >> 8 & 0xff,
			.message = row->key == SCMI_KEY_OTHER ? 0 : row->key & 0xff,
			.count = count,
			.failed = failed,
			.ns = ns,
			.max_ns = max_ns,
			.wait_ns = wait_ns,
		};
	}
}

static void collect_pools(struct collect *c)
{
	struct snapshot *s = &c->snap;

	s->nr_pools = 0;
	s->sums_unknown = 0;
	for (int i = 0; i < MAX_POOLS && c->shared->pools[i].ready; i++) {
		const struct pool *p = &c->shared->pools[i];
		struct snap_pool *to = &s->pools[s->nr_pools++];
		const struct snap_pool peaks = *to; /* of the snapshot before */

		*to = (struct snap_pool){
			.id = p->id,
			.sight = watch_sight(c->watch, i),
			.total = p->total ? p->total : -1,
			.threads_at_least = !p->total && p->threads_at_least ? p->threads_at_least :
									       -1,
			.at_arguments = probes_see_waiters_at_arguments(c->probes, p) ? 0 : -1,
			.in_use_all_peak = peak_of(peaks.in_use_all_peak, p->in_use_all_peak),
			.waiting_all_peak = peak_of(peaks.waiting_all_peak, p->waiting_all_peak),
		};
		for (int class = 0; class < NR_CLASSES; class ++) {
			to->in_use_peak[class] = peak_of(peaks.in_use_peak[class],
							 p->in_use_peak[class]);
			to->waiting_peak[class] = peak_of(peaks.waiting_peak[class],
							  p->waiting_peak[class]);
		}
		/* Then of no pool: which sums are known is the same for all. */
		_Static_assert(SUM(release_ns) == NR_SUMS - 1, "these have to be the last");
		if (!probes_see_arguments(c->probes, p))
			s->sums_unknown = NR_SUMS - SUM(argument_waits);
		collect_conditions(c, i, to);
		collect_design(to, p, c->probes->knows_rule);
		collect_policies(c->probes, i, to);
		collect_scmi(c, to, p);
		to->drift_known = watch_drift(c->watch, i, &to->drift);
	}
}

/* Waiters first, then by age. */
static int call_order(const void *left, const void *right)
{
	const struct snap_call *a = left, *b = right;

	if (a->queued != b->queued)
		return a->queued ? -1 : 1;
	return (a->age_ns < b->age_ns) - (a->age_ns > b->age_ns);
}

/* Who holds a thread and who waits, in one word that was read at one moment. */
static void take_state(struct snap_pool *to, u64 word)
{
	struct pool_state state = pool_state(word);

	to->judged_reserved = state.reserved;
	for (int class = 0; class < NR_CLASSES; class ++) {
		to->in_use[class] = state.in_use[class];
		to->in_use_all += state.in_use[class];
		to->in_use_peak[class] = peak_of(to->in_use_peak[class], state.in_use[class]);
		to->waiting[class] = state.waiting[class];
		to->waiting_all += state.waiting[class];
		to->waiting_peak[class] = peak_of(to->waiting_peak[class], state.waiting[class]);
	}
	to->in_use_all_peak = peak_of(to->in_use_all_peak, to->in_use_all);
	to->waiting_all_peak = peak_of(to->waiting_all_peak, to->waiting_all);
}

#define STATE_TRIES 4

/* The calls and the states of the pools, of one moment if the calls let us. */
static void read_calls(struct collect *c, u64 states[MAX_POOLS])
{
	const struct pool *pools = c->shared->pools;
	u32 nr_pools = c->snap.nr_pools;

	for (int tries = 0; tries < STATE_TRIES; tries++) {
		bool same = true;

		for (u32 i = 0; i < nr_pools; i++)
			states[i] = __atomic_load_n(&pools[i].state, __ATOMIC_ACQUIRE);
		c->nr_live = 0;
		for (u32 i = 0; i < MAX_CALLS; i++)
			c->nr_live += call_copy(&c->live[c->nr_live], &c->shared->calls[i]);
		for (u32 i = 0; i < nr_pools; i++)
			same &= __atomic_load_n(&pools[i].state, __ATOMIC_ACQUIRE) == states[i];
		if (same)
			return;
	}
}

static void take_call(struct collect *c, const struct call *call, u64 now)
{
	struct snapshot *s = &c->snap;
	struct snap_call *to = &s->calls[s->nr_calls++];
	struct snap_pool *pool = &s->pools[call->pool];
	bool known = call_is_known(call->phase, call->op);
	u64 start_ns = known ? call->start_ns : call->phase_ns;
	u64 phase_ns = call->flags & CALL_WAITING ? call_waits_since(call) : call->phase_ns;

	*to = (struct snap_call){
		.tid = call->tid,
		.tgid = call->tgid,
		.pool = call->pool,
		.session = collect_sessions_at(c->sessions, call->session_slot),
		.cmd = call->op,
		.func = call->func,
		.class = call->class,
		.phase = call->phase == PHASE_BLIND ? PHASE_RPC : call->phase,
		.rpc_kind = call->rpc_kind,
		.queued = call->flags & CALL_WAITING,
		.nested = call->outer != 0,
		.late = call->flags & CALL_LATE,
		.age_at_least = call->flags & CALL_LATE,
		.phase_at_least = call->flags & CALL_LATE && phase_ns == start_ns,
		.age_ns = start_ns ? now - start_ns : 0,
		.phase_ns = phase_ns ? now - phase_ns : 0,
	};
	if (start_ns && to->phase_ns > to->age_ns)
		to->phase_ns = to->age_ns; /* it is just beginning */
	if (c->probes->knows_tasks)
		task_comm(call->tid, to->comm);
	pool->in_rpc += to->phase == PHASE_RPC;
	if (pool->at_arguments >= 0)
		pool->at_arguments += waits_at_arguments(call);
	if (to->queued && to->phase_ns > pool->oldest_wait_ns) {
		pool->oldest_wait_ns = to->phase_ns;
		pool->oldest_wait_at_least = to->phase_at_least;
	}
}

static int collect_calls(struct collect *c)
{
	struct snapshot *s = &c->snap;
	u64 states[MAX_POOLS], now;

	if (!s->calls)
		s->calls = calloc(MAX_CALLS, sizeof(*s->calls));
	if (!s->calls)
		return -ENOMEM;
	read_calls(c, states);
	now = clock_ns(CLOCK_MONOTONIC); /* some may have begun after s->mono_ns */
	for (u32 i = 0; i < s->nr_pools; i++)
		take_state(&s->pools[i], states[i]);
	s->nr_calls = 0;
	for (u32 i = 0; i < c->nr_live; i++)
		if (c->live[i].pool < s->nr_pools && c->live[i].session_slot <= SESSION_SLOTS)
			take_call(c, &c->live[i], now);
	for (u32 i = 0; i < s->nr_pools; i++)
		s->pools[i].in_rpc = (int)min_of((u64)s->pools[i].in_rpc,
						 (u64)s->pools[i].in_use_all);
	qsort(s->calls, s->nr_calls, sizeof(*s->calls), call_order);
	return 0;
}

/*
 * System sessions from before the attach have rows only once they make a call. The
 * driver's count is older than the rows: one that was closed or opened in between would be
 * taken for unseen, so it counts only if the snapshot before had as many.
 */
static void collect_unseen(struct collect *c)
{
	struct snapshot *s = &c->snap;
	int seen[MAX_POOLS] = {};

	for (u32 i = 0; i < s->nr_sessions; i++)
		seen[s->sessions[i].pool] += s->sessions[i].open &&
					     s->sessions[i].flags & SESSION_SYSTEM;
	for (u32 i = 0; i < s->nr_pools; i++) {
		struct snap_pool *pool = &s->pools[i];
		int unseen = pool->system_sessions < 0       ? -1 :
			     pool->system_sessions > seen[i] ? pool->system_sessions - seen[i] :
							       0;

		pool->system_sessions_unseen = unseen;
		if (s->interval_ns && unseen > c->past_unseen[i])
			pool->system_sessions_unseen = c->past_unseen[i] > 0 ? c->past_unseen[i] :
									       0;
		c->past_unseen[i] = unseen;
	}
}

static void collect_records(struct collect *c)
{
	for (u32 cpu = 0; cpu < c->snap.nr_cpus; cpu++)
		c->snap.records[cpu] = c->shared->records[cpu];
}

static void collect_losses(struct collect *c)
{
	struct snap_losses *l = &c->snap.losses;

	for (int i = 0; i < NR_LOSSES; i++)
		l->count[i] = c->shared->loss[i];
	l->count[LOSS_SESSION_CLOSED] = collect_sessions_unread(c->sessions);
	l->count[LOSS_EPISODE] += watch_dropped(c->watch);
	/* A lost one is counted once, by its CPU. */
	for (u32 cpu = 0; cpu < c->snap.nr_cpus; cpu++)
		l->count[LOSS_CALL_RECORD] += c->snap.records[cpu].lost;
	l->missed_known = probes_missed(c->probes, &l->missed);
}

const struct snapshot *collect_snapshot(struct collect *c)
{
	struct snapshot *s = &c->snap;
	u64 before = s->mono_ns;

	watch_look(c->watch);
	s->mono_ns = clock_ns(CLOCK_MONOTONIC);
	s->real_ns = clock_ns(CLOCK_REALTIME);
	s->interval_ns = before ? s->mono_ns - before : 0;
	s->seq++;
	collect_pools(c);
	if (!collect_sessions(c->sessions, s) || collect_calls(c))
		return NULL;
	collect_unseen(c);
	collect_records(c);
	collect_losses(c);
	s->events = watch_events(c->watch, &s->nr_events);
	if (s->interval_ns) /* the first is not shown by itself */
		watch_take(c->watch);
	return s;
}

u32 collect_look(struct collect *c, const struct event **events)
{
	u32 found = watch_look(c->watch), all;

	*events = watch_events(c->watch, &all) + (all - found);
	return found;
}

void collect_forget(struct collect *c)
{
	watch_take(c->watch);
}
