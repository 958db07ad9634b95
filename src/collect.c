// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the shared area and the session rows, without a lock and mostly without
 * a system call, and makes one plain snapshot of them. What changed since the
 * snapshot before is worked out here, so that no view has to remember anything.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "attach.h"
#include "collect.h"
#include "source.h"
#include "watch.h"
#include "hist.h"
#include "text.h"

/* What is remembered of a session's row from one snapshot to the next. */
struct past {
	u64 serial;
	bool closed;    /* its end was shown */
	const char *ta; /* what does not change is worked out once */
	char comm[COMM_LEN * 4 + 1];
	struct class_sums sums[NR_CLASSES];
	struct hist64 *hists; /* wait, hold, secure; NULL before its first call */
};

struct collect {
	struct probes *probes;
	struct watch *watch;
	const struct shared *shared;
	const struct session *rows;
	struct past past[SESSION_SLOTS];
	struct class_sums pool_sums[MAX_POOLS][NR_CLASSES]; /* of all sessions that ever were */
	u64 past_exhausted_ns[MAX_POOLS];
	int session_of_slot[SESSION_SLOTS + 1];
	u64 finals; /* sessions whose row was read after their close */
	u64 unread; /* sessions whose row was given away before */
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
	c->rows = probes->rows;
	c->snap.nr_cpus = nr_cpus();
	c->watch = watch_new(probes);
	if (c->watch)
		return c;
	collect_free(c);
	return NULL;
}

void collect_free(struct collect *c)
{
	if (!c)
		return;
	watch_free(c->watch);
	for (int i = 0; i < SESSION_SLOTS; i++)
		free(c->past[i].hists);
	free(c->snap.sessions);
	free(c->snap.calls);
	free(c);
}

static void sums_add(struct class_sums *to, const struct class_sums *from)
{
	to->calls += from->calls;
	to->failed += from->failed;
	to->waited += from->waited;
	to->wait_ns += from->wait_ns;
	to->hold_ns += from->hold_ns;
	to->secure_ns += from->secure_ns;
	to->limits += from->limits;
	to->limit_ns += from->limit_ns;
	if (from->wait_max_ns > to->wait_max_ns)
		to->wait_max_ns = from->wait_max_ns;
	if (from->hold_max_ns > to->hold_max_ns)
		to->hold_max_ns = from->hold_max_ns;
}

/* now - then; a maximum has no difference. */
static struct class_sums sums_since(const struct class_sums *now, const struct class_sums *then)
{
	return (struct class_sums){
		.calls = now->calls - then->calls,
		.failed = now->failed - then->failed,
		.waited = now->waited - then->waited,
		.wait_ns = now->wait_ns - then->wait_ns,
		.hold_ns = now->hold_ns - then->hold_ns,
		.secure_ns = now->secure_ns - then->secure_ns,
		.limits = now->limits - then->limits,
		.limit_ns = now->limit_ns - then->limit_ns,
	};
}

static void collect_design(struct snap_pool *to, const struct pool *p)
{
	to->driver_free = to->system_sessions = to->reserved = -1;
	if (!p->driver_ns)
		return;
	if (p->driver_flags & DRIVER_SYS_SESSIONS)
		to->system_sessions = p->driver_sys_sessions;
	if (!p->total) {
		to->design = DESIGN_NONE;
		to->reserved = 0;
		return;
	}
	to->driver_free = p->driver_free;
	if (p->driver_flags & DRIVER_RESERVED) {
		to->design = DESIGN_V6;
		to->reserved = p->driver_reserved;
	} else {
		to->design = DESIGN_MERGED;
		to->reserved = p->driver_sys_sessions > 0;
	}
}

static void collect_pools(struct collect *c)
{
	struct snapshot *s = &c->snap;

	s->nr_pools = 0;
	for (int i = 0; i < MAX_POOLS && c->shared->pools[i].ready; i++) {
		const struct pool *p = &c->shared->pools[i];
		struct snap_pool *to = &s->pools[s->nr_pools++];
		struct pool_state state = pool_state(*(const volatile u64 *)&p->state);

		*to = (struct snap_pool){
			.id = p->id,
			.total = p->total ? p->total : -1,
			.in_use_all = state.in_use[CLASS_NORMAL] + state.in_use[CLASS_SYSTEM],
			.in_use_all_peak = p->in_use_all_peak,
			.waiting_all = state.waiting[CLASS_NORMAL] + state.waiting[CLASS_SYSTEM],
			.waiting_all_peak = p->waiting_all_peak,
			.judged_reserved = state.reserved,
		};
		for (int class = 0; class < NR_CLASSES; class ++) {
			to->in_use[class] = state.in_use[class];
			to->in_use_peak[class] = p->in_use_peak[class];
			to->waiting[class] = state.waiting[class];
			to->waiting_peak[class] = p->waiting_peak[class];
		}
		for (int cond = 0; cond < NR_CONDS; cond++)
			watch_condition(c->watch, i, cond, &to->conds[cond]);
		to->exhausted_ns_iv = to->conds[COND_EXHAUSTED].ns - c->past_exhausted_ns[i];
		c->past_exhausted_ns[i] = to->conds[COND_EXHAUSTED].ns;
		collect_design(to, p);
		to->drift_known = watch_drift(c->watch, i, &to->drift);
	}
}

