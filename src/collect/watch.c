// SPDX-License-Identifier: GPL-2.0-only
/*
 * One look at the conditions: the episodes that last are read from the pools,
 * those that ended come through the ring buffer, and what no BPF program can see
 * is found here: who waits too long now, a deadlock, a drift, what is left by who is gone.
 *
 * What lasts is read before the ring: an episode that ends in between is in both,
 * one that ended before is in the ring at least.
 */
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "collect/drift.h"
#include "collect/session_leak.h"
#include "collect/supplicant_gone.h"
#include "collect/watch_calls.h"
#include "collect/watch_event.h"
#include "collect/watch_state.h"
#include "model/class_sums.h"
#include "probe/probes_look.h"

/* The kernel's own. */

/* A copy of the episode that lasts; false: none does. */
static bool read_lasting(const struct lasting *from, struct episode *to)
{
	const volatile struct lasting *l = from;
	u64 serial = l->serial;

	if (!serial)
		return false;
	*to = from->episodes[serial & 1];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return l->serial == serial && to->serial == serial;
}

#define COUNT_TRIES 4

/*
 * The episodes that have ended, then the one that lasts: one that ends in between is in
 * neither, and found by another try or the next time; but none is ever in both.
 */
static bool read_condition(const struct pool *p, enum condition cond, struct cond_count *ended,
			   struct episode *lasting)
{
	bool lasts = false;

	for (int i = 0; i < COUNT_TRIES; i++) {
		*ended = p->conds[cond];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		lasts = read_lasting(&p->lasting[cond], lasting);
		if (__atomic_load_n(&p->conds[cond].count, __ATOMIC_ACQUIRE) == ended->count)
			break;
	}
	return lasts;
}

static void look_at_pool(struct watch *w, u32 pool, u64 now)
{
	const struct pool *p = &w->shared->pools[pool];
	struct episode e;

	for (int cond = 0; cond < NR_POOL_CONDS; cond++)
		if (read_lasting(&p->lasting[cond], &e) && now > e.since_ns &&
		    now - e.since_ns >= condition_table[cond].report_ns)
			episodes_lasts(w->episodes, &e, now);
	watch_calls(w, pool, now);
	watch_drift_look(w, pool, now);
	watch_session_leak_look(w, pool, now);
	watch_supplicant_gone_look(w, pool, now);
	w->pools[pool].was_blind |= p->blind;
}

static int on_ended(void *arg, void *data, size_t len)
{
	struct watch *w = arg;
	struct episode e = {};

	memcpy(&e, data, len < sizeof(e) ? len : sizeof(e));
	if (e.pool < MAX_POOLS && e.cond < NR_COUNTED_CONDS)
		episodes_ended(w->episodes, &e);
	return 0;
}

/* By time; the begin of an episode before its end. */
static int event_order(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	return event_time_order(a, b) ?: (a->state > b->state) - (a->state < b->state);
}

u32 watch_look(struct watch *w)
{
	u64 now;
	u32 before;

	if (w->taken)
		w->nr_events = 0;
	w->taken = false;
	before = w->nr_events;
	if (probes_inspect(w->probes))
		return 0;
	now = clock_now();
	for (u32 pool = 0; pool < MAX_POOLS && w->shared->pools[pool].ready; pool++)
		look_at_pool(w, pool, now);
	ring_buffer__consume(w->ring);
	episodes_looked(w->episodes, now);
	if (w->nr_events > before)
		qsort(w->events + before, w->nr_events - before, sizeof(*w->events), event_order);
	return w->nr_events - before;
}

const struct event *watch_events(const struct watch *w, u32 *n)
{
	*n = w->nr_events;
	return w->events;
}

void watch_take(struct watch *w)
{
	w->taken = true;
}

u64 watch_dropped(const struct watch *w)
{
	return w->dropped;
}

bool watch_drift(const struct watch *w, u32 pool, int *drift)
{
	*drift = w->pools[pool].drift;
	return w->pools[pool].drift_known;
}

