/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snapshots that never were: with a row of every sort, names that are hard to write, and
 * figures that are not known; one of the largest size; and none at all.
 */
#ifndef OPTEE_TOP_METRICS_MADE_H
#define OPTEE_TOP_METRICS_MADE_H

#include <stdio.h>
#include <string.h>
#include "model/condition_table.h"
#include "model/hist.h"
#include "metrics/metrics.h"

#define T0 1790000000123456789ULL

static struct snap_ta tas[MAX_TAS];
static struct snapshot snap = { .tas = tas };
static struct daemon_stats self;
static const struct host host = {
	.version = "v1-\"made\"\\",
	.release = "6.12.95+deb13-arm64",
	.real_ns = T0,
	.mono_ns = 7000000001ULL,
};

static struct snap_ta *add_ta(const char *name, enum call_class class)
{
	struct snap_ta *row = &tas[snap.nr_tas++];

	row->known = name;
	snprintf(row->ta, sizeof(row->ta), "%s", name ?: "");
	row->class = class;
	return row;
}

/* Calls of so many different times, an octave each. */
static void calls(struct snap_ta *row, unsigned int nr, u64 seed)
{
	for (unsigned int i = 0; i < nr; i++) {
		u64 wait = hist_octave_end(i % HIST_OCTAVES) / 2 + seed, hold = 3 * wait + 1;

		row->sums.calls++;
		row->sums.wait_ns += wait;
		row->sums.hold_ns += hold;
		row->sums.secure_ns += wait;
		row->sums.wait_max_ns = wait > row->sums.wait_max_ns ? wait : row->sums.wait_max_ns;
		row->sums.hold_max_ns = hold > row->sums.hold_max_ns ? hold : row->sums.hold_max_ns;
		row->wait[i % HIST_OCTAVES]++;
		row->hold[(i + 1) % HIST_OCTAVES]++;
		row->secure[(i + 2) % HIST_OCTAVES]++;
	}
	row->opened = nr + 1;
	row->open = 1;
}

static void add_pool(u32 id, int total)
{
	struct snap_pool *pool = &snap.pools[snap.nr_pools++];

	*pool = (struct snap_pool){
		.id = id,
		.total = total,
		.in_use = { 1, 1 },
		.in_use_all = 2,
		.in_rpc = 1,
		.waiting = { 3, 0 },
		.waiting_all = 3,
		.oldest_wait_ns = 1234567890,
		.in_use_peak = { 2, 1 },
		.in_use_all_peak = 2,
		.waiting_peak = { 5, 1 },
		.waiting_all_peak = 5,
		.reserved = total < 0 ? -1 : 1,
		.design = total < 0 ? DESIGN_NONE : DESIGN_MERGED,
		.driver_free = total < 0 ? -1 : 0,
		.system_sessions = total < 0 ? -1 : 1,
		.system_sessions_unseen = total < 0 ? -1 : 0,
		.drift_known = total >= 0,
		.drift = -1,
	};
	for (int i = 0; i < NR_CONDS; i++)
		pool->conds[i] = (struct snap_cond){
			.known = total >= 0 || i == COND_STARVED || i == COND_DEADLOCK,
			.count = (u64)i + 1,
			.lasting = i % 2,
			.since_ns = 5,
			.ns = 1000000007ULL * ((u64)i + 1),
			.longest_ns = 500000003,
			.peak = (u64)i,
		};
}

static void add_policy(struct snap_pool *pool, enum policy_home home, const char *name)
{
	struct snap_policy *policy = &pool->policies[pool->nr_policies++];

	policy->home = home;
	snprintf(policy->of.name, sizeof(policy->of.name), "%s", name);
	policy->of.reserve_yes = 2;
	policy->of.reserve_no = 1;
	for (int class = 0; class < NR_CLASSES; class ++)
		policy->of.counts[class] = (struct policy_counts){
			100, 90, 5, 1, 2, 3, 10, 1500000001, 900000000, 4, 5, 6,
		};
}

static void of_all(void)
{
	add_pool(0, 2);
	add_pool(3, -1);
	snap.pools[0].takes_policies = true;
	snap.pools[0].policies_attached = 3;
	snap.pools[0].policies_ejected = 1;
	add_policy(&snap.pools[0], POLICY_ENFORCED, "single");
	add_policy(&snap.pools[0], POLICY_SHADOW, "per-session");
	for (int i = 0; i < NR_LOSSES; i++)
		snap.losses.count[i] = (u64)i * 10;
	calls(add_ta("os_test", CLASS_NORMAL), 100, 1);
	calls(add_ta("os_test", CLASS_SYSTEM), 7, 2);
	calls(add_ta("12345678-9abc-def0-1234-56789abcdef0", CLASS_NORMAL), 1000, 3);
	calls(add_ta("(no session)", CLASS_NORMAL), 3, 0);
	calls(add_ta(NULL, CLASS_NORMAL), 1, 0);
	calls(add_ta("unknown", CLASS_NORMAL), 2, 0);
	calls(add_ta("other", CLASS_NORMAL), 2, 5);
	calls(add_ta("\"\\\n\x01\xff", CLASS_NORMAL), 4, 5);
	add_ta("idle", CLASS_NORMAL);
	tas[0].sums.failed = 5;
	tas[0].sums.waited = 9;
	tas[0].sums.limits = 2;
	tas[0].sums.limit_ns = 17000000;
	tas[0].rpc_count[RPC_FS] = 4;
	tas[0].rpc_ns[RPC_FS] = 4000000001ULL;
	tas[0].rpc_count[RPC_FOREIGN_INTR] = 70;
	add_ta(NULL, CLASS_NORMAL)->other = true;
	calls(&tas[snap.nr_tas - 1], 50, 9);
	calls(add_ta("os_test", CLASS_NORMAL), 6, 1);
	tas[snap.nr_tas - 1].pool = 1;
	daemon_stats_init(&self);
	for (int i = 0; i < NR_DAEMON_STATS; i++)
		self.at[i] = (u64)i * 1000003;
	self.at[STAT_TEXTFILE_WRITES] = STAT_UNUSED;
}

static void of_much(void)
{
	char name[40];

	add_pool(0, 2);
	for (int i = 0; i < MAX_TAS; i++) {
		snprintf(name, sizeof(name), "12345678-9abc-def0-1234-56789abcde%02x", i);
		calls(add_ta(name, CLASS_NORMAL), 26, (u64)i * 1000);
		for (int o = 0; o < HIST_OCTAVES; o++)
			tas[i].wait[o] = tas[i].hold[o] = tas[i].secure[o] = 1234567;
	}
}

/* Without a driver. */
static void of_nothing(void)
{
	daemon_stats_init(&self);
	daemon_stats_use(&self, STAT_HTTP_CONNECTIONS, STAT_HTTP_CUT);
}

static const struct made {
	const char *name;
	void (*make)(void);
} made[] = { { "all", of_all }, { "much", of_much }, { "nothing", of_nothing } };

/* Makes one of them; false: there is none of this name. */
static inline bool make_case(const char *name)
{
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		if (!strcmp(made[i].name, name)) {
			made[i].make();
			return true;
		}
	return false;
}

#endif