static int collect_hists(struct past *past, const struct session *row, struct snap_session *to)
{
	if (!past->hists) {
		past->hists = calloc(3, sizeof(*past->hists));
		if (!past->hists)
			return -ENOMEM;
	}
	to->wait_iv = hist_gain(&past->hists[0], &row->wait);
	to->hold_iv = hist_gain(&past->hists[1], &row->hold);
	to->secure_iv = hist_gain(&past->hists[2], &row->secure);
	return 0;
}

static void collect_identity(struct snap_session *to, const struct session *row)
{
	static const u8 none[16];

	to->id = row->id;
	to->flags = row->flags;
	to->open = row->state != SESSION_CLOSED;
	memcpy(to->uuid, row->uuid, sizeof(to->uuid));
	to->uuid_known = memcmp(to->uuid, none, sizeof(none)) != 0;
	to->login = row->login;
	to->kind = row->flags & SESSION_KERNEL ? CLIENT_KERNEL :
		   row->flags & SESSION_USER   ? CLIENT_USER :
						 CLIENT_UNKNOWN;
	to->tgid = row->tgid;
	to->opened_ns = row->opened_ns;
	to->closed_ns = row->closed_ns;
}

static void past_forget(struct past *past)
{
	free(past->hists);
	memset(past, 0, sizeof(*past));
}

static int collect_session(struct collect *c, u32 slot, const struct session *row, u32 pool)
{
	struct past *past = &c->past[slot];
	struct snap_session *to = &c->snap.sessions[c->snap.nr_sessions];
	u64 others = 0, calls = 0;
	int err;

	if (past->serial != row->serial) {
		past_forget(past);
		past->serial = row->serial;
		past->ta = ta_name(row->uuid);
		text_sanitise(past->comm, row->comm, COMM_LEN);
	}
	if (past->closed)
		return 0;
	memset(to, 0, sizeof(*to));
	to->serial = row->serial;
	to->slot = slot;
	to->pool = pool;
	collect_identity(to, row);
	to->ta = past->ta;
	memcpy(to->comm, past->comm, sizeof(to->comm));
	if (slot == SLOT_NONE(pool))
		to->flags |= SESSION_NONE;
	else if (slot == SLOT_REST(pool))
		to->flags |= SESSION_REST;
	to->in_flight = row->in_flight;
	to->in_flight_peak = row->in_flight_peak;
	to->last_failure = row->last_failure;
	memcpy(to->sums, row->sums, sizeof(to->sums));
	memcpy(to->ops, row->ops, sizeof(to->ops));
	memcpy(to->rpc_count, row->rpc_count, sizeof(to->rpc_count));
	memcpy(to->rpc_ns, row->rpc_ns, sizeof(to->rpc_ns));
	for (int class = 0; class < NR_CLASSES; class ++) {
		struct class_sums gain = sums_since(&to->sums[class], &past->sums[class]);

		calls += to->sums[class].calls;
		sums_add(&to->sums_iv, &gain);
		sums_add(&c->snap.pools[pool].sums_iv[class], &gain);
		gain.wait_max_ns = to->sums[class].wait_max_ns;
		gain.hold_max_ns = to->sums[class].hold_max_ns;
		sums_add(&c->pool_sums[pool][class], &gain);
		past->sums[class] = to->sums[class];
	}
	for (int cmd = 0; cmd < NR_CMDS; cmd++)
		others += to->ops[cmd];
	to->ops[CMD_INVOKE] = calls - others;
	if (calls) {
		if (to->sums_iv.calls || !past->hists) {
			err = collect_hists(past, row, to);
			if (err)
				return err;
		}
		to->wait = &past->hists[0];
		to->hold = &past->hists[1];
		to->secure = &past->hists[2];
	}
	if (*(const volatile u64 *)&row->serial != to->serial) {
		past_forget(past); /* the row was given away under our eyes */
		return 0;
	}
	past->closed = !to->open;
	c->finals += past->closed;
	c->session_of_slot[slot] = c->snap.nr_sessions++;
	return 0;
}

