// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adds up what a source shows. The counters of a source run since its attach:
 * what they had before the first snapshot is taken off, unless that one is the
 * very first (a recording may begin later).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check/run_summary.h"
#include "model/condition_table.h"
#include "model/hist.h"

void summary_init(struct run_summary *s, const struct host *host, bool tells_calls)
{
	memset(s, 0, sizeof(*s));
	s->starved_ns = host->starved_ns;
	s->tells_calls = tells_calls;
	for (int class = 0; class < NR_CLASSES; class ++)
		s->waits[class].hist = (struct hist64){ .octaves = (1U << HIST_OCTAVES) - 1,
							.count = s->waits[class].counts };
}

void summary_release(struct run_summary *s)
{
	for (int i = 0; i < NR_CONDS; i++)
		free(s->episodes[i].kept);
}

/* Where an episode is, or is to be put; NULL: it is shorter than all that are kept. */
static struct event *episode_place(struct summary_episodes *of, const struct event *e)
{
	struct event *shortest;

	for (int i = 0; i < of->nr; i++)
		if (of->kept[i].episode == e->episode && of->kept[i].tee == e->tee)
			return &of->kept[i];
	if (of->nr < SUMMARY_EPISODES) {
		of->kept[of->nr] = *e;
		return &of->kept[of->nr++];
	}
	shortest = &of->kept[0];
	for (int i = 1; i < of->nr; i++)
		if (of->kept[i].duration_ns < shortest->duration_ns)
			shortest = &of->kept[i];
	if (e->duration_ns <= shortest->duration_ns) {
		if (e->duration_ns >= of->forgotten_ns)
			of->forgotten_ns = e->duration_ns + 1;
		return NULL;
	}
	if (shortest->duration_ns >= of->forgotten_ns)
		of->forgotten_ns = shortest->duration_ns + 1;
	*shortest = *e;
	return shortest;
}

void summary_events(struct run_summary *s, const struct event *events, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		const struct event *e = &events[i];
		struct summary_episodes *of;
		struct event *at;

		if (e->condition >= NR_CONDS)
			continue; /* of a newer recording */
		of = &s->episodes[e->condition];
		if (!of->kept)
			of->kept = calloc(SUMMARY_EPISODES, sizeof(*of->kept));
		at = of->kept ? episode_place(of, e) : NULL;
		if (!at || e->state < at->state || e->duration_ns < at->duration_ns)
			continue;
		event_goes_on(at, e);
		at->real_ns = e->real_ns;
	}
}

static void take_losses(struct run_summary *s, const struct snapshot *snap)
{
	if (s->snapshots == 1 && !s->whole)
		s->losses_before = snap->losses;
	for (int i = 0; i < NR_LOSSES; i++)
		s->losses.count[i] = snap->losses.count[i] - s->losses_before.count[i];
	s->losses.unknown = snap->losses.unknown;
	s->losses.missed_known = snap->losses.missed_known;
	s->losses.missed = snap->losses.missed - s->losses_before.missed;
}

static void take_pool(struct run_summary *s, u32 i, const struct snap_pool *pool)
{
	struct summary_pool *p = &s->pools[i];

	if (i >= s->nr_pools) {
		s->nr_pools = i + 1;
		p->system_sessions = pool->system_sessions;
		p->policies_ejected = pool->policies_ejected;
		if (s->snapshots == 1 && !s->whole)
			p->first = *pool;
	}
	p->last = *pool;
	if (!pool_followed(pool))
		p->sight = pool->sight;
	p->open_others = 0;
	p->rest = false;
	for (int cond = 0; cond < NR_CONDS; cond++) {
		bool known = pool->conds[cond].known;
		bool takes_time = condition_table[cond].needs & NEEDS_DRIFT;

		p->cond_lapsed[cond] |= !known && (!takes_time || p->cond_known[cond]);
		p->cond_known[cond] |= known;
	}
}

static void take_failures(struct run_summary *s, const struct snap_session *row)
{
	struct summary_failure *f = NULL;

	for (int i = 0; i < s->nr_failures && !f; i++)
		if (s->failures[i].serial == row->serial)
			f = &s->failures[i];
	if (!f) {
		if (s->nr_failures == SUMMARY_FAILURES)
			return;
		f = &s->failures[s->nr_failures++];
		f->serial = row->serial;
	}
	f->failed += row->sums_iv.failed;
	f->result = row->last_failure;
	f->tgid = row->tgid;
	snprintf(f->client, sizeof(f->client), "%s", row->comm);
	snprintf(f->ta, sizeof(f->ta), "%s", row->ta ?: "");
}

static void take_own_calls(const struct run_summary *s, struct summary_pool *p,
			   const struct snap_session *none)
{
	p->own_last = none->ops[CMD_BOTTOM_HALF] + none->ops[CMD_STOP_ASYNC_NOTIF];
	if (s->snapshots == 1 && !s->whole)
		p->own_first = p->own_last;
}

static void take_session(struct run_summary *s, const struct snapshot *snap,
			 const struct snap_session *row)
{
	struct summary_pool *p = &s->pools[row->pool];

	if (row->sums_iv.failed && (s->snapshots > 1 || s->whole))
		take_failures(s, row);
	if (row->pool >= snap->nr_pools)
		return;
	if (row->flags & SESSION_NONE)
		take_own_calls(s, p, row);
	else if (row->flags & SESSION_REST)
		p->rest = true;
	else if (row->open && row->kind != CLIENT_USER)
		p->open_others++;
}

