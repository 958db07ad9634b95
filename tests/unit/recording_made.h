/* SPDX-License-Identifier: GPL-2.0-only */
/* What a recorder is given to write down: figures of all magnitudes, the same for a seed. */
#ifndef OPTEE_TOP_RECORDING_MADE_H
#define OPTEE_TOP_RECORDING_MADE_H

#include <string.h>
#include "unit.h"
#include "model/hist.h"
#include "record/schema.h"

#define SNAPSHOTS    8
#define SESSIONS     5
#define CALLS        3
#define TAS          4
#define EVENTS       4  /* before a snapshot */
#define CALL_RECORDS 40 /* before one */

static u64 seed = 1;

static u64 any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> (2 + seed % 62); /* of all magnitudes that a figure has */
}

static void any_u64s(void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes / 8; i++) {
		u64 v = any();

		memcpy((u8 *)to + 8 * i, &v, sizeof(v));
	}
}

static int any_int(void)
{
	return (int)(any() % 100) - 1;
}

static void any_text(char *to, size_t size)
{
	size_t len = any() % size;

	for (size_t i = 0; i < len; i++)
		to[i] = (char)(' ' + any() % 95);
	to[len] = '\0';
}

/* What the source below gives. */
static struct given {
	struct snapshot snap;
	struct snap_session sessions[SESSIONS];
	struct snap_call calls[CALLS];
	session_hists hists[SESSIONS];
	struct snap_ta tas[TAS];
	struct event events[EVENTS];
	struct call_record records[CALL_RECORDS];
} given[SNAPSHOTS];
static struct event second[2 * EVENTS]; /* has those of the first, too: that one is not shown */

static const struct host host = {
	.version = "v1",
	.machine = "aarch64",
	.release = "6.12.95",
	.name = "board",
	.boot_id = "0b5e0000-1111-2222-3333-444444444444",
	.hooks = "fentry optee_smc_do_call_with_arg",
	.cpus = 4,
	.mono_ns = 1234567890123,
	.real_ns = 1790000000000000000,
	.resolution_ns = 1,
	.starved_ns = 1000000000,
	.reserved = -1,
	.calls = true,
};

static void make_policies(struct snap_pool *p)
{
	p->takes_policies = any() & 1;
	if (p->takes_policies) {
		p->policies_attached = any();
		p->policies_ejected = any();
		any_text(p->policy_left, sizeof(p->policy_left));
		p->policy_reason = (u32)any();
	}
	p->nr_policies = any() % (MAX_SHADOWS + 2);
	for (u32 i = 0; i < p->nr_policies; i++) {
		struct pool_policy *of = &p->policies[i].of;

		p->policies[i].home = any() % NR_POLICY_HOMES;
		any_text(of->name, sizeof(of->name));
		of->reserve_yes = any();
		of->reserve_no = any();
		any_u64s(of->counts, sizeof(of->counts));
	}
}

static void make_pool(struct snap_pool *p)
{
	p->id = (u32)any();
	p->total = any_int();
	p->in_use_all = any_int();
	p->in_rpc = any_int();
	p->waiting_all = any_int();
	p->in_use_all_peak = any_int();
	p->waiting_all_peak = any_int();
	for (int class = 0; class < NR_CLASSES; class ++) {
		p->in_use[class] = any_int();
		p->waiting[class] = any_int();
		p->in_use_peak[class] = any_int();
		p->waiting_peak[class] = any_int();
	}
	any_u64s(p->sums, sizeof(p->sums));
	any_u64s(p->sums_iv, sizeof(p->sums_iv));
	p->reserved = any_int();
	p->design = any() % NR_DESIGNS;
	p->driver_free = any_int();
	p->system_sessions = any_int();
	p->system_sessions_unseen = any_int();
	p->oldest_wait_at_least = any_int();
	p->drift_known = any() & 1;
	p->drift = -any_int();
	p->judged_reserved = any_int();
	for (int cond = 0; cond < NR_CONDS; cond++) {
		p->conds[cond] = (struct snap_cond){ any() & 1, any(), any(), any(),
						     any(),     any(), any() };
	}
	p->exhausted_ns_iv = any();
	p->oldest_wait_ns = any();
	p->sight = any() % NR_SIGHTS;
	make_policies(p);
}

