/* SPDX-License-Identifier: GPL-2.0-only */
/* What include/snapshot.h promises of every snapshot. */
#ifndef OPTEE_TOP_INVARIANTS_H
#define OPTEE_TOP_INVARIANTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model/hist.h"
#include "snapshot.h"
#include "model/class_sums.h"

/* The snapshot before, as far as it is compared with this one. */
struct before {
	struct snap_session sessions[SESSION_SLOTS]; /* by slot; serial and slot 0: there was none */
	bool known[SESSION_SLOTS];
	struct snap_pool pools[MAX_POOLS];
	u64 losses[NR_LOSSES];
};

#define HOLDS(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "snapshot %llu: not so: %s\n", (unsigned long long)s->seq, \
				#what);                                                            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#define GROWS(member) HOLDS(now->member >= then->member)

static inline void check_class_sums(const struct snapshot *s, const struct class_sums *sums)
{
	HOLDS(sums->failed <= sums->calls && sums->waited <= sums->calls);
	HOLDS(sums->limit_ns <= sums->wait_ns);
	HOLDS(sums->secure_ns <= sums->hold_ns);
	HOLDS(sums->wait_max_ns <= sums->wait_ns && sums->hold_max_ns <= sums->hold_ns);
	HOLDS(sums->calls || !(sums->wait_ns | sums->hold_ns | sums->limits));
}

static inline void check_sums_grow(const struct snapshot *s, const struct class_sums *now,
				   const struct class_sums *then)
{
	for (size_t i = 0; i < NR_SUMS; i++)
		HOLDS(sum_of(now, &sum_rows[i]) >= sum_of(then, &sum_rows[i]));
}

static inline void check_session(const struct snapshot *s, const struct snap_session *now,
				 struct before *before)
{
	static const struct snap_session nothing;
	const struct snap_session *then = &before->sessions[now->slot];
	struct class_sums gained = {}, all = {};
	u64 ops = 0, rpc_ns = 0;

	HOLDS(now->serial || now->slot >= MAX_SESSIONS);
	if (!before->known[now->slot] || then->serial != now->serial)
		then = &nothing;
	for (int class = 0; class < NR_CLASSES; class ++) {
		struct class_sums gain = sums_since(&now->sums[class], &then->sums[class]);

		check_class_sums(s, &now->sums[class]);
		check_sums_grow(s, &now->sums[class], &then->sums[class]);
		sums_add(&gained, &gain);
		sums_add(&all, &now->sums[class]);
	}
	for (int cmd = 0; cmd < NR_CMDS; cmd++) {
		GROWS(ops[cmd]);
		ops += now->ops[cmd];
	}
	HOLDS(ops == all.calls);
	for (int kind = 0; kind < NR_RPC_KINDS; kind++) {
		GROWS(rpc_count[kind]);
		GROWS(rpc_ns[kind]);
		rpc_ns += now->rpc_ns[kind];
	}
	HOLDS(rpc_ns >= all.hold_ns - all.secure_ns);
	if (all.calls) {
		HOLDS(hist_count(now->wait) == all.calls);
		HOLDS(hist_count(now->hold) == all.calls);
		HOLDS(hist_count(now->secure) == all.calls);
	}
	HOLDS(!memcmp(&gained, &now->sums_iv, sizeof(gained)));
	HOLDS(now->wait_iv.calls == gained.calls);
	HOLDS(now->hold_iv.calls == gained.calls);
	HOLDS(now->secure_iv.calls == gained.calls);
	HOLDS(now->in_flight >= 0 && now->in_flight <= now->in_flight_peak);
	GROWS(in_flight_peak);
	before->sessions[now->slot] = *now;
	before->known[now->slot] = true;
}

static inline void check_condition(const struct snapshot *s, const struct snap_cond *now,
				   const struct snap_cond *then)
{
	GROWS(count);
	GROWS(ns);
	GROWS(longest_ns);
	GROWS(peak);
	HOLDS(now->longest_ns <= now->ns);
	HOLDS(now->lasting <= now->count);
	HOLDS(now->count || !now->ns);
}