void summary_snapshot(struct run_summary *s, const struct snapshot *snap)
{
	if (!s->snapshots++) {
		s->first_ns = snap->mono_ns;
		s->whole = snap->seq <= 1;
	}
	s->last_ns = snap->mono_ns;
	for (u32 i = 0; i < snap->nr_pools; i++)
		take_pool(s, i, &snap->pools[i]);
	for (u32 i = 0; i < snap->nr_sessions; i++)
		if (snap->sessions[i].pool < MAX_POOLS)
			take_session(s, snap, &snap->sessions[i]);
	s->nr_waiting = 0;
	for (u32 i = 0; i < snap->nr_calls && s->nr_waiting < MAX_CALLS; i++) {
		const struct snap_call *call = &snap->calls[i];

		if (!call->queued || !call->phase_ns)
			continue;
		s->waiting[s->nr_waiting].class = call->class;
		s->waiting[s->nr_waiting].tid = call->tid;
		s->waiting[s->nr_waiting++].ns = call->phase_ns;
	}
	take_losses(s, snap);
	if (snap->interval_ns) /* those of the very first come again with the second */
		summary_events(s, snap->events, snap->nr_events);
}

/* A waiter of the last snapshot has ended since: its call was recorded. */
static void waits_no_more(struct run_summary *s, const struct call_record *call)
{
	if (call->start_ns + call->wait_ns + call->hold_ns < s->last_ns)
		return;
	for (u32 i = 0; i < s->nr_waiting; i++)
		if (s->waiting[i].tid == call->tid) {
			s->waiting[i] = s->waiting[--s->nr_waiting];
			return;
		}
}

static void take_wait(struct summary_waits *w, u64 ns)
{
	w->calls++;
	w->counts[hist_bucket(ns)]++;
	if (ns > w->longest_ns)
		w->longest_ns = ns;
}

void summary_call(struct run_summary *s, const struct call_record *call)
{
	waits_no_more(s, call);
	take_wait(&s->waits[call->class < NR_CLASSES ? call->class : CLASS_NORMAL], call->wait_ns);
}

static const struct summary_pool *pool_of(const struct run_summary *s, u32 tee)
{
	for (u32 i = 0; i < s->nr_pools; i++)
		if (s->pools[i].last.id == tee)
			return &s->pools[i];
	return NULL;
}

void summary_finish(struct run_summary *s)
{
	for (int cond = 0; cond < NR_CONDS; cond++)
		for (int i = 0; i < s->episodes[cond].nr; i++) {
			struct event *e = &s->episodes[cond].kept[i];
			const struct summary_pool *p = pool_of(s, e->tee);

			if (e->state == EVENT_END)
				continue;
			e->state = EVENT_STILL;
			if (p && p->last.conds[cond].lasting &&
			    s->last_ns > e->since_ns + e->duration_ns)
				e->duration_ns = s->last_ns - e->since_ns;
		}
	for (u32 i = 0; i < s->nr_waiting; i++)
		take_wait(&s->waits[s->waiting[i].class], s->waiting[i].ns);
}

u64 summary_count(const struct summary_pool *p, enum condition cond)
{
	const struct snap_cond *then = &p->first.conds[cond];

	return p->last.conds[cond].count - (then->count - then->lasting);
}

u64 summary_longest(const struct run_summary *s, const struct summary_pool *p, enum condition cond)
{
	u64 longest = p->last.conds[cond].longest_ns;

	if (longest == p->first.conds[cond].longest_ns)
		longest = 0; /* that one was before */
	for (int i = 0; i < s->episodes[cond].nr; i++) {
		const struct event *e = &s->episodes[cond].kept[i];

		if (e->tee == p->last.id && e->duration_ns > longest)
			longest = e->duration_ns;
	}
	return longest;
}

/* A recording may be two, one after the other, and begin anew. */
static u64 gained(u64 now, u64 then)
{
	return now > then ? now - then : 0;
}

static u64 sum_calls(const struct run_summary *s, bool failed)
{
	u64 sum = 0;

	for (u32 i = 0; i < s->nr_pools; i++)
		for (int class = 0; class < NR_CLASSES; class ++) {
			const struct class_sums *now = &s->pools[i].last.sums[class],
						*then = &s->pools[i].first.sums[class];

			sum += failed ? gained(now->failed, then->failed) :
					gained(now->calls, then->calls);
		}
	return sum;
}

u64 summary_calls(const struct run_summary *s)
{
	return sum_calls(s, false);
}

u64 summary_own_calls(const struct run_summary *s)
{
	u64 sum = 0;

	for (u32 i = 0; i < s->nr_pools; i++)
		sum += gained(s->pools[i].own_last, s->pools[i].own_first);
	return sum;
}

u64 summary_failed(const struct run_summary *s)
{
	return sum_calls(s, true);
}

const char *summary_blind(const struct run_summary *s)
{
	for (u32 i = 0; i < s->nr_pools; i++)
		if (s->pools[i].sight != SIGHT_UNKNOWN)
			return sight_name(s->pools[i].sight);
	return NULL;
}

u64 summary_uncounted(const struct run_summary *s)
{
	return s->losses.count[LOSS_CALL_SLOT] + s->losses.count[LOSS_CALL_END] +
	       s->losses.count[LOSS_CALL_UNSEEN];
}

u64 summary_untold(const struct run_summary *s)
{
	return summary_uncounted(s) + s->losses.count[LOSS_CALL_RECORD];
}