enum sight watch_sight(struct watch *w, u32 pool)
{
	const struct pool *p = &w->shared->pools[pool];
	struct watched_pool *watched = &w->pools[pool];
	bool blind = watched->was_blind || p->blind;

	watched->was_blind = p->blind;
	watched->sight = p->sight == SIGHT_FOLLOWED && blind ? SIGHT_BLIND : p->sight;
	return watched->sight;
}

static void at_least(struct snap_cond *to, const struct cond_count *ended)
{
	to->count = max_of(to->count, ended->count);
	to->ns = max_of(to->ns, ended->ns);
	to->longest_ns = max_of(to->longest_ns, ended->longest_ns);
	to->peak = max_of(to->peak, ended->peak);
}

/* enum condition_needs. A policy's rule is not known here, nor is whom it wakes. */
static u32 known_of(const struct watch *w, u32 pool)
{
	const struct pool *p = &w->shared->pools[pool];
	u32 known = p->total ? NEEDS_THREADS : 0;

	if (pool_state(p->state).reserved >= 0)
		known |= NEEDS_RESERVE;
	if (w->probes->knows_rule)
		known |= NEEDS_RULE;
	if (w->probes->sees_wakes && !p->policy.name[0])
		known |= NEEDS_WAKES;
	if (w->pools[pool].drift_known)
		known |= NEEDS_DRIFT;
	if (probes_see_waiters_at_arguments(w->probes, p))
		known |= NEEDS_ARGUMENTS;
	if (p->left_open >= 0)
		known |= NEEDS_CONTEXTS;
	if (p->unserved >= 0)
		known |= NEEDS_REQUESTS;
	return known;
}

void watch_condition(const struct watch *w, u32 pool, enum condition cond, u64 now,
		     struct snap_cond *to)
{
	const struct pool *p = &w->shared->pools[pool];
	const struct found *f = &w->pools[pool].found[cond];
	struct cond_count ended = f->count;
	u32 known = known_of(w, pool);
	struct episode e;
	u64 ns = 0, peak = 0;

	*to = (struct snap_cond){};
	if (cond < NR_POOL_CONDS && read_condition(p, cond, &ended, &e)) {
		to->lasting = 1;
		to->since_ns = e.since_ns;
		peak = e.peak;
	} else if (f->now.count) {
		to->lasting = f->now.count;
		to->since_ns = f->now.since_ns;
		peak = f->now.peak;
	} else if (f->lasts) {
		to->lasting = 1;
		to->since_ns = f->episode.since_ns;
		peak = f->episode.peak;
	}
	if (to->lasting && now > to->since_ns)
		ns = now - to->since_ns;
	to->count = ended.count + to->lasting;
	to->ns = ended.ns + ns;
	to->longest_ns = max_of(ns, ended.longest_ns);
	to->peak = max_of(peak, ended.peak);
	/* Since the look some of these calls may have ended, and others that it did not see. */
	if (cond >= NR_POOL_CONDS && cond < NR_COUNTED_CONDS)
		at_least(to, &p->conds[cond]);
	if (!to->count)
		to->ns = to->longest_ns = to->peak = 0; /* so is this one */
	if (to->longest_ns > to->ns)
		to->longest_ns = to->ns; /* one that is just being counted */
	/* Without T those that are seen are certain, and that there were none is not. */
	if (cond == COND_STRANDED && to->count)
		known |= NEEDS_THREADS;
	to->known = !(condition_table[cond].needs & ~known) &&
		    w->pools[pool].sight == SIGHT_FOLLOWED;
}

struct watch *watch_new(const struct probes *probes)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->probes = probes;
	w->shared = probes->shared;
	w->rows = probes->rows;
	w->starved_ns = probes->starved_ns;
	w->episodes = episodes_new(watch_report, w);
	w->ring = ring_buffer__new(probes->ended_fd, on_ended, w, NULL);
	if (w->episodes && w->ring)
		return w;
	watch_free(w);
	return NULL;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	ring_buffer__free(w->ring);
	episodes_free(w->episodes);
	free(w->events);
	free(w);
}