static inline void check_pool(const struct snapshot *s, u32 pool, struct before *before)
{
	const struct snap_pool *now = &s->pools[pool], *then = &before->pools[pool];
	struct class_sums of_tas = {}, all = {};
	u64 open = 0, opened = 0, rows = 0;

	for (int class = 0; class < NR_CLASSES; class ++) {
		struct class_sums gain = sums_since(&now->sums[class], &then->sums[class]);

		check_class_sums(s, &now->sums[class]);
		check_sums_grow(s, &now->sums[class], &then->sums[class]);
		HOLDS(!memcmp(&gain, &now->sums_iv[class], sizeof(gain)));
		sums_add(&all, &now->sums[class]);
		HOLDS(now->in_use[class] >= 0 && now->in_use[class] <= now->in_use_peak[class]);
		HOLDS(now->waiting[class] >= 0 && now->waiting[class] <= now->waiting_peak[class]);
		GROWS(in_use_peak[class]);
		GROWS(waiting_peak[class]);
	}
	HOLDS(now->in_use_all == now->in_use[0] + now->in_use[1]);
	HOLDS(now->waiting_all == now->waiting[0] + now->waiting[1]);
	HOLDS(now->in_use_all <= now->in_use_all_peak);
	HOLDS(now->waiting_all <= now->waiting_all_peak);
	HOLDS(now->in_rpc <= now->in_use_all);
	for (int cond = 0; cond < NR_CONDS; cond++)
		check_condition(s, &now->conds[cond], &then->conds[cond]);
	HOLDS(!s->interval_ns || now->exhausted_ns_iv <= s->interval_ns);
	for (u32 i = 0; i < s->nr_tas; i++) {
		const struct snap_ta *ta = &s->tas[i];
		u64 wait = 0, hold = 0, secure = 0;

		if (ta->pool != pool)
			continue;
		for (int octave = 0; octave < HIST_OCTAVES; octave++) {
			wait += ta->wait[octave];
			hold += ta->hold[octave];
			secure += ta->secure[octave];
		}
		HOLDS(wait == ta->sums.calls && hold == wait && secure == wait);
		open += ta->open;
		opened += ta->opened;
		sums_add(&of_tas, &ta->sums);
	}
	HOLDS(!memcmp(&of_tas, &all, sizeof(all)));
	for (u32 i = 0; i < s->nr_sessions; i++)
		rows += s->sessions[i].pool == pool && s->sessions[i].serial && s->sessions[i].open;
	HOLDS(open <= rows && open <= opened);
	before->pools[pool] = *now;
}

/* records: each call is recorded, and was from the beginning on. */
static inline void check_snapshot(const struct snapshot *s, struct before *before, bool records)
{
	u64 recorded = 0, calls = 0;
	int last = -1;

	for (u32 i = 0; i < s->nr_sessions; i++) {
		HOLDS((int)s->sessions[i].slot > last);
		last = (int)s->sessions[i].slot;
		check_session(s, &s->sessions[i], before);
	}
	for (u32 i = 0; i < s->nr_pools; i++) {
		check_pool(s, i, before);
		for (int class = 0; class < NR_CLASSES; class ++)
			calls += s->pools[i].sums[class].calls;
	}
	for (u32 i = 0; i < s->nr_cpus; i++)
		recorded += s->records[i].emitted + s->records[i].lost;
	HOLDS(!records || recorded >= calls);
	for (u32 i = 0; i < s->nr_calls; i++) {
		const struct snap_call *c = &s->calls[i];

		HOLDS(c->pool < s->nr_pools);
		HOLDS(c->session < (int)s->nr_sessions);
		HOLDS(!c->age_ns || c->phase_ns <= c->age_ns);
		HOLDS(c->age_ns < 1ULL << 62 && c->phase_ns < 1ULL << 62);
	}
	for (int i = 0; i < NR_LOSSES; i++) {
		HOLDS(s->losses.count[i] >= before->losses[i]);
		before->losses[i] = s->losses.count[i];
	}
}

#endif