static void make_session(struct snap_session *row, session_hists *hists)
{
	row->serial = any();
	row->slot += 1 + any() % 100; /* behind that of the row before */
	row->pool = any() % 2;
	row->id = (u32)any();
	row->flags = (u32)any();
	row->open = any() & 1;
	row->uuid_known = any() & 1;
	any_u64s(row->uuid, sizeof(row->uuid));
	row->login = (u32)any();
	row->kind = any() % (CLIENT_KERNEL + 1);
	row->tgid = (u32)any();
	any_text(row->comm, sizeof(row->comm));
	row->opened_ns = any();
	row->closed_ns = any();
	row->in_flight = any_int();
	row->in_flight_peak = any_int();
	any_u64s(row->sums, sizeof(row->sums));
	any_u64s(&row->sums_iv, sizeof(row->sums_iv));
	any_u64s(row->ops, sizeof(row->ops));
	row->last_failure = (u32)any();
	any_u64s(row->rpc_count, sizeof(row->rpc_count));
	any_u64s(row->rpc_ns, sizeof(row->rpc_ns));
	any_u64s(&row->wait_iv, sizeof(row->wait_iv));
	any_u64s(&row->hold_iv, sizeof(row->hold_iv));
	any_u64s(&row->secure_iv, sizeof(row->secure_iv));
	if (any() & 1)
		return; /* no calls yet */
	for (int h = 0; h < 3; h++)
		for (int i = 0; i < HIST_BUCKETS; i++)
			if (any() & 1)
				assert_true(hist_add(&(*hists)[h], (unsigned int)i, any() | 1));
	assert_true(hist_add(&(*hists)[2], HIST_BUCKETS - 1, 1));
	row->wait = &(*hists)[0];
	row->hold = &(*hists)[1];
	row->secure = &(*hists)[2];
}

static void make_call(struct snap_call *call)
{
	call->tid = (u32)any();
	call->tgid = (u32)any();
	any_text(call->comm, sizeof(call->comm));
	call->pool = any() % 2;
	call->session = (int)(any() % (SESSIONS + 1)) - 1;
	call->cmd = any() % NR_CMDS;
	call->func = (u32)any();
	call->class = any() % NR_CLASSES;
	call->phase = any() % (PHASE_BLIND + 1);
	call->rpc_kind = any() % NR_RPC_KINDS;
	call->queued = any() & 1;
	call->nested = any() & 1;
	call->late = any() & 1;
	call->age_at_least = any() & 1;
	call->phase_at_least = any() & 1;
	call->age_ns = any();
	call->phase_ns = any();
}

static void make_party(struct event_party *p, u32 nr_parties)
{
	p->tid = (u32)any();
	p->tgid = (u32)any();
	any_text(p->comm, sizeof(p->comm));
	p->serial = any();
	p->session = (u32)any();
	any_text(p->ta, sizeof(p->ta));
	any_text(p->client, sizeof(p->client));
	p->cmd = any() % NR_CMDS;
	p->func = (u32)any();
	p->class = any() % NR_CLASSES;
	p->phase = any() % (PHASE_BLIND + 1);
	p->rpc_kind = any() % NR_RPC_KINDS;
	p->waits = any() & 1;
	p->late = any() & 1;
	p->since_at_least = any() & 1;
	p->since_ns = any();
	p->swallowed = any() & 1;
	p->swallowed_ns = any();
	p->behind = (int)(any() % (nr_parties + 1)) - 1;
	p->by_supplicant = any() & 1;
	p->one_of = any() & 1;
}