/*
 * Rows are numbered as they are given: of the first `given`, those that were
 * not taken back, are not in their slots and were never read after their close
 * were missed.
 */
static void collect_unread(struct collect *c, u64 given)
{
	u64 accounted = c->shared->sessions_undone + c->finals;

	for (u32 slot = 0; slot < MAX_SESSIONS; slot++) {
		const struct past *past = &c->past[slot];

		if (past->serial && !past->closed && past->serial <= given)
			accounted++; /* still there when it was read */
		else if (past->closed && past->serial > given)
			accounted--; /* given and closed while we read */
	}
	if (given > accounted && given - accounted > c->unread)
		c->unread = given - accounted;
}

static int collect_sessions(struct collect *c)
{
	u64 given = *(const volatile u64 *)&c->shared->session_serial;
	struct snapshot *s = &c->snap;
	int err = 0;

	if (!s->sessions)
		s->sessions = calloc(SESSION_SLOTS, sizeof(*s->sessions));
	if (!s->sessions)
		return -ENOMEM;
	s->nr_sessions = 0;
	for (u32 slot = 0; slot <= SESSION_SLOTS; slot++)
		c->session_of_slot[slot] = -1;
	for (u32 slot = 0; slot < MAX_SESSIONS && !err; slot++) {
		const struct session *row = &c->rows[slot];

		if (slot >= c->shared->session_cursor)
			break; /* no row from here on was ever used */
		if (!row->serial || row->state == SESSION_FREE)
			past_forget(&c->past[slot]);
		else if (row->pool < s->nr_pools)
			err = collect_session(c, slot, row, row->pool);
	}
	for (u32 pool = 0; pool < s->nr_pools && !err; pool++) {
		err = collect_session(c, SLOT_NONE(pool), &c->rows[SLOT_NONE(pool)], pool);
		if (!err && c->rows[SLOT_REST(pool)].in_flight_peak)
			err = collect_session(c, SLOT_REST(pool), &c->rows[SLOT_REST(pool)], pool);
	}
	collect_unread(c, given);
	for (u32 pool = 0; pool < s->nr_pools; pool++)
		memcpy(s->pools[pool].sums, c->pool_sums[pool], sizeof(c->pool_sums[pool]));
	return err;
}

/* Waiters first, then by age. */
static int call_order(const void *left, const void *right)
{
	const struct snap_call *a = left, *b = right;

	if (a->queued != b->queued)
		return a->queued ? -1 : 1;
	return (a->age_ns < b->age_ns) - (a->age_ns > b->age_ns);
}

static int collect_calls(struct collect *c)
{
	struct snapshot *s = &c->snap;

	if (!s->calls)
		s->calls = calloc(MAX_CALLS, sizeof(*s->calls));
	if (!s->calls)
		return -ENOMEM;
	s->nr_calls = 0;
	for (int i = 0; i < MAX_CALLS; i++) {
		const volatile struct call *slot = &c->shared->calls[i];
		struct snap_call *to;
		struct call call;
		u64 now;

		if (slot->phase == PHASE_FREE)
			continue;
		call = *(const struct call *)slot;
		/* Ended, or another one by now: it will be looked at next time. */
		if (call.phase == PHASE_FREE || call.start_ns != slot->start_ns ||
		    call.pool >= s->nr_pools || call.session_slot > SESSION_SLOTS)
			continue;
		to = &s->calls[s->nr_calls++];
		now = clock_ns(CLOCK_MONOTONIC); /* it may have begun after s->mono_ns */
		*to = (struct snap_call){
			.tid = call.tid,
			.tgid = call.tgid,
			.pool = call.pool,
			.session = c->session_of_slot[call.session_slot],
			.cmd = call.op,
			.func = call.func,
			.class = call.class,
			.phase = call.phase,
			.rpc_kind = call.rpc_kind,
			.queued = call.flags & CALL_WAITING,
			.nested = call.outer != 0,
			.late = call.flags & CALL_LATE,
			.age_ns = call.start_ns ? now - call.start_ns : 0,
			.phase_ns = call.phase_ns ? now - call.phase_ns : 0,
		};
		task_comm(call.tid, to->comm);
		if (to->phase == PHASE_BLIND)
			to->phase = PHASE_RPC;
		if (to->phase == PHASE_RPC)
			s->pools[to->pool].in_rpc++;
		if (to->queued && to->phase_ns > s->pools[to->pool].oldest_wait_ns)
			s->pools[to->pool].oldest_wait_ns = to->phase_ns;
	}
	qsort(s->calls, s->nr_calls, sizeof(*s->calls), call_order);
	return 0;
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
	l->count[LOSS_SESSION_CLOSED] = c->unread;
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
	if (collect_sessions(c) || collect_calls(c))
		return NULL;
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