static void make_ta(struct snap_ta *ta)
{
	ta->pool = any() % 2;
	any_text(ta->ta, sizeof(ta->ta));
	ta->known = any() & 1;
	ta->other = any() & 1;
	ta->class = any() % NR_CLASSES;
	ta->opened = any();
	ta->open = (u32)any();
	any_u64s(&ta->sums, sizeof(ta->sums));
	any_u64s(ta->rpc_count, sizeof(ta->rpc_count));
	any_u64s(ta->rpc_ns, sizeof(ta->rpc_ns));
	any_u64s(ta->wait, sizeof(ta->wait));
	any_u64s(ta->hold, sizeof(ta->hold));
	any_u64s(ta->secure, sizeof(ta->secure));
	ta->changed = true;
}

static void make_event(struct event *e)
{
	e->condition = any() % NR_CONDS;
	e->state = any() % (EVENT_END + 1);
	e->tee = (u32)any();
	e->episode = any();
	e->since_ns = any();
	e->mono_ns = any();
	e->real_ns = any();
	e->duration_ns = any();
	e->end_unseen = any() & 1;
	e->peak = (u32)any();
	e->threads = any_int();
	e->reserved = any_int();
	for (int class = 0; class < NR_CLASSES; class ++) {
		e->in_use[class] = any_int();
		e->waiting[class] = any_int();
	}
	e->driver_free = any_int();
	e->driver_sys_sessions = any_int();
	e->drift = -any_int();
	e->unreported = any();
	e->nr_parties = any() % (MAX_PARTIES + 1);
	e->culprit = (int)(any() % (e->nr_parties + 1)) - 1;
	for (u32 i = 0; i < e->nr_parties; i++)
		make_party(&e->parties[i], e->nr_parties);
}

static void make_record(struct call_record *r)
{
	any_u64s(r, sizeof(*r));
	r->secure_ns = any() % (r->hold_ns + 1);
	r->limit_ns = any() % (r->wait_ns + 1);
	r->op = any() % NR_CMDS;
	r->class = any() % NR_CLASSES;
	r->pool = any() % MAX_POOLS;
	r->flags = (u8)any();
}

static void make_all(void)
{
	for (int i = 0; i < SNAPSHOTS; i++)
		for (int n = 0; n < SESSIONS; n++)
			for (int h = 0; h < 3; h++)
				hist_release(&given[i].hists[n][h]);
	memset(given, 0, sizeof(given));
	for (int i = 0; i < SNAPSHOTS; i++) {
		struct given *g = &given[i];
		struct snapshot *s = &g->snap;

		s->seq = (u64)i + 1;
		s->mono_ns = any();
		s->real_ns = any();
		s->interval_ns = i ? 1 + any() / 2 : 0;
		s->nr_pools = 2;
		s->nr_sessions = SESSIONS;
		s->nr_calls = CALLS;
		s->sessions = g->sessions;
		s->calls = g->calls;
		s->nr_tas = TAS;
		s->tas = g->tas;
		s->events = i == 1 ? second : g->events;
		s->nr_events = i == 1 ? 2 * EVENTS : EVENTS;
		for (u32 p = 0; p < s->nr_pools; p++)
			make_pool(&s->pools[p]);
		for (int n = 0; n < SESSIONS; n++) {
			g->sessions[n].slot = n ? g->sessions[n - 1].slot : 0;
			make_session(&g->sessions[n], &g->hists[n]);
		}
		for (int n = 0; n < TAS; n++)
			make_ta(&g->tas[n]);
		for (int n = 0; n < CALLS; n++)
			make_call(&g->calls[n]);
		for (int n = 0; n < EVENTS; n++)
			make_event(&g->events[n]);
		for (int n = 0; n < CALL_RECORDS; n++)
			make_record(&g->records[n]);
		any_u64s(s->losses.count, sizeof(s->losses.count));
		s->losses.missed = any();
		s->losses.missed_known = any() & 1;
		s->nr_cpus = 3;
		if (i < 2)
			memcpy(second + i * EVENTS, g->events, sizeof(g->events));
		any_u64s(s->records, s->nr_cpus * sizeof(s->records[0]));
	}
}

#endif
